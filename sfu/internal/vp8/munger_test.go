// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp8

import (
	"math/rand/v2"
	"testing"
)

func wide(id uint16, tl0 uint8) *Descriptor {
	return &Descriptor{HasPictureID: true, Wide: true, PictureID: id & mask15, HasTL0: true, TL0: tl0}
}

func narrow(id uint16) *Descriptor {
	return &Descriptor{HasPictureID: true, PictureID: id & mask7}
}

func expect(t *testing.T, m *Munger, d *Descriptor, id uint16, tl0 uint8) {
	t.Helper()
	gotID, gotTL0 := m.Map(d)
	if gotID != id || gotTL0 != tl0 {
		t.Fatalf("picture %d/%d mapped to %d/%d, want %d/%d", d.PictureID, d.TL0, gotID, gotTL0, id, tl0)
	}
}

func TestMunger(t *testing.T) {
	var m Munger
	m.Switch(wide(32766, 254))
	expect(t, &m, wide(32766, 254), 32766, 254)
	expect(t, &m, wide(32767, 255), 32767, 255)
	expect(t, &m, wide(0, 0), 0, 0)
	expect(t, &m, wide(3, 1), 3, 1)
	expect(t, &m, wide(32767, 255), 32767, 255)
	expect(t, &m, wide(2, 0), 2, 0)
	m.Switch(wide(9000, 200))
	expect(t, &m, wide(9000, 200), 4, 2)
	expect(t, &m, wide(9000, 200), 4, 2)
	expect(t, &m, wide(9001, 200), 5, 2)
	m.Switch(wide(50, 7))
	m.Switch(wide(60, 8))
	expect(t, &m, wide(61, 8), 7, 3)
	expect(t, &m, wide(60, 8), 6, 3)
}

func TestSkippedPicturesCloseUp(t *testing.T) {
	var m Munger
	expect(t, &m, wide(100, 10), 100, 10)
	for range 3 {
		m.Skipped(wide(101, 10))
	}
	m.Skipped(wide(100, 10))
	expect(t, &m, wide(102, 10), 101, 10)
	m.Skipped(wide(105, 11))
	m.Skipped(wide(103, 11))
	expect(t, &m, wide(106, 11), 104, 11)
	expect(t, &m, wide(104, 11), 103, 11)
	expect(t, &m, wide(102, 10), 101, 10)
	expect(t, &m, wide(100, 10), 100, 10)
	m.Switch(wide(500, 1))
	m.Skipped(wide(500, 1))
	m.Skipped(wide(500, 1))
	expect(t, &m, wide(501, 1), 105, 12)
}

func TestNarrowIDs(t *testing.T) {
	var m Munger
	for i := range uint16(1000) {
		expect(t, &m, narrow(120+i), (120+i)&mask7, 0)
	}
	m.Switch(narrow(5))
	last := uint16(120+999) & mask7
	expect(t, &m, narrow(5), (last+1)&mask7, 0)
	m.Skipped(narrow(6))
	expect(t, &m, narrow(8), (last+3)&mask7, 0)
	expect(t, &m, narrow(7), (last+2)&mask7, 0)
	expect(t, &m, narrow(5), (last+1)&mask7, 0)
}

func TestIDsThatBecomeWide(t *testing.T) {
	var m Munger
	for i := range uint16(128) {
		expect(t, &m, narrow(i), i, 0)
	}
	d := wide(128, 0)
	d.HasTL0 = false
	expect(t, &m, d, 128, 0)
	expect(t, &m, narrow(126), 126, 0)
}

func TestIDsThatJumpBack(t *testing.T) {
	var m Munger
	expect(t, &m, wide(5000, 10), 5000, 10)
	expect(t, &m, wide(5001, 11), 5001, 11)
	expect(t, &m, wide(70, 90), 5003, 13)
	expect(t, &m, wide(71, 91), 5004, 14)
	for i := range uint16(300) {
		expect(t, &m, wide(72+i, 91), 5005+i, 14)
	}
	expect(t, &m, wide(371-127, 91), 5304-127, 14)
	expect(t, &m, wide(371-128, 91), 5306, 16)
}

