// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"fmt"
	"math"
	"testing"

	"github.com/caddy-videoroom/videoroom/sfu/internal/simnet"
)

// A forwarder that has little to send keeps what it knows and does not invent.
func TestApplicationLimited(t *testing.T) {
	for _, rtt := range roundTrips {
		t.Run(fmt.Sprintf("%d ms", rtt/millisecond), func(t *testing.T) {
			s := newSim(newOurs(Config{}), queue(2_500_000, 400), rtt, 5)
			s.wanted = func(now int64) int64 {
				if now < 8*second {
					return 2_200_000
				}
				return 150_000
			}
			s.run(60 * second)
			defer s.dump(t)
			_, before, _ := s.span(7*second, 8*second)
			low, _, high := s.span(8*second, s.now)
			t.Logf("%.0f before, then %.0f to %.0f", before, low, high)
			if before < 2_000_000 || low < 0.9*before || high > 1.1*before {
				t.Error("the estimate moved without a reason")
			}
			only := newSim(newOurs(Config{}), queue(2_500_000, 400), rtt, 5)
			only.wanted = func(int64) int64 { return 150_000 }
			only.run(30 * second)
			if _, _, high := only.span(0, only.now); high > 450_000 {
				t.Errorf("%.0f without ever having sent more than 150 kbit/s", high)
			}
		})
	}
}

// A TCP flow fills the queue; ours must keep a part.
func TestCompetingTCP(t *testing.T) {
	for _, ms := range []int64{100, 300} {
		for _, rtt := range []int64{20 * millisecond, 50 * millisecond, 100 * millisecond} {
			t.Run(fmt.Sprintf("%d ms, queue %d ms", rtt/millisecond, ms), func(t *testing.T) {
				s := newSim(newOurs(Config{}), queue(2_000_000, ms), rtt, 6)
				s.run(15 * second)
				s.tcp = newTCP(rtt / 2)
				from := s.now
				s.run(from + 120*second)
				defer s.dump(t)
				low, mean, high := s.span(from+10*second, s.now)
				starved, longest := 0, 0
				for _, v := range s.targets[int(from/(10*millisecond)):] {
					if v >= 250_000 {
						starved = 0
					} else {
						starved++
					}
					longest = max(longest, starved)
				}
				t.Logf("%.0f to %.0f, mean %.0f; TCP %.0f; below a quarter of the share for %.1f s at most", low, high, mean,
					float64(s.tcp.bytes)*8e9/float64(s.now-from), float64(longest)*0.01)
				if longest > 500 || mean < 300_000 {
					t.Error("starved")
				}
			})
		}
	}
}

func TestLostFeedback(t *testing.T) {
	for _, rtt := range roundTrips {
		t.Run(fmt.Sprintf("%d ms", rtt/millisecond), func(t *testing.T) {
			s := newSim(newOurs(Config{}), queue(2_500_000, 400), rtt, 7)
			s.up.Set(0, simnet.Config{Delay: rtt / 2, Loss: 0.2, Jitter: 20 * millisecond})
			s.run(20 * second)
			low, mean, high := s.span(10*second, s.now)
			t.Logf("%.0f to %.0f, mean %.0f", low, high, mean)
			if low < 1_700_000 || mean < 2_000_000 || high > 3_000_000 {
				t.Error("lost feedback was taken for something else")
			}
			from := s.now
			s.rate(300_000)
			s.run(from + 10*second)
			defer s.dump(t)
			took := s.first(from, s.now, func(v float64) bool { return v <= 330_000 })
			if took < 0 || took > 1.3 {
				t.Errorf("330 kbit/s after %.2f s", took)
			}
		})
	}
}

// A key frame is a burst, not a lack of bandwidth.
func TestKeyFrames(t *testing.T) {
	for _, rtt := range roundTrips {
		for _, size := range []int{20_000, 40_000, 60_000} {
			t.Run(fmt.Sprintf("%d ms, %d kB", rtt/millisecond, size/1000), func(t *testing.T) {
				s := newSim(newOurs(Config{}), queue(2_500_000, 400), rtt, 8)
				s.wanted = func(int64) int64 { return 2_400_000 }
				s.layers = []int64{40_000, 190_000, 640_000}
				s.keyEvery, s.keySize = 3*second, size
				s.run(60 * second)
				defer s.dump(t)
				low, mean, high := s.span(5*second, s.now)
				t.Logf("%.0f to %.0f, mean %.0f", low, high, mean)
				if low < 1_000_000 || mean < 1_900_000 {
					t.Error("bursts were taken for congestion")
				}
			})
		}
	}
}

// Two subscribers behind one line share it.
func TestTwoOfOurs(t *testing.T) {
	for _, rtt := range roundTrips {
		t.Run(fmt.Sprintf("%d ms", rtt/millisecond), func(t *testing.T) {
			s := newSim(newOurs(Config{}), queue(2_000_000, 300), rtt, 9)
			s.run(15 * second)
			s.peer = newSim(newOurs(Config{}), simnet.Config{}, rtt, 10)
			s.peer.down, s.peer.soundAt, s.peer.frameAt = s.down, s.now, s.now+10*millisecond
			from := s.now
			s.run(from + 120*second)
			s.peer.targets = append(make([]int64, len(s.targets)-len(s.peer.targets)), s.peer.targets...)
			defer s.dump(t)
			low, mean, high := s.span(from+20*second, s.now)
			low2, mean2, high2 := s.peer.span(from+20*second, s.now)
			t.Logf("%.0f (%.0f to %.0f) and %.0f (%.0f to %.0f); sound delay p95 %.0f ms", mean, low, high, mean2, low2, high2,
				quantile(s.delays, 0.95)-float64(rtt)/2e6)
			if mean < 400_000 || mean2 < 400_000 {
				t.Error("one of two has less than 40 % of its share")
			}
			if mean+mean2 > 2_400_000 || mean+mean2 < 1_500_000 {
				t.Error("together not where the link is")
			}
		})
	}
}

