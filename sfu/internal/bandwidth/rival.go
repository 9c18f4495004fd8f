// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import "math"

const (
	// A queue that is not ours is that of a flow which only loss slows down.
	// Whoever gives way to its delay gets nothing. The evidence for one is
	// weighed in seconds: it counts from rivalOn, until it falls below rivalOff,
	// and is never more than rivalMost.
	rivalOn, rivalOff, rivalMost = 2.5, 0.75, 6.0

	// rivalQueue, ms: a queue that counts.
	rivalQueue = 15
	// rivalGain: weight of a second in which we send less than the path carried
	// at the last decrease, and the queue does not drain all the same.
	rivalGain = 1.5
	// less: how much less counts.
	less = 0.95
	// unbroken, ns: a queue of our own is gone sooner, however long, since every
	// decrease leaves room to drain it. Beyond it each second is evidence.
	unbroken = 6 * second
	// A decrease after which stolenLeast to stolenMost of the last capacity
	// arrive weighs stolen seconds: a queue grows at a rate that fitted before,
	// and the path did not just break down. Within stolenTime (ns) of the last.
	stolenLeast, stolenMost = 0.5, 0.93
	stolen                  = 0.4
	stolenTime              = 15 * second
	// Seconds lost per second with an empty queue, and with one.
	rivalForgotten, rivalFades = 0.5, 0.1

	// Beside such a flow the target grows by one packet (bit) per round trip, as
	// TCP does (RFC 5681 section 3.1), at most by rivalGrowth per second, and
	// loss takes rivalCut, more gently than half since the rate is smooth.
	rivalPacket = 1200 * 8
	rivalGrowth = 0.25
	rivalFloor  = 400_000 // bit/s, from which rivalGrowth counts at least
	rivalCut    = 0.7
	// levelWidth, ms: a queue varies by more. One that does not even for
	// levelAfterCut (ns) after a decrease is none. Neither is what stays above a
	// floor for floorTime (ns) without loss.
	levelWidth    = 10
	levelAfterCut = 1500 * millisecond
	floorTime     = 8 * second
	// rivalLoss: loss that is surely exceeded and counts as an overflow although
	// the queue was short when it was looked at.
	rivalLoss = 0.07
	// leastFairLoss bounds the share of loss in the rate that TCP would get.
	leastFairLoss = 0.005
)

// rival weighs whether the path is shared with a flow that fills the queue.
type rival struct {
	evidence float64 // s
	on       bool
	at       int64
	since    int64 // ns, when there was no queue last
}

// contend updates the evidence and says whether it suffices.
func (e *Estimator) contend(now int64) bool {
	r := &e.rival
	dt := min(float64(now-r.at)/1e9, longestStep)
	if r.at == 0 {
		r.since = now
	}
	r.at = now
	queue := e.trend.lowKnown && e.trend.low > rivalQueue
	switch {
	case !queue:
		r.evidence -= rivalForgotten * dt
		r.since = now
	case now-r.since > unbroken:
		r.evidence += dt
	case e.everCut && now-e.cutAt > int64(e.rtt)+trendWindow && e.trend.valid && e.trend.slope > draining &&
		e.capacity > 0 && e.flow.sent < less*e.capacity:
		r.evidence += rivalGain * dt
	default:
		r.evidence -= rivalFades * dt
	}
	r.evidence = min(max(r.evidence, 0), rivalMost)
	if r.on {
		r.on = r.evidence > rivalOff
	} else {
		r.on = r.evidence > rivalOn
	}
	return r.on
}

// settle finds that what looked like a queue is another route: a decrease did
// not change it, or it never fell below a floor for long, without any loss. The
// floor is the new base.
func (e *Estimator) settle(now int64) {
	t := &e.trend
	if !t.lowKnown || t.low < rivalQueue || e.loss.certain() > queueLoss {
		t.level, t.levelSince, t.floor, t.floorSince = t.low, now, mostStanding, now
		return
	}
	if math.Abs(t.low-t.level) > levelWidth {
		t.level, t.levelSince = t.low, now
	}
	t.floor = min(t.floor, t.low)
	tried := e.everCut && e.cutAt > t.levelSince+int64(e.rtt) && now-e.cutAt > int64(e.rtt)+levelAfterCut
	switch {
	case tried:
		e.groups.base.raise(int64(t.low * 1000))
	case now-t.floorSince > floorTime:
		e.groups.base.raise(int64(t.floor * 1000))
	default:
		return
	}
	t.forget()
	t.levelSince, t.floorSince = now, now
}

// decreased weighs what arrived under congestion against the time before.
func (r *rival) decreased(now int64, acked, capacity float64, at int64) {
	switch {
	case capacity == 0 || now-at > stolenTime || now-at < second:
	case acked > stolenMost*capacity:
		r.evidence -= stolen / 2
	case acked > stolenLeast*capacity:
		r.evidence += stolen
	default:
		r.evidence, r.on = 0, false
	}
}

// compete grows beside a flow that fills the queue.
func (e *Estimator) compete(now int64) {
	dt := min(float64(now-e.grownAt)/1e9, longestStep)
	e.grownAt = now
	e.overusing = false
	t := e.flow
	if t.packets < ackedPackets || t.sent < busy*e.target {
		return
	}
	trip := e.rtt / 1e9
	pace := min(rivalPacket/(trip*trip), rivalGrowth*max(e.target, rivalFloor))
	if to := min(e.target+pace*dt, proven*t.acked); to > e.target {
		e.set(to)
	}
}

// yield answers an overflow of the common queue.
func (e *Estimator) yield(now int64) {
	if !e.responded(now) || now-e.fullAt < fullStep && e.loss.certain() < heavyLoss {
		return
	}
	e.fullAt = now
	t := e.flow
	to := e.target
	if t.packets >= ackedPackets {
		to = min(to, t.sent)
		e.remember(now, t.acked)
	}
	to *= min(rivalCut, 1-e.loss.share())
	e.cut(now, max(to, min(e.fair(), e.target)), t.acked)
}

// fair returns what TCP would get at this loss and round trip, in bit/s: the
// equation of RFC 5348 section 3.1 without its term for timeouts. Loss does not
// push the target below it.
func (e *Estimator) fair() float64 {
	return math.Sqrt(1.5/max(e.loss.share(), leastFairLoss)) * rivalPacket / (e.rtt / 1e9)
}
