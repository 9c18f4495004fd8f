// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp9

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pion/rtp/codecs"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want Descriptor
		err  error
	}{
		{name: "empty", err: ErrShort},
		{name: "nothing behind", b: []byte{0x0C}, err: ErrShort},
		{name: "smallest", b: []byte{0x0C, 1}, want: Descriptor{Start: true, End: true, Len: 1}},
		{name: "all flags of no length", b: []byte{bitP | bitB | bitE | bitZ, 1},
			want: Descriptor{InterPicture: true, Start: true, End: true, NoUpperRef: true, Len: 1}},
		{name: "7-bit picture id", b: []byte{bitI, 0x7F, 1}, want: Descriptor{HasPictureID: true, PictureID: 127, Len: 2}},
		{name: "15-bit picture id", b: []byte{bitI, 0xFF, 0xFE, 1}, want: Descriptor{HasPictureID: true, Wide: true, PictureID: 0x7FFE, Len: 3}},
		{name: "picture id cut", b: []byte{bitI, 0xFF}, err: ErrShort},
		{name: "picture id missing", b: []byte{bitI}, err: ErrShort},
		{name: "layers", b: []byte{bitL, 0b010_1_001_1, 9, 1},
			want: Descriptor{HasLayers: true, TID: 2, SwitchUp: true, SID: 1, InterLayer: true, HasTL0: true, TL0: 9, Len: 3}},
		{name: "layers without TL0PICIDX", b: []byte{bitL, 0x42}, err: ErrShort},
		{name: "layers missing", b: []byte{bitL}, err: ErrShort},
		{name: "flexible layers", b: []byte{bitL | bitF, 0b001_0_010_0, 1}, want: Descriptor{Flexible: true, HasLayers: true, TID: 1, SID: 2, Len: 2}},
		{name: "references", b: []byte{bitP | bitF, 3<<1 | 1, 4 << 1, 1},
			want: Descriptor{InterPicture: true, Flexible: true, References: [3]uint8{3, 4}, Referenced: 2, Len: 3}},
		{name: "three references", b: []byte{bitP | bitF, 3, 5, 6, 1},
			want: Descriptor{InterPicture: true, Flexible: true, References: [3]uint8{1, 2, 3}, Referenced: 3, Len: 4}},
		{name: "four references", b: []byte{bitP | bitF, 3, 5, 7, 8, 1}, err: ErrReferences},
		{name: "references cut", b: []byte{bitP | bitF, 3}, err: ErrShort},
		{name: "no references without P", b: []byte{bitF, 3}, want: Descriptor{Flexible: true, Len: 1}},
		{name: "structure", b: []byte{bitV, 0x50, 1, 64, 0, 180, 2, 128, 1, 104, 5, 0, 2, 208, 1}, want: Descriptor{Layers: 3, Len: 14, structureAt: 1}},
		{name: "structure cut", b: []byte{bitV, 0x50, 1, 64, 0, 180, 2, 128, 1, 104, 5, 0, 2}, err: ErrShort},
		{name: "structure missing", b: []byte{bitV}, err: ErrShort},
		{name: "picture group", b: []byte{bitV, 0x08, 2, 0x14, 2, 0x58, 1, 2, 1}, err: nil, want: Descriptor{Layers: 1, Len: 8, structureAt: 1}},
		{name: "picture group cut", b: []byte{bitV, 0x08, 2, 0x14, 2, 0x58, 1}, err: ErrShort},
		{name: "picture group without pictures", b: []byte{bitV, 0x08, 3}, err: ErrShort},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := Descriptor{TL0: 99, Wide: true, Layers: 7}
			err := Parse(test.b, &d)
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if err == nil && d != test.want {
				t.Errorf("got  %+v\nwant %+v", d, test.want)
			}
		})
	}
}

func TestParseStructure(t *testing.T) {
	b := []byte{bitV | bitB, 0x38, 1, 64, 0, 180, 2, 128, 1, 104, 3, 0x10, 0x54, 1, 0x28, 2, 1, 0xAA}
	var d Descriptor
	var s Structure
	if err := Parse(b, &d); err != nil {
		t.Fatal(err)
	}
	want := Structure{Layers: 2, Pictures: 3, Temporal: 3, Resolutions: [MaxSpatial]Resolution{{320, 180}, {640, 360}}}
	if !ParseStructure(b, &d, &s) || s != want || d.Len != len(b)-1 {
		t.Errorf("got %+v (descriptor of %d)\nwant %+v", s, d.Len, want)
	}
	if err := Parse([]byte{bitB, 0xAA}, &d); err != nil || ParseStructure(b, &d, &s) {
		t.Error("a structure where there is none")
	}
}

