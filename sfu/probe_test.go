// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/stun/v4"

	"github.com/caddy-videoroom/videoroom/sfu/internal/demux"
)

// lastState is what the room has been told last.
func (cl *simClient) lastState() PeerState { return cl.state[len(cl.state)-1] }

// A client that sends nothing of its own for minutes lives by its answers.
func TestMutedClientIsKeptByProbes(t *testing.T) {
	for _, loss := range []float64{0, 0.1} {
		s := newSim(t, 5)
		a := s.client("PA_a")
		a.up, a.down = netem{loss: loss, delay: 100 * time.Millisecond}, netem{loss: loss, delay: 100 * time.Millisecond}
		s.ticking()
		s.run(5 * time.Minute)
		if want := []PeerState{PeerConnected}; loss == 0 && !slices.Equal(a.state, want) || a.lastState() != PeerConnected {
			t.Errorf("loss %v: states %v, want %v", loss, a.state, want)
		}
		if n := len(a.probed); n < 250 || n > 600 {
			t.Errorf("loss %v: %d probes in five minutes", loss, n)
		}
		if len(a.t.probes) > maxProbes || len(s.c.byProbe) != len(a.t.probes) {
			t.Errorf("loss %v: %d probes outstanding, %d in the index", loss, len(a.t.probes), len(s.c.byProbe))
		}
	}
}

// Who talks is not asked.
func TestNoProbesWhileMediaFlows(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	s.ticking()
	a.publish("TR_v", 1)
	s.run(10 * time.Second)
	if len(a.probed) != 0 {
		t.Errorf("%d probes beside media", len(a.probed))
	}
}

// A probe is a check of a controlled agent, protected by the client's password,
// and not larger than the client's own checks.
func TestProbeIsACheck(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	s.ticking()
	s.run(time.Second)
	if len(a.probed) == 0 {
		t.Fatal("no probe")
	}
	raw := a.probed[0]
	m := &stun.Message{Raw: raw}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	var user stun.Username
	if err := user.GetFrom(m); err != nil || string(user) != a.own.ufrag+":"+a.t.cred.ufrag {
		t.Errorf("user name %q, %v", user, err)
	}
	if err := stun.NewShortTermIntegrity(a.own.pwd).Check(m); err != nil {
		t.Error(err)
	}
	if err := stun.Fingerprint.Check(m); err != nil {
		t.Error(err)
	}
	if !m.Contains(stun.AttrPriority) || !m.Contains(stun.AttrICEControlled) || m.Contains(stun.AttrUseCandidate) {
		t.Errorf("attributes %v", m.Attributes)
	}
	if check := a.check(false); len(raw) > len(check) {
		t.Errorf("a probe has %d octets, a check %d", len(raw), len(check))
	}
}

// A client whose checks are too small to be answered by a probe is not probed,
// and counts as dead only by its silence.
func TestSmallChecksAreNotProbed(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	for i := range a.t.paths {
		a.t.paths[i].size = 60
	}
	s.ticking()
	s.run(7 * time.Second)
	if len(a.probed) != 0 || a.lastState() != PeerConnected {
		t.Errorf("%d probes, state %d", len(a.probed), a.lastState())
	}
	s.run(2 * time.Second)
	if a.lastState() != PeerDisconnected {
		t.Errorf("state %d after 9 s", a.lastState())
	}
}

func TestDeadPathIsToldInTime(t *testing.T) {
	lines := map[string]func(a *simClient){
		"both ways":          func(a *simClient) { a.up.loss, a.down.loss = 1, 1 },
		"towards the server": func(a *simClient) { a.up.loss = 1 },
	}
	for name, cut := range lines {
		for _, talks := range []bool{true, false} {
			s := newSim(t, 5)
			a := s.client("PA_a")
			s.ticking()
			if talks {
				a.publish("TR_v", 1)
			}
			s.run(10 * time.Second)
			cut(a)
			heard := a.t.lastSeen
			for a.lastState() == PeerConnected && s.c.now-heard < int64(10*time.Second) {
				s.run(tickPeriod)
			}
			took := time.Duration(s.c.now - heard)
			if a.lastState() != PeerSilent || took < 1600*time.Millisecond || took > 2200*time.Millisecond {
				t.Errorf("%s, talks %v: state %d after %v", name, talks, a.lastState(), took)
			}
			probes := len(a.probed)
			s.run(3 * time.Second)
			if len(a.probed) > probes+1 {
				t.Errorf("%s, talks %v: %d probes after the path was dead", name, talks, len(a.probed)-probes)
			}
			s.run(5 * time.Second)
			if a.lastState() != PeerDisconnected {
				t.Errorf("%s, talks %v: state %d after 10 s", name, talks, a.lastState())
			}
			a.up.loss, a.down.loss = 0, 0
			a.send(a.check(true))
			s.run(time.Second)
			if a.lastState() != PeerConnected {
				t.Errorf("%s, talks %v: state %d after the line returned", name, talks, a.lastState())
			}
		}
	}
}

