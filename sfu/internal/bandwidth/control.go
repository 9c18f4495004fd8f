// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

const (
	// A decrease sets the target to a share of what arrived while the path was
	// full: mostKept less the queue in seconds, so that a long queue drains faster,
	// and at least leastKept.
	mostKept, leastKept = 0.93, 0.6

	// What arrived is measured over ackedWindow (µs) and at least ackedPackets.
	// Shorter would see single frames, longer would remember the time before a
	// drop.
	ackedWindow  = 200_000
	ackedPackets = 6

	// A decrease shows in the feedback one round trip later; before that and
	// shows (ns) more the next one needs a reason: the rate that arrives has
	// fallen below steeper of that of the last decrease, as in a drop whose
	// first measurement still held packets of before.
	shows   = 150 * millisecond
	steeper = 0.85

	// tolerance, ns: a queue that stands still so soon after a decrease was not
	// helped by it.
	tolerance = 3 * second

	// fullStep, ns, lies between decreases for an overflowing queue.
	fullStep = second

	// alarm: this many times the threshold is beyond doubt in one feedback;
	// otherwise two in a row must agree.
	alarm = 3.0

	// blind is what is kept of the target where the path is full but what
	// arrives is not known.
	blind = 0.7

	// growthWindow (µs): sent and acknowledged rate for growth.
	growthWindow = 600_000
	// busy: only while this share of the target is sent does a quiet path say
	// anything about the target.
	busy = 0.85
	// lossyGrowth: surely exceeded loss that forbids growth.
	lossyGrowth = 0.1
	// proven: the target grows to at most this multiple of what arrived.
	proven = 1.5

	// Growth per second. Below recovered of the remembered capacity, back to
	// what was there before; around it, slowly, so that the next queue stays
	// small; elsewhere in between. Jumps are the business of probes.
	regainPerSecond = 0.6
	nearPerSecond   = 0.03
	abovePerSecond  = 0.01 // above it: the next queue is near
	farPerSecond    = 0.10
	recovered       = 0.92
	outgrown        = 1.15 // of the remembered capacity: it is no longer true
	// capacityGain is the weight of a higher capacity in the remembered one,
	// capacityLoss that of a lower one, as long as they differ by less than
	// capacityChange; else it is replaced.
	capacityGain   = 0.4
	capacityLoss   = 0.8
	capacityChange = 0.25
	// capacityTime, ns: how long a capacity may be regained without a new proof.
	capacityTime = 10 * second

	// growthRise: share of its threshold by which the delay may rise while the
	// target grows. growthQueue, ms: a queue that growth waits for after a
	// decrease.
	growthRise  = 0.5
	growthQueue = 15
	// patience, ns: a queue that is there so long after a decrease is not ours;
	// growth no longer waits for it.
	patience = 2 * second

	// futileCuts for heavy loss in a row that did not reduce it to helped of
	// what it was show that the loss does not come from the rate. It is then
	// borne for bearLoss (ns).
	futileCuts = 2
	helped     = 0.8
	bearLoss   = 10 * second
	// lossStep, ns: time after a cut for heavy loss until the meter holds only
	// what came after it. relatedLoss, ns: cuts that far apart are not in a row.
	lossStep    = 1600 * millisecond
	relatedLoss = 5 * second
)

// control decides after each feedback.
func (e *Estimator) control(now int64) {
	e.settle(now)
	competing := e.contend(now)
	rising := e.rising()
	standing := e.trend.stands()
	full := e.trend.fills() && e.loss.certain() > queueLoss
	e.overusing = rising || standing || full
	switch {
	case competing && (full || e.loss.certain() > rivalLoss):
		e.yield(now)
	case competing && e.trend.rise < mostRise:
		e.compete(now)
	case rising:
		e.decrease(now)
	case full:
		e.decreaseFull(now)
	case standing:
		e.decreaseStanding(now)
	case e.loss.certain() > heavyLoss:
		e.decreaseLoss(now)
	default:
		e.grow(now)
	}
	if e.overusing {
		e.grownAt = now
	}
}

// rising says that the delay surely grows.
func (e *Estimator) rising() bool {
	if !e.trend.grows() {
		e.confirms = 0
		return false
	}
	e.confirms++
	return e.confirms > 1 || e.trend.excess > alarm
}

// decrease follows a growing queue.
func (e *Estimator) decrease(now int64) {
	t := e.groups.rate(ackedWindow, ackedPackets)
	if t.packets < ackedPackets {
		if e.responded(now) {
			e.cut(now, e.target*blind, 0)
		}
		return
	}
	if !e.responded(now) && t.acked > steeper*e.cutRate {
		return
	}
	e.remember(now, t.acked)
	e.cut(now, t.acked*e.kept(), t.acked)
}

