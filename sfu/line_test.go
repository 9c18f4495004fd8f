// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtp"
)

// reports makes a client report on each packet, as browsers do.
func (cl *simClient) reports() {
	cl.reporter = twcc.NewRecorder(77)
	cl.s.every(50*time.Millisecond, func() {
		if pkts := cl.reporter.BuildFeedbackPacket(); len(pkts) > 0 {
			cl.sendRTCP(pkts...)
		}
	})
}

// speak publishes sound of about 40 kbit/s with headers.
func (cl *simClient) speak(sid string) *upTrack {
	u := &upTrack{sid: sid, kind: Audio, codec: codecOpus, clock: 48000, pt: 111, mid: sid, pub: cl.t}
	cl.s.c.addUp(u, nil, nil)
	ssrc, seq, ts := cl.s.rng.Uint32()|1, uint16(0), uint32(0)
	u.bind(cl.s.c, u.layers[0], ssrc)
	cl.s.every(20*time.Millisecond, func() {
		body := make([]byte, 60)
		binary.BigEndian.PutUint64(body, uint64(cl.s.c.now))
		p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: seq, Timestamp: ts, SSRC: ssrc}, Payload: body}
		seq++
		ts += 960
		cl.sendRTP(p)
	})
	return u
}

// listen subscribes to sound.
func (cl *simClient) listen(u *upTrack) {
	d := &downTrack{to: cl.t, track: u, pt: 111, ssrc: cl.s.c.random32()}
	if cl.reporter != nil {
		d.twcc = 3
	}
	cl.s.c.addDown(d)
}

// call is a publisher of sound and three layers, of 70, 450 and 1500 kbit/s with
// key frames of 3, 21 and 40 kB, and somebody who listens.
func (s *sim) call() (srcs []*simSource, k *simSink, listener *simClient) {
	a, b := s.client("PA_a"), s.client("PA_b")
	b.reports()
	ordinary := netem{loss: 0.005, delay: 20 * time.Millisecond, jitter: 6 * time.Millisecond}
	a.up, b.down, b.up = ordinary, ordinary, ordinary
	s.ticking()
	srcs = a.publish("TR_v", 3)
	for i, shape := range []struct{ perFrame, perKey, size int }{{1, 10, 290}, {3, 30, 700}, {8, 45, 880}} {
		srcs[i].perFrame, srcs[i].perKey, srcs[i].size = shape.perFrame, shape.perKey, shape.size
	}
	b.listen(a.speak("TR_a"))
	return srcs, b.subscribe(srcs[0].track), b
}

// heard returns how much of the sound of d arrived, and the delay that 95 % of
// it did not exceed; then it forgets.
func (cl *simClient) heard(d time.Duration) (share float64, p95 time.Duration) {
	slices.Sort(cl.sound)
	if n := len(cl.sound); n > 0 {
		p95 = time.Duration(cl.sound[n*95/100])
	}
	share = float64(len(cl.sound)) / (d.Seconds() * 50)
	cl.sound = cl.sound[:0]
	return share, p95
}

// until lets time pass until done, at most for d, and returns how long it took.
func (s *sim) until(d time.Duration, done func() bool) (time.Duration, bool) {
	for took := time.Duration(0); took < d; took += 20 * time.Millisecond {
		if done() {
			return took, true
		}
		s.run(20 * time.Millisecond)
	}
	return d, false
}