// A loop that stood still says nothing about its clients.
func TestStandstillIsNoDeath(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	s.ticking()
	a.publish("TR_v", 1)
	s.run(time.Second)
	s.c.now += int64(4 * time.Second)
	s.c.tick()
	s.run(time.Second)
	if !slices.Equal(a.state, []PeerState{PeerConnected}) {
		t.Errorf("states %v", a.state)
	}
}

// While the client is at an ICE restart it needs no telling.
func TestNoSilenceDuringRestart(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	s.ticking()
	a.publish("TR_v", 1)
	s.run(time.Second)
	cred, own := newCredentials(0), credentials{ufrag: "next", pwd: "another password, longer"}
	a.t.restart(s.c, cred, own)
	a.up.loss = 1
	s.run(6 * time.Second)
	if !slices.Equal(a.state, []PeerState{PeerConnected}) {
		t.Errorf("states %v", a.state)
	}
	a.up.loss, a.own = 0, own
	a.send(a.check(true))
	s.run(time.Second)
	if a.t.renewing() || a.lastState() != PeerConnected {
		t.Errorf("renewing %v, state %d after the nomination", a.t.renewing(), a.lastState())
	}
	a.deaf, a.pubs[0].stopped = true, true
	s.run(3 * time.Second)
	if a.lastState() != PeerSilent {
		t.Errorf("state %d", a.lastState())
	}
}

// Answers that are forged, replayed, late or from elsewhere are no sign of life.
func TestFalseAnswers(t *testing.T) {
	other := netip.MustParseAddrPort("203.0.113.9:999")
	type feed func(s *sim, a *simClient, probe *stun.Message, good []byte)
	deliver := func(s *sim, b []byte, from netip.AddrPort) {
		s.c.receive(append([]byte(nil), b...), from, netip.Addr{}, s.box)
	}
	cases := map[string]feed{
		"wrong password": func(s *sim, a *simClient, p *stun.Message, _ []byte) {
			deliver(s, a.answer(p, "something else altogether"), a.addr)
		},
		"our own password": func(s *sim, a *simClient, p *stun.Message, _ []byte) {
			deliver(s, a.answer(p, a.t.cred.pwd), a.addr)
		},
		"no integrity": func(s *sim, a *simClient, p *stun.Message, _ []byte) {
			deliver(s, stun.MustBuild(p, stun.BindingSuccess, stun.Fingerprint).Raw, a.addr)
		},
		"unknown transaction": func(s *sim, a *simClient, p *stun.Message, _ []byte) {
			p.TransactionID[5] ^= 1
			deliver(s, a.answer(p, a.own.pwd), a.addr)
		},
		"from elsewhere": func(s *sim, _ *simClient, _ *stun.Message, good []byte) { deliver(s, good, other) },
		"late": func(s *sim, a *simClient, _ *stun.Message, good []byte) {
			s.at(time.Duration(probeLife)+time.Second, func() { deliver(s, good, a.addr) })
		},
		"broken fingerprint": func(s *sim, a *simClient, _ *stun.Message, good []byte) {
			good[len(good)-1] ^= 1
			deliver(s, good, a.addr)
		},
		"an error": func(s *sim, a *simClient, p *stun.Message, _ []byte) {
			deliver(s, stun.MustBuild(p, stun.BindingError, stun.CodeUnauthorized,
				stun.NewShortTermIntegrity(a.own.pwd), stun.Fingerprint).Raw, a.addr)
		},
	}
	for name, f := range cases {
		s := newSim(t, 5)
		a := s.client("PA_a")
		a.deaf = true
		s.ticking()
		s.run(700 * time.Millisecond)
		if len(a.probed) != 1 {
			t.Fatalf("%d probes", len(a.probed))
		}
		m := &stun.Message{Raw: append([]byte(nil), a.probed[0]...)}
		if err := m.Decode(); err != nil {
			t.Fatal(err)
		}
		seen := a.t.lastSeen
		f(s, a, m, a.answer(m, a.own.pwd))
		s.run(6 * time.Second)
		if a.lastState() != PeerSilent || a.t.lastSeen != seen {
			t.Errorf("%s: state %d, taken for a sign of life: %v", name, a.lastState(), a.t.lastSeen != seen)
		}
		if s.c.byAddr[other] != nil || a.t.selected != a.addr {
			t.Errorf("%s: an address was taken", name)
		}
	}
}

