// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package red

const (
	window     = 64 // packets remembered
	windowMask = window - 1

	// A packet this far behind begins another run of numbers.
	jump = 1000
)

// Recovered is a packet that was lost and found again in a later one.
type Recovered struct {
	Seq     uint16
	TS      uint32
	Payload []byte
}

// Recovery finds, for one RED source, the packets that are missing among the
// redundant blocks of those that come. The zero value is ready to use.
type Recovery struct {
	started bool
	newest  uint16
	seen    [window]bool
	ts      [window]uint32
}

// Receive notes that the packet seq with timestamp ts and blocks p came, and
// appends to dst those before it that are missing and stand in it, the oldest
// first: of the packets missing directly before it the last MaxRedundant, as far
// as their number and timestamps fit the blocks. It returns fresh = false for a
// packet that came before, was recovered before, or is too late to tell; it is
// not to be forwarded again. dst grows by at most MaxRedundant.
func (r *Recovery) Receive(dst []Recovered, seq uint16, ts uint32, p *Packet) (out []Recovered, fresh bool) {
	if !r.note(seq, ts) {
		return dst, false
	}
	missing, since := r.gap(seq)
	if missing == 0 {
		return dst, true
	}
	blocks := fitting(p, ts, since)
	if len(blocks) > missing {
		return dst, true // they count something else than packets
	}
	for i, b := range blocks {
		lost := seq - uint16(len(blocks)-i)
		at := ts - uint32(b.Offset)
		r.seen[lost&windowMask], r.ts[lost&windowMask] = true, at
		dst = append(dst, Recovered{lost, at, b.Payload})
	}
	return dst, true
}

// note marks a packet as seen, and returns false where it was already.
func (r *Recovery) note(seq uint16, ts uint32) bool {
	ahead := int(int16(seq - r.newest))
	switch {
	case !r.started || ahead <= -jump || ahead >= jump:
		*r = Recovery{started: true, newest: seq}
	case ahead > 0:
		for i := 1; i <= min(ahead, window); i++ {
			r.seen[(r.newest+uint16(i))&windowMask] = false
		}
		if ahead > window {
			r.seen = [window]bool{}
		}
		r.newest = seq
	case ahead <= -window || r.seen[seq&windowMask]:
		return false
	}
	r.seen[seq&windowMask], r.ts[seq&windowMask] = true, ts
	return true
}

// gap returns how many packets directly before seq are missing, and the
// timestamp of the last one before them. It is 0 where nothing came before.
func (r *Recovery) gap(seq uint16) (missing int, since uint32) {
	reach := window - 1 - int(r.newest-seq)
	for i := 1; i <= reach; i++ {
		if before := (seq - uint16(i)) & windowMask; r.seen[before] {
			return i - 1, r.ts[before]
		}
	}
	return 0, 0
}

// fitting returns the redundant blocks of p, at the end of the list, that are of
// the same codec, in order, and later than since.
func fitting(p *Packet, ts, since uint32) []Block {
	blocks := p.Redundant()
	next := uint16(0) // the offset of the block behind
	from := len(blocks)
	for ; from > 0; from-- {
		b := &blocks[from-1]
		if b.PT != p.PT || b.Offset <= next || len(b.Payload) == 0 || int32(ts-uint32(b.Offset)-since) <= 0 {
			break
		}
		next = b.Offset
	}
	return blocks[from:]
}
