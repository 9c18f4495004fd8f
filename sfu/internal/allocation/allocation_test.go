// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package allocation

import (
	"math/rand/v2"
	"testing"
)

const (
	tick  = second / 10
	sound = 34_000 // Opus at 24 kbit/s with its headers
)

// encodings builds spatial layers of the given bit rates with three temporal
// layers in the shares that browsers use.
func encodings(rates ...uint32) (e [Spatial]Encoding) {
	for i, r := range rates {
		e[i] = Encoding{Live: true, Rate: [Temporal]uint32{r * 2 / 5, r / 5, r * 2 / 5}}
	}
	return e
}

// camera is a 720p camera in simulcast as browsers send it.
func camera(id uint64) Track {
	return Track{ID: id, MaxSpatial: 2, MaxTemporal: 3, Sent: Paused, Encodings: encodings(160_000, 450_000, 1_700_000)}
}

func screen(id uint64) Track {
	t := camera(id)
	t.Kind = Screen
	t.Encodings = encodings(200_000, 700_000, 2_000_000)
	return t
}

// run calls Allocate every tick for a while and returns the last result.
func run(s *State, from, length int64, in *Input) (r Result) {
	for now := from; now <= from+length; now += tick {
		r = s.Allocate(now, in)
	}
	return r
}

// settled is the outcome of a constant situation.
func settled(in *Input) Result {
	var s State
	return run(&s, 0, 5*second, in)
}

func choices(r Result) (l []Layer) {
	for _, d := range r.Decisions {
		l = append(l, d.Choice)
	}
	return l
}

func TestNarrowPaths(t *testing.T) {
	face := camera(1)
	face.Face = true
	tests := []struct {
		estimate uint32
		want     Layer
		starved  bool
	}{
		{30_000, Paused, true},
		{80_000, Paused, true},
		{100_000, Layer{0, 0}, false},
		{140_000, Layer{0, 0}, false},
		{150_000, Layer{0, 1}, false},
		{250_000, Layer{0, 3}, false},
		{500_000, Layer{1, 1}, false},
		{600_000, Layer{1, 3}, false},
		{1_100_000, Layer{1, 3}, false},
		{1_400_000, Layer{2, 1}, false},
		{2_200_000, Layer{2, 3}, false},
	}
	for _, test := range tests {
		r := settled(&Input{Budget: Video(test.estimate, sound), Tracks: []Track{face}})
		if d := r.Decisions[0]; d.Choice != test.want || r.Starved != test.starved || (d.Reason == Starved) != test.starved {
			t.Errorf("%d bit/s: %+v, starved %v; want %+v", test.estimate, d, r.Starved, test.want)
		}
	}
}

func TestFirstPictureComesAtOnce(t *testing.T) {
	var s State
	in := Input{Budget: 800_000, Tracks: []Track{camera(1)}}
	if r := s.Allocate(0, &in); r.Decisions[0].Choice != (Layer{1, 3}) {
		t.Fatalf("the first decision is %+v", r.Decisions[0])
	}
	in.Tracks = append(in.Tracks, camera(2))
	if r := s.Allocate(tick, &in); r.Decisions[1].Choice.Spatial != 0 || r.Decisions[0].Choice != (Layer{1, 3}) {
		t.Fatalf("a second camera gets %+v", r.Decisions)
	}
}

