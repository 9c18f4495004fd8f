// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package loss follows one incoming RTP stream: which packets are missing and
// to be asked for again (RFC 4585 section 6.2.1), and the figures of the
// reception reports sent back (RFC 3550 section 6.4.1 and appendix A).
//
// A Tracker owns what it remembers of one SSRC. It refuses to send anything or
// to read a clock: times come from the caller, in nanoseconds, and results go
// to the caller's slices. It is not safe for concurrent use.
package loss

const (
	window     = 1024 // packets whose arrival is remembered
	windowMask = window - 1
	maxDropout = 3000 // RFC 3550 appendix A.1: a longer jump may be a restart
	maxGap     = 512  // a longer gap is not asked for
	maxMissing = 512

	maxJitterStep = 5 // seconds; a longer step is a change of the timestamps
)

// Tracker follows one SSRC.
type Tracker struct {
	clockRate uint32
	started   bool
	highest   uint32 // extended sequence number: cycles and newest
	base      uint32 // extended sequence number of the first packet
	badSeq    uint32 // the next one that would confirm a restart, or none
	newer     uint32 // packets that advanced highest
	received  uint32
	restarts  uint32
	last      int64 // time of the last Receive

	expectedPrior, receivedPrior uint32

	jitter  uint32 // scaled by 16
	transit uint32
	timed   bool // transit is set

	seen    [window / 64]uint64
	missing []gap // ascending

	giveUp int64
	tries  uint8
}

// noBadSeq is no 16-bit number, so that it equals none.
const noBadSeq = 1 << 16

// New returns a tracker for an RTP clock of clockRate Hz.
func New(clockRate uint32) *Tracker {
	return &Tracker{clockRate: clockRate, badSeq: noBadSeq, missing: make([]gap, 0, 32), giveUp: usualGiveUp, tries: usualTries}
}

// Limit sets how often a missing packet is asked for, and after which time in
// nanoseconds it is given up; without it eight times and 800 ms.
func (t *Tracker) Limit(tries uint8, giveUp int64) { t.tries, t.giveUp = tries, giveUp }

// Receive notes that the packet seq with timestamp ts arrived at now. It
// reports whether the same packet had arrived before; a late or retransmitted
// packet is not a duplicate and counts as received.
//
// A jump of 3000 and more, or back behind the last 1024, counts as a source
// restart as soon as two packets in sequence confirm it (RFC 3550 appendix
// A.1); until then such a packet is left out of all figures.
func (t *Tracker) Receive(seq uint16, ts uint32, now int64) (dup bool) {
	t.last = now
	if !t.started {
		t.start(seq)
		t.received++
		t.time(ts, now)
		return false
	}
	forward := seq - uint16(t.highest)
	back := uint16(t.highest) - seq
	switch {
	case forward != 0 && forward < maxDropout:
		t.advance(uint32(forward), now)
		t.received++
		t.time(ts, now)
		return false
	case back < window:
		t.received++
		return t.late(uint32(back))
	case uint32(seq) == t.badSeq:
		t.restarts++
		t.start(seq)
		t.received++
		t.time(ts, now)
		return false
	}
	t.badSeq = uint32(seq + 1)
	return false
}

// Recovered notes that the packet seq was restored from a retransmission stream
// (RFC 4588). It reports whether the packet had arrived before or is too far
// away to be of use; then it is not to be forwarded. The original stays lost in
// the reports, as the sender measures the path with them.
func (t *Tracker) Recovered(seq uint16) (dup bool) {
	if !t.started {
		return true
	}
	forward := seq - uint16(t.highest)
	back := uint16(t.highest) - seq
	switch {
	case back < window:
		return t.late(uint32(back))
	case forward < maxGap:
		// The end of the stream so far was lost, and this restores a part of it.
		t.advance(uint32(forward), t.last)
		return false
	}
	return true
}

// Missing returns the number of packets that are being waited for.
func (t *Tracker) Missing() int { return len(t.missing) }

// Restarts returns how often the source began a new sequence.
func (t *Tracker) Restarts() uint32 { return t.restarts }

// Started reports whether a packet has arrived, so that there is something to
// report.
func (t *Tracker) Started() bool { return t.started }

func (t *Tracker) start(seq uint16) {
	t.started = true
	// One cycle is added so that late packets of before the first stay positive.
	t.base = 1<<16 | uint32(seq)
	t.highest = t.base
	t.badSeq = noBadSeq
	t.received, t.expectedPrior, t.receivedPrior = 0, 0, 0
	t.timed = false
	t.seen = [window / 64]uint64{}
	t.missing = t.missing[:0]
	t.mark(t.base)
}

// advance moves highest forward by step and notes what lies between as missing.
func (t *Tracker) advance(step uint32, now int64) {
	t.newer++
	if step-1 > maxGap {
		t.missing = t.missing[:0]
	}
	for range step - 1 {
		t.highest++
		t.forget(t.highest)
		if step-1 <= maxGap {
			t.miss(t.highest, now)
		}
	}
	t.highest++
	t.mark(t.highest)
}

// late notes a packet of back places behind the newest.
func (t *Tracker) late(back uint32) (dup bool) {
	ext := t.highest - back
	if t.seen[ext&windowMask/64]&(1<<(ext%64)) != 0 {
		return true
	}
	t.mark(ext)
	t.found(ext)
	return false
}

func (t *Tracker) mark(ext uint32)   { t.seen[ext&windowMask/64] |= 1 << (ext % 64) }
func (t *Tracker) forget(ext uint32) { t.seen[ext&windowMask/64] &^= 1 << (ext % 64) }
