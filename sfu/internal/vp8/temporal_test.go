// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp8

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/caddy-videoroom/videoroom/sfu/internal/sequence"
)

type packet struct {
	seq uint16
	ts  uint32
	d   Descriptor
}

// recorded reads packets of a browser that encodes three temporal layers.
func recorded(t *testing.T) (packets []packet) {
	t.Helper()
	file, err := os.Open("testdata/L1T3.txt")
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
		packets = append(packets, p)
	}
	if len(packets) < 200 {
		t.Fatalf("only %d packets", len(packets))
	}
	return packets
}

// made builds pictures of two packets in temporal layers 0 2 1 2, of which those
// of every second round of four have the layer-sync bit, as libvpx does it.
func made(pictures int) (packets []packet) {
	tids := [8]uint8{0, 2, 1, 2, 0, 2, 1, 2}
	sync := [8]bool{1: true, 2: true}
	seq, ts, tl0 := uint16(65400), uint32(1<<32-9000), uint8(250)
	for n := range pictures {
		if tids[n%8] == 0 {
			tl0++
		}
		for part := range 2 {
			d := Descriptor{Start: part == 0, KeyFrame: n == 0 && part == 0, HasPictureID: true, Wide: true, PictureID: uint16(32700+n) & mask15,
				HasTL0: true, TL0: tl0, HasTID: true, TID: tids[n%8], LayerSync: sync[n%8], NonReference: tids[n%8] == 2}
			packets = append(packets, packet{seq, ts, d})
			seq++
		}
		ts += 3000
	}
	return packets
}

// decoder checks that the dependencies of pictures 0 2 1 2 0 2 1 2 hold: sync
// pictures need the last of the base layer, others of layer 1 the last of layer
// 1 as well, others of layer 2 the last of each layer below and of their own.
type decoder struct {
	t     *testing.T
	valid [3]bool // the last picture of the layer was forwarded
}

func (r *decoder) source(d *Descriptor, forwarded bool) {
	if !d.Start {
		return
	}
	switch {
	case !forwarded:
		r.valid[d.TID] = false
		return
	case d.KeyFrame:
		r.valid = [3]bool{true, true, true}
		return
	}
	for tid := range d.TID + 1 {
		if !r.valid[tid] && !(d.LayerSync && tid > 0) && !(tid == 2 && d.NonReference) {
			r.t.Fatalf("picture %d of layer %d lacks layer %d", d.PictureID, d.TID, tid)
		}
	}
	r.valid[d.TID] = true
}

func TestTemporalFilter(t *testing.T) {
	for name, source := range map[string][]packet{"made": made(200), "recorded": recorded(t)} {
		for target := range uint8(4) {
			var f TemporalFilter
			f.Target(target)
			for i := range source {
				if got := f.Forward(&source[i].d, source[i].ts); got != (source[i].d.TID <= target) {
					t.Fatalf("%s to %d: packet %d of layer %d forwarded %v", name, target, i, source[i].d.TID, got)
				}
			}
		}
	}
}

func TestTemporalSwitching(t *testing.T) {
	source := made(24)
	var f TemporalFilter
	var got []uint8
	for i := range source {
		switch i {
		case 7: // within picture 3
			f.Target(2)
		case 2*18 + 1: // within picture 18, of layer 1
			f.Target(0)
		}
		if f.Forward(&source[i].d, source[i].ts) && !source[i].d.Start {
			got = append(got, uint8(i/2))
		}
	}
	// Layer 1 begins with its sync picture 10, layer 2 with its own, 17.
	want := []uint8{0, 4, 8, 10, 12, 14, 16, 17, 18, 20}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pictures %v, want %v", got, want)
	}
}