func TestScreenBeforeCameras(t *testing.T) {
	speaker, other := camera(2), camera(1)
	speaker.SpeakerRank = 1
	in := Input{Tracks: []Track{other, speaker, screen(9)}}
	tests := []struct {
		budget uint32
		want   []Layer
	}{
		{70_000, []Layer{Paused, {0, 0}, Paused}},
		{180_000, []Layer{Paused, {0, 0}, {0, 0}}},
		{420_000, []Layer{{0, 0}, {0, 0}, {1, 0}}},
		{1_000_000, []Layer{Paused, {0, 0}, {2, 0}}},
		{1_100_000, []Layer{{0, 0}, {0, 0}, {2, 0}}},
		{1_540_000, []Layer{{0, 0}, {0, 0}, {2, 1}}},
		{9_000_000, []Layer{{2, 3}, {2, 3}, {2, 3}}},
	}
	for _, test := range tests {
		in.Budget = test.budget
		r := settled(&in)
		for i, c := range choices(r) {
			if c != test.want[i] && test.budget != 1_000_000 || test.budget == 1_000_000 && i > 0 && c != test.want[i] {
				t.Errorf("%d bit/s: track %d gets %+v, want %+v", test.budget, i, c, test.want[i])
			}
		}
	}
	// A pinned camera goes before the screen.
	in.Budget, in.Tracks[0].Priority = 100_000, 1
	if got := choices(settled(&in)); got[0].Spatial != 0 || got[1] != Paused || got[2] != Paused {
		t.Errorf("with a pinned camera: %+v", got)
	}
	// Text at 1 Mbit/s is at full resolution.
	in = Input{Budget: Video(1_000_000, sound), Tracks: []Track{screen(1)}}
	if got := choices(settled(&in))[0]; got.Spatial != 2 {
		t.Errorf("a screen alone at 1 Mbit/s: %+v", got)
	}
}

func TestWhoIsRaisedFirst(t *testing.T) {
	in := Input{Budget: 1_000_000}
	for id := uint64(1); id <= 4; id++ {
		in.Tracks = append(in.Tracks, camera(id))
	}
	in.Tracks[2].SpeakerRank = 1
	got := choices(settled(&in))
	if got[2] != (Layer{1, 3}) || got[0].Spatial != 0 || got[1].Spatial != 0 || got[3].Spatial != 0 {
		t.Errorf("the speaker is not raised first: %+v", got)
	}
	in.Budget = 1_600_000
	if got := choices(settled(&in)); got[0].Spatial != got[1].Spatial || got[1].Spatial != got[3].Spatial {
		t.Errorf("equals are not treated equally: %+v", got)
	}
}

func TestWishesAndStates(t *testing.T) {
	small, hidden, muted, odd := camera(1), camera(2), camera(3), camera(4)
	small.MaxSpatial, small.MaxTemporal = 0, 1
	hidden.Hidden, muted.Muted = true, true
	odd.MaxSpatial = 0
	odd.Encodings[0].Live = false
	silent := camera(5)
	silent.Encodings = [Spatial]Encoding{}
	in := Input{Budget: 50_000_000, Tracks: []Track{small, hidden, muted, odd, silent}}
	r := settled(&in)
	want := []Decision{
		{Layer{0, 1}, Sending, 96_000}, {Paused, Hidden, 0}, {Paused, Muted, 0},
		{Layer{1, 3}, Sending, 450_000}, {Layer{0, 0}, Waiting, 0},
	}
	for i, d := range r.Decisions {
		if d.Choice != want[i].Choice || d.Reason != want[i].Reason || near(d.Cost, want[i].Cost) {
			t.Errorf("track %d: %+v, want %+v", i, d, want[i])
		}
	}
	if r.Starved || r.Wanted != 0 {
		t.Errorf("all wishes met, yet %+v", r)
	}
}

func near(a, b uint32) bool { return max(a, b)-min(a, b) > 3 }

func TestSilentTrackKeepsItsLayer(t *testing.T) {
	var s State
	in := Input{Budget: 5_000_000, Tracks: []Track{screen(1)}}
	before := run(&s, 0, 3*second, &in).Decisions[0].Choice
	live := in.Tracks[0].Encodings
	in.Tracks[0].Encodings = [Spatial]Encoding{}
	r := run(&s, 3*second+tick, second, &in)
	if d := r.Decisions[0]; d.Choice != before || d.Reason != Waiting || r.Starved {
		t.Errorf("a silent screen has %+v, was %+v", d, before)
	}
	in.Tracks[0].Encodings = live
	if d := s.Allocate(5*second, &in).Decisions[0]; d.Choice != before || d.Reason != Sending {
		t.Errorf("back with %+v, was %+v", d, before)
	}
}

func TestSaver(t *testing.T) {
	in := Input{Budget: 9_000_000, Saver: 300_000, Tracks: []Track{camera(1), camera(2)}}
	r := settled(&in)
	if r.Total > 300_000 || r.Total < 200_000 || r.Wanted != 0 {
		t.Errorf("with a saver: %+v", r)
	}
}

