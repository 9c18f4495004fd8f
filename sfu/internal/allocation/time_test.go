// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package allocation

import "testing"

func TestDownAtOnceUpLater(t *testing.T) {
	var s State
	in := Input{Budget: 3_000_000, Tracks: []Track{camera(1)}}
	run(&s, 0, 2*second, &in)
	in.Budget = 200_000
	if r := s.Allocate(3*second, &in); r.Decisions[0].Choice.Spatial != 0 {
		t.Fatalf("not down at once: %+v", r.Decisions[0])
	}
	in.Budget = 3_000_000
	for now := 3*second + tick; ; now += tick {
		if s.Allocate(now, &in).Decisions[0].Choice.Spatial == 0 {
			continue
		}
		if wait := now - 3*second - tick; wait < second || wait > second*5/4 {
			t.Fatalf("up again after %d ms", wait/1e6)
		}
		break
	}
}

func TestMargins(t *testing.T) {
	var s State
	in := Input{Budget: 400_000, Tracks: []Track{camera(1)}}
	run(&s, 0, 3*second, &in)
	in.Budget = 516_000 // 450 kbit/s need 517.5
	if r := run(&s, 4*second, 30*second, &in); r.Decisions[0].Choice != (Layer{1, 1}) {
		t.Fatalf("up without the margin: %+v", r.Decisions[0])
	}
	in.Budget = 519_000
	if r := run(&s, 40*second, 3*second, &in); r.Decisions[0].Choice != (Layer{1, 3}) {
		t.Fatalf("not up with the margin: %+v", r.Decisions[0])
	}
	in.Budget = 451_000
	if r := run(&s, 50*second, 3*second, &in); r.Decisions[0].Choice != (Layer{1, 3}) {
		t.Fatalf("down although it fits: %+v", r.Decisions[0])
	}
	in.Budget = 449_000
	if r := s.Allocate(60*second, &in); r.Decisions[0].Choice != (Layer{1, 1}) {
		t.Fatalf("not down: %+v", r.Decisions[0])
	}
}

func TestFloorHolds(t *testing.T) {
	var s State
	in := Input{Budget: 65_000, Tracks: []Track{camera(1), camera(2)}}
	run(&s, 0, 2*second, &in)
	in.Budget = 51_000
	if r := run(&s, 3*second, second, &in); r.Decisions[0].Choice != (Layer{0, 0}) || r.Decisions[1].Choice != Paused || !r.Starved {
		t.Fatalf("a little too narrow: %+v", r.Decisions)
	}
	in.Budget = 48_000
	if r := s.Allocate(5*second, &in); r.Decisions[0].Choice != Paused {
		t.Fatalf("much too narrow: %+v", r.Decisions[0])
	}
}

// TestFailedStepsBackOff plays a path that carries less than its estimate says:
// as soon as more than 400 kbit/s are sent the estimate falls, and recovers a
// second later.
func TestFailedStepsBackOff(t *testing.T) {
	var s State
	in := Input{Budget: 700_000, Tracks: []Track{camera(1)}}
	in.Tracks[0].Sent = Layer{0, 3}
	var ups []int64
	sent, low := Layer{0, 3}, int64(0)
	for now := int64(0); now < 200*second; now += tick {
		r := s.Allocate(now, &in)
		if c := r.Decisions[0].Choice; c.Spatial > sent.Spatial {
			ups = append(ups, now)
		}
		sent = r.Decisions[0].Choice
		in.Budget = 700_000
		if r.Total > 400_000 {
			low = now + second
		}
		if now < low {
			in.Budget = 200_000
		}
	}
	if len(ups) < 5 {
		t.Fatalf("only %d steps up", len(ups))
	}
	for i := 1; i < len(ups); i++ {
		want := []int64{5, 10, 20}[min(i-1, 2)] * second
		if gap := ups[i] - ups[i-1]; gap < want || gap > want+2*second {
			t.Errorf("step up %d came %d ms after the last, want %d to %d", i, gap/1e6, want/1e6, want/1e6+2000)
		}
	}
}

func TestSpeakersWhoInterruptEachOther(t *testing.T) {
	var s State
	in := Input{Budget: 800_000, Tracks: []Track{camera(1), camera(2), camera(3)}}
	changes, last := 0, []Layer(nil)
	for now := int64(0); now < 60*second; now += tick {
		a := now / (3 * tick) % 2
		in.Tracks[a].SpeakerRank, in.Tracks[1-a].SpeakerRank = 1, 2
		got := choices(s.Allocate(now, &in))
		for i := range last {
			if last[i] != got[i] {
				changes++
			}
		}
		last = got
	}
	if changes > 0 {
		t.Errorf("%d changes while two interrupt each other", changes)
	}
	in.Tracks[0].SpeakerRank, in.Tracks[1].SpeakerRank, in.Tracks[2].SpeakerRank = 0, 0, 1
	if got := choices(run(&s, 60*second, 3*second, &in)); got[2].Spatial == 0 || got[0].Spatial > got[2].Spatial {
		t.Errorf("the new speaker gets %+v", got)
	}
}

