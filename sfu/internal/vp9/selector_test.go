// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp9

import (
	"math/rand/v2"
	"testing"

	"github.com/caddy-videoroom/videoroom/sfu/internal/sequence"
)

func TestConstantTargets(t *testing.T) {
	streams := map[string][]packet{
		"made full": made(3, 400, 100, false), "made key": made(3, 400, 100, true), "one layer": made(1, 400, 100, true),
		"L3T3": recorded(t, "L3T3"), "L3T3_KEY": recorded(t, "L3T3_KEY"), "L1T3": recorded(t, "L1T3"),
	}
	for name, source := range streams {
		var all [MaxSpatial]int
		var pictures [8]int
		last := int32(-1)
		for _, p := range source {
			if p.d.Start {
				all[p.d.SID]++
			}
			if int32(p.d.PictureID) != last {
				last = int32(p.d.PictureID)
				pictures[p.d.TID]++
			}
		}
		for spatial := range uint8(3) {
			for temporal := range uint8(3) {
				r, _ := play(t, source, func(_ int, s *Selector) { s.Target(spatial, temporal) })
				for tid := range uint8(3) {
					want := pictures[tid]
					if tid > temporal {
						want = 0
					}
					if r.byTID[tid] != want {
						t.Errorf("%s to %d/%d: %d pictures of temporal layer %d, want %d", name, spatial, temporal, r.byTID[tid], tid, want)
					}
				}
				for sid := range uint8(3) {
					if sid > spatial && r.bySID[sid] != 0 || temporal == 2 && sid <= spatial && r.bySID[sid] != all[sid] {
						t.Errorf("%s to %d/%d: %d frames of spatial layer %d of %d", name, spatial, temporal, r.bySID[sid], sid, all[sid])
					}
				}
			}
		}
	}
}

func TestChangingTargets(t *testing.T) {
	streams := map[string][]packet{
		"made full": made(3, 2000, 60, false), "made key": made(3, 2000, 60, true),
		"L3T3": recorded(t, "L3T3"), "L3T3_KEY": recorded(t, "L3T3_KEY"), "L1T3": recorded(t, "L1T3"),
	}
	for name, source := range streams {
		for seed := range uint64(200) {
			random := rand.New(rand.NewPCG(seed, 1))
			play(t, source, func(_ int, s *Selector) {
				switch random.IntN(60) {
				case 0:
					s.Target(uint8(random.IntN(3)), uint8(random.IntN(3)))
				case 1:
					if random.IntN(20) == 0 {
						s.Stop()
					}
				}
			})
			if t.Failed() {
				t.Fatalf("%s, seed %d", name, seed)
			}
		}
	}
}

func TestSwitchingPoints(t *testing.T) {
	source := made(3, 40, 20, true)
	at := func(picture int) int { return picture * 6 }
	r, s := play(t, source, func(n int, s *Selector) {
		switch n {
		case 0:
			s.Target(0, 0)
		case at(2) + 1: // in the middle of picture 2
			s.Target(2, 2)
		case at(4) + 1:
			if spatial, temporal, _ := s.Current(); spatial != 0 || temporal != 2 {
				t.Errorf("behind picture 4: %d/%d", spatial, temporal)
			}
			if !s.WantsKey() {
				t.Error("the spatial layer is reached without a key picture")
			}
		case at(20) + 1:
			if spatial, _, _ := s.Current(); spatial != 2 || s.WantsKey() {
				t.Errorf("at the key picture: %d", spatial)
			}
		case at(25) + 3: // in the middle of layer 1
			s.Target(0, 0)
		}
	})
	if r.bySID[2] != 6 || r.bySID[1] != 6 {
		t.Errorf("%v frames per spatial layer", r.bySID)
	}
	if spatial, temporal, running := s.Current(); spatial != 0 || temporal != 0 || !running {
		t.Errorf("ends with %d/%d", spatial, temporal)
	}
	s.Stop()
	if forward, _ := s.Select(&source[at(5)].d, source[at(5)].ts, false); forward || !s.WantsKey() {
		t.Error("a stopped selection goes on without a key picture")
	}
}

