// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package sequence joins packets of changing sources, the layers of one
// published track, into one outgoing RTP stream with continuous sequence
// numbers and timestamps.
//
// A Sequencer owns the numbering of one subscriber's stream and remembers its
// last 1024 packets. It refuses to give one outgoing number twice: a sealed
// packet's key stream depends on it (RFC 3711 section 4.1, RFC 7714 section
// 8.1). It knows nothing of payloads. It is not safe for concurrent use.
package sequence

const (
	window     = 1024 // packets remembered, of the source and of the output
	windowMask = window - 1
	epochs     = 32 // switches remembered

	// A longer gap is shortened to this, so that the distance to the newest
	// outgoing packet never comes near half the number space.
	maxGap = 8192
)

// Sequencer maps source packets to outgoing ones. It takes about 7 kB.
type Sequencer struct {
	started  bool // at least one packet went out
	switched bool // there is a source
	lastSeq  uint16
	lastTS   uint32

	// The current source. Positions count its packets from the first one on.
	epoch    uint16 // number of the current stretch, never 0
	used     bool   // a packet of this epoch went out
	firstSeq uint16
	firstOut uint16
	high     int64  // newest position, -1 before the first
	closed   uint16 // positions before high+1 that were skipped

	closedAt [window]uint16 // per position: how many were skipped before it
	skipped  [window / 64]uint64

	sent      [window]sent // per outgoing sequence number
	stretches [epochs]stretch
}

// sent is what went out under one number. Epoch 0 is a hole.
type sent struct {
	seq   uint16
	epoch uint16
}

// stretch is what all packets between two switches have in common.
type stretch struct {
	tsOffset uint32 // outgoing minus source timestamp
	epoch    uint16
	src      uint8
}

// New returns a Sequencer whose first packet leaves with startSeq and startTS,
// which are to be random (RFC 3550 section 5.1).
func New(startSeq uint16, startTS uint32) *Sequencer {
	return &Sequencer{lastSeq: startSeq - 1, lastTS: startTS}
}

// Switch makes src the source from its packet firstSeq on, which leaves as the
// number after the newest outgoing one, with a timestamp of outTSDelta (in RTP
// clock units) after it. outTSDelta is ignored as long as nothing went out.
// Packets of before, from this source or another, are refused from now on.
func (s *Sequencer) Switch(src uint8, firstSeq uint16, firstTS uint32, outTSDelta uint32) {
	if s.used || s.epoch == 0 {
		s.epoch++
		if s.epoch == 0 {
			s.epoch = 1
		}
	}
	outTS := s.lastTS
	if s.started {
		outTS += outTSDelta
	}
	s.switched, s.used = true, false
	s.firstSeq, s.firstOut = firstSeq, s.lastSeq+1
	s.high, s.closed = -1, 0
	s.stretches[s.epoch%epochs] = stretch{tsOffset: outTS - firstTS, epoch: s.epoch, src: src}
}

// Map returns the outgoing sequence number and timestamp of the source packet
// seq. Packets the source lost leave a gap in the output, of at most 8192
// numbers, which they fill if they come late. It refuses packets of another source, of before the switch,
// skipped ones, those more than 1024 packets late, and every packet it has
// already mapped.
func (s *Sequencer) Map(src uint8, seq uint16, ts uint32) (outSeq uint16, outTS uint32, ok bool) {
	pos, ok := s.position(src, seq)
	if !ok {
		return 0, 0, false
	}
	if pos > s.high {
		s.advance(pos)
	} else if s.isSkipped(pos) {
		return 0, 0, false
	}
	outSeq = s.outOf(pos)
	outTS = ts + s.stretches[s.epoch%epochs].tsOffset
	ahead := int16(outSeq - s.lastSeq)
	switch {
	case ahead > 0:
		s.open(uint16(ahead) - 1)
		s.lastSeq, s.lastTS = outSeq, outTS
	case -int(ahead) >= window || s.sent[outSeq&windowMask].epoch != 0:
		return 0, 0, false
	}
	s.sent[outSeq&windowMask] = sent{seq: seq, epoch: s.epoch}
	s.started, s.used = true, true
	return outSeq, outTS, true
}

// Skip says that the source packet seq is not forwarded: the packets behind it
// close up. Where packets behind it are out already, its number stays open, and
// Skip returns hole = true: a subscriber would wait for that number, so the
// caller should Map the packet and send it without content. A second Skip, and
// one of a packet that Map would refuse, changes nothing.
func (s *Sequencer) Skip(src uint8, seq uint16) (hole bool) {
	pos, ok := s.position(src, seq)
	if !ok {
		return false
	}
	if pos > s.high {
		s.advance(pos)
	} else if s.isSkipped(pos) {
		return false
	} else if out := s.outOf(pos); int16(out-s.lastSeq) <= 0 {
		inside := s.lastSeq-out < window
		return inside && s.sent[out&windowMask].epoch == 0
	}
	s.skipped[pos&windowMask/64] |= 1 << (pos % 64)
	s.closed++
	for behind := pos + 1; behind <= s.high; behind++ {
		s.closedAt[behind&windowMask]++
	}
	return false
}

// Lookup returns the source packet that went out as outSeq, and the difference
// of outgoing and source timestamp at that time. It knows the last 1024 numbers
// of the output and the last 32 switches.
func (s *Sequencer) Lookup(outSeq uint16) (src uint8, seq uint16, tsOffset uint32, ok bool) {
	if !s.started || s.lastSeq-outSeq >= window {
		return 0, 0, 0, false
	}
	found := s.sent[outSeq&windowMask]
	of := &s.stretches[found.epoch%epochs]
	if found.epoch == 0 || of.epoch != found.epoch {
		return 0, 0, 0, false
	}
	return of.src, found.seq, of.tsOffset, true
}

// LastOut returns the newest outgoing sequence number and its timestamp, and
// whether anything went out; before that they are not to be used.
func (s *Sequencer) LastOut() (seq uint16, ts uint32, started bool) {
	return s.lastSeq, s.lastTS, s.started
}

// position returns the place of seq in the current source, if it is to be
// considered at all.
func (s *Sequencer) position(src uint8, seq uint16) (int64, bool) {
	if !s.switched || s.stretches[s.epoch%epochs].src != src {
		return 0, false
	}
	newest := s.firstSeq + uint16(s.high)
	pos := s.high + int64(int16(seq-newest))
	return pos, pos >= 0 && s.high-pos < window
}

// advance moves high to pos. The positions between are missing packets.
func (s *Sequencer) advance(pos int64) {
	next := s.firstOut + uint16(s.high+1) - s.closed
	if gap := int64(next-s.lastSeq-1) + pos - s.high - 1; gap > maxGap {
		s.closed += uint16(gap - maxGap)
		// What is still missing from before lost its number to the cut.
		for i := range s.skipped {
			s.skipped[i] = 1<<64 - 1
		}
	}
	for p := max(s.high+1, pos-windowMask); p <= pos; p++ {
		s.closedAt[p&windowMask] = s.closed
		s.skipped[p&windowMask/64] &^= 1 << (p % 64)
	}
	s.high = pos
}

func (s *Sequencer) isSkipped(pos int64) bool {
	return s.skipped[pos&windowMask/64]&(1<<(pos%64)) != 0
}

func (s *Sequencer) outOf(pos int64) uint16 {
	return s.firstOut + uint16(pos) - s.closedAt[pos&windowMask]
}

// open marks the n numbers after the newest as holes.
func (s *Sequencer) open(n uint16) {
	for i := range min(n, window) {
		s.sent[(s.lastSeq+n-i)&windowMask] = sent{}
	}
}