func TestSVCAddsUp(t *testing.T) {
	track := camera(1)
	track.SVC = true
	r := settled(&Input{Budget: 2_309_000 * 115 / 100, Tracks: []Track{track}})
	if r.Decisions[0].Choice.Spatial != 2 || r.Decisions[0].Choice.Temporal == 3 {
		t.Errorf("too little for everything: %+v", r.Decisions[0])
	}
	r = settled(&Input{Budget: 2_311_000 * 115 / 100, Tracks: []Track{track}})
	if r.Decisions[0].Choice != (Layer{2, 3}) || near(r.Total, 2_310_000) {
		t.Errorf("enough for everything: %+v", r.Decisions[0])
	}
}

func TestWithoutTemporalLayers(t *testing.T) {
	track := camera(1)
	for i, rate := range []uint32{150_000, 400_000, 1_500_000} {
		track.Encodings[i].Rate = [Temporal]uint32{rate}
	}
	for _, test := range []struct {
		budget  uint32
		spatial int8
	}{{125_000, Pause}, {155_000, 0}, {455_000, 0}, {465_000, 1}, {1_720_000, 1}, {1_730_000, 2}} {
		r := settled(&Input{Budget: test.budget, Tracks: []Track{track}})
		if r.Decisions[0].Choice.Spatial != test.spatial {
			t.Errorf("%d bit/s: %+v", test.budget, r.Decisions[0])
		}
	}
}

func TestWanted(t *testing.T) {
	in := Input{Budget: 300_000, Tracks: []Track{camera(1), camera(2), screen(3)}}
	for range 40 {
		var s State
		r := run(&s, 0, 3*second, &in)
		if r.Wanted == 0 {
			if r.Total < 5_000_000 {
				t.Fatalf("nothing wanted at %d", r.Total)
			}
			return
		}
		if r.Wanted <= in.Budget {
			t.Fatalf("%d wanted of a budget of %d", r.Wanted, in.Budget)
		}
		total := r.Total
		in.Budget = r.Wanted
		if after := run(&s, 4*second, 3*second, &in); after.Total <= total {
			t.Fatalf("%d bit/s change nothing: %d, then %d", in.Budget, total, after.Total)
		}
	}
	t.Fatal("the end was not reached")
}

func TestTemporalCap(t *testing.T) {
	frames := [Temporal]uint32{7500, 15000, 30000, 30000}
	for fps, want := range map[uint32]int8{0: 3, 1: 0, 7: 0, 10: 0, 12: 1, 15: 1, 23: 1, 24: 3, 60: 3} {
		if got := TemporalCap(fps, frames); got != want {
			t.Errorf("%d fps: %d, want %d", fps, got, want)
		}
	}
}

func TestVideo(t *testing.T) {
	if Video(100, 100) != 0 || Video(5, 100) != 0 || Video(1_034_000, 34_000) != 968_750 {
		t.Error("the share of pictures is wrong")
	}
	for _, v := range []uint32{0, 1, 64_000, 1_000_000, 123_456_789} {
		if e := Estimate(v, sound); Video(e, sound) < v || Video(e-3, sound) > v {
			t.Errorf("%d bit/s of pictures need %d, which leaves %d", v, e, Video(e, sound))
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var s State
	in := crowd(rand.New(rand.NewPCG(1, 1)), 25)
	in.Budget = 5_000_000
	now := int64(0)
	run(&s, 0, second, &in)
	if n := testing.AllocsPerRun(200, func() {
		now += tick
		in.Budget ^= 1 << 21
		s.Allocate(now, &in)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAllocate(b *testing.B) {
	full := Input{Budget: 9_000_000}
	for id := range uint64(25) {
		full.Tracks = append(full.Tracks, camera(id))
	}
	mixed := crowd(rand.New(rand.NewPCG(1, 1)), 25)
	mixed.Budget = 5_000_000
	for name, in := range map[string]Input{"25 mixed": mixed, "25 with all layers": full} {
		b.Run(name, func(b *testing.B) {
			var s State
			now := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				now += tick
				s.Allocate(now, &in)
			}
		})
	}
}
