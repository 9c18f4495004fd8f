// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"math"

	"github.com/caddy-videoroom/videoroom/sfu/internal/feedback"
)

const (
	// What a probe may do to running sound: if the path carries no more than
	// the target, its packets take this long (s) to pass. A packet receiver
	// bridges that from its buffer.
	feelerTime = 0.06
	// Where the delay jumps about by more than that, a probe must outlast it to
	// show anything; it is heard less there, too.
	feelerLengths = 1.5
	// A second probe may cost this many times the first, since the first made
	// it likely that the path carries it.
	confirmFactor = 3

	// Bounds of a probe: fewer packets show nothing, smaller ones vanish in the
	// receiver's clock of 250 µs, more or longer ones would be a load.
	leastPackets, mostPackets = 5, 15
	leastSize, mostSize       = 120, 1200
	longestProbe              = 200 * millisecond

	// farStep: a probe for more than this multiple of the target is made in two
	// steps, a short one and one that confirms it, unless the target allows one
	// of decisive bytes at once.
	farStep  = 2.0
	decisive = 0.6 * mostPackets * mostSize
	// mostStep: no probe asks for more than this multiple of the target. At 8,
	// the packets of a feeler still lie apart by several units of the clock.
	mostStep = 8.0
	// overshoot: what is wanted is probed with this margin, since what is found
	// is set a little lower.
	overshoot = 1.08
	// jitterLengths: a probe lasts at least so many standard deviations of the
	// delay, or it would measure the jitter; and so many are forgiven.
	jitterLengths  = 3
	jitterForgiven = 1.5
	mostForgiven   = 0.25 // of the time the probe took to arrive
	// quietNoise, ms: so much comes from frames alone and is not forgiven.
	quietNoise = 3

	// passed: the share of the probe's rate that must arrive. probeKept is what
	// of a passed rate becomes the target, limitKept of a rate found at the limit.
	passed    = 0.9
	probeKept = 0.97
	limitKept = 0.92
	// worth: a wish below this multiple of the target is not probed for.
	// news: a result below this one changes nothing.
	worth = 1.05
	news  = 1.01
	// worthConfirming: a feeler that finds less than this multiple leaves the
	// rest to growth.
	worthConfirming = 1.6
	// leastShare of the packets must have been received. Lost ones do not make a
	// probe fail, for they may be lost at random; but they are no part of a rate
	// found at the limit.
	leastShare = 0.75

	// A probe follows a decrease after firstWait; each one without success
	// doubles the wait up to mostWait. Before the first decrease nobody has
	// settled yet, and the wait begins with startWait.
	startWait = 400 * millisecond
	firstWait = 1500 * millisecond
	mostWait  = 5 * second
	// lasting, ns: a raise that holds so long was right. It was wrong if within
	// that time most of it is lost, and it was a large one: fromBelow of what it
	// led to.
	lasting   = 3 * second
	fromBelow = 0.7
	// falseWait is what the first such raise costs, in ns. It comes from shapers
	// that let bursts through, and they will again: each one doubles the price up
	// to mostFalseWait, until there was none for forgetFalse.
	falseWait     = 3 * second
	mostFalseWait = 60 * second
	forgetFalse   = 30 * second
	// Where the delay jumps about by more than jumpy (ms, standard deviation), that
	// rather than a shaper takes raises back, and the price stays low.
	jumpy          = 10
	jumpyFalseWait = 6 * second
	// collapse: a decrease to less than this is a new situation, and probing
	// begins anew.
	collapse = 0.7

	// mostWithdrawn bounds the doubling of the wait after probes that nothing is
	// known of.
	mostWithdrawn = 4

	// probeGrace, ns: how long after its end and a round trip a probe's
	// feedback may come; then it counts as lost.
	probeGrace = 600 * millisecond
	// aftermath, ns: how long after a probe its queue may be seen at most.
	aftermath = 500 * millisecond

	// probeCalm, ms: a queue above it forbids a probe, and so does a delay that
	// rises by more than probeRise of its threshold; probeAbort, ms: a queue above
	// it breaks a running one off.
	probeCalm  = 25
	probeRise  = 0.7
	probeAbort = 100
	// inexplicable, ms: more delay than a probe's own packets can cause.
	inexplicable = 60
)

// Cluster is a probe to send: Packets padding packets of Size bytes each, one
// every Interval nanoseconds, beside what is sent anyway. All in all that is
// about Rate bit/s. Each is to be passed to feedback.History.Sent with ID.
type Cluster struct {
	ID       uint8 // 1 to 255
	Rate     int64
	Packets  int
	Size     int
	Interval int64
}

type stage uint8

const (
	idle    stage = iota
	feeler        // short, to be confirmed
	decider       // its result becomes the target
)