// A radio link changes all the time, here between 0.5 and 2.5 Mbit/s.
func TestWanderingLink(t *testing.T) {
	for _, rtt := range roundTrips {
		t.Run(fmt.Sprintf("%d ms", rtt/millisecond), func(t *testing.T) {
			s := newSim(newOurs(Config{}), queue(1_500_000, 500), rtt, 12)
			var capacity, used float64
			s.at = func(now int64) {
				if now%(100*millisecond) == 0 {
					r := 1_500_000 + 1_000_000*math.Sin(float64(now)/1e9*2*math.Pi/20)
					s.rate(int64(r))
					capacity += r
					used += min(float64(s.c.target()), r)
				}
			}
			s.run(100 * second)
			defer s.dump(t)
			t.Logf("%.0f %% of the link; sound delay p50 %.0f p95 %.0f ms", 100*used/capacity,
				quantile(s.delays, 0.5)-float64(rtt)/2e6, quantile(s.delays, 0.95)-float64(rtt)/2e6)
			if used < 0.65*capacity {
				t.Error("too little of the link")
			}
			if quantile(s.delays, 0.95)-float64(rtt)/2e6 > 400 {
				t.Error("sound too late")
			}
		})
	}
}

// A queue so short that only loss shows it.
func TestShortQueue(t *testing.T) {
	for _, rtt := range roundTrips {
		t.Run(fmt.Sprintf("%d ms", rtt/millisecond), func(t *testing.T) {
			s := newSim(newOurs(Config{}), queue(2_500_000, 25), rtt, 13)
			s.run(20 * second)
			from := s.now
			s.rate(400_000)
			s.run(from + 30*second)
			defer s.dump(t)
			took := s.first(from, s.now, func(v float64) bool { return v <= 550_000 })
			low, mean, high := s.span(from+5*second, s.now)
			t.Logf("%s down, then %.0f to %.0f, mean %.0f", seconds(took), low, high, mean)
			if took < 0 || took > 2 || mean > 520_000 || mean < 200_000 {
				t.Error("not where the link is")
			}
		})
	}
}

// What a probe that fails does to running sound.
func TestFailedProbeIsHarmless(t *testing.T) {
	for _, rate := range []int64{100_000, 300_000, 1_000_000} {
		t.Run(fmt.Sprintf("%d kbit/s", rate/1000), func(t *testing.T) {
			with := newSim(newOurs(Config{Initial: rate * 9 / 10}), queue(rate, 500), 50*millisecond, 14)
			with.limit = rate * 8 / 10
			with.run(60 * second)
			without := newSim(newOurs(Config{Initial: rate * 9 / 10}), queue(rate, 500), 50*millisecond, 14)
			without.limit = rate * 8 / 10
			without.wanted = func(int64) int64 { return rate * 8 / 10 }
			without.run(60 * second)
			a, b := quantile(with.delays, 1), quantile(without.delays, 1)
			t.Logf("sound at most %.0f ms late, without probes %.0f; p99 %.0f and %.0f; %d probes, %.1f kbit/s", a, b,
				quantile(with.delays, 0.99), quantile(without.delays, 0.99), with.clusters, float64(with.padding)*8e6/float64(with.now))
			if with.clusters < 5 {
				t.Fatal("no probes, nothing shown")
			}
			if without.clusters > 0 {
				t.Error("probes although nothing was wanted")
			}
			if a > b+150 {
				t.Error("a probe delayed sound by more than 150 ms")
			}
		})
	}
}

// Receivers report every 50 to 250 ms.
func TestFeedbackIntervals(t *testing.T) {
	for _, every := range []int64{50, 100, 250} {
		for _, rtt := range roundTrips {
			t.Run(fmt.Sprintf("every %d ms, %d ms", every, rtt/millisecond), func(t *testing.T) {
				s := newSim(newOurs(Config{}), queue(2_500_000, 400), rtt, 15)
				s.every = every * millisecond
				s.run(20 * second)
				low, mean, high := s.span(10*second, s.now)
				from := s.now
				s.rate(300_000)
				s.run(from + 10*second)
				defer s.dump(t)
				took := s.first(from, s.now, func(v float64) bool { return v <= 330_000 })
				t.Logf("%.0f to %.0f, mean %.0f; down %s", low, high, mean, seconds(took))
				if low < 1_900_000 || high > 2_900_000 {
					t.Error("not where the link is")
				}
				if took < 0 || took > 1+float64(max(every-100, 0))/500 {
					t.Error("too late")
				}
			})
		}
	}
}

// Another route is slower for good. That looks like a queue for a while.
func TestRouteChange(t *testing.T) {
	for _, more := range []int64{30, 80, 150} {
		for _, rtt := range roundTrips {
			t.Run(fmt.Sprintf("%d ms and %d more", rtt/millisecond, more), func(t *testing.T) {
				s := newSim(newOurs(Config{}), queue(2_500_000, 400), rtt, 17)
				s.run(15 * second)
				s.change(func(c *simnet.Config) { c.Delay += more * millisecond })
				s.run(60 * second)
				defer s.dump(t)
				low, _, _ := s.span(15*second, s.now)
				back := s.until(15*second, 45*second, func(v float64) bool { return v > 1_900_000 })
				t.Logf("down to %.0f, back for good after %s", low, seconds(back))
				if low < 600_000 || back < 0 || back > 15 {
					t.Error("a slower route was taken for a narrow one")
				}
			})
		}
	}
}