// A true answer counts once.
func TestReplayedAnswerIsIgnored(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	a.deaf = true
	s.ticking()
	s.run(700 * time.Millisecond)
	m := &stun.Message{Raw: append([]byte(nil), a.probed[0]...)}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	good := a.answer(m, a.own.pwd)
	first := s.c.now
	s.every(100*time.Millisecond, func() {
		s.c.receive(append([]byte(nil), good...), a.addr, netip.Addr{}, s.box)
	})
	s.run(150 * time.Millisecond)
	if a.t.lastSeen <= first {
		t.Fatal("a true answer was not taken")
	}
	s.run(2500 * time.Millisecond)
	if a.lastState() != PeerSilent {
		t.Errorf("state %d: a replayed answer kept the path alive", a.lastState())
	}
}

// Checks on another path, which the client has not nominated, do not help the one
// that media takes.
func TestOnlyTheSelectedPathCounts(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	s.ticking()
	a.publish("TR_a", 1)
	s.run(time.Second)
	other := netip.MustParseAddrPort("198.51.100.78:61000")
	s.every(100*time.Millisecond, func() { s.c.receive(a.check(false), other, netip.Addr{}, s.box) })
	s.run(time.Second)
	if a.lastState() != PeerConnected || s.c.byAddr[other] != a.t {
		t.Fatalf("state %d", a.lastState())
	}
	a.up.loss = 1
	s.run(2200 * time.Millisecond)
	if a.lastState() != PeerSilent {
		t.Errorf("state %d", a.lastState())
	}
	s.c.receive(a.check(true), other, netip.Addr{}, s.box)
	if a.lastState() != PeerConnected || a.t.selected != other {
		t.Errorf("state %d after a nomination", a.lastState())
	}
}

// An unknown address is listened to only so often, whatever it sends.
func TestStrayMediaIsLimited(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	s.ticking()
	src := a.publish("TR_a", 1)[0]
	src.perFrame, src.size = 40, 100
	s.run(time.Second)
	a.deaf = true
	a.rebind(netip.MustParseAddrPort("198.51.100.78:61000"))
	in := s.c.stats.in.Load()
	s.run(5 * time.Second)
	if n := s.c.stats.in.Load() - in; n < 4*strangerRate || n > 6*strangerRate {
		t.Errorf("%d packets of an unknown address were looked at in five seconds", n)
	}
}

// rebind gives a client another address, as a NAT does.
func (cl *simClient) rebind(to netip.AddrPort) {
	delete(cl.s.clients, cl.addr)
	cl.addr = to
	cl.s.clients[to] = cl
}

// After a NAT has given a client another address its media goes on at once, and
// what it receives follows within 300 ms.
func TestRebinding(t *testing.T) {
	s := newSim(t, 5)
	line := netem{delay: 30 * time.Millisecond}
	a, b := s.client("PA_a"), s.client("PA_b")
	a.up, a.down, b.up, b.down = line, line, line, line
	s.ticking()
	fromA, fromB := a.publish("TR_a", 1)[0], b.publish("TR_b", 1)[0]
	atA, atB := a.subscribe(fromB.track), b.subscribe(fromA.track)
	s.run(3 * time.Second)
	old, next := b.addr, netip.MustParseAddrPort("198.51.100.77:61000")
	begin := s.c.now
	b.rebind(next)
	s.run(300 * time.Millisecond)
	if b.t.selected != next {
		t.Fatal("media did not move")
	}
	s.run(2 * time.Second)
	if gap := atA.longestGap(begin); gap > 100*time.Millisecond {
		t.Errorf("what moved was not heard for %v", gap)
	}
	if gap := atB.longestGap(begin); gap > 600*time.Millisecond {
		t.Errorf("who moved saw nothing for %v", gap)
	}
	if !slices.Equal(b.state, []PeerState{PeerConnected}) {
		t.Errorf("states %v", b.state)
	}
	if s.c.byAddr[next] != b.t || s.c.byAddr[old] != b.t {
		t.Error("the addresses are not known")
	}
	s.c.removeTransport(b.t)
	s.c.removeTransport(a.t)
	if len(s.c.byAddr)+len(s.c.bySource)+len(s.c.byProbe) != 0 {
		t.Error("removed peers left something behind")
	}
	s.c.dir.sources.Range(func(k, _ any) bool { t.Errorf("source %v is left in the directory", k); return true })
	if n := len(s.c.dir.addrs.Load().hosts); n != 0 {
		t.Errorf("%d hosts are left in the directory", n)
	}
}

