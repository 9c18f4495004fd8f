// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package meter measures how many bits and frames per second each temporal
// layer of one encoding carries, over a sliding window of about one second.
//
// A Layer owns its counters and nothing else: it allocates nothing, reads no
// clock and takes no lock. It refuses to know what a packet contains; the caller
// tells it the temporal layer and the size. It is not safe for concurrent use.
package meter

const (
	// Temporal is the number of temporal layers told apart (RFC 7741 and RFC
	// 9628 number them from 0; encoders use up to three).
	Temporal = 4

	bucketShift = 26 // a bucket lasts 2^26 ns, 67 ms
	buckets     = 16
	bucketMask  = buckets - 1

	// Window is how far back a Layer looks, in nanoseconds: 16 buckets, the
	// newest of them not full yet.
	Window = buckets << bucketShift

	// warmUp is the shortest time a rate is computed over, so that the first
	// burst of a new layer is not taken for its rate.
	warmUp = 4 << bucketShift
)

// Layer meters one encoding: one SSRC of a simulcast track, or one spatial layer
// of a scalable one. The zero value is ready to use. It takes about 600 bytes.
type Layer struct {
	bucket  int64 // number of the newest bucket
	first   int64 // when the measurement began
	last    int64 // when the newest packet came
	started bool

	bytes    [buckets][Temporal]uint32
	frames   [buckets][Temporal]uint16
	sum      [Temporal]uint32
	sumFrame [Temporal]uint32
}

// Add counts one packet of size bytes that came at now (nanoseconds, never
// falling) in temporal layer tid. newFrame tells that it is the first packet of
// a frame. A tid above the highest counts as the highest.
func (l *Layer) Add(now int64, tid uint8, size int, newFrame bool) {
	if b := now >> bucketShift; b != l.bucket || !l.started {
		l.advance(now)
	}
	t := min(tid, Temporal-1)
	slot := l.bucket & bucketMask
	l.bytes[slot][t] += uint32(size)
	l.sum[t] += uint32(size)
	if newFrame {
		l.frames[slot][t]++
		l.sumFrame[t]++
	}
	l.last = now
}

// Rates returns the bits per second that each temporal layer alone carried up to
// now. A layer that is younger than the window is measured over its own age.
func (l *Layer) Rates(now int64) (bits [Temporal]uint32) {
	span := l.span(now)
	if span == 0 {
		return bits
	}
	for t, n := range l.sum {
		bits[t] = uint32(uint64(n) * 8 * 1e9 / uint64(span))
	}
	return bits
}

// FrameRates returns the frames per 1000 seconds that a receiver of each temporal
// layer and all below it gets.
func (l *Layer) FrameRates(now int64) (frames [Temporal]uint32) {
	span := l.span(now)
	if span == 0 {
		return frames
	}
	var below uint64
	for t, n := range l.sumFrame {
		below += uint64(n)
		frames[t] = uint32(below * 1e12 / uint64(span))
	}
	return frames
}

// Silent returns how long no packet came, in nanoseconds, and whether any ever
// did.
func (l *Layer) Silent(now int64) (silence int64, started bool) {
	return now - l.last, l.started
}

// Reset forgets everything, for a layer whose source changed.
func (l *Layer) Reset() { *l = Layer{} }

// span brings the window up to now and returns how much of it was measured.
func (l *Layer) span(now int64) int64 {
	if !l.started {
		return 0
	}
	if now>>bucketShift != l.bucket {
		l.advance(now)
	}
	full := (buckets-1)<<bucketShift + now&(1<<bucketShift-1)
	return max(warmUp, min(full, now-l.first))
}

// advance empties the buckets that lie between the newest one and now.
func (l *Layer) advance(now int64) {
	to := now >> bucketShift
	if !l.started {
		l.started, l.first, l.last, l.bucket = true, now, now, to
		return
	}
	for b := max(l.bucket+1, to-bucketMask); b <= to; b++ {
		slot := b & bucketMask
		for t := range l.sum {
			l.sum[t] -= l.bytes[slot][t]
			l.sumFrame[t] -= uint32(l.frames[slot][t])
		}
		l.bytes[slot], l.frames[slot] = [Temporal]uint32{}, [Temporal]uint16{}
	}
	l.bucket = max(l.bucket, to)
}
