// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package h264

import "testing"

func TestIsKeyFrame(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want bool
	}{
		{"empty", nil, false},
		{"idr", []byte{0x65, 0x88}, true},
		{"idr alone", []byte{0x65}, true},
		{"sps", []byte{0x67, 0x42}, true},
		{"sps of low importance", []byte{0x07, 0x42}, true},
		{"pps", []byte{0x68, 0xCE}, false},
		{"slice", []byte{0x41, 0x9A}, false},
		{"sei", []byte{0x06, 0x05}, false},
		{"forbidden bit", []byte{0xE5, 0x88}, false},
		{"reserved type 0", []byte{0x00, 0x65}, false},
		{"stap-a with sps and pps", []byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE}, true},
		{"stap-a with idr last", []byte{0x78, 0, 2, 0x68, 0xCE, 0, 1, 0x65}, true},
		{"stap-a without", []byte{0x78, 0, 2, 0x68, 0xCE, 0, 1, 0x41}, false},
		{"stap-a with sps inside a slice", []byte{0x78, 0, 3, 0x41, 0x67, 0x65}, false},
		{"stap-a alone", []byte{0x78}, false},
		{"stap-a cut in the size", []byte{0x78, 0}, false},
		{"stap-a without a unit", []byte{0x78, 0, 1}, false},
		{"stap-a with an empty unit", []byte{0x78, 0, 0, 0x65, 0, 1, 0x65}, false},
		{"stap-a with a cut unit", []byte{0x78, 0, 9, 0x67, 0x42}, false},
		{"stap-a with a cut unit behind sps", []byte{0x78, 0, 1, 0x67, 0, 9, 0x68}, true},
		{"stap-a with forbidden bit inside", []byte{0x78, 0, 1, 0xE5}, false},
		{"fu-a start of idr", []byte{0x7C, 0x85, 0x88}, true},
		{"fu-a start of sps", []byte{0x7C, 0x87, 0x42}, true},
		{"fu-a start of slice", []byte{0x5C, 0x81, 0x9A}, false},
		{"fu-a middle of idr", []byte{0x7C, 0x05, 0x88}, false},
		{"fu-a end of idr", []byte{0x7C, 0x45, 0x88}, false},
		{"fu-a alone", []byte{0x7C}, false},
		{"fu-a without data", []byte{0x7C, 0x85}, false},
		{"fu-b", []byte{0x7D, 0x85, 0, 0, 0x88}, false},
		{"stap-b", []byte{0x79, 0, 0, 0, 1, 0x65}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := IsKeyFrame(test.b); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func FuzzIsKeyFrame(f *testing.F) {
	f.Add([]byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE})
	f.Add([]byte{0x7C, 0x85, 0x88})
	f.Add([]byte{0x65})
	f.Fuzz(func(t *testing.T, b []byte) {
		got := IsKeyFrame(b)
		if len(b) == 0 {
			return
		}
		// Bytes behind an aggregate's last complete unit take nothing away, and
		// those of any other packet do not matter.
		longer := IsKeyFrame(append(b[:len(b):len(b)], 0))
		if got && !longer || got != longer && b[0]&typeMask != typeSTAPA && len(b) > 2 {
			t.Fatalf("%x: %v, one byte longer: %v", b, got, longer)
		}
		nal := b[0] & typeMask
		if single := nal != typeSTAPA && nal != typeFUA; single && got != (b[0] < 0x80 && (nal == 5 || nal == 7)) {
			t.Fatalf("%x: %v for a single unit of type %d", b, got, nal)
		}
	})
}

func TestNoAllocation(t *testing.T) {
	payload := []byte{0x78, 0, 2, 0x68, 0xCE, 0, 1, 0x65}
	if n := testing.AllocsPerRun(100, func() {
		if !IsKeyFrame(payload) {
			t.Fatal("key frame not found")
		}
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkIsKeyFrame(b *testing.B) {
	payloads := [][]byte{
		{0x41, 0x9A, 0, 0}, {0x7C, 0x05, 0x88, 0}, {0x78, 0, 2, 0x68, 0xCE, 0, 1, 0x41}, {0x5C, 0x81, 0x9A, 0},
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if IsKeyFrame(payloads[i&3]) {
			b.Fatal("key frame found")
		}
		i++
	}
}

func TestHasParameters(t *testing.T) {
	for name, tc := range map[string]struct {
		payload []byte
		want    bool
	}{
		"nothing":               {nil, false},
		"alone":                 {[]byte{0x67, 1, 2}, true},
		"slice":                 {[]byte{0x65, 1, 2}, false},
		"picture parameters":    {[]byte{0x68, 1, 2}, false},
		"aggregate":             {[]byte{0x78, 0, 2, 0x67, 1, 0, 1, 0x65}, true},
		"aggregate without":     {[]byte{0x78, 0, 2, 0x68, 1, 0, 1, 0x65}, false},
		"fragment of a slice":   {[]byte{0x7C, 0x85, 1}, false},
		"fragment of one":       {[]byte{0x7C, 0x87, 1}, true},
		"later fragment of one": {[]byte{0x7C, 0x07, 1}, false},
	} {
		if got := HasParameters(tc.payload); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
		if tc.want && !IsKeyFrame(tc.payload) {
			t.Errorf("%s: not taken for a key frame", name)
		}
	}
}
