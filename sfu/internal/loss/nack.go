// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package loss

import "slices"

const (
	reorderTime    = 10e6 // ns: how long a packet may be merely out of order
	reorderPackets = 3    // or as many newer packets
	leastRepeat    = 40e6 // ns
	usualGiveUp    = 800e6
	usualTries     = 8
)

// gap is one missing packet.
type gap struct {
	ext   uint32
	newer uint32 // Tracker.newer when it was noticed
	since int64
	next  int64 // not to be asked for again before this
	tries uint8
}

func (t *Tracker) miss(ext uint32, now int64) {
	if len(t.missing) == maxMissing {
		t.missing = slices.Delete(t.missing, 0, 1)
	}
	t.missing = append(t.missing, gap{ext: ext, newer: t.newer, since: now})
}

func (t *Tracker) found(ext uint32) {
	i, ok := slices.BinarySearchFunc(t.missing, ext, func(g gap, ext uint32) int {
		return int(int32(g.ext - ext))
	})
	if ok {
		t.missing = slices.Delete(t.missing, i, i+1)
	}
}

// Nacks appends to dst the sequence numbers to ask for at now, oldest first,
// and counts them as asked for. rtt is the round trip time to the sender in
// nanoseconds, 0 where unknown.
//
// A packet is first asked for 10 ms after it was noticed missing, or as soon as
// three newer packets have come. It is repeated after max(rtt, 40 ms), each time
// half of that later than the time before, up to eight times, and given up 800 ms
// after it was noticed, or as Limit has it. At most 512 packets are waited for, the oldest giving
// way; a gap of more than 512 is not asked for at all.
func (t *Tracker) Nacks(now, rtt int64, dst []uint16) []uint16 {
	if len(t.missing) == 0 {
		return dst
	}
	t.expire(now)
	repeat := max(rtt, leastRepeat)
	for i := range t.missing {
		g := &t.missing[i]
		if g.tries == 0 && now-g.since < reorderTime && t.newer-g.newer < reorderPackets-1 {
			continue
		}
		if g.tries >= t.tries || now < g.next {
			continue
		}
		g.next = now + repeat + int64(g.tries)*repeat/2
		g.tries++
		dst = append(dst, uint16(g.ext))
	}
	return dst
}

// expire gives up the packets that are missing for too long. Those are the
// oldest, so they stand first.
func (t *Tracker) expire(now int64) {
	n := 0
	for n < len(t.missing) && now-t.missing[n].since >= t.giveUp {
		n++
	}
	if n > 0 {
		t.missing = slices.Delete(t.missing, 0, n)
	}
}

// NackPair is one entry of a generic NACK (RFC 4585 section 6.2.1): a lost
// packet, and a bit for each of the 16 that follow it.
type NackPair struct {
	PID uint16
	BLP uint16
}

// AppendNackPairs packs seqs, in ascending order modulo 2^16, into as few pairs
// as possible and appends them to dst. Numbers out of order only cost room.
func AppendNackPairs(dst []NackPair, seqs []uint16) []NackPair {
	open := false
	for _, seq := range seqs {
		if open {
			last := &dst[len(dst)-1]
			if d := seq - last.PID; d <= 16 {
				if d > 0 {
					last.BLP |= 1 << (d - 1)
				}
				continue
			}
		}
		dst = append(dst, NackPair{PID: seq})
		open = true
	}
	return dst
}
