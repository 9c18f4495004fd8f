// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

const (
	// sendWindow, ns: over which Tick measures what is sent.
	sendWindow = 500 * millisecond

	// reportTime, ns: a receiver report counts so long; RFC 3550 section 6.2 has
	// them come every 5 s at least.
	reportTime = 6 * second
	// Without any report the target falls by silenceCut every silenceStep (ns).
	silenceCut  = 0.85
	silenceStep = second

	// Without delay to look at, loss alone decides, as in section 6 of
	// draft-ietf-rmcat-gcc-02: above lossHigh the target falls by half the loss,
	// below lossLow it grows by lossGrowth per report, in between it stays.
	lossHigh, lossLow = 0.10, 0.02
	lossGrowth        = 1.05
	// delayed, ns: a round trip so much above the least one is a full queue.
	delayed = 200 * millisecond
	// reportStep, ns: reports that come faster are counted once in this time.
	reportStep = 500 * millisecond
)

// sender is what the caller says it has sent.
type sender struct {
	started bool
	at      int64 // ns, begin of the window
	bytes   uint64
	total   uint64
	rate    float64 // bit/s in the last complete window

	unanswered bool // packets were sent since the last feedback
	since      int64
	cutAt      int64
}

func (s *sender) answered() {
	s.unanswered = false
}

// report is what receiver reports say.
type report struct {
	known    bool
	at       int64
	leastRTT int64
}

// Tick is to be called several times a second; sent is the count of bytes sent
// so far, in the unit of feedback.History.Sent. It notices that feedback stays
// away.
func (e *Estimator) Tick(now int64, sent uint64) {
	s := &e.sender
	if !s.started {
		s.started, s.at, s.bytes, s.total = true, now, sent, sent
		return
	}
	if sent != s.total {
		if !s.unanswered {
			s.unanswered, s.since = true, now
		}
		s.total = sent
	}
	if d := now - s.at; d >= sendWindow {
		s.rate = float64(sent-s.bytes) * 8e9 / float64(d)
		s.at, s.bytes = now, sent
	}
	if e.prober.stage != idle && now > e.prober.end+int64(e.rtt)+probeGrace {
		e.prober.fail(now)
	}
	if !s.unanswered || now-s.since < staleAfter {
		return
	}
	if !e.stale {
		e.stale, e.overusing = true, false
		s.cutAt = now
	}
	heard := e.report.known && now-e.report.at < reportTime
	if !heard && now-s.cutAt >= silenceStep {
		s.cutAt = now
		e.set(e.target * silenceCut)
	}
}

// Loss takes a receiver report: the fraction of packets lost since the last one
// (0 to 1) and the round trip time in nanoseconds, 0 where unknown. While
// feedback comes it only serves as a reserve; without it, it moves the target.
func (e *Estimator) Loss(now int64, fraction float64, rtt int64) {
	r := &e.report
	if rtt > 0 && (r.leastRTT == 0 || rtt < r.leastRTT) {
		r.leastRTT = rtt
	}
	if r.known && now-r.at < reportStep {
		return
	}
	r.known, r.at = true, now
	if !e.stale {
		return
	}
	sent := e.sender.rate
	queue := rtt > 0 && rtt > r.leastRTT+delayed
	e.overusing = fraction > lossHigh || queue && fraction > lossLow
	switch {
	case e.overusing:
		to := min(e.target, max(sent, e.min)) * (1 - 0.5*min(max(fraction, 0.2), 1))
		e.set(to)
	case fraction < lossLow && !queue && sent > busy*e.target:
		e.set(min(e.target*lossGrowth, max(proven*sent, e.target)))
	}
}
