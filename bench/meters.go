// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// meters are shared by all subscriptions.
type meters struct {
	open     atomic.Bool // the window
	packets  atomic.Uint64
	repeated atomic.Uint64
	lost     atomic.Uint64
	delay    [64 * 8]atomic.Uint64 // logarithmic, 8 steps per octave of nanoseconds
}

func (m *meters) note(d time.Duration) {
	ns := uint64(max(1, d))
	log := bits.Len64(ns) - 1
	step := uint64(0)
	if log >= 3 {
		step = ns >> (log - 3) & 7
	}
	m.delay[uint64(log)*8+step].Add(1)
}

// quantile is a delay in microseconds.
func (m *meters) quantile(q float64) float64 {
	var total, sum uint64
	for i := range m.delay {
		total += m.delay[i].Load()
	}
	for i := range m.delay {
		sum += m.delay[i].Load()
		if float64(sum) >= q*float64(total) {
			log, step := i/8, i%8
			return float64(uint64(1)<<log) * (1 + float64(step)/8) / 1000
		}
	}
	return 0
}

// sightSpan is how long a missing packet may still come, in packets.
const sightSpan = 2048

// sight tells the packets of a subscription apart: the first of each number, its
// repetitions, and the numbers that never come.
type sight struct {
	begun   bool
	highest int64 // unwrapped
	seen    [sightSpan / 64]uint64
	// counted are the numbers from which on a loss is one of the window.
	from int64
}

func (s *sight) bit(n int64) (word *uint64, mask uint64) {
	i := uint64(n) % sightSpan
	return &s.seen[i/64], 1 << (i % 64)
}

// put notes a sequence number. fresh: it comes for the first time; lost: how many
// older ones have now been given up.
func (s *sight) put(seq uint16) (fresh bool, lost uint64) {
	if !s.begun {
		s.begun = true
		s.highest, s.from = int64(seq)+1<<20, int64(seq)+1<<20
		w, m := s.bit(s.highest)
		*w |= m
		return true, 0
	}
	n := s.highest + int64(int16(seq-uint16(s.highest)))
	if n > s.highest {
		for i := s.highest + 1; i <= n; i++ {
			w, m := s.bit(i)
			if old := i - sightSpan; old >= s.from && *w&m == 0 {
				lost++
			}
			*w &^= m
		}
		s.highest = n
	} else if n <= s.highest-sightSpan || n < s.from {
		return false, lost
	}
	w, m := s.bit(n)
	fresh = *w&m == 0
	*w |= m
	return fresh, lost
}

// restart has losses counted from the newest number on.
func (s *sight) restart() { s.from = s.highest }

// missing is how many numbers since restart have not come, of those not given up.
// The newest few may be under way.
func (s *sight) missing() (lost uint64) {
	for n := max(s.from, s.highest-sightSpan+1); n <= s.highest; n++ {
		if w, m := s.bit(n); *w&m == 0 {
			lost++
		}
	}
	return lost
}