// The picture shrinks with the line, at once, and grows with it by itself: twenty
// times in a row, on several lines.
func TestPictureFollowsTheLine(t *testing.T) {
	var down, gaps, up []time.Duration
	for seed := range uint64(4) {
		s := newSim(t, 100+seed)
		_, k, b := s.call()
		b.down.rate = 2_500_000
		if took, ok := s.until(8*time.Second, func() bool { return k.layer == 2 }); !ok {
			t.Fatalf("layer %d after %v, target %d", k.layer, took, b.t.line.est.Target())
		}
		s.run(5 * time.Second)
		for cycle := range 20 {
			b.heard(time.Second)
			b.down.rate = 300_000
			cut := s.c.now
			took, ok := s.until(2*time.Second, func() bool { return k.layer == 0 })
			if !ok {
				t.Fatalf("seed %d, cycle %d: layer %d still, target %d", seed, cycle, k.layer, b.t.line.est.Target())
			}
			s.run(10*time.Second - took)
			down, gaps = append(down, took), append(gaps, k.longestGap(cut))
			// What is lost, is lost to the full queue before anybody knows of it.
			share, p95 := b.heard(10 * time.Second)
			if share < 0.92 || p95 > 450*time.Millisecond {
				t.Errorf("seed %d, cycle %d: %.1f %% of the sound, p95 %v late", seed, cycle, 100*share, p95)
			}
			b.down.rate = 2_500_000
			back, ok := s.until(15*time.Second, func() bool { return k.layer == 2 })
			if !ok {
				t.Fatalf("seed %d, cycle %d: layer %d after %v, target %d; forwarding %d, to forward %d, decoding %v",
					seed, cycle, k.layer, back, b.t.line.est.Target(), k.d.current, k.d.target, k.decoding)
			}
			up = append(up, back)
			s.run(5 * time.Second)
		}
	}
	for _, q := range []struct {
		what            string
		took            []time.Duration
		median, p95, at time.Duration
	}{
		{"smaller", down, 1000 * time.Millisecond, 1200 * time.Millisecond, 2 * time.Second},
		{"no picture", gaps, 600 * time.Millisecond, 900 * time.Millisecond, 1500 * time.Millisecond},
		{"back", up, 6 * time.Second, 10 * time.Second, 15 * time.Second},
	} {
		slices.Sort(q.took)
		n := len(q.took)
		median, p95, most := q.took[n/2], q.took[n*95/100], q.took[n-1]
		t.Logf("%s: median %v, p95 %v, at most %v", q.what, median, p95, most)
		if median > q.median || p95 > q.p95 || most > q.at {
			t.Errorf("%s: more than %v, %v, %v", q.what, q.median, q.p95, q.at)
		}
	}
}

// Where the line carries no picture there is sound, and the client knows.
func TestSoundGoesFirst(t *testing.T) {
	s := newSim(t, 9)
	_, k, b := s.call()
	b.down.rate, b.down.loss = 80_000, 0.05
	s.run(15 * time.Second)
	b.heard(time.Second)
	frames := k.frames
	s.run(30 * time.Second)
	share, p95 := b.heard(30 * time.Second)
	if share < 0.93 || p95 > 400*time.Millisecond {
		t.Errorf("%.1f %% of the sound, p95 %v late", 100*share, p95)
	}
	if len(b.paused) == 0 || !b.paused[len(b.paused)-1] {
		t.Errorf("the client was told %v", b.paused)
	}
	t.Logf("%d pictures in 30 s, sound p95 %v", k.frames-frames, p95)
	b.down.rate, b.down.loss = 2_500_000, 0
	if took, ok := s.until(12*time.Second, func() bool { return k.layer == 2 }); !ok {
		t.Errorf("layer %d after %v", k.layer, took)
	}
	if b.paused[len(b.paused)-1] {
		t.Error("the client still takes the picture for paused")
	}
}

// 200 kbit/s carry sound and a small picture, 900 kbit/s a middle one.
func TestPictureByRate(t *testing.T) {
	for _, tc := range []struct {
		rate  float64
		layer int
	}{{200_000, 0}, {900_000, 1}, {2_500_000, 2}} {
		s := newSim(t, 11)
		_, k, b := s.call()
		b.down.rate = tc.rate
		s.run(10 * time.Second)
		began, frames := s.c.now, k.frames
		b.heard(time.Second)
		s.run(20 * time.Second)
		share, p95 := b.heard(20 * time.Second)
		if k.layer != tc.layer || k.frames-frames < 20*20 || k.longestGap(began) > time.Second || share < 0.97 {
			t.Errorf("%.0f kbit/s: layer %d, %d pictures in 20 s, longest gap %v, %.1f %% of the sound, p95 %v late",
				tc.rate/1000, k.layer, k.frames-frames, k.longestGap(began), 100*share, p95)
		}
	}
}

// A client that does not report on packets gets everything.
func TestNoFeedback(t *testing.T) {
	s := newSim(t, 12)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	srcs := a.publish("TR_v", 3)
	k := b.subscribe(srcs[0].track)
	s.run(2 * time.Second)
	if k.layer != 2 || b.t.line != nil {
		t.Errorf("layer %d", k.layer)
	}
}