// Without an answer nothing moves, and the probes are few.
func TestRebindingNeedsAnAnswer(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := b.publish("TR_b", 1)[0]
	k := a.subscribe(src.track)
	s.run(time.Second)
	old, next := b.addr, netip.MustParseAddrPort("198.51.100.77:61000")
	b.deaf = true
	b.rebind(next)
	frames := k.frames
	s.run(time.Second)
	if b.t.selected != old || s.c.byAddr[next] != nil {
		t.Error("media moved to an address that answered nothing")
	}
	if k.frames < frames+20 {
		t.Error("authentic media was not forwarded")
	}
	if n := len(b.probed); n < 3 || n > 6 {
		t.Errorf("%d probes in a second", n)
	}
}

// Packets that somebody caught and sends on from elsewhere move nothing, neither
// the replayed ones nor those that overtake the originals.
func TestReplayFromElsewhereMovesNothing(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	b.up.delay = 30 * time.Millisecond
	s.ticking()
	src := b.publish("TR_b", 1)[0]
	k := a.subscribe(src.track)
	other := netip.MustParseAddrPort("203.0.113.9:999")
	s.run(time.Second)
	var probes int
	catcher := &simClient{s: s, addr: other, in: b.in}
	s.clients[other] = catcher
	for range 50 {
		s.run(40 * time.Millisecond)
		p := &rtp.Packet{Header: src.history[src.seq-1].Header, Payload: src.history[src.seq-1].Payload}
		raw, _ := p.Marshal()
		enc, err := b.out.EncryptRTP(nil, raw, nil) // as sent a moment ago
		if err != nil {
			t.Fatal(err)
		}
		s.c.receive(append([]byte(nil), enc...), other, netip.Addr{}, s.box)
		s.c.receive(append([]byte(nil), enc...), other, netip.Addr{}, s.box)
	}
	probes = len(catcher.probed)
	if b.t.selected != b.addr || s.c.byAddr[other] != nil {
		t.Error("media moved")
	}
	if probes > 11 {
		t.Errorf("%d probes to the address in two seconds", probes)
	}
	if k.frames < 60 {
		t.Errorf("the call suffered: %d pictures", k.frames)
	}
}

// Packets that take two ways in turn do not make the path flap, even though the
// client answers on both.
func TestTwoWaysDoNotFlap(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	a.subscribe(b.publish("TR_b", 1)[0].track)
	other := netip.MustParseAddrPort("203.0.113.9:999")
	s.clients[other] = &simClient{s: s, addr: other, t: b.t, own: b.own, in: b.in}
	moves, last := 0, b.addr
	s.every(20*time.Millisecond, func() {
		if b.t.selected != last {
			moves, last = moves+1, b.t.selected
		}
	})
	ways := [2]netip.AddrPort{b.addr, other}
	s.run(time.Second)
	s.every(40*time.Millisecond, func() { // between two pictures
		b.addr = ways[0]
		ways[0], ways[1] = ways[1], ways[0]
	})
	s.run(10 * time.Second)
	if b.t.path(other, s.box) == nil {
		t.Error("the second way was not found")
	}
	if moves > 0 {
		t.Errorf("the path moved %d times", moves)
	}
}

