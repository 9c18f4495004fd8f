// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/caddy-videoroom/videoroom/sfu/internal/red"
)

const simRED = 63

// hearing is what one listener got of the sound, however it came.
type hearing struct {
	t        *testing.T
	d        *downTrack
	sent     map[uint64]bool // by the time in the packet
	repeated int             // packets with earlier ones in them
	packets  int
}

// hear subscribes to sound that may be repeated.
func (cl *simClient) hear(t *testing.T, u *upTrack) *hearing {
	h := &hearing{t: t, sent: make(map[uint64]bool)}
	h.d = &downTrack{to: cl.t, track: u, pt: 111, redPT: simRED, ssrc: cl.s.c.random32()}
	if cl.reporter != nil {
		h.d.twcc = 3
	}
	cl.s.c.addDown(h.d)
	cl.hears = h.take
	return h
}

func (h *hearing) take(p *rtp.Packet) {
	h.packets++
	blocks := [][]byte{p.Payload}
	if p.PayloadType == simRED {
		var r red.Packet
		if err := red.Parse(p.Payload, &r); err != nil || r.PT != 111 {
			h.t.Fatalf("bad repetition: %v, payload type %d", err, r.PT)
		}
		h.repeated++
		blocks = [][]byte{r.Payload}
		for _, b := range r.Redundant() {
			if b.PT != 111 {
				h.t.Fatalf("payload type %d repeated", b.PT)
			}
			if b.Offset%960 != 0 {
				h.t.Fatalf("repeats what is %d older", b.Offset)
			}
			blocks = append(blocks, b.Payload)
		}
	}
	for _, b := range blocks {
		if len(b) != 60 {
			h.t.Fatalf("a payload of %d bytes", len(b))
		}
		h.sent[binary.BigEndian.Uint64(b)] = true
	}
}

func (h *hearing) share(d time.Duration) float64 {
	share := float64(len(h.sent)) / (d.Seconds() * 50)
	clear(h.sent)
	h.repeated, h.packets = 0, 0
	return share
}

// A listener that loses packets gets them with the next ones; one that loses none
// gets every packet once.
func TestLostSoundIsRepeated(t *testing.T) {
	for _, tc := range []struct {
		loss, least float64
	}{{0, 0.999}, {0.03, 0.996}, {0.10, 0.98}, {0.30, 0.95}} {
		s := newSim(t, 31)
		a, b := s.client("PA_a"), s.client("PA_b")
		b.reports()
		b.down, b.up = netem{delay: 30 * time.Millisecond, loss: tc.loss}, netem{delay: 30 * time.Millisecond}
		s.ticking()
		h := b.hear(t, a.speak("TR_a"))
		s.run(4 * time.Second)
		h.share(time.Second)
		s.run(30 * time.Second)
		some := h.repeated > 0
		if share := h.share(30 * time.Second); share < tc.least || some != (tc.loss > 0) {
			t.Errorf("%.0f %% loss: %.2f %% of the sound, repeated %v", tc.loss*100, share*100, some)
		}
		b.down.loss = 0
		s.run(15 * time.Second)
		h.share(time.Second)
		s.run(5 * time.Second)
		if h.repeated > 0 {
			t.Errorf("%.0f %% loss: repeated still %d of %d packets", tc.loss*100, h.repeated, h.packets)
		}
	}
}

// Where the path has no room for it, nothing is repeated: more sound would be lost.
func TestNoRepetitionWithoutRoom(t *testing.T) {
	s := newSim(t, 32)
	a, b := s.client("PA_a"), s.client("PA_b")
	b.reports()
	b.down, b.up = netem{delay: 20 * time.Millisecond, loss: 0.05, rate: 70_000}, netem{delay: 20 * time.Millisecond}
	s.ticking()
	h := b.hear(t, a.speak("TR_a"))
	s.run(20 * time.Second)
	h.share(time.Second)
	s.run(20 * time.Second)
	repeated, packets := h.repeated, h.packets
	if share := h.share(20 * time.Second); share < 0.93 || repeated > packets/4 {
		t.Errorf("%.1f %% of the sound, %d of %d packets repeat", share*100, repeated, packets)
	}
}

func TestSoundRepairJudges(t *testing.T) {
	const sec = int64(time.Second)
	for _, tc := range []struct {
		name    string
		loss    float64
		carries int64
		want    int
	}{
		{"no loss", 0, 0, 0},
		{"some", 0.02, 0, 1},
		{"much", 0.2, 0, 2},
		{"much, and room for one", 0.2, 100_000, 1},
		{"much, and no room", 0.2, 60_000, 0},
	} {
		var r soundRepair
		r.judge(sec, tc.loss, 40_000, tc.carries)
		if r.packets != tc.want {
			t.Errorf("%s: repeats %d, want %d", tc.name, r.packets, tc.want)
		}
	}
	var r soundRepair
	r.judge(sec, 0.05, 40_000, 0)
	r.judge(10*sec, 0, 40_000, 0)
	if r.packets != 1 {
		t.Error("gave up within the hold")
	}
	r.judge(12*sec, 0, 40_000, 0)
	if r.packets != 0 {
		t.Error("went on after the hold")
	}
}

// The publisher of sound is told the loss of its worst listener.
func TestPublisherHearsOfListenersLoss(t *testing.T) {
	s := newSim(t, 33)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	h := b.hear(t, a.speak("TR_a"))
	s.run(3 * time.Second)
	worst := uint8(0)
	a.onReport = func(r *rtcp.ReceptionReport) { worst = max(worst, r.FractionLost) }
	s.run(2 * time.Second)
	if worst != 0 {
		t.Errorf("a loss of %d/256 where there is none", worst)
	}
	b.sendRTCP(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: h.d.ssrc, FractionLost: 40}}})
	s.run(2 * time.Second)
	if worst != 40 {
		t.Errorf("the publisher heard of %d/256, want 40", worst)
	}
	s.run(10 * time.Second)
	worst = 0
	s.run(2 * time.Second)
	if worst != 0 {
		t.Errorf("an old report is still told: %d/256", worst)
	}
}

// Repeated sound costs no allocation either.
func TestRepeatedSoundAllocatesNothing(t *testing.T) {
	s := newSim(t, 34)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	u := a.speak("TR_a")
	h := b.hear(t, u)
	s.run(2 * time.Second)
	b.t.sound.repair = soundRepair{packets: 2, until: s.c.now + int64(time.Hour)}
	drained := &drainBox{}
	b.t.via = drained
	f := &forwarding{layer: u.layers[0], payload: make([]byte, 60)}
	seq, ts := u.layers[0].recent.newest()
	send := func() {
		seq, ts = seq+1, ts+960
		f.seq, f.ts = seq, ts
		h.d.forward(s.c, f)
		u.layers[0].recent.put(seq, ts, f.payload)
	}
	if n := testing.AllocsPerRun(300, send); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
	if drained.n < 300 {
		t.Errorf("forwarded %d packets", drained.n)
	}
}

func (r *recentSound) newest() (seq uint16, ts uint32) {
	for i := range r {
		if i == 0 || int16(r[i].seq-seq) > 0 {
			seq, ts = r[i].seq, r[i].ts
		}
	}
	return seq, ts
}
