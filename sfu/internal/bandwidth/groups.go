// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"math"

	"github.com/caddy-videoroom/videoroom/sfu/internal/feedback"
)

const (
	// burst, ns: packets sent within this time are one group. A frame leaves as
	// one burst, and what its packets do to each other at the bottleneck says
	// nothing about a lasting queue.
	burst = 5 * millisecond

	// spread, µs: packets of a burst that are so much later than its first begin
	// a group of their own. A burst that takes long to arrive has to be heard of
	// while it arrives.
	spread = 40_000

	// ringSize is how many groups are remembered: 640 ms where every 5 ms has
	// one, which is the window of the trend.
	ringSize = 128
	ringMask = ringSize - 1

	// jump, µs: a delay that changes by more is a receiver's clock that was set
	// or a peer that invents arrival times. Everything is measured anew.
	jump = 10_000_000

	// baseBuckets of baseStep (ns) each hold the least delay. 30 s outlast the
	// sawtooth of a competing TCP flow, bound the time a changed route is taken
	// for a queue, and let a clock that is 100 ppm off drift by 3 ms.
	baseBuckets = 10
	baseStep    = 3 * second

	noDelay = math.MaxInt64
)

// group is a burst of packets.
type group struct {
	sent     int64 // ns, first packet
	sentLast int64 // ns, last packet
	arrival  int64 // µs, last packet; never before the group ahead
	delay    int64 // µs, least of the packets, from an unknown zero
	bytes    int32 // received
	lost     int32 // bytes lost
	packets  int16 // received
	probe    bool  // sent while a probe disturbed the queue
	gap      bool  // something unknown was sent before it
}

// groups is the ring of the newest groups.
type groups struct {
	ring  [ringSize]group
	count int64 // groups so far, the last one may still be growing
	next  int64 // sequence number expected next
	fresh int64 // µs, least delay since it was last set to noDelay
	base  baseDelay
}

// add puts a result into its group. Only what arrived in time opens groups;
// what came late would blur their order.
func (g *groups) add(r *feedback.Result, probe bool) {
	if r.Seq < g.next || r.Late {
		return
	}
	gap := r.Seq != g.next
	g.next = r.Seq + 1
	if !r.Received {
		if g.count > 0 {
			g.at(g.count - 1).lost += r.Size
		}
		return
	}
	delay := r.Arrival - r.Sent/1000
	if g.count > 0 && abs(delay-g.at(g.count-1).delay) > jump {
		*g = groups{next: g.next}
	}
	if g.count == 0 {
		g.fresh = delay
	}
	if !probe {
		g.fresh = min(g.fresh, delay)
	}
	if g.count > 0 && !gap {
		last := g.at(g.count - 1)
		if r.Sent-last.sent <= burst && delay-last.delay < spread && last.probe == probe {
			last.sentLast = r.Sent
			last.arrival = max(last.arrival, r.Arrival)
			last.delay = min(last.delay, delay)
			last.bytes += r.Size
			last.packets++
			return
		}
	}
	arrival := r.Arrival
	if g.count > 0 {
		arrival = max(arrival, g.at(g.count-1).arrival)
	}
	*g.at(g.count) = group{
		sent: r.Sent, sentLast: r.Sent, arrival: arrival, delay: delay, bytes: r.Size, packets: 1,
		probe: probe, gap: gap,
	}
	g.count++
}

func (g *groups) at(i int64) *group {
	return &g.ring[i&ringMask]
}

// oldest returns the number of the first group still in the ring.
func (g *groups) oldest() int64 {
	return max(g.count-ringSize, 0)
}

// throughput is what a stretch of groups shows.
type throughput struct {
	acked   float64 // bit/s that arrived, on the receiver's clock
	sent    float64 // bit/s that left, on the sender's
	packets int     // received
	span    int64   // µs of arrivals
}

