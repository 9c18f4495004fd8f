// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// crowd is a room of n tracks of all kinds and wishes.
func crowd(random *rand.Rand, n int) (in Input) {
	for i := range n {
		t := camera(uint64(random.Uint32())<<8 | uint64(i))
		if random.IntN(8) == 0 {
			t = screen(t.ID)
		}
		t.Encodings = encodings(uint32(80_000+random.IntN(120_000)), uint32(300_000+random.IntN(300_000)), uint32(1_000_000+random.IntN(1_500_000)))
		for sp := range t.Encodings {
			t.Encodings[sp].Live = random.IntN(8) > 0
			if random.IntN(5) == 0 {
				t.Encodings[sp].Rate[1], t.Encodings[sp].Rate[2] = 0, 0
			}
		}
		t.MaxSpatial, t.MaxTemporal = int8(random.IntN(3)), int8(random.IntN(4))
		t.Hidden, t.Muted = random.IntN(10) == 0, random.IntN(10) == 0
		t.SVC = random.IntN(5) == 0
		t.SpeakerRank = uint8(random.IntN(5))
		if random.IntN(6) == 0 {
			t.Priority = uint8(random.IntN(3))
		}
		in.Tracks = append(in.Tracks, t)
	}
	return in
}

func noisy(random *rand.Rand, in *Input, clean []Track) {
	for i := range clean {
		for sp := range clean[i].Encodings {
			swing := 80 + random.Uint32N(41)
			for te, r := range clean[i].Encodings[sp].Rate {
				in.Tracks[i].Encodings[sp].Rate[te] = r / 100 * swing
			}
		}
	}
}

// check verifies what holds of every result: the budget, and that only what is
// live and wished for is chosen.
func check(in *Input, s *State, r Result) error {
	budget := in.Budget
	if in.Saver != 0 {
		budget = min(budget, in.Saver)
	}
	var sum uint64
	running := 0
	for i, d := range r.Decisions {
		t := &in.Tracks[i]
		sum += uint64(d.Cost)
		if d.Cost > 0 {
			running++
		}
		if (d.Reason == Hidden || d.Reason == Muted || d.Reason == Starved) && (d.Choice != Paused || d.Cost != 0) {
			return fmt.Errorf("track %d is off with %+v", i, d)
		}
		if d.Reason != Sending {
			continue
		}
		if !t.Encodings[d.Choice.Spatial].Live || t.Hidden || t.Muted {
			return fmt.Errorf("track %d gets a layer that is not there: %+v", i, d)
		}
		if d.Choice.Spatial > t.MaxSpatial {
			for sp := range d.Choice.Spatial {
				if t.Encodings[sp].Live && t.Encodings[sp].Rate[0] > 0 {
					return fmt.Errorf("track %d gets more than it wants: %+v", i, d)
				}
			}
		}
		if d.Choice.Temporal > max(0, t.MaxTemporal) {
			return fmt.Errorf("track %d gets more frames than it wants: %+v", i, d)
		}
	}
	if sum != uint64(r.Total) {
		return fmt.Errorf("total %d of costs %d", r.Total, sum)
	}
	if r.Total <= budget {
		return nil
	}
	first := &s.slots[s.sequence[0].slot]
	if running != 1 || first.got != 1 || uint64(r.Total)*100 > uint64(budget)*130 {
		return fmt.Errorf("%d of a budget of %d", r.Total, budget)
	}
	return nil
}

// TestBudgetHolds plays rooms that change all the time.
func TestBudgetHolds(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 7))
		in := crowd(random, 1+random.IntN(25))
		clean := slices.Clone(in.Tracks)
		var s State
		now := int64(0)
		for step := range 600 {
			now += random.Int64N(3 * tick)
			if random.IntN(4) == 0 {
				in.Budget = random.Uint32N(1 << (14 + random.Uint32N(10)))
			}
			if random.IntN(50) == 0 {
				in.Saver = random.Uint32N(1_000_000)
			}
			switch random.IntN(30) {
			case 0:
				random.Shuffle(len(clean), func(i, j int) {
					clean[i], clean[j] = clean[j], clean[i]
					in.Tracks[i], in.Tracks[j] = in.Tracks[j], in.Tracks[i]
				})
			case 1:
				more := crowd(random, 1)
				clean, in.Tracks = append(clean, more.Tracks...), append(in.Tracks, more.Tracks...)
			case 2:
				n := min(1, len(clean))
				clean, in.Tracks = clean[n:], in.Tracks[n:]
			case 3:
				if len(in.Tracks) > 0 {
					tr := &in.Tracks[random.IntN(len(in.Tracks))]
					tr.Hidden, tr.MaxSpatial, tr.Priority = random.IntN(2) == 0, int8(random.IntN(3)), uint8(random.IntN(2))
				}
			}
			noisy(random, &in, clean)
			r := s.Allocate(now, &in)
			if err := check(&in, &s, r); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
	}
}

