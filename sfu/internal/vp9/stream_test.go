// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp9

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"testing"
)

type packet struct {
	seq    uint16
	ts     uint32
	marker bool
	d      Descriptor
}

// recorded reads packets of a browser, without those that carry nothing.
func recorded(t *testing.T, mode string) (packets []packet) {
	t.Helper()
	file, err := os.Open("testdata/" + mode + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var p packet
		var marker int
		var text string
		if n, _ := fmt.Sscan(lines.Text(), &p.seq, &p.ts, &marker, &text); n != 4 || text == "-" {
			continue
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := Parse(b, &p.d); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		p.marker = marker == 1
		packets = append(packets, p)
	}
	return packets
}

// made builds a stream of pictures with a fixed number of layers: temporal
// layers 0 2 1 2, two packets per layer frame, a key picture every keyEvery.
func made(spatial uint8, pictures, keyEvery int, keyMode bool) (packets []packet) {
	tids, refs := [4]uint8{0, 2, 1, 2}, [4]uint8{4, 1, 2, 1}
	seq, ts := uint16(65500), uint32(1<<32-20_000)
	for n := range pictures {
		at := n % keyEvery % 4
		key := n%keyEvery == 0
		for sid := range spatial {
			for part := range 2 {
				d := Descriptor{
					InterPicture: !key, Flexible: true, Start: part == 0, End: part == 1, HasPictureID: true, Wide: true,
					PictureID: uint16(n) & mask15, HasLayers: true, TID: tids[at], SID: sid, SwitchUp: true,
					InterLayer: sid > 0 && (key || !keyMode),
				}
				if !key {
					d.References[0], d.Referenced = refs[at], 1
				}
				if key && sid == 0 && part == 0 {
					d.Layers = spatial
				}
				packets = append(packets, packet{seq, ts, sid == spatial-1 && part == 1, d})
				seq++
			}
		}
		ts += 3000
	}
	return packets
}

// receiver checks that what is forwarded can be decoded: whole layer frames with
// all that they refer to, each picture ended by a marker.
type receiver struct {
	t        *testing.T
	whole    map[[2]uint32]bool // picture id, spatial layer
	got      map[[2]uint32]int
	want     map[[2]uint32]int
	ends     map[uint16]bool // pictures of the source that have a marker
	marked   bool
	picture  uint16
	started  bool
	pictures int
	bySID    [MaxSpatial]int
	byTID    [8]int
}

func newReceiver(t *testing.T, source []packet) *receiver {
	r := &receiver{t: t, whole: map[[2]uint32]bool{}, got: map[[2]uint32]int{}, want: map[[2]uint32]int{}, ends: map[uint16]bool{}}
	for _, p := range source {
		r.want[[2]uint32{uint32(p.d.PictureID), uint32(p.d.SID)}]++
		if p.marker {
			r.ends[p.d.PictureID] = true
		}
	}
	return r
}

func (r *receiver) take(p *packet, mark bool) {
	if !r.started || p.d.PictureID != r.picture {
		if r.started && !r.marked && r.ends[r.picture] {
			r.t.Fatalf("picture %d has no marker", r.picture)
		}
		r.started, r.marked, r.picture = true, false, p.d.PictureID
		r.pictures++
		r.byTID[p.d.TID]++
	}
	if r.marked {
		r.t.Fatalf("picture %d goes on behind its marker", r.picture)
	}
	r.marked = mark
	at := [2]uint32{uint32(p.d.PictureID), uint32(p.d.SID)}
	if p.d.Start {
		r.bySID[p.d.SID]++
		for _, back := range p.d.References[:p.d.Referenced] {
			if from := [2]uint32{uint32(p.d.PictureID-uint16(back)) & mask15, at[1]}; !r.whole[from] {
				r.t.Fatalf("picture %d layer %d/%d needs picture %d, which was not forwarded", at[0], at[1], p.d.TID, from[0])
			}
		}
		if p.d.InterLayer && !r.whole[[2]uint32{at[0], at[1] - 1}] {
			r.t.Fatalf("picture %d layer %d needs the layer below", at[0], at[1])
		}
	}
	r.got[at]++
	r.whole[at] = r.got[at] == r.want[at]
}

func play(t *testing.T, source []packet, target func(n int, s *Selector)) (*receiver, *Selector) {
	t.Helper()
	var s Selector
	r := newReceiver(t, source)
	for n := range source {
		target(n, &s)
		if !s.running {
			r.started = false // a stop may cut a picture
		}
		if forward, mark := s.Select(&source[n].d, source[n].ts, source[n].marker); forward {
			r.take(&source[n], mark)
		}
	}
	return r, &s
}
