// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"hash/maphash"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// A minute of video over a line with 5 % loss, 5 % reordering and 2 %
// duplication in both directions: every picture arrives, in order, decodable.
func TestForwardOverBadLine(t *testing.T) {
	for seed := range uint64(5) {
		s := newSim(t, seed)
		bad := netem{loss: 0.05, reorder: 0.05, duplicate: 0.02, delay: 20 * time.Millisecond, jitter: 5 * time.Millisecond}
		a, b := s.client("PA_a"), s.client("PA_b")
		a.up, a.down, b.up, b.down = bad, bad, bad, bad
		s.ticking()
		src := a.publish("TR_v", 1)[0]
		k := b.subscribe(src.track)
		s.run(time.Minute)
		if want := src.sentFrames * 98 / 100; k.frames < want {
			t.Errorf("seed %d: decoded %d of %d pictures, want %d", seed, k.frames, src.sentFrames, want)
		}
		if k.repaired < 50 {
			t.Errorf("seed %d: only %d retransmissions reached the subscriber", seed, k.repaired)
		}
		if gap := k.longestGap(s.c.now - int64(50*time.Second)); gap > time.Second {
			t.Errorf("seed %d: longest gap %v", seed, gap)
		}
		if a.twcc == 0 || a.rrs == 0 {
			t.Errorf("seed %d: publisher got %d transport feedbacks and %d reception reports", seed, a.twcc, a.rrs)
		}
	}
}

// Sequence numbers wrap every 65536 packets: ten minutes see several wraps.
func TestForwardAcrossWraps(t *testing.T) {
	s := newSim(t, 7)
	a, b := s.client("PA_a"), s.client("PA_b")
	b.down = netem{loss: 0.02, delay: 10 * time.Millisecond}
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	src.perFrame, src.size = 12, 40
	k := b.subscribe(src.track)
	s.run(10 * time.Minute)
	if k.frames < src.sentFrames*999/1000 {
		t.Errorf("decoded %d of %d pictures", k.frames, src.sentFrames)
	}
}

// Layers are switched by the subscriber's settings and by layers that come and
// go; the decoder never notices more than another picture size.
func TestLayerSwitches(t *testing.T) {
	s := newSim(t, 3)
	bad := netem{loss: 0.02, reorder: 0.02, delay: 15 * time.Millisecond}
	a, b := s.client("PA_a"), s.client("PA_b")
	a.up, b.down = bad, bad
	s.ticking()
	srcs := a.publish("TR_v", 3)
	k := b.subscribe(srcs[0].track)
	s.run(3 * time.Second)
	if k.layer != 2 {
		t.Fatalf("began with layer %d, want the top one", k.layer)
	}
	steps := []struct {
		name string
		do   func()
		want int
	}{
		{"small picture", func() { k.d.configure(s.c, Settings{Width: 300, Height: 170}) }, 0},
		{"middle picture", func() { k.d.configure(s.c, Settings{Width: 600, Height: 300}) }, 1},
		{"large picture", func() { k.d.configure(s.c, Settings{Width: 1280, Height: 720}) }, 2},
		{"quality low", func() { k.d.configure(s.c, Settings{Quality: 0}) }, 0},
		{"quality high", func() { k.d.configure(s.c, Settings{Quality: 2}) }, 2},
		{"top layer stops", func() { srcs[2].stopped = true }, 1},
		{"top layer returns", func() { srcs[2].stopped, srcs[2].wantKey = false, true }, 2},
	}
	for _, step := range steps {
		step.do()
		s.run(4 * time.Second)
		if k.layer != step.want {
			t.Errorf("%s: layer %d, want %d", step.name, k.layer, step.want)
		}
		if gap := k.longestGap(s.c.now - int64(2*time.Second)); gap > 400*time.Millisecond {
			t.Errorf("%s: pictures stalled for %v", step.name, gap)
		}
	}
	for range 40 { // in quick succession, also before a key frame came
		k.d.configure(s.c, Settings{Quality: s.rng.IntN(3)})
		s.run(time.Duration(s.rng.IntN(900)) * time.Millisecond)
	}
	k.d.configure(s.c, Settings{Quality: 1})
	s.run(3 * time.Second)
	if k.layer != 1 {
		t.Errorf("after random switches: layer %d, want 1", k.layer)
	}
}