// TestMoreBudgetIsNeverWorse compares, in the order of importance, what tracks
// get for a larger budget.
func TestMoreBudgetIsNeverWorse(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 11))
		in := crowd(random, 1+random.IntN(20))
		var last []uint8
		var lastTotal uint32
		for in.Budget = 20_000; in.Budget < 40_000_000; in.Budget += in.Budget / 40 {
			var s State
			r := run(&s, 0, 3*second, &in)
			if uint64(r.Total)*115 < uint64(lastTotal)*100 {
				t.Fatalf("seed %d: %d bit/s used of %d, more before: %d", seed, r.Total, in.Budget, lastTotal)
			}
			lastTotal = r.Total
			var got []uint8
			for _, it := range s.sequence {
				taken := uint8(0)
				if s.slots[it.slot].got >= it.step {
					taken = 1
				}
				got = append(got, taken)
			}
			if last != nil && slices.Compare(got, last) < 0 {
				t.Fatalf("seed %d: worse at %d:\n%v\n%v", seed, in.Budget, last, got)
			}
			last = got
		}
	}
}

// TestOneTrackIsMonotonic looks at the layer of a single picture.
func TestOneTrackIsMonotonic(t *testing.T) {
	for _, track := range []Track{camera(1), screen(1)} {
		last := Paused
		for budget := uint32(10_000); budget < 4_000_000; budget += 4_000 {
			var s State
			got := run(&s, 0, 2*second, &Input{Budget: budget, Tracks: []Track{track}}).Decisions[0].Choice
			if got.Spatial < last.Spatial || got.Spatial == last.Spatial && got.Temporal < last.Temporal {
				t.Fatalf("%d bit/s: %+v after %+v", budget, got, last)
			}
			last = got
		}
		if last != (Layer{2, 3}) {
			t.Errorf("ends with %+v", last)
		}
	}
}

// TestPriorities: nobody is paused while somebody less important gets what would
// have been enough.
func TestPriorities(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 13))
		in := crowd(random, 2+random.IntN(12))
		in.Budget = 50_000 + random.Uint32N(2_000_000)
		var s State
		r := run(&s, 0, 4*second, &in)
		for n, i := range s.order {
			if r.Decisions[i].Reason != Starved {
				continue
			}
			need := uint64(s.slots[i].steps[1].cost)
			for _, j := range s.order[n+1:] {
				if in.Tracks[j].Kind == Camera && in.Tracks[i].Kind == Screen {
					continue // the first camera may go before a screen
				}
				if uint64(r.Decisions[j].Cost) >= need*115/100 {
					t.Fatalf("seed %d: track %d needs %d and is paused, %d gets %+v", seed, i, need, j, r.Decisions[j])
				}
			}
		}
	}
}

// flaps counts how often tracks go back on a change: up after down or down after
// up.
type flaps struct {
	last      []Layer
	direction []int
	changes   int
	backs     int
}

func (f *flaps) see(r Result) {
	if f.last == nil {
		f.direction = make([]int, len(r.Decisions))
	}
	for i, d := range r.Decisions {
		if f.last == nil || d.Choice == f.last[i] {
			continue
		}
		f.changes++
		to := 1
		if d.Choice.Spatial < f.last[i].Spatial || d.Choice.Spatial == f.last[i].Spatial && d.Choice.Temporal < f.last[i].Temporal {
			to = -1
		}
		if to == -f.direction[i] {
			f.backs++
		}
		f.direction[i] = to
	}
	f.last = choices(r)
}