// rate measures the groups that arrived during the last window (µs), and older
// ones until they hold at least least packets. Time around unreported packets is
// left out. It is zero where nothing can be said.
func (g *groups) rate(window int64, least int) throughput {
	if g.count < 2 {
		return throughput{}
	}
	var t throughput
	var bytes, sentBytes, sentSpan int64
	this := g.at(g.count - 1)
	newest := this.arrival
	for i := g.count - 2; i >= g.oldest(); i-- {
		before := g.at(i)
		if !this.gap {
			t.span += this.arrival - before.arrival
			bytes += int64(this.bytes)
			// What left from one group's end to the next one's: its bytes and
			// the lost ones counted with the group before.
			sentSpan += this.sentLast - before.sentLast
			sentBytes += int64(this.bytes) + int64(before.lost)
			t.packets += int(this.packets)
		}
		if newest-before.arrival >= window && t.packets >= least {
			break
		}
		this = before
	}
	if t.span <= 0 || sentSpan <= 0 {
		return throughput{}
	}
	t.acked = float64(bytes) * 8e6 / float64(t.span)
	t.sent = float64(sentBytes) * 8e9 / float64(sentSpan)
	return t
}

// spells returns how often, among the newest n groups that no probe disturbed, the
// delay came to lie on the other side of a line, plus one. The line goes through x
// and y with a slope, in ms from the newest group.
func (g *groups) spells(n int, sent, delay int64, x, y, slope float64) float64 {
	count, above, first := 1.0, false, true
	for i := g.count - 1; i >= g.oldest() && n > 0; i-- {
		this := g.at(i)
		if this.probe {
			continue
		}
		n--
		at, is := float64(this.sent-sent)*1e-6, float64(this.delay-delay)*1e-3
		side := is > y+slope*(at-x)
		if !first && side != above {
			count++
		}
		above, first = side, false
	}
	return count
}

// lowest returns the least delay, in ms above the base, of the groups that
// arrived during the last recentWindow and standingWindow, at least three of
// them. It is not ok where there are fewer, or only such as a probe disturbed.
func (g *groups) lowest() (recent, standing float64, ok bool) {
	low, lowRecent, n := int64(noDelay), int64(noDelay), 0
	if g.count == 0 {
		return 0, 0, false
	}
	newest := g.at(g.count - 1).arrival
	for i := g.count - 1; i >= g.oldest(); i-- {
		this := g.at(i)
		age := newest - this.arrival
		if n >= 3 && age > standingWindow {
			break
		}
		if this.probe {
			continue
		}
		low = min(low, this.delay)
		if n++; n <= 3 || age <= recentWindow {
			lowRecent = low
		}
	}
	if n < 3 {
		return 0, 0, false
	}
	return float64(lowRecent-g.base.least) / 1000, float64(low-g.base.least) / 1000, true
}

// latest returns the least delay of the n newest groups, in ms above the base, or
// 0 where there are fewer.
func (g *groups) latest(n int64) float64 {
	if g.count < n {
		return 0
	}
	low := int64(noDelay)
	for i := g.count - n; i < g.count; i++ {
		low = min(low, g.at(i).delay)
	}
	return float64(low-g.base.least) / 1000
}

// unmask makes the groups sent since then count as undisturbed.
func (g *groups) unmask(since int64) {
	for i := g.count - 1; i >= g.oldest() && g.at(i).sent >= since; i-- {
		g.at(i).probe = false
	}
}

// baseDelay is the least delay of the last 30 s.
type baseDelay struct {
	bucket [baseBuckets]int64 // µs
	filled int                // buckets in use
	place  int
	begun  int64 // ns, when the present bucket began
	least  int64 // µs
}

// update takes the least delay since the last call, or noDelay.
func (b *baseDelay) update(now, delay int64) {
	if delay == noDelay {
		return
	}
	switch {
	case b.filled == 0 || now-b.begun > baseBuckets*baseStep:
		b.filled, b.place, b.begun = 1, 0, now
		b.bucket[0] = delay
	case now-b.begun >= baseStep:
		b.place = (b.place + 1) % baseBuckets
		b.filled = max(b.filled, b.place+1)
		b.begun = now
		b.bucket[b.place] = delay
	default:
		b.bucket[b.place] = min(b.bucket[b.place], delay)
	}
	b.least = noDelay
	for _, d := range b.bucket[:b.filled] {
		b.least = min(b.least, d)
	}
}

// raise makes a delay of so many µs above the base the new base.
func (b *baseDelay) raise(by int64) {
	b.filled, b.place = 1, 0
	b.bucket[0] = b.least + by
	b.least = b.bucket[0]
}

func abs(x int64) int64 {
	if x < 0 {
		return -x
	}
	return x
}
