// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp9

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestMungerNeverGoesBack switches between sources whose numbers have nothing in
// common: what leaves counts on, with late packets in between.
func TestMungerNeverGoesBack(t *testing.T) {
	for _, wide := range []bool{true, false} {
		mask := uint16(mask7)
		if wide {
			mask = mask15
		}
		rng := rand.New(rand.NewPCG(1, 2))
		var m Munger
		var last uint16
		var lastTL0 uint8
		for source := range 50 {
			d := Descriptor{HasPictureID: true, Wide: wide, HasTL0: true, PictureID: uint16(rng.Uint32()) & mask, TL0: uint8(rng.Uint32())}
			m.Switch(&d)
			for n := range 300 {
				id, tl0 := m.Map(&d)
				if source+n > 0 && (id != (last+1)&mask || tl0 != lastTL0+1) {
					t.Fatalf("source %d, picture %d: id %d after %d, TL0PICIDX %d after %d", source, n, id, last, tl0, lastTL0)
				}
				last, lastTL0 = id, tl0
				if n > 2 {
					late := d
					late.PictureID, late.TL0 = (d.PictureID-2)&mask, d.TL0-2
					if id, tl0 := m.Map(&late); id != (last-2)&mask || tl0 != lastTL0-2 {
						t.Fatalf("a late picture has id %d, newest %d", id, last)
					}
				}
				d.PictureID, d.TL0 = (d.PictureID+1)&mask, d.TL0+1
			}
		}
	}
}

func TestRewrite(t *testing.T) {
	for _, payload := range [][]byte{
		{0x0c, 9},                                // nothing to write
		{0x8c, 0x05, 9},                          // I, 7 bits
		{0x8c, 0x85, 0x06, 9},                    // I, 15 bits
		{0xac, 0x85, 0x06, 0x20, 0x33, 9},        // I, L with TL0PICIDX
		{0xac, 0x05, 0x20, 0x33, 9},              // the same with 7 bits
		{0x2c, 0x20, 0x33, 9},                    // L alone
		{0xfc, 0x85, 0x06, 0x20, 0x02, 0x41, 77}, // flexible: no TL0PICIDX
	} {
		var was, is Descriptor
		if err := Parse(payload, &was); err != nil {
			t.Fatalf("%x: %v", payload, err)
		}
		out := bytes.Clone(payload)
		Rewrite(out, &was, 0x1234, 0x77)
		if err := Parse(out, &is); err != nil {
			t.Fatalf("%x became %x: %v", payload, out, err)
		}
		want := was
		if was.HasPictureID {
			want.PictureID = 0x1234
			if !was.Wide {
				want.PictureID = 0x34
			}
		}
		if was.HasTL0 {
			want.TL0 = 0x77
		}
		if is != want || !bytes.Equal(out[was.Len:], payload[was.Len:]) {
			t.Errorf("%x became %x: %+v", payload, out, is)
		}
		Rewrite(out[:was.Len-1], &was, 1, 1) // too short: untouched
	}
}
