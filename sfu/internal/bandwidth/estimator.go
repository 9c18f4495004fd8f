// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package bandwidth estimates, at the sender, how much one subscriber's path
// carries. It listens to the delay of packet groups, as
// draft-ietf-rmcat-gcc-02 and RFC 8698 do, uses loss only where it goes with a
// queue or is heavy, and asks for short probes, because a forwarder sends what
// publishers send and would otherwise never learn what else is possible.
//
// An Estimator owns the figures of one transport. It has no clock, goroutine or
// socket: feedback and time come in, a target and probes come out. It refuses to
// choose layers and to pace packets. It is not safe for concurrent use.
//
// All times are nanoseconds that never decrease, all rates bit/s in the unit of
// size that was passed to feedback.History.Sent.
package bandwidth

import (
	"github.com/caddy-videoroom/videoroom/sfu/internal/feedback"
)

const (
	millisecond = int64(1e6)
	second      = int64(1e9)

	// defaultInitial, bit/s: sound and the lowest layer of one camera.
	defaultInitial = 300_000
	// defaultMin, bit/s: one stream of narrow sound with its headers.
	defaultMin = 30_000
	// defaultMax, bit/s: more than a subscriber's page can show.
	defaultMax = 30_000_000

	// staleAfter, ns: silence after which feedback counts as absent although
	// packets were sent. Receivers report at least every 250 ms; a full queue and
	// a long path add less than 1 s; twice in a row is no accident.
	staleAfter = 2 * second

	// rttGain is the weight of a new round trip in the smoothed one. A report
	// comes every 50 to 100 ms, so 1/8 remembers about a second.
	rttGain = 1.0 / 8
	// startRTT, ns: the round trip until one is measured.
	startRTT = 100 * millisecond
	// mostRTT, ns: longer ones are no round trips of a conversation, but late
	// reports, and would only make the estimator wait.
	mostRTT = 1 * second
)

// Config holds bounds of the estimate in bit/s. Zero values mean 300 kbit/s,
// 30 kbit/s and 30 Mbit/s.
type Config struct {
	Initial, Min, Max int64
}

// Estimator estimates the bandwidth of one path. It takes about 7 kB and does
// not allocate after New.
type Estimator struct {
	min, max float64
	target   float64 // bit/s

	groups groups
	flow   throughput // over growthWindow, after the last feedback
	trend  trend
	loss   lossMeter
	prober prober

	rtt       float64 // ns, smoothed
	rttKnown  bool
	heard     int64 // time of the last feedback
	heardOnce bool
	stale     bool

	overusing bool
	confirms  int     // feedbacks in a row that saw a rising delay
	cutAt     int64   // time of the last decrease
	cutRate   float64 // acknowledged rate it was based on
	everCut   bool
	fullAt    int64 // time of the last decrease for an overflowing queue
	grownAt   int64 // up to here growth is accounted for

	capacity   float64 // acknowledged rate under congestion; 0: unknown
	capacityAt int64

	rival rival

	lossCutAt  int64
	lossBefore float64 // loss when the last cut for heavy loss was made
	futile     int     // cuts for heavy loss in a row that changed nothing
	futileAt   int64

	sender sender // what Tick saw
	report report // what Loss saw
}

// New returns an estimator whose target is c.Initial.
func New(c Config) *Estimator {
	if c.Initial <= 0 {
		c.Initial = defaultInitial
	}
	if c.Min <= 0 {
		c.Min = defaultMin
	}
	if c.Max <= 0 {
		c.Max = defaultMax
	}
	c.Max = max(c.Max, c.Min)
	e := &Estimator{min: float64(c.Min), max: float64(c.Max), rtt: float64(startRTT)}
	e.set(float64(c.Initial))
	e.trend.init()
	e.prober.init()
	return e
}

// Target returns the estimate in bit/s: what may be sent in all, sound,
// retransmissions and padding included.
func (e *Estimator) Target() int64 {
	return int64(e.target)
}

// Overusing says whether the last feedback showed that more is being sent than
// the path carries. A caller that must drop something need not wait for it.
func (e *Estimator) Overusing() bool {
	return e.overusing
}

// Stale says that packets were sent but no feedback came for 2 s or more. The
// target then follows the receiver reports passed to Loss, and falls slowly where
// there are none either.
func (e *Estimator) Stale() bool {
	return e.stale
}

// LossShare returns the share of packets that were lost within the last second or
// so.
func (e *Estimator) LossShare() float64 {
	return e.loss.share()
}

// Queues says that packets wait on the path.
func (e *Estimator) Queues() bool {
	return e.overusing || e.trend.fills()
}

// RTT returns the smoothed round trip time in nanoseconds, including what the
// receiver waits before it reports; 0 before the first feedback.
func (e *Estimator) RTT() int64 {
	if !e.rttKnown {
		return 0
	}
	return int64(e.rtt)
}

// Feedback takes what one feedback packet said, in the order of the sequence
// numbers as feedback.History.Read gives it. Results may be empty.
func (e *Estimator) Feedback(now int64, results []feedback.Result) {
	if len(results) == 0 {
		return
	}
	e.heard, e.heardOnce, e.stale = now, true, false
	e.sender.answered()
	e.measureRTT(now, results)
	for i := range results {
		r := &results[i]
		e.loss.add(r)
		e.groups.add(r, e.prober.covers(r.Sent))
		e.prober.add(r)
	}
	e.loss.decay(now)
	e.groups.base.update(now, e.groups.fresh)
	e.groups.fresh = noDelay
	e.flow = e.groups.rate(growthWindow, ackedPackets)
	e.unmask(now)
	e.trend.update(now, &e.groups)
	e.control(now)
	e.judgeProbe(now)
}

func (e *Estimator) measureRTT(now int64, results []feedback.Result) {
	var last *feedback.Result
	for i := range results {
		if r := &results[i]; r.Received && !r.Late && (last == nil || r.Arrival >= last.Arrival) {
			last = r
		}
	}
	if last == nil {
		return
	}
	sample := float64(min(max(now-last.Sent, 0), mostRTT))
	if !e.rttKnown {
		e.rtt, e.rttKnown = sample, true
		return
	}
	e.rtt += (sample - e.rtt) * rttGain
}

func (e *Estimator) set(target float64) {
	e.target = min(max(target, e.min), e.max)
}
