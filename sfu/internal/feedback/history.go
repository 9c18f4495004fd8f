// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package feedback is the sender's side of transport-wide congestion control
// (draft-holmer-rmcat-transport-wide-cc-extensions-01): it numbers the packets
// of one transport, remembers when they left, and joins that with the arrival
// times the receiver reports.
//
// A History owns the numbering and the memory of one transport's packets. It
// draws no conclusions: what the times mean for the bandwidth is another
// package's business. It neither writes header extensions nor asks for feedback.
// It is not safe for concurrent use.
package feedback

const (
	// The ring begins small and doubles while it would forget a packet younger
	// than keep. 128 entries (2 kB) hold 2.5 s of sound; 4096 (64 kB) hold 2.5 s
	// of 15 Mbit/s.
	leastEntries = 128
	mostEntries  = 4096

	// keep is how long feedback for a packet may take to come, in nanoseconds:
	// the longest round trip that carries a conversation, a full queue, and the
	// 250 ms a receiver at most waits before it reports.
	keep = 2e9
)

// state is what is known about a packet.
type state uint8

const (
	unused   state = iota
	waiting        // sent, nothing heard
	again          // sent again, which the receiver had asked for; nothing heard
	missing        // reported as not received
	received       // reported with arrival time, or as received without; or not to be heard of
)

// entry is one sent packet, in 16 bytes.
type entry struct {
	sent    int64
	seq     uint32 // low half of the unwrapped number
	size    uint16
	cluster uint8
	state   state
}

// History numbers the packets of one transport and remembers the last 128 to
// 4096 of them. The zero History is ready for use and has no memory until the
// first packet.
type History struct {
	ring []entry // power of two
	next int64   // unwrapped number of the next packet

	referenced bool
	reference  int64 // unwrapped reference time of the last feedback, 64 ms
}

// Next returns the transport-wide sequence number for the next packet. A number
// that is never passed to Sent counts as a packet that was not sent.
func (h *History) Next() uint16 {
	seq := uint16(h.next)
	h.next++
	return seq
}

// Sent records that the packet numbered seq by Next left at now (nanoseconds,
// never decreasing) with size bytes. What size includes is the caller's choice
// and the unit of all rates derived from it; above 65535 it is cut. Cluster names
// the probe the packet belongs to, 0 for none. A number that Next has not given
// out during the last 4096 packets is ignored.
//
// Sent allocates only where the ring begins or doubles.
func (h *History) Sent(seq uint16, now int64, size int, cluster uint8) {
	full := h.unwrap(seq)
	if full < 0 || h.next-full > mostEntries {
		return
	}
	if len(h.ring) == 0 {
		h.ring = make([]entry, leastEntries)
	}
	slot := &h.ring[int(full)&(len(h.ring)-1)]
	for slot.state != unused && now-slot.sent < keep && len(h.ring) < mostEntries && slot.seq != uint32(full) {
		h.grow()
		slot = &h.ring[int(full)&(len(h.ring)-1)]
	}
	*slot = entry{
		sent: now, seq: uint32(full), size: uint16(min(max(size, 0), 1<<16-1)), cluster: cluster, state: waiting,
	}
}

// Again records that the same packet left once more under its number, because the
// receiver had missed it. What arrives then tells nothing of the path's delay:
// the next report of it, whatever it says, appears as missing, and no other.
// After a report that called it missing none appears.
func (h *History) Again(seq uint16) {
	e := h.lookup(h.unwrap(seq))
	switch {
	case e == nil:
	case e.state == waiting:
		e.state = again
	case e.state == missing:
		e.state = received
	}
}

// Cap returns how many packets the ring holds at present.
func (h *History) Cap() int {
	return len(h.ring)
}

// unwrap returns the newest number given out that ends in seq; it is negative
// where there is none.
func (h *History) unwrap(seq uint16) int64 {
	newest := h.next - 1
	return newest - int64(uint16(newest)-seq)
}

// lookup returns the packet numbered full, or nil.
func (h *History) lookup(full int64) *entry {
	if full < 0 || len(h.ring) == 0 {
		return nil
	}
	e := &h.ring[int(full)&(len(h.ring)-1)]
	if e.state == unused || e.seq != uint32(full) {
		return nil
	}
	return e
}

func (h *History) grow() {
	ring := make([]entry, 2*len(h.ring))
	for _, e := range h.ring {
		if e.state != unused {
			ring[int(e.seq)&(len(ring)-1)] = e
		}
	}
	h.ring = ring
}