// The directory finds loops by source, and forgets what the owner forgets.
func TestDirectorySources(t *testing.T) {
	d := newDirectory()
	rtpOf := func(ssrc byte) []byte { return []byte{0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, ssrc, 0} }
	rtcpOf := func(ssrc byte) []byte { return []byte{0x80, 200, 0, 1, 0, 0, 0, ssrc} }
	from := netip.MustParseAddrPort("203.0.113.9:1")
	d.setSource(7, 3)
	d.setSource(7, 2) // too late
	for _, b := range [][]byte{rtpOf(7), rtcpOf(7)} {
		if loop, ok := d.ownerOf(b, from); !ok || loop != 3 {
			t.Errorf("owner %d, %v", loop, ok)
		}
	}
	if _, ok := d.ownerOf(rtpOf(8), from); ok {
		t.Error("an unknown source has an owner")
	}
	d.set(from, 1)
	if loop, ok := d.ownerOf(rtpOf(7), from); !ok || loop != 1 {
		t.Errorf("a known address belongs to loop %d, %v", loop, ok)
	}
	d.removeSource(7, 2)
	if _, ok := d.source(demux.RTP, rtpOf(7)); !ok {
		t.Error("another loop removed the source")
	}
	d.removeSource(7, 3)
	if _, ok := d.source(demux.RTP, rtpOf(7)); ok {
		t.Error("the source is still there")
	}
	d.set(netip.MustParseAddrPort("203.0.113.9:2"), 1)
	d.remove([]netip.AddrPort{from}, 1)
	if !d.host(from.Addr()) {
		t.Error("a host with another address is forgotten")
	}
	d.remove([]netip.AddrPort{from, netip.MustParseAddrPort("203.0.113.9:2")}, 1)
	if d.host(from.Addr()) {
		t.Error("a host without address is remembered")
	}
	id := newProbeID(newCore(5, newDirectory(), new(counters)))
	m := stun.MustBuild(stun.BindingSuccess, stun.NewTransactionIDSetter(id))
	if loop, ok := d.ownerOf(m.Raw, from); !ok || loop != 5 {
		t.Errorf("the answer to a probe goes to loop %d, %v", loop, ok)
	}
}

// After an outage pictures are back with the next key frame, in both directions,
// and nothing that is too late is repaired.
func TestPicturesReturnAfterOutage(t *testing.T) {
	s := newSim(t, 5)
	line := netem{delay: 20 * time.Millisecond}
	a, b := s.client("PA_a"), s.client("PA_b")
	a.up, a.down, b.up, b.down = line, line, line, line
	s.ticking()
	atA := a.subscribe(b.publish("TR_b", 1)[0].track)
	atB := b.subscribe(a.publish("TR_a", 1)[0].track)
	s.run(3 * time.Second)
	b.up.loss, b.down.loss = 1, 1
	s.run(4 * time.Second)
	if b.lastState() != PeerSilent {
		t.Fatalf("state %d", b.lastState())
	}
	b.up.loss, b.down.loss = 0, 0
	back := s.c.now
	keysA, keysB, repaired := atA.keys, atB.keys, atB.repaired
	s.run(400 * time.Millisecond)
	if b.lastState() != PeerConnected {
		t.Errorf("state %d after the line returned", b.lastState())
	}
	if atA.keys == keysA || atB.keys == keysB {
		t.Errorf("key frames: %d and %d", atA.keys-keysA, atB.keys-keysB)
	}
	s.run(600 * time.Millisecond)
	for who, k := range map[string]*simSink{"the others": atA, "the one who was gone": atB} {
		if gap := k.longestGap(back); gap > 400*time.Millisecond {
			t.Errorf("%s: no picture for %v", who, gap)
		}
	}
	if n := atB.repaired - repaired; n > 10 {
		t.Errorf("%d packets were repaired too late", n)
	}
}

// An SSRC that two clients use stays the first one's, and known addresses count
// more than sources.
func TestSourcesOfOthers(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publish("TR_a", 1)[0]
	k := b.subscribe(src.track)
	s.run(time.Second)
	thief := &upTrack{sid: "TR_x", kind: Video, codec: codecVP8, clock: 90000, pt: 96, mid: "x", pub: b.t}
	s.c.addUp(thief, []uint32{src.ssrc}, nil)
	if s.c.bySource[src.ssrc] != a.t {
		t.Error("the source was taken over")
	}
	frames := k.frames
	s.run(time.Second)
	if k.frames < frames+20 {
		t.Error("the call suffered")
	}
	s.c.removeUp(thief)
	if s.c.bySource[src.ssrc] != a.t {
		t.Error("the source went with the thief")
	}
	s.c.removeUp(src.track)
	if len(s.c.bySource) != 0 {
		t.Errorf("sources %v are left", s.c.bySource)
	}
}