// TestEqualsDoNotDisplaceEachOther: a step that becomes cheaper is not paid for by
// somebody just as important.
func TestEqualsDoNotDisplaceEachOther(t *testing.T) {
	a, b := camera(1), camera(2)
	a.Encodings = [Spatial]Encoding{{Live: true, Rate: [Temporal]uint32{64_000, 200_000}}}
	b.MaxSpatial = 0
	for _, rank := range []uint8{0, 1} {
		var s State
		in := Input{Budget: 345_000, Tracks: []Track{a, b}}
		if got := choices(run(&s, 0, 3*second, &in)); got[0] != (Layer{0, 0}) || got[1] != (Layer{0, 3}) {
			t.Fatalf("at first %+v", got)
		}
		in.Tracks[0].Encodings[0].Rate[1], in.Tracks[0].SpeakerRank = 130_000, rank
		got := choices(run(&s, 3*second+tick, 60*second, &in))
		if raised := got[0] == (Layer{0, 3}); raised != (rank == 1) || raised == (got[1] == Layer{0, 3}) {
			t.Errorf("with speaker rank %d: %+v", rank, got)
		}
	}
}

// TestKeyFramesAndChanges: a key frame that lifts the measurement for a second
// changes nothing; a rate that rises for good is known after a moment.
func TestKeyFramesAndChanges(t *testing.T) {
	var s State
	in := Input{Budget: 530_000, Tracks: []Track{camera(1)}}
	clean := in.Tracks[0].Encodings
	for now := int64(0); now < 125*second; now += tick {
		in.Tracks[0].Encodings = clean
		if now%(10*second) > 9*second {
			for sp := range clean {
				in.Tracks[0].Encodings[sp].Rate[0] *= 3
			}
		}
		if r := s.Allocate(now, &in); r.Decisions[0].Choice != (Layer{1, 3}) {
			t.Fatalf("after %d ms: %+v", now/1e6, r.Decisions[0])
		}
	}
	in.Tracks[0].Encodings = encodings(160_000, 800_000, 1_700_000)
	for now := int64(125) * second; ; now += tick {
		if r := s.Allocate(now, &in); r.Decisions[0].Choice == (Layer{1, 3}) {
			continue
		}
		if late := now - 125*second; late < second || late > 2*second {
			t.Errorf("known after %d ms", late/1e6)
		}
		return
	}
}

// TestPathThatFell: where the budget falls below what was sent before a step up,
// the path has changed. Nothing waits once it is back.
func TestPathThatFell(t *testing.T) {
	var s State
	in := Input{Budget: 700_000, Tracks: []Track{camera(1)}}
	run(&s, 0, 5*second, &in)
	in.Budget = 3_000_000
	at := 5*second + tick
	for ; s.Allocate(at, &in).Decisions[0].Choice.Spatial != 2; at += tick {
	}
	in.Budget = 150_000
	run(&s, at+tick, second, &in)
	in.Budget = 3_000_000
	back := at + second + 2*tick
	for now := back; ; now += tick {
		r := s.Allocate(now, &in)
		if r.Decisions[0].Choice.Spatial == 2 {
			if took := now - back; took > 2*second {
				t.Errorf("the full layer is back after %d ms", took/1e6)
			}
			return
		}
		if r.Wanted == 0 {
			t.Fatalf("nothing is wanted after %d ms", (now-back)/1e6)
		}
	}
}

// TestPathThatFallsAgainAndAgain has the path fall to a tenth for six seconds, at
// once or in stages, each time as soon as the full layer is back: however often,
// the waits do not grow.
func TestPathThatFallsAgainAndAgain(t *testing.T) {
	for name, stages := range map[string][]uint32{
		"at once":   {300_000, 300_000, 300_000},
		"in stages": {1_500_000, 700_000, 300_000},
	} {
		t.Run(name, func(t *testing.T) {
			var s State
			in := Input{Tracks: []Track{camera(1)}}
			at := int64(0)
			for round := range 20 {
				in.Budget = 3_000_000
				begin := at
				for ; s.Allocate(at, &in).Decisions[0].Choice.Spatial != 2; at += tick {
					if at-begin > 3*second {
						t.Fatalf("round %d: the full layer is not back after %d ms", round, (at-begin)/1e6)
					}
				}
				end := at + 6*second
				for _, in.Budget = range stages {
					run(&s, at+tick, second/2, &in)
					at += second/2 + tick
				}
				run(&s, at+tick, end-at, &in)
				at = end + 2*tick
			}
		})
	}
}
