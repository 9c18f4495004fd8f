// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"testing"
	"time"
)

// limit is what Peer.Limit posts.
func (cl *simClient) limit(rate uint32) {
	cl.t.saver = rate
	cl.t.allocate(cl.s.c)
}

// TestSaverBoundsPictures lets a listener on a wide line ask for less: the
// picture shrinks to it, what is sent stays within it in the mean, sound is
// whole, and without the bound everything is back.
func TestSaverBoundsPictures(t *testing.T) {
	for _, tc := range []struct {
		rate  uint32
		layer int // -1: paused
	}{{1_000_000, 1}, {250_000, 0}, {60_000, -1}, {1, -1}} {
		s := newSim(t, 31)
		_, k, b := s.call()
		b.down.rate = 4_000_000
		if took, ok := s.until(8*time.Second, func() bool { return k.layer == 2 }); !ok {
			t.Fatalf("layer %d after %v", k.layer, took)
		}
		b.limit(tc.rate)
		s.run(2 * time.Second)
		b.heard(time.Second)
		frames, sent := k.frames, b.t.line.sent
		s.run(20 * time.Second)
		got := float64(b.t.line.sent-sent) * 8 / 20
		if share, p95 := b.heard(20 * time.Second); share < 0.98 || p95 > 60*time.Millisecond {
			t.Errorf("%d bit/s: %.1f %% of the sound, p95 %v late", tc.rate, 100*share, p95)
		}
		switch {
		case tc.layer < 0 && k.frames != frames:
			t.Errorf("%d bit/s: %d pictures though there is no room", tc.rate, k.frames-frames)
		case tc.layer < 0 && (len(b.paused) == 0 || !b.paused[len(b.paused)-1]):
			t.Errorf("%d bit/s: the client was told %v", tc.rate, b.paused)
		case tc.layer >= 0 && (k.layer != tc.layer || k.frames-frames < 20*20 || got > float64(tc.rate)):
			t.Errorf("%d bit/s: layer %d, %d pictures in 20 s, %.0f bit/s", tc.rate, k.layer, k.frames-frames, got)
		}
		b.limit(0)
		if took, ok := s.until(8*time.Second, func() bool { return k.layer == 2 }); !ok {
			t.Errorf("%d bit/s taken away: layer %d after %v", tc.rate, k.layer, took)
		}
	}
}

// TestSaverWithoutFeedback: a client that reports nothing can save as well.
func TestSaverWithoutFeedback(t *testing.T) {
	s := newSim(t, 32)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	srcs := a.publish("TR_v", 3)
	k := b.subscribe(srcs[0].track)
	s.run(3 * time.Second)
	if k.layer != 2 {
		t.Fatalf("layer %d", k.layer)
	}
	b.limit(500_000)
	s.run(3 * time.Second)
	if k.layer != 0 {
		t.Errorf("layer %d", k.layer)
	}
}

// TestSaverEndsNoWishOfOthers: what one saves costs nobody else anything.
func TestSaverEndsNoWishOfOthers(t *testing.T) {
	s := newSim(t, 33)
	a, b, d := s.client("PA_a"), s.client("PA_b"), s.client("PA_d")
	s.ticking()
	srcs := a.publish("TR_v", 3)
	k, other := b.subscribe(srcs[0].track), d.subscribe(srcs[0].track)
	b.limit(1)
	s.run(3 * time.Second)
	if k.frames != 0 || other.layer != 2 {
		t.Errorf("%d pictures for who saves, layer %d for the other", k.frames, other.layer)
	}
}