func TestDisableAndEnable(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	k := b.subscribe(src.track)
	s.run(2 * time.Second)
	for range 10 {
		k.d.configure(s.c, Settings{Disabled: true, Quality: 2})
		s.run(time.Second)
		before := k.frames
		s.run(time.Second)
		if k.frames != before {
			t.Fatal("a disabled track was forwarded")
		}
		k.d.configure(s.c, Settings{Quality: 2})
		s.run(time.Second)
		if k.frames < before+10 {
			t.Fatalf("only %d pictures in the second after enabling", k.frames-before)
		}
	}
}

// A late joiner sees its first picture as soon as the key frame is there.
func TestLateJoin(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	a.up, a.down = netem{delay: 40 * time.Millisecond}, netem{delay: 40 * time.Millisecond}
	s.ticking()
	src := a.publish("TR_v", 3)
	s.run(20 * time.Second)
	for i := range 5 {
		b := s.client("PA_b" + string(rune('0'+i)))
		b.down = netem{delay: 40 * time.Millisecond}
		k := b.subscribe(src[0].track)
		begin := s.c.now
		s.run(1500 * time.Millisecond)
		if k.frames == 0 {
			t.Fatalf("joiner %d: no picture in 1.5 s", i)
		}
		if first := time.Duration(k.at[0] - begin); first > 700*time.Millisecond {
			t.Errorf("joiner %d: first picture after %v", i, first)
		}
	}
}

// However many ask, a source is asked for a key frame at most twice per second.
func TestKeyFrameStorm(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	var sinks []*simSink
	for i := range 8 {
		sinks = append(sinks, s.client("PA_"+string(rune('b'+i))).subscribe(src.track))
	}
	s.run(2 * time.Second)
	src.keyRequests = nil
	for range 500 {
		for _, k := range sinks {
			k.cl.sendRTCP(&rtcp.PictureLossIndication{MediaSSRC: k.d.ssrc})
			k.cl.sendRTCP(&rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: k.d.ssrc}}})
		}
		s.run(20 * time.Millisecond)
	}
	if n := len(src.keyRequests); n < 15 || n > 21 {
		t.Errorf("%d key-frame requests in 10 s, want about 20", n)
	}
	for i := 1; i < len(src.keyRequests); i++ {
		if d := src.keyRequests[i] - src.keyRequests[i-1]; d < keyFramePeriod {
			t.Fatalf("two requests within %v", time.Duration(d))
		}
	}
}

// Retransmissions stay within their share even when a subscriber asks for
// everything again and again.
func TestRepairBudget(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	k := b.subscribe(src.track)
	s.run(time.Second)
	s.every(20*time.Millisecond, func() {
		var all []uint16
		for ext := k.highest - 60; ext < k.highest; ext++ {
			all = append(all, uint16(ext))
		}
		b.sendRTCP(&rtcp.TransportLayerNack{MediaSSRC: k.d.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(all)})
	})
	s.run(30 * time.Second)
	if limit := repairAllowance + k.d.octets/256*repairShare + 1500; k.d.repairBytes > limit {
		t.Errorf("repaired %d bytes of %d, limit %d", k.d.repairBytes, k.d.octets, limit)
	}
	if k.repaired == 0 {
		t.Error("nothing was repaired at all")
	}
}