func TestKeys(t *testing.T) {
	tests := []struct {
		d              Descriptor
		picture, frame bool
	}{
		{Descriptor{Start: true}, true, true},
		{Descriptor{}, true, false},
		{Descriptor{Start: true, SID: 2, InterLayer: true}, false, true},
		{Descriptor{Start: true, InterPicture: true}, false, false},
		{Descriptor{Start: true, InterPicture: true, SID: 1}, false, false},
	}
	for i, test := range tests {
		if test.d.KeyPicture() != test.picture || test.d.KeyFrame() != test.frame {
			t.Errorf("%d: key picture %v, key frame %v", i, test.d.KeyPicture(), test.d.KeyFrame())
		}
	}
}

// checkPayload compares Parse with an independent parser.
func checkPayload(t *testing.T, b []byte) {
	var d Descriptor
	err := Parse(b, &d)
	if err != nil {
		return
	}
	if d.Len >= len(b) || d.TID > 7 || d.SID > 7 || d.PictureID > mask15 || d.Referenced > maxReferences || d.Layers > MaxSpatial {
		t.Fatalf("%x read as %+v", b, d)
	}
	var s Structure
	if ParseStructure(b, &d, &s) != (d.Layers != 0) || s.Layers != d.Layers {
		t.Fatalf("%x: structure %+v of %+v", b, s, d)
	}
	var other codecs.VP9Packet
	rest, err := other.Unmarshal(b)
	if err != nil {
		// Its author refuses more layers than are in use today.
		if d.TID < 5 && d.SID < 5 && d.Layers <= 5 {
			t.Fatalf("%x read as %+v, refused with %v", b, d, err)
		}
		return
	}
	if !bytes.Equal(rest, b[d.Len:]) || other.P != d.InterPicture || other.F != d.Flexible || other.B != d.Start || other.E != d.End ||
		other.Z != d.NoUpperRef || other.I != d.HasPictureID || other.PictureID != d.PictureID || other.L != d.HasLayers ||
		other.TID != d.TID || other.SID != d.SID || other.U != d.SwitchUp || other.D != d.InterLayer || other.TL0PICIDX != d.TL0 ||
		!bytes.Equal(other.PDiff, d.References[:d.Referenced]) {
		t.Fatalf("%x: %+v, other %+v", b, d, other)
	}
	if d.Layers == 0 {
		return
	}
	if other.NS+1 != s.Layers || other.NG != s.Pictures {
		t.Fatalf("%x: %+v, other %+v", b, s, other)
	}
	for i := range other.Width {
		if s.Resolutions[i] != (Resolution{other.Width[i], other.Height[i]}) {
			t.Fatalf("%x: %+v, other %+v", b, s, other)
		}
	}
}

func TestEveryDescriptorStart(t *testing.T) {
	for first := range 256 {
		for second := range 256 {
			for _, third := range []byte{0, 0x10, 0x38, 0x7F, 0x80, 0xFF} {
				checkPayload(t, append([]byte{byte(first), byte(second), third, 0x11, 0x22, 0x93, 0x44}, make([]byte, 40)...))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0xBE, 0xF6, 0xB8, 0x10, 0x50, 1, 64, 0, 180, 2, 128, 1, 104, 5, 0, 2, 208, 0x83})
	f.Add([]byte{0xFD, 0xF6, 0xB9, 0x50, 0x02, 0x83})
	f.Add([]byte{bitV, 0x08, 2, 0x14, 2, 0x58, 1, 2, 1})
	f.Fuzz(checkPayload)
}

func BenchmarkParse(b *testing.B) {
	payload := []byte{0xFD, 0xF6, 0xB9, 0x50, 0x02, 0x83, 0x00}
	var d Descriptor
	b.ReportAllocs()
	for b.Loop() {
		if Parse(payload, &d) != nil {
			b.Fatal("descriptor not read")
		}
	}
}
