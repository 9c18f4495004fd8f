// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp8

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
		{name: "one byte", b: []byte{0x10}, err: ErrShort},
		{name: "smallest", b: []byte{0x10, 0x01}, want: Descriptor{Start: true, Len: 1}},
		{name: "key frame", b: []byte{0x10, 0x00}, want: Descriptor{Start: true, KeyFrame: true, Len: 1}},
		{name: "middle of a key frame", b: []byte{0x00, 0x00}, want: Descriptor{Len: 1}},
		{name: "start of partition 1", b: []byte{0x11, 0x00}, want: Descriptor{Len: 1}},
		{name: "not referenced", b: []byte{0x30, 0x01}, want: Descriptor{Start: true, NonReference: true, Len: 1}},
		{name: "extension without fields", b: []byte{0x90, 0x00, 0x00}, want: Descriptor{Start: true, KeyFrame: true, Len: 2}},
		{name: "extension cut off", b: []byte{0x90, 0x00}, err: ErrShort},
		{
			name: "narrow picture id", b: []byte{0x90, 0x80, 0x7F, 0x01},
			want: Descriptor{Start: true, HasPictureID: true, PictureID: 127, Len: 3, pictureIDAt: 2},
		},
		{
			name: "wide picture id", b: []byte{0x90, 0x80, 0x81, 0x02, 0x01},
			want: Descriptor{Start: true, HasPictureID: true, Wide: true, PictureID: 0x102, Len: 4, pictureIDAt: 2},
		},
		{name: "wide picture id cut in two", b: []byte{0x90, 0x80, 0x81}, err: ErrShort},
		{name: "wide picture id without payload", b: []byte{0x90, 0x80, 0x81, 0x02}, err: ErrShort},
		{
			name: "everything", b: []byte{0xB0, 0xF0, 0xFF, 0xFE, 0x42, 0xA5, 0x00},
			want: Descriptor{
				Start: true, NonReference: true, KeyFrame: true, HasPictureID: true, Wide: true, PictureID: 0x7FFE,
				HasTL0: true, TL0: 0x42, HasTID: true, TID: 2, LayerSync: true, Len: 6, pictureIDAt: 2, tl0At: 4,
			},
		},
		{
			name: "key index only", b: []byte{0x90, 0x10, 0xE5, 0x01},
			want: Descriptor{Start: true, Len: 3},
		},
		{
			name: "base index without picture id", b: []byte{0x90, 0x60, 0x07, 0x40, 0x01},
			want: Descriptor{Start: true, HasTL0: true, TL0: 7, HasTID: true, TID: 1, Len: 4, tl0At: 2},
		},
		{name: "base index cut off", b: []byte{0x90, 0xC0, 0x07}, err: ErrShort},
		{name: "temporal layer cut off", b: []byte{0x90, 0xE0, 0x07, 0x07}, err: ErrShort},
		{name: "no payload", b: []byte{0x90, 0xE0, 0x07, 0x07, 0x40}, err: ErrShort},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := Descriptor{KeyFrame: true, TL0: 99, Wide: true}
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

func TestRewrite(t *testing.T) {
	tests := []struct {
		name      string
		in, want  []byte
		pictureID uint16
		tl0       uint8
	}{
		{"wide", []byte{0x90, 0xE0, 0x81, 0x02, 0x07, 0x40, 0xAA}, []byte{0x90, 0xE0, 0xFF, 0xFF, 0x09, 0x40, 0xAA}, 0x7FFF, 9},
		{"wide stays wide", []byte{0x90, 0xC0, 0x81, 0x02, 0x07, 0xAA}, []byte{0x90, 0xC0, 0x80, 0x05, 0x09, 0xAA}, 5, 9},
		{"narrow stays narrow", []byte{0x90, 0xC0, 0x01, 0x07, 0xAA}, []byte{0x90, 0xC0, 0x05, 0xFF, 0xAA}, 0x85, 255},
		{"no base index", []byte{0x90, 0x80, 0x01, 0xAA}, []byte{0x90, 0x80, 0x05, 0xAA}, 5, 77},
		{"no picture id", []byte{0x90, 0x40, 0x01, 0xAA}, []byte{0x90, 0x40, 0x4D, 0xAA}, 5, 77},
		{"nothing to write", []byte{0x10, 0xAA}, []byte{0x10, 0xAA}, 5, 77},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d Descriptor
			if err := Parse(test.in, &d); err != nil {
				t.Fatal(err)
			}
			got := bytes.Clone(test.in)
			Rewrite(got, &d, test.pictureID, test.tl0)
			if !bytes.Equal(got, test.want) {
				t.Errorf("got %x, want %x", got, test.want)
			}
			short := bytes.Clone(test.in[:d.Len-1])
			Rewrite(short, &d, test.pictureID, test.tl0)
			if !bytes.Equal(short, test.in[:d.Len-1]) {
				t.Errorf("a payload shorter than its descriptor was changed to %x", short)
			}
		})
	}
}