// Sender reports keep the publisher's clock and translate its time stamps, so
// that sound and picture stay in sync.
func TestSenderReportsKeepLipSync(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	k := b.subscribe(src.track)
	s.run(10 * time.Second)
	sr := b.sr[k.d.ssrc]
	if sr == nil {
		t.Fatal("no sender report")
	}
	// What the report says of the newest picture's capture time must agree with
	// when the source made it.
	behind := int32(sr.RTPTime - k.lastTS)
	at := int64(sr.NTPTime>>32)*1e9 + int64(sr.NTPTime&0xffffffff)*1e9>>32
	made := at - int64(behind)*1e9/90000
	if off := time.Duration(abs(made - k.at[len(k.at)-1])); off > 5*time.Millisecond {
		t.Errorf("capture time off by %v", off)
	}
	if b.t.rtt != 0 {
		t.Errorf("round-trip time %v without receiver reports", time.Duration(b.t.rtt))
	}
	b.sendRTCP(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: k.d.ssrc, LastSenderReport: uint32(sr.NTPTime >> 16), Delay: 0}}})
	s.run(time.Millisecond)
	if b.t.rtt == 0 {
		t.Error("a receiver report did not tell the round-trip time")
	}
}

func (cl *simClient) publishAudio(sid string, level func() uint8) *upTrack {
	u := &upTrack{sid: sid, kind: Audio, codec: codecOpus, clock: 48000, pt: 111, mid: sid, pub: cl.t}
	cl.s.c.addUp(u, []uint32{cl.s.rng.Uint32() | 1}, nil)
	seq, ts := uint16(1), uint32(5)
	cl.s.every(20*time.Millisecond, func() {
		p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: seq, Timestamp: ts, SSRC: u.layers[0].ssrc}, Payload: make([]byte, 80)}
		_ = p.SetExtension(1, []byte{level()})
		seq++
		ts += 960
		cl.sendRTP(p)
	})
	return u
}

func TestSpeakers(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	_ = b
	s.ticking()
	level := uint8(127)
	a.publishAudio("TR_a", func() uint8 { return level })
	s.run(2 * time.Second)
	if len(s.events.speakers) != 0 {
		t.Fatalf("silence was taken for speech: %v", s.events.speakers)
	}
	level = 20 | 0x80
	s.run(time.Second)
	if n := len(s.events.speakers); n == 0 || !s.events.speakers[0].Active || s.events.speakers[0].PeerID != "PA_a" || s.events.speakers[n-1].Level <= 0.1 {
		t.Fatalf("speech not told: %v", s.events.speakers)
	}
	level = 90
	s.run(2 * time.Second)
	if last := s.events.speakers[len(s.events.speakers)-1]; last.Active || last.Level != 0 {
		t.Errorf("end of speech not told: %v", last)
	}
}

func TestSilenceDisconnects(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	s.run(time.Second)
	a.up.loss = 1
	s.run(10 * time.Second)
	if got := a.state[len(a.state)-1]; got != PeerDisconnected {
		t.Errorf("after 10 s of silence: state %d", got)
	}
	a.up.loss = 0
	s.run(time.Second)
	if got := a.state[len(a.state)-1]; got != PeerConnected {
		t.Errorf("after the line returned: state %d", got)
	}
	a.up.loss = 1
	s.run(time.Minute)
	if got := a.state[len(a.state)-1]; got != PeerFailed {
		t.Errorf("after a minute of silence: state %d", got)
	}
	s.c.removeTransport(a.t)
	if s.c.stats.peers.Load() != 0 || s.c.stats.tracks.Load() != 0 || len(s.c.byAddr) != 0 || len(s.c.byUfrag) != 0 {
		t.Error("a removed peer left something behind")
	}
	_ = src
}

