// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/caddy-videoroom/videoroom/port"
)

// speakAgain publishes sealed sound and repeats what the server asks for, where
// nacks is set. asked counts those requests.
func (cl *simClient) speakAgain(sid string, nacks bool) (u *upTrack, asked *int) {
	u = &upTrack{sid: sid, kind: Audio, codec: codecOpus, clock: 48000, pt: 111, mid: sid, pub: cl.t, noRED: true, nacks: nacks}
	cl.s.c.addUp(u, nil, nil)
	ssrc, seq, ts := cl.s.rng.Uint32()|1, uint16(65000), uint32(0)
	u.bind(cl.s.c, u.layers[0], ssrc)
	history := make(map[uint16]*rtp.Packet)
	asked = new(int)
	if cl.again == nil {
		cl.again = make(map[uint32]func(uint16))
	}
	cl.again[ssrc] = func(seq uint16) {
		*asked++
		if p := history[seq]; p != nil {
			raw, _ := p.Marshal()
			enc, err := cl.out.EncryptRTP(nil, raw, nil)
			if err != nil {
				cl.s.t.Fatal(err)
			}
			cl.send(enc)
		}
	}
	cl.s.every(20*time.Millisecond, func() {
		body := make([]byte, 60)
		binary.BigEndian.PutUint64(body, uint64(cl.s.c.now))
		p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: seq, Timestamp: ts, SSRC: ssrc}, Payload: body}
		history[seq] = p
		delete(history, seq-100)
		seq, ts = seq+1, ts+960
		cl.sendRTP(p)
	})
	return u, asked
}

// keenEar listens as browsers do: with every packet it asks for all that is
// missing and would still come in time.
type keenEar struct {
	cl      *simClient
	d       *downTrack
	asks    bool
	started bool
	highest uint16
	missing map[uint16]int64  // since
	raw     map[uint16]string // packets by sequence number
	arrived map[int64]int64   // by when it was said: how long it took
	copies  map[uint16]int    // that came
	sealed  map[string]int    // datagrams
}

func (cl *simClient) listenKeenly(u *upTrack, nacks, asks bool) *keenEar {
	e := &keenEar{
		cl: cl, asks: asks, missing: make(map[uint16]int64), raw: make(map[uint16]string),
		arrived: make(map[int64]int64), copies: make(map[uint16]int), sealed: make(map[string]int),
	}
	e.d = &downTrack{to: cl.t, track: u, pt: 111, ssrc: cl.s.c.random32(), nacks: nacks}
	if cl.reporter != nil {
		e.d.twcc = 3
	}
	cl.s.c.addDown(e.d)
	cl.hears = e.take
	return e
}

func (e *keenEar) take(p *rtp.Packet) {
	now, t := e.cl.s.c.now, e.cl.s.t
	raw, _ := p.Marshal()
	if was, ok := e.raw[p.SequenceNumber]; ok && was != string(raw) {
		t.Fatalf("two different packets under number %d", p.SequenceNumber)
	}
	e.raw[p.SequenceNumber] = string(raw)
	delete(e.raw, p.SequenceNumber-1000)
	said := int64(binary.BigEndian.Uint64(p.Payload))
	if _, ok := e.arrived[said]; !ok {
		e.arrived[said] = now - said
	}
	if !e.started {
		e.started, e.highest = true, p.SequenceNumber
	}
	for int16(p.SequenceNumber-e.highest) > 0 {
		e.highest++
		e.missing[e.highest] = now
	}
	delete(e.missing, p.SequenceNumber)
	var seqs []uint16
	for back := uint16(100); back > 0; back-- {
		seq := e.highest - back
		if since, ok := e.missing[seq]; ok && now-since < int64(250*time.Millisecond) {
			seqs = append(seqs, seq)
		}
	}
	if e.asks && len(seqs) > 0 {
		e.cl.sendRTCP(&rtcp.TransportLayerNack{MediaSSRC: e.d.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)})
	}
}

// within is the share of what was said in a span that was heard soon enough.
func (e *keenEar) within(from, to int64, deadline time.Duration) float64 {
	n, ok := 0, 0
	for at := from; at < to; at += int64(20 * time.Millisecond) {
		n++
	}
	for said, took := range e.arrived {
		if said >= from && said < to && took <= int64(deadline) {
			ok++
		}
	}
	return float64(ok) / float64(n)
}