// TestNoFlapping holds the budget and swings the rates by a fifth, in several
// rhythms, for ten minutes. Once the ranges are known nothing goes back and forth:
// at most a single change is taken back where swings last for seconds.
func TestNoFlapping(t *testing.T) {
	const minutes = 10
	rhythms := map[string]int{"every call": 1, "every second": 10, "every two seconds": 20}
	for name, every := range rhythms {
		t.Run(name, func(t *testing.T) {
			most := 0
			for seed := range uint64(16) {
				random := rand.New(rand.NewPCG(seed, 17))
				in := crowd(random, 1+int(seed)%8)
				in.Budget = 60_000 + random.Uint32N(1<<(16+random.Uint32N(7)))
				clean := slices.Clone(in.Tracks)
				var s State
				var learning, known flaps
				for n := range minutes * 600 {
					if n%every == 0 {
						noisy(random, &in, clean)
					}
					f := &known
					if n < 300 {
						f = &learning
					}
					f.see(s.Allocate(int64(n)*tick, &in))
				}
				most = max(most, known.changes)
				if known.backs > min(1, every/10) || known.changes > 2*len(in.Tracks) || learning.backs > 2*len(in.Tracks) {
					t.Errorf("seed %d: budget %d, %d tracks: %d changes and %d back in half a minute, %d and %d in the rest",
						seed, in.Budget, len(in.Tracks), learning.changes, learning.backs, known.changes, known.backs)
				}
			}
			t.Logf("at most %d late changes", most)
		})
	}
}

// TestBudgetThatSwings lets the budget swing by a tenth instead, and the rates by
// a fifth in each call.
func TestBudgetThatSwings(t *testing.T) {
	for seed := range uint64(16) {
		random := rand.New(rand.NewPCG(seed, 19))
		in := crowd(random, 1+int(seed)%8)
		clean := slices.Clone(in.Tracks)
		middle := 100_000 + random.Uint32N(1<<(16+random.Uint32N(7)))
		var s State
		var known flaps
		for n := range 6000 {
			in.Budget = middle/100*95 + random.Uint32N(middle/10)
			noisy(random, &in, clean)
			if r := s.Allocate(int64(n)*tick, &in); n > 300 {
				known.see(r)
			}
		}
		if known.backs > 0 || known.changes > 2*len(in.Tracks) {
			t.Errorf("seed %d: %d changes, %d back, in nine minutes around %d", seed, known.changes, known.backs, middle)
		}
	}
}

// TestSameHistorySameResult repeats a history, also with the tracks listed in
// another order.
func TestSameHistorySameResult(t *testing.T) {
	play := func(reverse bool) (trace []string) {
		random := rand.New(rand.NewPCG(5, 23))
		in := crowd(random, 12)
		var s State
		for n := range 400 {
			if n%20 == 0 {
				in.Budget = random.Uint32N(6_000_000)
			}
			given := Input{Budget: in.Budget, Tracks: slices.Clone(in.Tracks)}
			if reverse {
				slices.Reverse(given.Tracks)
			}
			r := s.Allocate(int64(n)*tick, &given)
			d := slices.Clone(r.Decisions)
			if reverse {
				slices.Reverse(d)
			}
			trace = append(trace, fmt.Sprint(d, r.Total, r.Wanted, r.Starved))
		}
		return trace
	}
	once := play(false)
	if !slices.Equal(once, play(false)) {
		t.Error("the same history has another result")
	}
	if !slices.Equal(once, play(true)) {
		t.Error("the order of the list matters")
	}
}

func FuzzAllocate(f *testing.F) {
	f.Add(uint64(1), uint32(500_000), []byte{1, 2, 3, 200, 5})
	f.Fuzz(func(t *testing.T, seed uint64, budget uint32, script []byte) {
		random := rand.New(rand.NewPCG(seed, 1))
		in := crowd(random, 1+int(seed%9))
		in.Budget = budget
		var s State
		now := int64(0)
		for _, b := range script {
			now += int64(b&15) * tick
			tr := &in.Tracks[int(b>>4)%len(in.Tracks)]
			switch b % 11 {
			case 0:
				in.Budget = random.Uint32()
			case 1:
				in.Saver = random.Uint32()
			case 2:
				tr.MaxSpatial, tr.MaxTemporal = int8(b), int8(b>>1)
			case 3:
				tr.Encodings[b%3].Rate[b%4] = random.Uint32()
			case 4:
				tr.Encodings[b%3].Live = b&64 == 0
			case 5:
				tr.Muted = b&64 == 0
			case 6:
				tr.Kind, tr.Priority = Kind(b&1), b
			default:
				in.Budget = random.Uint32N(3_000_000)
			}
			if err := check(&in, &s, s.Allocate(now, &in)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
