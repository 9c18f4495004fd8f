// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package cache keeps the last packets of one published layer, so that every
// subscriber of that layer can be answered from the same copy.
//
// A Ring owns one byte arena with packets of varying size, written round and
// round, and an index by sequence number. It refuses to know about subscribers,
// clocks or codecs: it stores a payload with a few numbers and hands it back.
// It is not safe for concurrent use.
package cache

const (
	slots     = 1024 // index entries; sequence numbers further apart share one
	slotMask  = slots - 1
	minArena  = 2048
	maxLength = 1<<16 - 1

	// An arena that is full sooner than this is too small for answering
	// retransmission requests and doubles instead of starting over.
	minPackets = 300
	minSpan    = 600e6 // ns
)

// Ring is the cache of one layer. Its memory is the index (24 kB) and the
// arena, which exists from the first Put on.
type Ring struct {
	index [slots]slot
	arena []byte
	head  int    // next byte to write
	lap   uint32 // rounds through the arena, from 1

	lapPackets int   // packets of this lap
	lapStart   int64 // time of its first packet

	initial, limit int
}

type slot struct {
	ts     uint32
	meta   uint32
	offset uint32
	lap    uint32 // 0: never used
	seq    uint16
	length uint16
	marker bool
}

// Entry is one stored packet. Payload belongs to the Ring and is valid until
// the next Put.
type Entry struct {
	Seq     uint16
	TS      uint32
	Marker  bool
	Meta    uint32
	Payload []byte
}

// New returns an empty ring. The arena begins with initialBytes and doubles
// while one round holds fewer than 300 packets or less than 600 ms, up to
// maxBytes. Sizes below 2048 are raised to it, and maxBytes to initialBytes.
func New(initialBytes, maxBytes int) *Ring {
	initial := max(initialBytes, minArena)
	return &Ring{initial: initial, limit: max(maxBytes, initial), lap: 1}
}

// Put stores a copy of payload under seq, replacing the oldest packets. Packets
// may come in any order; a second Put of one seq replaces the first. meta is
// the caller's. now is in nanoseconds and never decreases. A payload longer
// than 65535 bytes or than the largest arena is not stored. Put allocates only
// where the arena begins or doubles.
func (r *Ring) Put(seq uint16, ts uint32, marker bool, meta uint32, payload []byte, now int64) {
	n := len(payload)
	if n > maxLength || n > r.limit {
		return
	}
	if r.arena == nil {
		r.arena = make([]byte, max(r.initial, n))
	}
	if r.head+n > len(r.arena) {
		r.turn(n, now)
	}
	if r.lapPackets == 0 {
		r.lapStart = now
	}
	r.lapPackets++
	copy(r.arena[r.head:], payload)
	r.index[seq&slotMask] = slot{
		ts: ts, meta: meta, offset: uint32(r.head), lap: r.lap,
		seq: seq, length: uint16(n), marker: marker,
	}
	r.head += n
}

// turn makes room for n bytes at the end of a lap: by doubling the arena, or by
// starting over at its beginning.
func (r *Ring) turn(n int, now int64) {
	tooSoon := r.lapPackets < minPackets || now-r.lapStart < minSpan
	size := len(r.arena)
	if n > size || tooSoon && size < r.limit {
		for size < r.limit && r.head+n > size {
			size = min(2*size, r.limit)
		}
		r.grow(size)
		if r.head+n <= size {
			return
		}
	}
	r.head = 0
	r.lap++
	r.lapPackets = 0
}

// grow gives the current lap a longer arena. What is left of the lap before
// lies behind head and is not copied; the packet that made the arena grow ends
// behind all of it, so that Get takes it for overwritten.
func (r *Ring) grow(size int) {
	arena := make([]byte, size)
	copy(arena, r.arena[:r.head])
	r.arena = arena
}

// Get returns the packet stored under seq, and false where it was never stored
// or has been overwritten.
func (r *Ring) Get(seq uint16) (Entry, bool) {
	s := &r.index[seq&slotMask]
	if s.lap == 0 || s.seq != seq {
		return Entry{}, false
	}
	if s.lap != r.lap && (s.lap != r.lap-1 || int(s.offset) < r.head) {
		return Entry{}, false
	}
	end := s.offset + uint32(s.length)
	return Entry{
		Seq: seq, TS: s.ts, Marker: s.marker, Meta: s.meta,
		Payload: r.arena[s.offset:end:end],
	}, true
}

// Cap returns the current size of the arena in bytes.
func (r *Ring) Cap() int { return len(r.arena) }