// prober runs at most one probe at a time.
type prober struct {
	stage   stage
	id      uint8
	rate    float64
	packets int
	begun   int64   // ns
	end     int64   // ns, when the last packet is to be sent
	cost    float64 // ms its packets take if the path carries no more than the target
	calm    int64   // ns, packets sent from then on meet no queue of the probe
	aborted bool

	seen        int // packets of the probe reported
	received    int
	after       bool    // a later packet was reported
	bytes, got  float64 // sent and received between its first and last packet
	pending     float64 // sent since its last packet, in bytes
	pendingGot  float64 // received of them
	first, last int64   // µs, arrivals
	sentFirst   int64   // ns
	sentLast    int64

	next    int64   // no probe before
	wait    int64   // ns after the next probe without success
	confirm float64 // bit/s to confirm, 0 for none
	// withdrawn counts the probes in a row that nothing is known of.
	withdrawn int
	budget    float64 // bytes of the probe that is to confirm

	raised     bool // the target is what a probe found
	raisedAt   int64
	raisedFrom float64
	falseWait  int64
	falseAt    int64
}

func (p *prober) init() {
	p.wait, p.falseWait = startWait, falseWait
}

// Probe returns the probe to send at now, if any. wanted is the rate in bit/s
// that the caller would use if the path carried it, 0 for nothing above the
// target. It is to be called about every 10 ms to 50 ms; a probe that is returned
// is to be sent at once, and to end where Probing says so.
func (e *Estimator) Probe(now, wanted int64) (Cluster, bool) {
	p := &e.prober
	if p.stage != idle {
		if now > p.end+int64(e.rtt)+probeGrace {
			p.fail(now)
		}
		return Cluster{}, false
	}
	want := min(float64(wanted), e.max)
	if want < worth*e.target || now < p.next || !e.mayProbe(now) {
		return Cluster{}, false
	}
	return e.begin(now, want), true
}

// Probing says whether the probe id is still to be sent; it ends early where the
// queue grows.
func (e *Estimator) Probing(id uint8) bool {
	return e.prober.stage != idle && e.prober.id == id && !e.prober.aborted
}

// Withdraw takes back the probe id, which could not be sent or was not reported on
// to its end. That says nothing about the path.
func (e *Estimator) Withdraw(now int64, id uint8) {
	if p := &e.prober; p.stage != idle && p.id == id {
		p.stage, p.next = idle, now+min(startWait<<p.withdrawn, mostWait)
		p.withdrawn = min(p.withdrawn+1, mostWithdrawn)
	}
}

func (e *Estimator) mayProbe(now int64) bool {
	if e.everCut && now-e.cutAt < firstWait {
		return false
	}
	if e.silent(now) { // from the beginning, too, where nothing fits the first guess
		return true
	}
	if !e.heardOnce {
		return false
	}
	if e.stale || now-e.heard > second || e.overusing {
		return false
	}
	return e.trend.queue() < probeCalm && !(e.trend.valid && e.trend.excess > probeRise)
}

// silent says that nothing has been sent for a while, so that nothing could be
// heard: what was seen of the path last says nothing of it now, and only a probe
// can tell.
func (e *Estimator) silent(now int64) bool {
	return e.sender.started && e.sender.rate == 0 && now-e.heard > second
}

// begin plans a probe towards want.
func (e *Estimator) begin(now int64, want float64) Cluster {
	p := &e.prober
	rate := min(want*overshoot, mostStep*e.target)
	jitter := jitterLengths * e.trend.noise / 1000
	budget := max(max(feelerTime, feelerLengths*jitter)*e.target/8, leastPackets*leastSize)
	next := decider
	switch {
	case p.confirm > 0:
		rate, budget = p.confirm, p.budget
	case rate > farStep*e.target && budget < decisive:
		next = feeler
	}
	budget = min(budget, mostPackets*mostSize)
	media := e.flow.sent
	if e.silent(now) {
		media = 0
	}
	rate = min(rate, max(media+budget*8/jitter, worth*e.target))
	packets := int(min(max(math.Ceil(budget/mostSize), leastPackets), mostPackets))
	size := min(max(int(budget)/packets, leastSize), mostSize)
	padding := max(rate-media, rate/3)
	interval := int64(float64(size) * 8e9 / padding)
	interval = min(interval, longestProbe/int64(packets))

	own := float64(packets*size) * 8
	duration := int64(packets-1) * interval
	p.id++
	if p.id == 0 {
		p.id = 1
	}
	p.stage, p.rate, p.packets = next, rate, packets
	p.begun, p.end, p.aborted = now, now+duration, false
	p.cost = own / e.target * 1000
	p.calm = p.end + min(int64(2*own/e.target*1e9)+30*millisecond, aftermath)
	p.seen, p.received, p.after = 0, 0, false
	p.bytes, p.got, p.pending, p.pendingGot, p.confirm = 0, 0, 0, 0, 0
	p.budget = budget * confirmFactor
	return Cluster{ID: p.id, Rate: int64(rate), Packets: packets, Size: size, Interval: interval}
}

// unmask takes back that a probe excuses the delay, where that is more than the
// probe can have caused.
func (e *Estimator) unmask(now int64) {
	p := &e.prober
	if e.groups.count == 0 || !e.groups.at(e.groups.count-1).probe {
		return
	}
	if e.groups.latest(3) < inexplicable+2*p.cost {
		return
	}
	p.calm = 0
	e.groups.unmask(p.begun)
	if p.stage != idle {
		p.fail(now)
	}
}

