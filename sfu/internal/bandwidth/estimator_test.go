// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"fmt"
	"testing"

	"github.com/caddy-videoroom/videoroom/sfu/internal/simnet"
)

var roundTrips = []int64{20 * millisecond, 50 * millisecond, 100 * millisecond, 300 * millisecond}

func queue(rate, ms int64) simnet.Config {
	return simnet.Config{Rate: rate, QueueTime: ms * millisecond}
}

func TestStart(t *testing.T) {
	for _, rtt := range roundTrips {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%d ms, seed %d", rtt/millisecond, seed), func(t *testing.T) {
				s := newSim(newOurs(Config{}), queue(2_500_000, 400), rtt, seed)
				s.run(10 * second)
				defer s.dump(t)
				took := s.first(0, 10*second, func(v float64) bool { return v > 2_000_000 })
				low, _, high := s.span(3*second, 10*second)
				t.Logf("2 Mbit/s after %.2f s; from 3 s on %.0f to %.0f", took, low, high)
				if took < 0 || took > 3 {
					t.Error("too late")
				}
				if low < 1_700_000 || high > 3_100_000 {
					t.Error("not where the link is")
				}
			})
		}
	}
}

func TestDrop(t *testing.T) {
	for _, rtt := range roundTrips {
		for _, ms := range []int64{300, 500} {
			for seed := range uint64(3) {
				t.Run(fmt.Sprintf("%d ms, queue %d ms, seed %d", rtt/millisecond, ms, seed), func(t *testing.T) {
					s := newSim(newOurs(Config{}), queue(2_500_000, ms), rtt, seed)
					s.run(10*second + int64(seed)*17*millisecond)
					from := s.now
					s.rate(300_000)
					s.run(from + 10*second)
					defer s.dump(t)
					took := s.first(from, s.now, func(v float64) bool { return v <= 330_000 })
					low, mean, high := s.span(from+2*second, s.now)
					t.Logf("330 kbit/s after %.2f s, then %.0f to %.0f, mean %.0f", took, low, high, mean)
					if took < 0 || took > 1 {
						t.Error("too late")
					}
					if high > 345_000 || mean < 200_000 {
						t.Error("not where the link is")
					}
				})
			}
		}
	}
}

func TestSteadyState(t *testing.T) {
	for _, rate := range []int64{300_000, 1_000_000, 2_500_000, 8_000_000} {
		for _, rtt := range roundTrips {
			t.Run(fmt.Sprintf("%d kbit/s, %d ms", rate/1000, rtt/millisecond), func(t *testing.T) {
				s := newSim(newOurs(Config{}), queue(rate, 400), rtt, 1)
				s.wanted = func(int64) int64 { return 12_000_000 }
				s.run(60 * second)
				defer s.dump(t)
				low, mean, high := s.span(10*second, s.now)
				t.Logf("%.0f to %.0f, mean %.0f: -%.0f %% +%.0f %%; sound delay p95 %.0f ms", low, high, mean,
					100*(1-low/mean), 100*(high/mean-1), quantile(s.delays, 0.95)-float64(rtt)/2e6)
				if low < 0.85*mean || high > 1.15*mean {
					t.Error("swings by more than 15 %")
				}
				if mean < 0.75*float64(rate) || mean > 1.05*float64(rate) {
					t.Error("not where the link is")
				}
			})
		}
	}
}

// The forwarder sends what fits below the target, so 300 kbit/s during the bad
// time; only probes can find out that it is over.
func TestRecovery(t *testing.T) {
	for _, rtt := range roundTrips {
		for _, layers := range [][]int64{nil, {40_000, 190_000, 640_000, 2_200_000}} {
			t.Run(fmt.Sprintf("%d ms, %d layers", rtt/millisecond, len(layers)), func(t *testing.T) {
				s := newSim(newOurs(Config{}), queue(2_500_000, 400), rtt, 4)
				s.layers = layers
				s.run(8 * second)
				defer s.dump(t)
				worstDrop, worstRise := 0.0, 0.0
				for cycle := range 20 {
					from := s.now
					s.rate(300_000)
					s.run(from + 8*second + int64(cycle)*730*millisecond)
					took := s.first(from, s.now, func(v float64) bool { return v <= 330_000 })
					if took < 0 || took > 1 {
						t.Errorf("cycle %d: 330 kbit/s after %.2f s", cycle, took)
					}
					worstDrop = max(worstDrop, took)
					back := s.now
					s.rate(2_500_000)
					s.run(back + 10*second)
					took = s.first(back, s.now, func(v float64) bool { return v >= 2_200_000 })
					if took < 0 || took > 8 {
						t.Errorf("cycle %d: 2.2 Mbit/s after %.2f s", cycle, took)
					}
					worstRise = max(worstRise, took)
				}
				t.Logf("down within %.2f s, up within %.2f s; sound delay p95 %.0f p99 %.0f ms, padding %.1f kbit/s", worstDrop, worstRise,
					quantile(s.delays, 0.95)-float64(rtt)/2e6, quantile(s.delays, 0.99)-float64(rtt)/2e6, float64(s.padding)*8e6/float64(s.now))
			})
		}
	}
}

