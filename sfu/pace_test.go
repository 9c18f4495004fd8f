// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// What a client asks for while it still waits for its turn is not sent twice, and
// what it asks for before it can have noticed a loss neither.
func TestNoRepairOfWhatWaits(t *testing.T) {
	s := newSim(t, 21)
	srcs, k, b := s.call()
	b.down.rate = 2_500_000
	if _, ok := s.until(8*time.Second, func() bool { return k.layer == 2 }); !ok {
		t.Fatalf("layer %d", k.layer)
	}
	s.run(2 * time.Second)
	b.down.loss, srcs[0].cl.up = 0, netem{} // packets come in order
	srcs[2].wantKey = true                  // 40 kB wait for their turn
	if _, ok := s.until(time.Second, func() bool { return b.t.line.pacer.waiting() > 30 }); !ok {
		t.Fatal("nothing waits")
	}
	var all []uint16
	for i := range uint16(15) {
		all = append(all, k.d.newest-i)
	}
	for range 5 {
		b.sendRTCP(&rtcp.TransportLayerNack{MediaSSRC: k.d.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(all)})
		s.run(5 * time.Millisecond)
	}
	for _, seq := range all { // others may be lost on the line, and are sent again
		if sent := &k.d.sent[seq%historySize]; sent.seq == seq && sent.repaired != 0 {
			t.Errorf("packet %d was sent again, %d wait", seq, b.t.line.pacer.waiting())
		}
	}
}

// Probes are sent also while the newest packets of the only picture wait, and
// where the other subscriptions have not begun.
func TestProbesBesideWhatWaits(t *testing.T) {
	s := newSim(t, 22)
	b := s.client("PA_b")
	b.reports()
	b.down, b.up = netem{delay: time.Millisecond}, netem{delay: time.Millisecond}
	s.ticking()
	for _, id := range []string{"a", "c", "d", "e", "f"} {
		a := s.client("PA_" + id)
		src := a.publish("TR_"+id, 1)[0]
		src.perFrame = 3
		s.every(40*time.Millisecond, func() { src.wantKey = true })
		b.subscribe(src.track)
	}
	l := b.t.line
	if _, ok := s.until(5*time.Second, func() bool { return l.est.Target() > 3_500_000 }); !ok {
		t.Errorf("target %d after 5 s without a limit", l.est.Target())
	}
	s.run(2 * time.Second)
	for _, d := range b.t.downs {
		if d.current == noLayer {
			t.Error("a picture has not begun")
		}
	}
}