// soundInTime runs a minute of sound over two lossy lines, each with that loss in
// either direction and that round trip, and returns what came in time.
func soundInTime(t *testing.T, share float64, rtt time.Duration, nacks bool, deadline time.Duration) float64 {
	t.Helper()
	s := newSim(t, 41)
	a, b := s.client("PA_a"), s.client("PA_b")
	b.reports()
	line := netem{delay: rtt / 2, loss: share}
	a.up, a.down, b.up, b.down = line, line, line, line
	a.t.rtt, b.t.rtt = int64(rtt), int64(rtt)
	s.ticking()
	u, _ := a.speakAgain("TR_a", nacks)
	e := b.listenKeenly(u, nacks, nacks)
	s.run(4 * time.Second)
	from := s.c.now
	s.run(60 * time.Second)
	return e.within(from, s.c.now-int64(time.Second), deadline)
}

// What sound that cannot be repeated unasked gains by being asked for again.
func TestLostSoundIsSentAgain(t *testing.T) {
	for _, tc := range []struct {
		loss        float64
		rtt         time.Duration
		least, soon float64 // within 300 and 200 ms
	}{
		{0.03, 40 * time.Millisecond, 0.998, 0.99},
		{0.03, 80 * time.Millisecond, 0.998, 0.99},
		{0.10, 40 * time.Millisecond, 0.98, 0.95},
		{0.10, 80 * time.Millisecond, 0.97, 0.95},
		{0.30, 40 * time.Millisecond, 0.85, 0.70},
		{0.30, 80 * time.Millisecond, 0.80, 0.60},
	} {
		t.Run(fmt.Sprintf("%v %v", tc.loss, tc.rtt), func(t *testing.T) {
			without := soundInTime(t, tc.loss, tc.rtt, false, 300*time.Millisecond)
			with := soundInTime(t, tc.loss, tc.rtt, true, 300*time.Millisecond)
			soon := soundInTime(t, tc.loss, tc.rtt, true, 200*time.Millisecond)
			t.Logf("without %.2f %%, with %.2f %%, within 200 ms %.2f %%", without*100, with*100, soon*100)
			if with < tc.least || soon < tc.soon || with <= without {
				t.Errorf("%.2f %% in time, %.2f %% soon, without %.2f %%", with*100, soon*100, without*100)
			}
		})
	}
}

// keepBox keeps what leaves.
type keepBox struct {
	buf  [port.MaxDatagram + 64]byte
	sent []string
}

func (b *keepBox) Slot() []byte                               { return b.buf[:0] }
func (b *keepBox) Commit(_ *port.Dest, n int)                 { b.sent = append(b.sent, string(b.buf[:n])) }
func (b *keepBox) Flush()                                     {}
func (b *keepBox) WriteTo([]byte, netip.AddrPort, netip.Addr) {}

// ask has the listener ask for a packet and returns what leaves for it.
func (e *keenEar) ask(c *core, box *keepBox, seq uint16) []string {
	box.sent = nil
	e.cl.t.nack(c, &rtcp.TransportLayerNack{MediaSSRC: e.d.ssrc, Nacks: []rtcp.NackPair{{PacketID: seq}}})
	return box.sent
}

// quietListener hears one sound, and the box has the last packet that left.
func quietListener(t *testing.T, nacks bool) (*sim, *keenEar, *upTrack, *keepBox) {
	t.Helper()
	s := newSim(t, 42)
	a, b := s.client("PA_a"), s.client("PA_b")
	b.reports()
	s.ticking()
	u, _ := a.speakAgain("TR_a", nacks)
	e := b.listenKeenly(u, nacks, false)
	s.run(2 * time.Second)
	box := &keepBox{}
	b.up.loss = 1 // what came from it would lead back to its own box
	b.t.via, b.t.rtt = box, int64(40*time.Millisecond)
	for len(box.sent) == 0 {
		box.sent = nil
		s.run(time.Millisecond)
		for len(box.sent) > 0 && box.sent[0][1]&0x7f != 111 {
			box.sent = box.sent[1:]
		}
	}
	return s, e, u, box
}