func TestThinLinks(t *testing.T) {
	tests := []struct {
		rate      int64
		loss      float64
		low, high float64
	}{
		{80_000, 0.05, 55_000, 85_000},
		{80_000, 0, 55_000, 90_000},
		{100_000, 0, 75_000, 115_000},
		{100_000, 0.05, 70_000, 110_000},
	}
	for _, tc := range tests {
		for _, rtt := range roundTrips {
			for seed := range uint64(2) {
				t.Run(fmt.Sprintf("%d kbit/s, %.0f %%, %d ms, seed %d", tc.rate/1000, tc.loss*100, rtt/millisecond, seed), func(t *testing.T) {
					cfg := queue(tc.rate, 500)
					cfg.Loss = tc.loss
					s := newSim(newOurs(Config{}), cfg, rtt, seed)
					s.run(60 * second)
					defer s.dump(t)
					low, mean, high := s.span(10*second, s.now)
					t.Logf("%.0f to %.0f, mean %.0f; sound delay p95 %.0f ms", low, high, mean, quantile(s.delays, 0.95)-float64(rtt)/2e6)
					if low < tc.low || high > tc.high {
						t.Error("not where the link is")
					}
				})
			}
		}
	}
}

// Loss that has nothing to do with the rate does not lower the estimate.
func TestRandomLoss(t *testing.T) {
	bursts := simnet.Gilbert{Enter: 0.01, Leave: 0.19, Loss: 1}
	tests := []struct {
		name   string
		change func(*simnet.Config)
	}{
		{"3 %", func(c *simnet.Config) { c.Loss = 0.03 }},
		{"5 %", func(c *simnet.Config) { c.Loss = 0.05 }},
		{"10 %", func(c *simnet.Config) { c.Loss = 0.10 }},
		{"5 % in bursts", func(c *simnet.Config) { c.Burst = bursts }},
		{"5 %, reordering", func(c *simnet.Config) { c.Loss, c.Swap, c.SwapDepth = 0.05, 0.02, 5 }},
	}
	for _, tc := range tests {
		for _, rtt := range roundTrips {
			t.Run(fmt.Sprintf("%s, %d ms", tc.name, rtt/millisecond), func(t *testing.T) {
				cfg := queue(2_500_000, 400)
				tc.change(&cfg)
				s := newSim(newOurs(Config{}), cfg, rtt, 4)
				s.run(60 * second)
				defer s.dump(t)
				low, mean, high := s.span(10*second, s.now)
				t.Logf("%.0f to %.0f, mean %.0f", low, high, mean)
				if low < 1_600_000 || mean < 2_000_000 || high > 3_200_000 {
					t.Error("did not hold its ground")
				}
			})
		}
	}
}

func TestJitter(t *testing.T) {
	for _, reorder := range []bool{false, true} {
		for _, rtt := range roundTrips {
			for seed := range uint64(2) {
				t.Run(fmt.Sprintf("%d ms, reorder %v, seed %d", rtt/millisecond, reorder, seed), func(t *testing.T) {
					cfg := queue(10_000_000, 400)
					cfg.Jitter, cfg.Loss, cfg.Reorder = 50*millisecond, 0.03, reorder
					s := newSim(newOurs(Config{}), cfg, rtt, seed)
					s.run(60 * second)
					defer s.dump(t)
					low, mean, high := s.span(20*second, s.now)
					reached := s.first(0, s.now, func(v float64) bool { return v > 2_000_000 })
					t.Logf("%.0f to %.0f, mean %.0f; 2 Mbit/s after %.1f s", low, high, mean, reached)
					if low < 2_000_000 {
						t.Error("jitter and loss were taken for congestion")
					}
				})
			}
		}
	}
}
