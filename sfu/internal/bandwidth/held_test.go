// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// hold lets the delay of a path jump by up to jitter (ns) either way every hold
// (ns), as a radio link does. The order of packets stays.
func (s *sim) hold(jitter, hold int64, seed uint64) {
	rng, next := rand.New(rand.NewPCG(seed, 7)), int64(0)
	cfg := s.down.Config()
	was := s.at
	s.at = func(now int64) {
		if was != nil {
			was(now)
		}
		if now >= next {
			next = now + hold
			moved := s.down.Config()
			moved.Delay = cfg.Delay + jitter + rng.Int64N(2*jitter) - jitter
			s.down.Set(now, moved)
		}
	}
}

// A path whose delay jumps about is not taken for a full one, and a full one is
// known all the same.
func TestHeldJitter(t *testing.T) {
	for _, rate := range []int64{2_000_000, 10_000_000} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%d, seed %d", rate, seed), func(t *testing.T) {
				cfg := queue(rate, 400)
				cfg.Loss = 0.03
				s := newSim(newOurs(Config{}), cfg, 70*millisecond, seed)
				s.layers = []int64{70_000, 320_000, 1_500_000}
				s.hold(50*millisecond, 100*millisecond, seed)
				s.run(60 * second)
				defer s.dump(t)
				low, mean, high := s.span(20*second, s.now)
				t.Logf("%.0f to %.0f, mean %.0f", low, high, mean)
				// 1.5 Mbit/s are the largest layer; a sender that is held down
				// by the jumps stays at the smallest, of 70 kbit/s.
				if mean < 1_000_000 || low < 150_000 {
					t.Error("jitter was taken for congestion")
				}
			})
		}
	}
}