// What leaves again is the same, octet for octet: its key stream has hidden that
// packet before.
func TestSoundSentAgainIsTheSame(t *testing.T) {
	s, e, u, box := quietListener(t, true)
	first, seq := box.sent[0], e.d.newest
	s.run(40 * time.Millisecond)
	got := e.ask(s.c, box, seq)
	if len(got) != 1 || got[0] != first {
		t.Fatalf("%d packets; the same: %v", len(got), len(got) == 1 && got[0] == first)
	}
	if got = e.ask(s.c, box, seq); len(got) != 0 {
		t.Error("sent again while the copy was on its way")
	}
	s.run(50 * time.Millisecond)
	if got = e.ask(s.c, box, seq); len(got) != 1 || got[0] != first {
		t.Error("not sent a second time")
	}
	s.run(50 * time.Millisecond)
	if got = e.ask(s.c, box, seq); len(got) != 0 {
		t.Error("sent a third time")
	}

	// Other content under the same number never leaves.
	seq = e.d.newest
	_, src, _, _ := e.d.seq.Lookup(seq)
	entry, _ := u.layers[0].cache.Get(src)
	u.layers[0].cache.Put(src, entry.TS, false, 0, []byte("something else"), s.c.now)
	s.run(40 * time.Millisecond)
	if got = e.ask(s.c, box, seq); len(got) != 0 {
		t.Error("a number was used for another packet")
	}
}

// What is too old, was never sent, or was not agreed on is not sent again.
func TestSoundThatIsNotSentAgain(t *testing.T) {
	s, e, _, box := quietListener(t, true)
	seq := e.d.newest
	if got := e.ask(s.c, box, seq+1); len(got) != 0 {
		t.Error("sent what was never sent")
	}
	s.run(290 * time.Millisecond)
	if got := e.ask(s.c, box, seq); len(got) != 0 {
		t.Error("sent what comes too late")
	}
	if got := e.ask(s.c, box, e.d.newest-8); len(got) != 1 {
		t.Error("not sent what comes in time")
	}
	s, e, _, box = quietListener(t, false)
	seq = e.d.newest
	s.run(40 * time.Millisecond)
	if got := e.ask(s.c, box, seq); len(got) != 0 {
		t.Error("sent again to a client that had not offered it")
	}
	if c := e.d.track.layers[0].cache; c != nil {
		t.Error("sound is kept for nobody")
	}
}

// A publisher that has not offered to repeat sound is not asked.
func TestPublisherIsAskedForSound(t *testing.T) {
	for _, nacks := range []bool{false, true} {
		s := newSim(t, 43)
		a := s.client("PA_a")
		a.up.loss = 0.1
		s.ticking()
		_, asked := a.speakAgain("TR_a", nacks)
		s.run(10 * time.Second)
		if (*asked > 0) != nacks || *asked > 50*10/4 {
			t.Errorf("agreed %v, asked %d times", nacks, *asked)
		}
	}
}

// Neither remembering sound nor sending it again costs an allocation.
func TestSoundSentAgainAllocatesNothing(t *testing.T) {
	s, e, u, _ := quietListener(t, true)
	drained := &drainBox{}
	e.cl.t.via = drained
	f := &forwarding{layer: u.layers[0], payload: make([]byte, 60)}
	_, seq, _, _ := e.d.seq.Lookup(e.d.newest)
	ts := e.d.lastTS
	again := 0
	if n := testing.AllocsPerRun(300, func() {
		seq, ts = seq+1, ts+960
		f.seq, f.ts = seq, ts
		u.layers[0].cache.Put(seq, ts, false, 0, f.payload, s.c.now)
		e.d.forward(s.c, f)
		s.c.now += int64(30 * time.Millisecond)
		before := drained.n
		e.d.resend(s.c, e.d.newest)
		again += drained.n - before
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
	if again < 290 {
		t.Errorf("sent again %d packets", again)
	}
}

// Pictures without a repair stream are repeated under their own number: they too
// must be the same then.
func TestPictureSentAgainIsTheSame(t *testing.T) {
	s := newSim(t, 44)
	a, b := s.client("PA_a"), s.client("PA_b")
	b.reports()
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	k := b.subscribe(src.track)
	k.d.rtx, k.d.rtxPT = 0, 0
	s.run(2 * time.Second)
	box := &keepBox{}
	b.up.loss = 1
	b.t.via = box
	for len(box.sent) == 0 {
		s.run(time.Millisecond)
	}
	var first string
	for _, p := range box.sent {
		if binary.BigEndian.Uint32([]byte(p[8:])) == k.d.ssrc {
			first = p
		}
	}
	seq := binary.BigEndian.Uint16([]byte(first[2:]))
	s.run(100 * time.Millisecond)
	box.sent = nil
	k.d.resend(s.c, seq)
	if len(box.sent) != 1 || box.sent[0] != first {
		t.Errorf("%d packets left, and not the same", len(box.sent))
	}
}