// checkPayload compares Parse with an independent parser, and rewriting with
// parsing again.
func checkPayload(t *testing.T, b []byte) {
	var d Descriptor
	if err := Parse(b, &d); err != nil {
		return
	}
	if d.Len >= len(b) || d.TID > 3 || d.PictureID > mask15 {
		t.Fatalf("%x read as %+v", b, d)
	}
	var other codecs.VP8Packet
	if rest, err := other.Unmarshal(b); err == nil {
		if !bytes.Equal(rest, b[d.Len:]) || other.PictureID != d.PictureID || (other.S == 1 && other.PID == 0) != d.Start ||
			(other.I == 1) != d.HasPictureID || (other.L == 1) != d.HasTL0 || other.TL0PICIDX != d.TL0 ||
			(other.T == 1) != d.HasTID || d.HasTID && (other.TID != d.TID || (other.Y == 1) != d.LayerSync) {
			t.Fatalf("%x: %+v, other %+v", b, d, other)
		}
	}
	out := bytes.Clone(b)
	Rewrite(out, &d, 0x1234, 0x56)
	want := d
	if d.HasPictureID {
		want.PictureID = 0x34
		if d.Wide {
			want.PictureID = 0x1234
		}
	}
	if d.HasTL0 {
		want.TL0 = 0x56
	}
	var again Descriptor
	if err := Parse(out, &again); err != nil || again != want {
		t.Fatalf("%x rewritten reads as %+v (%v), want %+v", b, again, err, want)
	}
	Rewrite(out, &d, d.PictureID, d.TL0)
	if !bytes.Equal(out, b) {
		t.Fatalf("%x written back is %x", b, out)
	}
}

func TestEveryDescriptorStart(t *testing.T) {
	for first := range 256 {
		for second := range 256 {
			for _, third := range []byte{0, 0x7F, 0x80, 0xFF} {
				checkPayload(t, []byte{byte(first), byte(second), third, 0x11, 0x22, 0x93, 0x44})
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0xB0, 0xF0, 0xFF, 0xFE, 0x42, 0xA5, 0x00})
	f.Add([]byte{0x90, 0x80, 0x81})
	f.Fuzz(checkPayload)
}

func TestNoAllocation(t *testing.T) {
	payload := []byte{0xB0, 0xE0, 0x80, 0x00, 0x42, 0xA5, 0x00, 0x00}
	var m Munger
	var d Descriptor
	id := uint16(0)
	if n := testing.AllocsPerRun(1000, func() {
		id++
		payload[3] = byte(id & 0x7F)
		if Parse(payload, &d) != nil {
			t.Fatal("descriptor not read")
		}
		if id%5 == 0 {
			m.Skipped(&d)
			return
		}
		pictureID, tl0 := m.Map(&d)
		Rewrite(payload, &d, pictureID, tl0)
		payload[2] = 0x80
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkParse(b *testing.B) {
	payload := []byte{0xB0, 0xE0, 0x81, 0x02, 0x42, 0xA5, 0x00, 0x00}
	var d Descriptor
	b.ReportAllocs()
	for b.Loop() {
		if Parse(payload, &d) != nil {
			b.Fatal("descriptor not read")
		}
	}
}

func BenchmarkMapAndRewrite(b *testing.B) {
	payload := []byte{0xB0, 0xE0, 0x81, 0x02, 0x42, 0xA5, 0x00, 0x00}
	var m Munger
	var d Descriptor
	if Parse(payload, &d) != nil {
		b.Fatal("descriptor not read")
	}
	b.ReportAllocs()
	for b.Loop() {
		d.PictureID = (d.PictureID + 1) & mask15
		pictureID, tl0 := m.Map(&d)
		Rewrite(payload, &d, pictureID, tl0)
	}
}