// TestTemporalChanges changes the target at random and checks that dependencies,
// picture ids and sequence numbers hold.
func TestTemporalChanges(t *testing.T) {
	for name, source := range map[string][]packet{"made": made(600), "recorded": recorded(t)} {
		for seed := range uint64(100) {
			random := rand.New(rand.NewPCG(seed, 1))
			var f TemporalFilter
			var m Munger
			r := decoder{t: t}
			q := sequence.New(7, 7)
			q.Switch(0, source[0].seq, source[0].ts, 0)
			nextSeq, lastID := uint16(7), int32(-1)
			for i := range source {
				p := &source[i]
				if random.IntN(30) == 0 {
					f.Target(uint8(random.IntN(4)))
				}
				forward := f.Forward(&p.d, p.ts)
				r.source(&p.d, forward)
				if !forward {
					m.Skipped(&p.d)
					if q.Skip(0, p.seq) {
						t.Fatal("a hole without reordering")
					}
					continue
				}
				out, _, ok := q.Map(0, p.seq, p.ts)
				if !ok || out != nextSeq && name == "made" {
					t.Fatalf("%s, seed %d: number %d (%v), want %d", name, seed, out, ok, nextSeq)
				}
				nextSeq = out + 1
				id, _ := m.Map(&p.d)
				if lastID >= 0 && p.d.Start && name == "made" && id != uint16(lastID+1)&mask15 {
					t.Fatalf("%s, seed %d: picture id %d after %d", name, seed, id, lastID)
				}
				lastID = int32(id)
			}
		}
	}
}

// TestTemporalLatePackets delivers packets late: all packets of a picture have
// the same fate.
func TestTemporalLatePackets(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 2))
		source := made(400)
		for i := range source {
			if j := i + random.IntN(30); i > 0 && random.IntN(10) == 0 && j < len(source) {
				p := source[i]
				copy(source[i:j], source[i+1:j+1])
				source[j] = p
			}
		}
		var f TemporalFilter
		fate := map[uint32]bool{}
		for i := range source {
			if random.IntN(40) == 0 {
				f.Target(uint8(random.IntN(4)))
			}
			got := f.Forward(&source[i].d, source[i].ts)
			if before, seen := fate[source[i].ts]; seen && before != got {
				// A picture of which everything came late has the fate of its
				// neighbours, which may change only with them.
				t.Fatalf("seed %d: packet %d of a cut picture", seed, i)
			}
			fate[source[i].ts] = got
		}
	}
}

func TestTemporalRestart(t *testing.T) {
	var f TemporalFilter
	f.Target(0)
	delta := Descriptor{HasTID: true, TID: 1}
	f.Forward(&Descriptor{KeyFrame: true, HasTID: true}, 1<<31)
	if f.Forward(&delta, 1<<31+3000) || f.Forward(&Descriptor{HasTID: true, TID: 2}, 1<<31-3000) {
		t.Error("more than the target")
	}
	if !f.Forward(&Descriptor{}, 1<<31+6000) {
		t.Error("a picture without a temporal id is held back")
	}
	f.Target(2)
	f.Restart()
	if !f.Forward(&Descriptor{KeyFrame: true, HasTID: true}, 77) || !f.Forward(&delta, 3077) || f.Current() != 2 {
		t.Error("another source does not begin at the target")
	}
	early := uint32(77)
	if !f.Forward(&delta, early-filterRestart) {
		t.Error("a time line that jumps back ends the stream")
	}
}

func FuzzTemporalFilter(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 200, 100})
	f.Fuzz(func(t *testing.T, script []byte) {
		var filter TemporalFilter
		ts := uint32(0)
		for i := 0; i+1 < len(script); i += 2 {
			b := script[i]
			ts += uint32(script[i+1])<<6 - 3000
			d := Descriptor{KeyFrame: b&1 != 0, HasTID: b&2 != 0, TID: b >> 2 & 3, LayerSync: b&16 != 0}
			if b >= 128 {
				filter.Target(b >> 5)
			}
			got := filter.Forward(&d, ts)
			if got != filter.Forward(&d, ts) || !got && !d.HasTID || filter.Current() > allLayers {
				t.Fatalf("packet %d: %v", i, got)
			}
		}
	})
}

func BenchmarkTemporalFilter(b *testing.B) {
	source := made(64)
	var f TemporalFilter
	f.Target(1)
	n, round := 0, uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		f.Forward(&source[n].d, source[n].ts+round)
		if n++; n == len(source) {
			n, round = 0, round+64*3000
		}
	}
}