// Packets from elsewhere, with wrong keys, replayed, or in the clear are never
// forwarded, and media does not move to an address that passed no check.
func TestForeignPackets(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	k := b.subscribe(src.track)
	var captured [][]byte
	tap := s.box.sim.clients[b.addr].down
	_ = tap
	s.run(2 * time.Second)
	plain, _ := src.history[src.seq-1].Marshal()
	other := netip.MustParseAddrPort("203.0.113.9:999")
	before := s.c.stats.out.Load()
	for range 100 {
		s.c.receive(append([]byte(nil), plain...), a.addr, netip.Addr{}, s.box)
		s.c.receive(append([]byte(nil), plain...), other, netip.Addr{}, s.box)
		wrong, _ := b.out.EncryptRTP(nil, plain, nil)
		s.c.receive(wrong, other, netip.Addr{}, s.box)
		captured = append(captured, wrong)
	}
	for _, p := range captured {
		s.c.receive(p, b.addr, netip.Addr{}, s.box) // valid keys of b, but a's stream
	}
	if got := s.c.stats.out.Load(); got != before {
		t.Errorf("%d foreign packets were forwarded", got-before)
	}
	if s.c.byAddr[other] != nil || a.t.selected != a.addr {
		t.Error("an unchecked address was taken")
	}
	frames := k.frames
	s.run(time.Second)
	if k.frames < frames+20 {
		t.Error("the call suffered")
	}
}

// The packet path allocates nothing.
func TestForwardAllocatesNothing(t *testing.T) {
	for _, layers := range []int{1, 3} {
		s := newSim(t, 5)
		a := s.client("PA_a")
		srcs := a.publish("TR_v", layers)
		for i := range 11 {
			s.client("PA_" + string(rune('b'+i))).subscribe(srcs[0].track)
		}
		s.ticking()
		s.run(3 * time.Second)
		drained := &drainBox{}
		for t := range s.c.all {
			t.via = drained
		}
		src := srcs[layers-1]
		var packets [][]byte
		a.up.loss = 1 // collect instead of delivering
		newest := src.history[src.seq-1]
		for range 600 {
			p := &rtp.Packet{Header: newest.Header, Payload: newest.Payload}
			p.SequenceNumber = src.seq
			src.seq++
			raw, _ := p.Marshal()
			enc, err := a.out.EncryptRTP(nil, raw, nil)
			if err != nil {
				t.Fatal(err)
			}
			packets = append(packets, enc)
		}
		i := 0
		n := testing.AllocsPerRun(500, func() {
			s.c.receive(packets[i], a.addr, netip.Addr{}, drained)
			i++
		})
		if n != 0 {
			t.Errorf("%d layers: %v allocations per received packet", layers, n)
		}
		if drained.n < 500*11 {
			t.Errorf("%d layers: forwarded %d packets", layers, drained.n)
		}
	}
}

// A publisher that sends far more than any camera needs is cut to the ceiling.
func TestPublisherFlood(t *testing.T) {
	s := newSim(t, 5)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	src.perFrame, src.size = 250, 1200 // 60 Mbit/s
	b.subs, b.rtx = nil, nil
	delete(s.clients, b.addr) // counted at the outbox; nobody decodes it
	d := &downTrack{to: b.t, track: src.track, pt: 100, ssrc: s.c.random32(), settings: Settings{Quality: 2}}
	s.c.addDown(d)
	s.run(10 * time.Second)
	if got := float64(d.octets) / 10; got > videoCeiling*1.05 || got < videoCeiling/2 {
		t.Errorf("forwarded %.0f bytes per second, ceiling %d", got, videoCeiling)
	}
}

// Checks of an address that never passes one are looked at only so often.
func TestStrangersAreLimited(t *testing.T) {
	var s strangers
	s.seed = maphash.MakeSeed()
	one, other := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8::1")
	allowed := 0
	for range 10_000 {
		if s.allow(1, one) {
			allowed++
		}
	}
	if allowed != strangerRate {
		t.Errorf("%d checks in a second, want %d", allowed, strangerRate)
	}
	if !s.allow(1+int64(time.Second), one) || !s.allow(1, other) {
		t.Error("the limit outlasts its second or hits others")
	}
}