// decreaseStanding follows a queue that stands. It acts once per round trip, and
// when that does not help, the queue belongs to somebody else.
func (e *Estimator) decreaseStanding(now int64) {
	if !e.responded(now) {
		return
	}
	if e.everCut && now-e.cutAt < tolerance {
		e.trend.tolerate()
	}
	e.decreaseTo(now)
}

// decreaseFull follows a queue that overflows. The loss stays in its meter for a
// while and is to count once.
func (e *Estimator) decreaseFull(now int64) {
	if e.responded(now) && now-e.fullAt > fullStep {
		e.fullAt = now
		e.decreaseTo(now)
	}
}

// decreaseTo sets the target to what is kept of the arriving rate.
func (e *Estimator) decreaseTo(now int64) {
	t := e.groups.rate(ackedWindow, ackedPackets)
	if t.packets < ackedPackets {
		e.cut(now, e.target*blind, 0)
		return
	}
	e.remember(now, t.acked)
	e.cut(now, t.acked*e.kept(), t.acked)
}

// decreaseLoss follows heavy loss without a queue: a policer, or a queue too
// short to be seen. What arrives is what passes.
func (e *Estimator) decreaseLoss(now int64) {
	if e.futile >= futileCuts {
		if now-e.futileAt < bearLoss {
			return
		}
		e.futile = 0
	}
	if !e.responded(now) || now-e.lossCutAt < lossStep && e.lossBefore > 0 {
		return
	}
	share := e.loss.share()
	if e.lossBefore > 0 && now-e.lossCutAt < relatedLoss && share > helped*e.lossBefore {
		e.futile++
		e.futileAt = now
		if e.futile >= futileCuts {
			return
		}
	} else {
		e.futile, e.lossBefore = 0, share
	}
	e.lossCutAt = now
	t := e.groups.rate(ackedWindow, ackedPackets)
	if t.packets >= ackedPackets {
		e.cut(now, t.acked, t.acked)
	}
}

// responded says that the last decrease must show in the feedback by now.
func (e *Estimator) responded(now int64) bool {
	return !e.everCut || now-e.cutAt >= int64(e.rtt)+shows
}

// kept returns the share of the arriving rate that the target keeps.
func (e *Estimator) kept() float64 {
	return min(max(mostKept-e.trend.queue()/1000, leastKept), mostKept)
}

// cut lowers the target, never raises it.
func (e *Estimator) cut(now int64, to, acked float64) {
	e.prober.spoiled(now, e.target, to, e.trend.noise)
	e.cutAt, e.cutRate, e.everCut = now, acked, true
	if to < e.target {
		e.set(to)
	}
}

// remember notes a rate that arrived while the path was full.
func (e *Estimator) remember(now int64, acked float64) {
	e.rival.decreased(now, acked, e.capacity, e.capacityAt)
	if e.capacity == 0 || acked < e.capacity*(1-capacityChange) || acked > e.capacity*(1+capacityChange) {
		e.capacity = acked
	} else {
		gain := capacityGain
		if acked < e.capacity {
			gain = capacityLoss
		}
		e.capacity += (acked - e.capacity) * gain
	}
	e.capacityAt = now
}

// grow raises the target by what the time since the last growth allows.
func (e *Estimator) grow(now int64) {
	dt := min(float64(now-e.grownAt)/1e9, longestStep)
	e.grownAt = now
	if e.waitsForQueue(now) {
		return
	}
	if e.capacity > 0 && e.target > outgrown*e.capacity {
		e.capacity = 0
	}
	if e.capacity > 0 && e.target < recovered*e.capacity && now-e.capacityAt < capacityTime {
		e.set(min(e.target*(1+regainPerSecond*dt), recovered*e.capacity))
		return
	}
	t := e.flow
	if t.packets < ackedPackets || t.sent < busy*e.target {
		return
	}
	pace := farPerSecond
	if e.capacity > 0 {
		pace = nearPerSecond
		if e.target > e.capacity {
			pace = abovePerSecond
		}
	}
	if to := min(e.target*(1+pace*dt), proven*t.acked); to > e.target {
		e.set(to)
	}
}

// waitsForQueue says that growth has to wait until the queue is gone.
func (e *Estimator) waitsForQueue(now int64) bool {
	if e.everCut && now-e.cutAt < int64(e.rtt) {
		return true
	}
	if e.trend.valid && e.trend.excess > growthRise || e.loss.certain() > lossyGrowth {
		return true
	}
	return e.trend.queue() > growthQueue && e.everCut && now-e.cutAt < patience
}
