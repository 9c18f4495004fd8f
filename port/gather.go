// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import "time"

// Waking up, reading and sending cost more than what is done with one packet.
// Where datagrams come densely they may therefore gather and be taken together;
// where they come sparsely, each is handled at once.
const (
	// gatherSpan is how long they gather. It bounds what this adds to a packet's way.
	gatherSpan = time.Millisecond
	// gatherWindow is the span over which they are counted; with gatherFrom of them
	// they are dense, and with gatherUntil not any more.
	gatherWindow = 20 * time.Millisecond
	gatherFrom   = 40
	gatherUntil  = 20
)

// Gauge tells whether datagrams come densely: more than two in a millisecond. It
// belongs to their reader. The zero Gauge says no.
type Gauge struct {
	since time.Duration
	n     int
	dense bool
}

// Dense is what Count found last.
func (g *Gauge) Dense() bool { return g.dense }

// Count takes note of n datagrams, or of none, at the time now on any steady
// clock, and tells whether Dense changed.
func (g *Gauge) Count(now time.Duration, n int) (changed bool) {
	g.n += n
	passed := now - g.since
	if passed < gatherWindow {
		return false
	}
	was := g.dense
	perWindow := time.Duration(g.n) * gatherWindow / passed
	g.dense = perWindow >= gatherFrom || was && perWindow > gatherUntil
	g.since, g.n = now, 0
	return g.dense != was
}

// Gather waits for a millisecond at most, and not beyond the time at which
// something is due.
func Gather(due time.Time) {
	if span := min(gatherSpan, time.Until(due)); span > 0 {
		time.Sleep(span)
	}
}