func TestWithoutIDs(t *testing.T) {
	var m Munger
	none := &Descriptor{}
	m.Switch(none)
	expect(t, &m, none, 0, 0)
	m.Skipped(none)
	base := &Descriptor{HasTL0: true, TL0: 7}
	m.Switch(base)
	expect(t, &m, base, 0, 0)
	expect(t, &m, &Descriptor{HasTL0: true, TL0: 8}, 0, 1)
	m.Switch(wide(10, 100))
	expect(t, &m, wide(10, 100), 0, 2)
	var later Munger
	expect(t, &later, none, 0, 0)
	expect(t, &later, wide(4, 4), 0, 0)
	expect(t, &later, wide(5, 5), 1, 1)
}

// TestRandomStreams sends pictures of several packets with loss, reordering,
// skips and switches, and checks that ids ascend with the pictures, that every
// missing id is a lost picture, and that a picture keeps its id.
func TestRandomStreams(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 3))
		var m Munger
		last := int64(-1) // newest outgoing id, unwrapped
		for stretch := range 20 {
			base, tl0 := uint16(random.Uint32()), uint8(random.Uint32())
			if seed%4 == 0 && stretch == 0 {
				base = 32760
			}
			if last < 0 {
				last = int64(base&mask15) - 1
			}
			start := last
			n := 1 + random.IntN(600)
			kind := make([]int, n) // 0 lost, 1 forwarded, 2 skipped
			var order []int
			for p := range n {
				if random.IntN(20) == 0 && p > 0 {
					continue
				}
				kind[p] = 1 + random.IntN(4)/3
				for range 1 + random.IntN(4) {
					order = append(order, p)
				}
			}
			kind[0] = 1
			m.Switch(wide(base, tl0))
			previous := -1
			for i := range order {
				// Only forwarded pictures come late: a skipped one that does
				// leaves its id open, which another test covers.
				if j := i + random.IntN(9); random.IntN(20) == 0 && j < len(order) && kind[order[i]] == 1 {
					copy(order[i:j], order[i+1:j+1])
					order[j] = order[i]
				}
			}
			ids := map[int]int64{}
			for _, p := range order {
				d := wide(base+uint16(p), tl0+uint8(p/4))
				if kind[p] == 2 {
					if p > previous {
						m.Skipped(d)
						previous = p
					} else if _, seen := ids[p]; !seen {
						m.Skipped(d)
					}
					continue
				}
				previous = max(previous, p)
				id, _ := m.Map(d)
				ext := last + int64(int16((id-uint16(last))<<1)>>1)
				if before, seen := ids[p]; seen && before != ext {
					t.Fatalf("seed %d: picture %d has ids %d and %d", seed, p, before, ext)
				}
				ids[p] = ext
				last = max(last, ext)
			}
			before := start
			missing := int64(0)
			for p := range n {
				switch id, seen := ids[p]; {
				case seen && (id <= before || id > before+missing+1):
					t.Fatalf("seed %d: picture %d has id %d behind %d and %d missing", seed, p, id, before, missing)
				case seen:
					before, missing = id, 0
				default:
					missing++
				}
			}
		}
	}
}

func FuzzMunger(f *testing.F) {
	f.Add([]byte{0, 1, 1, 2, 200, 3, 3, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		var m Munger
		id, tl0 := uint16(0), uint8(0)
		for i := 0; i+1 < len(script); i += 2 {
			id += uint16(script[i]) - 40
			tl0 += script[i] / 100
			d := wide(id, tl0)
			if script[i]%16 == 0 {
				d = narrow(id)
			}
			d.HasPictureID = script[i]%32 != 1
			switch script[i+1] % 4 {
			case 0:
				_, last := m.Map(d)
				lastID := m.lastID
				m.Switch(wide(id+77, tl0+9))
				if got, next := m.Map(wide(id+77, tl0+9)); got != (lastID+1)&mask15 || d.HasTL0 && int8(next-last) < 1 {
					t.Fatalf("switch from %d/%d to %d/%d", lastID, last, got, next)
				}
				id, tl0 = id+77, tl0+9
			case 1:
				m.Skipped(d)
			default:
				first, base := m.Map(d)
				if again, baseAgain := m.Map(d); again != first || base != baseAgain {
					t.Fatalf("picture %d mapped to %d/%d and %d/%d", id, first, base, again, baseAgain)
				}
			}
		}
	})
}
