// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/pion/rtp"
)

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

// TestFirstPicture: only a key frame that is whole counts.
func TestFirstPicture(t *testing.T) {
	packet := func(seq uint16, begins, key, ends bool) *rtp.Packet {
		b := []byte{0x80, 0x80, 0x80, 0x01, 1}
		if begins {
			b[0] |= 0x10
		}
		if key {
			b[4] = 0
		}
		return &rtp.Packet{Header: rtp.Header{SequenceNumber: seq, Marker: ends}, Payload: b}
	}
	var f firstPicture
	for i, c := range []struct {
		p    *rtp.Packet
		want bool
	}{
		{packet(7, true, false, true), false},
		{packet(8, true, true, false), false},
		{packet(10, false, false, true), false}, // 9 is lost
		{packet(65534, true, true, false), false},
		{packet(65535, false, false, false), false},
		{packet(0, false, false, true), true},
		{packet(1, true, true, true), false}, // told once
	} {
		if got := f.put(c.p); got != c.want {
			t.Errorf("packet %d: %t", i, got)
		}
	}
}