// covers says that a packet sent at that time may meet the probe's queue.
func (p *prober) covers(sent int64) bool {
	return p.id != 0 && sent >= p.begun && sent < p.calm
}

// add counts a packet that belongs to the probe or was sent during it.
func (p *prober) add(r *feedback.Result) {
	if p.stage == idle || r.Late {
		return
	}
	size, got := float64(r.Size), 0.0
	if r.Received {
		got = size
	}
	if r.Cluster != p.id {
		if p.seen > 0 {
			p.pending, p.pendingGot = p.pending+size, p.pendingGot+got
		}
		p.after = p.after || r.Sent > p.end
		return
	}
	p.seen++
	if !r.Received {
		p.pending += size
		return
	}
	if p.received == 0 {
		p.first, p.last = r.Arrival, r.Arrival
		p.sentFirst = r.Sent
	} else {
		p.bytes, p.got = p.bytes+p.pending+size, p.got+p.pendingGot+size
	}
	p.pending, p.pendingGot = 0, 0
	p.received++
	p.first, p.last = min(p.first, r.Arrival), max(p.last, r.Arrival)
	p.sentLast = r.Sent
}

// judgeProbe ends the probe once everything about it is known.
func (e *Estimator) judgeProbe(now int64) {
	p := &e.prober
	if p.stage == idle {
		return
	}
	if e.groups.latest(2) > probeAbort && now < p.end {
		p.aborted = true
	}
	if p.seen < p.packets && !p.after {
		return
	}
	if e.cutAt >= p.begun && e.everCut {
		p.fail(now)
		return
	}
	if p.enough(p.received) {
		p.withdrawn = 0
	} else {
		if p.enough(p.received + p.packets - p.seen) { // a report was lost, not the probe
			e.Withdraw(now, p.id)
		} else {
			p.fail(now)
		}
		return
	}
	found, ok := p.found(e.trend.noise)
	switch {
	case !ok && limitKept*found < news*e.target, p.stage == feeler && found < worthConfirming*e.target:
		p.fail(now)
	case p.stage == feeler:
		p.stage, p.next = idle, now
		p.confirm = found
	default:
		e.raise(now, found, ok)
	}
}

// enough tells whether so many packets show something.
func (p *prober) enough(received int) bool {
	return received >= leastPackets-1 && float64(received) >= leastShare*float64(p.packets)
}

// found returns the rate that arrived, and whether it is the rate of the probe.
func (p *prober) found(noise float64) (rate float64, ok bool) {
	sent := p.rate
	if span := float64(p.sentLast - p.sentFirst); span > 0 {
		sent = min(sent, p.bytes*8e9/span)
	}
	arrived := max(float64(p.last-p.first), 1)
	if p.stage == feeler {
		// Within the spread of the delay a short probe knows nothing, and gets
		// the benefit of the doubt; the next one is longer.
		arrived -= min(jitterForgiven*max(noise-quietNoise, 0)*1000, mostForgiven*arrived)
	}
	if rate = min(p.bytes*8e6/arrived, sent); rate >= passed*sent && p.got >= leastShare*p.bytes {
		return rate, true
	}
	return p.got * 8e6 / arrived, false
}

// raise sets the target to what the probe found.
func (e *Estimator) raise(now int64, found float64, ok bool) {
	p := &e.prober
	p.stage = idle
	to := found * limitKept
	if ok {
		to = found * probeKept
	}
	if to < e.target*news {
		p.next = now + p.wait
		return
	}
	large := to > e.target*worthConfirming
	if !p.raised || now-p.raisedAt > lasting {
		p.raisedFrom = e.target
	}
	p.raised, p.raisedAt = true, now
	e.set(to)
	e.capacity = 0
	e.grownAt = now
	if ok {
		p.next = now
		p.wait = firstWait
		return
	}
	// A limit that lies far above the former one may be the jitter's, and is
	// worth a second look.
	p.next = now + mostWait
	if large {
		p.next = now + firstWait
	}
}

// fail ends the probe without a result.
func (p *prober) fail(now int64) {
	p.stage, p.confirm = idle, 0
	p.next = now + p.wait
	p.wait = min(2*p.wait, mostWait)
}

// spoiled hears of a decrease of the target.
func (p *prober) spoiled(now int64, from, to, noise float64) {
	p.confirm = 0
	if to < collapse*from {
		p.wait = firstWait
	}
	wait := firstWait
	if p.raised && now-p.raisedAt < lasting && p.raisedFrom < fromBelow*from && to < (p.raisedFrom+from)/2 {
		if now-p.falseAt > forgetFalse {
			p.falseWait = falseWait
		}
		most := mostFalseWait
		if noise > jumpy {
			most = jumpyFalseWait
		}
		wait = min(p.falseWait, most)
		p.falseWait = min(2*p.falseWait, most)
		p.raised, p.falseAt = false, now
	}
	p.next = max(p.next, now+wait)
}
