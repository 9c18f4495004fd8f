// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package allocation

// A mean smooths the measured rate of one layer: rates swing by a fifth around
// what an encoder sends, and a key frame lifts a window of a second far above
// it. It follows a lasting change at once, as soon as that is known to last.
type mean struct {
	rate uint32
	edge uint32 // while measurements stray: the one nearest to rate
	age  uint16 // how much time is in rate, in ms
	away uint16 // how long measurements have strayed, in ms
	side int8   // to which side
}

const (
	meanTime = 30_000 // in ms
	meanTick = second / 10
	longest  = 1000 // ms that one measurement stands for at most

	// A measurement strays beyond this share of the mean, or its inverse. A
	// change lasts if all do for longer than the meter's window.
	strays    = 135
	strayTime = 1500 // in ms

	maxRate = 1 << 31
)

// span is how much time measurements stand for: ms, and its share of meanTime in
// 1/65536, which spares a division for each mean that has all its time.
type span struct {
	ms    uint16
	share uint32
}

func spanOf(ms uint16) span { return span{ms, uint32(ms) << 16 / meanTime} }

// see takes in a measurement that stands for the last dt; with none only the
// first of all. A rate of 0 empties the mean.
func (m *mean) see(rate uint32, dt span) {
	if rate == 0 || m.rate == 0 {
		*m = mean{rate: rate, age: uint16(meanTick / 1e6)}
		return
	}
	if dt.ms == 0 {
		return
	}
	if m.stray(rate, dt.ms) {
		*m = mean{rate: m.edge, age: uint16(meanTick / 1e6)}
		return
	}
	share := dt.share
	if m.age += dt.ms; m.age < meanTime {
		share = uint32(dt.ms) << 16 / uint32(m.age)
	} else {
		m.age = meanTime
	}
	m.rate = uint32(int64(m.rate) + (int64(rate)-int64(m.rate))*int64(share)>>16)
}

// stray tells whether measurements have left the mean for good.
func (m *mean) stray(rate uint32, dt uint16) bool {
	side := int8(0)
	switch {
	case uint64(rate)*100 > uint64(m.rate)*strays:
		side = 1
	case uint64(rate)*strays < uint64(m.rate)*100:
		side = -1
	}
	if side != m.side {
		m.side, m.away, m.edge = side, 0, rate
	}
	switch {
	case side > 0:
		m.edge = min(m.edge, rate)
	case side < 0:
		m.edge = max(m.edge, rate)
	default:
		return false
	}
	m.away += dt
	return m.away >= strayTime
}

// recent remembers the lowest budget of the last while.
type recent struct {
	lowest  [recentBuckets]uint32
	bucket  int64
	last    uint32
	started bool
}

const recentBuckets = 9

// add notes the budget that holds from now on and returns the lowest one since
// hold ago, or since the first call where that is later.
func (r *recent) add(now, hold int64, budget uint32) uint32 {
	b := now / max(1, hold/(recentBuckets-1))
	switch {
	case !r.started:
		r.started, r.bucket = true, b
		for i := range r.lowest {
			r.lowest[i] = budget
		}
	case b > r.bucket:
		for i := max(r.bucket+1, b-recentBuckets+1); i <= b; i++ {
			r.lowest[uint64(i)%recentBuckets] = r.last
		}
		r.bucket = b
	}
	at := uint64(r.bucket) % recentBuckets
	r.lowest[at], r.last = min(r.lowest[at], budget), budget
	lowest := budget
	for _, v := range r.lowest {
		lowest = min(lowest, v)
	}
	return lowest
}
