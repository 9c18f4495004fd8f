// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestSightTellsRepetitionsFromLosses(t *testing.T) {
	var s sight
	fresh, lost := 0, uint64(0)
	put := func(seq uint16) {
		f, l := s.put(seq)
		if f {
			fresh++
		}
		lost += l
	}
	for i := range 5000 {
		seq := uint16(65000 + i)
		switch {
		case i == 100, i == 4990: // never come
			continue
		case i == 200: // comes late
			continue
		case i == 205:
			put(uint16(65000 + 200))
		}
		put(seq)
		if i%10 == 0 {
			put(seq) // twice
		}
	}
	if fresh != 4998 {
		t.Errorf("%d fresh packets, want 4998", fresh)
	}
	if lost += s.missing(); lost != 2 {
		t.Errorf("%d lost, want 2", lost)
	}
	s.restart()
	if got := s.missing(); got != 0 {
		t.Errorf("%d missing after a restart", got)
	}
}