// Numbered and paced packets cost no allocation either.
func TestPacedForwardAllocatesNothing(t *testing.T) {
	s := newSim(t, 5)
	a := s.client("PA_a")
	src := a.publish("TR_v", 1)[0]
	for i := range 4 {
		b := s.client("PA_" + string(rune('b'+i)))
		b.reports()
		b.subscribe(src.track)
	}
	s.ticking()
	s.run(6 * time.Second)
	drained := &drainBox{}
	for t := range s.c.all {
		t.via = drained
	}
	newest := src.history[src.seq-1]
	var packets [][]byte
	for range 700 {
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
	i, every := 0, time.Millisecond // more than the path is known to carry
	send := func() {
		s.c.now += int64(every)
		s.c.receive(packets[i], a.addr, netip.Addr{}, drained)
		s.c.pace()
		i++
	}
	for range 200 {
		send()
	}
	every = 5 * time.Millisecond // a little less
	if n := testing.AllocsPerRun(300, send); n != 0 {
		t.Errorf("%v allocations per received packet", n)
	}
	if drained.n < 4*200 || len(s.c.pacing) == 0 {
		t.Errorf("forwarded %d packets, %d transports waiting", drained.n, len(s.c.pacing))
	}
}

// 100 kbit/s carry sound and the smallest picture at a low frame rate, though
// probes can show hardly more than there is.
func TestSmallestPictureReturns(t *testing.T) {
	for seed := range uint64(4) {
		s := newSim(t, 700+seed)
		srcs, k, b := s.call()
		srcs[0].size, srcs[0].perKey = 100, 10 // 34 kbit/s
		b.down.rate = 2_500_000
		s.until(15*time.Second, func() bool { return k.layer == 2 })
		s.run(3 * time.Second)
		b.down.rate = 100_000
		s.run(25 * time.Second)
		b.heard(time.Second)
		frames := k.frames
		s.run(30 * time.Second)
		share, p95 := b.heard(30 * time.Second)
		if n := k.frames - frames; n < 20*25 || share < 0.97 || p95 > 300*time.Millisecond {
			t.Errorf("seed %d: %d pictures in 30 s, %.1f %% of the sound, p95 %v late", seed, n, 100*share, p95)
		}
	}
}

// TestNothingIsProbedBeforeThereIsAPath: somebody may subscribe long before the
// own connection stands, or without ever having one.
func TestNothingIsProbedBeforeThereIsAPath(t *testing.T) {
	s := newSim(t, 52)
	a, b := s.client("PA_a"), s.client("PA_b")
	b.reports()
	s.ticking()
	srcs := a.publish("TR_v", 1)
	srcs[0].perFrame, srcs[0].perKey, srcs[0].size = 6, 36, 1100
	b.listen(a.speak("TR_a"))
	via, out := b.t.via, b.t.srtpOut
	b.t.via, b.t.srtpOut = nil, nil
	k := b.subscribe(srcs[0].track)
	s.run(5 * time.Second)
	if len(s.c.probing) != 0 || b.t.pad(s.c, 1, 1000) != 0 {
		t.Error("probes go nowhere")
	}
	b.t.via, b.t.srtpOut = via, out
	if took, ok := s.until(6*time.Second, func() bool { return k.frames > 10 }); !ok {
		t.Errorf("%d pictures %v after the path was there", k.frames, took)
	}
}

// TestPictureLargerThanTheFirstGuess: one encoding that takes more than what a
// path is believed to carry at first, with sound beside it or without, is seen
// within some seconds on a path that carries it.
func TestPictureLargerThanTheFirstGuess(t *testing.T) {
	for _, sound := range []bool{false, true} {
		for _, packets := range []int{3, 6, 12} { // 0.7, 1.3 and 2.7 Mbit/s
			s := newSim(t, 51)
			a, b := s.client("PA_a"), s.client("PA_b")
			b.reports()
			b.down = netem{delay: 10 * time.Millisecond, rate: 8e6}
			s.ticking()
			srcs := a.publish("TR_v", 1)
			srcs[0].perFrame, srcs[0].perKey, srcs[0].size = packets, 6*packets, 1100
			if sound {
				b.listen(a.speak("TR_a"))
			}
			k := b.subscribe(srcs[0].track)
			if took, ok := s.until(6*time.Second, func() bool { return k.frames > 10 }); !ok {
				t.Errorf("%d packets a picture, sound %v: %d pictures after %v, estimate %d",
					packets, sound, k.frames, took, b.t.line.est.Target())
			}
		}
	}
}
