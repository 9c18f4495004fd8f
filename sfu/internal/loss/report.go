// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package loss

// Report holds the fields of a reception report block (RFC 3550 section 6.4.1)
// that come from the received packets.
type Report struct {
	FractionLost   uint8  // of the packets expected since the last Report, in 1/256
	CumulativeLost int32  // within 24 bits signed; negative after duplicates
	HighestSeq     uint32 // newest sequence number, extended by the count of cycles
	Jitter         uint32 // in units of the RTP clock
}

const (
	maxCumulative = 1<<23 - 1
	minCumulative = -1 << 23
)

// Report returns the figures at now and begins the next interval. It also gives
// up packets that are missing for more than 800 ms. Before the first packet all
// figures are zero.
func (t *Tracker) Report(now int64) Report {
	if !t.started {
		return Report{}
	}
	t.expire(now)
	expected := t.highest - t.base + 1
	lost := int64(expected) - int64(t.received)
	expectedInterval := expected - t.expectedPrior
	lostInterval := int64(expectedInterval) - int64(t.received-t.receivedPrior)
	t.expectedPrior, t.receivedPrior = expected, t.received
	var fraction uint8
	if expectedInterval != 0 && lostInterval > 0 {
		fraction = uint8(min(lostInterval<<8/int64(expectedInterval), 255))
	}
	return Report{
		FractionLost:   fraction,
		CumulativeLost: int32(min(max(lost, minCumulative), maxCumulative)),
		HighestSeq:     t.highest - 1<<16,
		Jitter:         t.jitter >> 4,
	}
}

// time updates the jitter estimate (RFC 3550 appendix A.8) with a packet that
// advanced the stream; retransmissions would measure something else.
func (t *Tracker) time(ts uint32, now int64) {
	rate := int64(t.clockRate)
	// Seconds and their fraction apart: nanoseconds times the rate overflow.
	arrival := uint32(now/1e9*rate + now%1e9*rate/1e9)
	transit := arrival - ts
	d := int32(transit - t.transit)
	if d < 0 {
		d = -d
	}
	stepped := int64(uint32(d)) > maxJitterStep*rate
	t.transit = transit
	if t.timed && !stepped {
		t.jitter += uint32(d) - (t.jitter+8)>>4
	}
	t.timed = true
}