// TestOneTemporalLayerAtATime: a switching-up point above the current layer leads
// to its own layer only where that is the next one.
func TestOneTemporalLayerAtATime(t *testing.T) {
	var s Selector
	s.Target(0, 0)
	show := func(ts uint32, tid uint8, up bool) bool {
		forward, _ := s.Select(&Descriptor{Start: true, End: true, InterPicture: ts > 0, HasLayers: true, TID: tid, SwitchUp: up}, ts, true)
		return forward
	}
	show(0, 0, false)
	s.Target(0, 2)
	for i, step := range []struct {
		tid         uint8
		up, forward bool
	}{{2, true, false}, {1, false, false}, {0, false, true}, {2, true, false}, {1, true, true}, {2, false, false}, {0, false, true}, {2, true, true}, {1, false, true}} {
		if got := show(uint32(i+1)*3000, step.tid, step.up); got != step.forward {
			t.Errorf("picture %d: forwarded %v", i+1, got)
		}
	}
}

// TestLayersThatAppear: the recorded stream gets its second layer in the middle.
func TestLayersThatAppear(t *testing.T) {
	source := recorded(t, "L3T3")
	first := -1
	for n, p := range source {
		if p.d.SID == 1 {
			first = n
			break
		}
	}
	if first < 0 || !source[first].d.KeyFrame() || source[first].d.KeyPicture() {
		t.Fatal("the recording has no such layer")
	}
	r, _ := play(t, source[:first+20], func(n int, s *Selector) {
		if n == first/2 {
			s.Target(2, 2)
			if s.WantsKey() {
				t.Error("a key picture is wanted for a layer that does not exist")
			}
		}
	})
	if r.bySID[1] == 0 {
		t.Error("the new layer is not forwarded")
	}
	// Raised only afterwards it has to wait.
	r, s := play(t, source[:first+20], func(n int, s *Selector) {
		s.Target(0, 2)
		if n > first+5 {
			s.Target(2, 2)
		}
	})
	if r.bySID[1] != 0 || !s.WantsKey() {
		t.Error("a layer begins in the middle")
	}
}

// TestReorderedPackets delivers packets late, as retransmissions are, and checks
// that each gets the selection of its picture and the numbers close up.
func TestReorderedPackets(t *testing.T) {
	source := made(3, 1000, 50, true)
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 9))
		order := make([]int, len(source))
		for i := range order {
			order[i] = i
		}
		for i := range order {
			if j := i + random.IntN(40); random.IntN(12) == 0 && j < len(order) && i > 0 {
				moved := order[i]
				copy(order[i:j], order[i+1:j+1])
				order[j] = moved
			}
		}
		var s Selector
		q := sequence.New(100, 5)
		limits := map[uint32][2]uint8{}
		seen, forwarded := map[uint16]bool{}, 0
		for n, i := range order {
			p := &source[i]
			if random.IntN(90) == 0 {
				s.Target(uint8(random.IntN(3)), uint8(random.IntN(3)))
			}
			_, _, before := s.Current()
			forward, _ := s.Select(&p.d, p.ts, p.marker)
			if spatial, temporal, running := s.Current(); running {
				if !before {
					q.Switch(1, p.seq, p.ts, 0)
				}
				if p.ts == s.newest {
					limits[p.ts] = [2]uint8{spatial, temporal}
				}
				if l, known := limits[p.ts]; known && forward != (p.d.SID <= l[0] && p.d.TID <= l[1]) {
					t.Fatalf("seed %d, packet %d: not as the rest of its picture", seed, n)
				}
				if !forward {
					q.Skip(1, p.seq)
					continue
				}
			}
			if !forward {
				continue
			}
			if out, _, ok := q.Map(1, p.seq, p.ts); ok {
				if seen[out] {
					t.Fatalf("seed %d: number %d given twice", seed, out)
				}
				seen[out] = true
				forwarded++
			}
		}
		if forwarded < 500 {
			t.Fatalf("seed %d: %d packets forwarded", seed, forwarded)
		}
	}
}

