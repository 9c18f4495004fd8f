// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package loss

import (
	"math/rand/v2"
	"testing"
)

func TestFraction(t *testing.T) {
	tracker := New(90000)
	if got := tracker.Report(0); got != (Report{}) || tracker.Started() {
		t.Errorf("report before the first packet: %+v", got)
	}
	for i := range uint16(100) {
		if i%4 != 1 {
			tracker.Receive(i+65500, 0, 0)
		}
	}
	if got := tracker.Report(0); got.FractionLost != 64 || got.CumulativeLost != 25 || got.HighestSeq != 65599 {
		t.Errorf("first report %+v", got)
	}
	if got := tracker.Report(0); got.FractionLost != 0 || got.CumulativeLost != 25 {
		t.Errorf("report without packets %+v", got)
	}
	for range 100 {
		tracker.Receive(63, 0, 0)
	}
	if got := tracker.Report(0); got.FractionLost != 0 || got.CumulativeLost != -75 {
		t.Errorf("report after duplicates %+v", got)
	}
}

func TestJitterIgnoresTimestampJumps(t *testing.T) {
	tracker := New(48000)
	now, ts := int64(1_900_000_000_000_000_000), uint32(1<<32-5000)
	for i := range 500 {
		if i == 250 {
			ts += 1 << 30
		}
		tracker.Receive(uint16(i), ts, now)
		now += 20 * ms
		ts += 960
	}
	if got := tracker.Report(now).Jitter; got != 0 {
		t.Errorf("jitter %d of a perfect stream", got)
	}
}

// rfc is appendix A.1, A.3 and A.8 of RFC 3550, without probation, with
// MAX_MISORDER of 1024, and with jitter measured where the sequence advances.
type rfc struct {
	maxSeq                                 uint16
	cycles, baseSeq, badSeq                uint32
	received, expectedPrior, receivedPrior uint32
	transit, jitter                        int64
	init, timed                            bool
}

func (s *rfc) reset(seq uint16) {
	*s = rfc{maxSeq: seq, baseSeq: uint32(seq), badSeq: 1<<16 + 1, jitter: s.jitter, init: true}
}

func (s *rfc) update(seq uint16, ts uint32, arrival int64) {
	advanced := true
	if !s.init {
		s.reset(seq)
	} else if delta := uint32(seq - s.maxSeq); delta != 0 && delta < 3000 {
		if seq < s.maxSeq {
			s.cycles += 1 << 16
		}
		s.maxSeq = seq
	} else if delta != 0 && delta <= 65536-1024 {
		if uint32(seq) != s.badSeq {
			s.badSeq = (uint32(seq) + 1) & 0xFFFF
			return
		}
		s.reset(seq)
	} else {
		advanced = false
	}
	s.received++
	if !advanced {
		return
	}
	transit := arrival - int64(ts)
	if s.timed {
		d := transit - s.transit
		if d < 0 {
			d = -d
		}
		s.jitter += d - ((s.jitter + 8) >> 4)
	}
	s.transit, s.timed = transit, true
}

func (s *rfc) report() Report {
	extended := s.cycles + uint32(s.maxSeq)
	expected := extended - s.baseSeq + 1
	lost := int64(expected) - int64(s.received)
	expectedInterval := expected - s.expectedPrior
	s.expectedPrior = expected
	receivedInterval := s.received - s.receivedPrior
	s.receivedPrior = s.received
	lostInterval := int64(expectedInterval) - int64(receivedInterval)
	var fraction int64
	if expectedInterval != 0 && lostInterval > 0 {
		fraction = min((lostInterval<<8)/int64(expectedInterval), 255)
	}
	return Report{uint8(fraction), int32(lost), extended, uint32(s.jitter >> 4)}
}

func TestReportAgainstRFC(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 7))
		tracker, oracle := New(90000), &rfc{}
		seq := uint16(random.Uint32())
		now, ts := int64(random.IntN(1e9))*1e6, uint32(1e6)
		for i := range 100000 {
			seq++
			ts += 900
			now += 10 * ms
			send := seq
			switch random.IntN(200) {
			case 0, 1, 2, 3, 4, 5, 6, 7, 8:
				continue
			case 9, 10:
				send -= uint16(random.IntN(1023))
			case 11:
				if random.IntN(100) == 0 {
					seq += uint16(random.IntN(65536))
				}
			}
			at := now + int64(random.IntN(8))*ms
			tracker.Receive(send, ts, at)
			oracle.update(send, ts, at*9/100000)
			if i%97 == 0 {
				if got, want := tracker.Report(at), oracle.report(); got != want {
					t.Fatalf("seed %d packet %d: %+v, want %+v", seed, i, got, want)
				}
			}
		}
	}
}