func TestTimeLineThatJumpsBack(t *testing.T) {
	var s Selector
	key := Descriptor{Start: true, End: true}
	delta := Descriptor{Start: true, End: true, InterPicture: true}
	s.Select(&key, 500_000_000, true)
	if forward, _ := s.Select(&delta, 500_000_000-90_000, true); forward {
		t.Error("a picture from before the begin is forwarded")
	}
	if forward, _ := s.Select(&delta, 1000, true); !forward {
		t.Error("nothing is forwarded after the jump")
	}
	if forward, _ := s.Select(&delta, 4000, true); !forward {
		t.Error("nothing is forwarded later on")
	}
}

func FuzzSelector(f *testing.F) {
	f.Add([]byte{0x0C, 0, 1, 0xAC, 3, 2, 9, 200})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s Selector
		ts := uint32(1 << 31)
		for i := 0; i+2 < len(script); i += 3 {
			b := script[i]
			ts += uint32(script[i+1])<<6 - 2000
			d := Descriptor{InterPicture: b&1 != 0, Start: b&2 != 0, End: b&4 != 0, SwitchUp: b&8 != 0,
				SID: script[i+2] & 7, TID: script[i+2] >> 3 & 3, Layers: script[i+2] >> 5}
			if b > 200 {
				s.Target(b&7, b>>3&7)
			}
			forward, mark := s.Select(&d, ts, b&16 != 0)
			again, markAgain := s.Select(&d, ts, b&16 != 0)
			if forward != again || mark != markAgain || mark && !forward {
				t.Fatalf("packet %d: %v/%v, then %v/%v", i, forward, mark, again, markAgain)
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	source := made(3, 200, 50, false)
	payload := []byte{0xFD, 0xF6, 0xB9, 0x50, 0x02, 0x83, 0x00}
	var s Selector
	s.Target(1, 1)
	n := 0
	var d Descriptor
	if allocs := testing.AllocsPerRun(1000, func() {
		if Parse(payload, &d) != nil {
			t.Fatal("descriptor not read")
		}
		p := &source[n%len(source)]
		s.Select(&p.d, p.ts, p.marker)
		n++
	}); allocs != 0 {
		t.Errorf("%v allocations per packet", allocs)
	}
}

func BenchmarkSelect(b *testing.B) {
	source := made(3, 200, 50, false)
	var s Selector
	s.Target(1, 1)
	n, round := 0, uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		p := &source[n]
		s.Select(&p.d, p.ts+round, p.marker)
		if n++; n == len(source) {
			n, round = 0, round+200*3000
		}
	}
}

// TestMissedKeyPicture has a packet of another layer come before those of the
// base layer: the key picture is found out when it is too late for that one.
func TestMissedKeyPicture(t *testing.T) {
	source := made(3, 12, 6, true)
	var s Selector
	s.Target(0, 2)
	show := func(n int) bool {
		forward, _ := s.Select(&source[n].d, source[n].ts, source[n].marker)
		return forward
	}
	for n := range 6 * 6 {
		if s.Missed(&source[n].d, source[n].ts) {
			t.Fatalf("packet %d: nothing was wanted", n)
		}
		show(n)
	}
	s.Target(2, 0)
	at := 6 * 6
	show(at - 1) // late, of the picture before
	if show(at + 2) {
		t.Error("the second layer is forwarded before the picture is known for a key picture")
	}
	if spatial, temporal, _ := s.Current(); spatial != 0 || temporal != 2 {
		t.Errorf("at %d/%d: the frame rate fell before the picture grew", spatial, temporal)
	}
	if d := source[at+2].d; s.Missed(&d, source[at+2].ts) {
		t.Error("another layer cannot tell")
	}
	if d := source[at].d; !s.Missed(&d, source[at].ts) || !s.WantsKey() {
		t.Error("the key picture is not noticed")
	}
	if d := source[at-1].d; s.Missed(&d, source[at-1].ts) {
		t.Error("an earlier picture is taken for a key picture")
	}
	s.Stop()
	for n := at; n < at+6; n++ {
		if !show(n) {
			t.Errorf("packet %d is not forwarded from the key picture on", n)
		}
	}
	if spatial, temporal, _ := s.Current(); spatial != 2 || temporal != 0 {
		t.Errorf("at %d/%d", spatial, temporal)
	}
	if s.Falling() {
		t.Error("falling though at the target")
	}
	s.Target(1, 0)
	if !s.Falling() {
		t.Error("not falling below the current layer")
	}
}
