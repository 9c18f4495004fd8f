// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package feedback

import (
	"encoding/binary"
	"math/bits"
)

const (
	packetType = 205 // RTPFB, RFC 4585 section 6.1
	format     = 15
	headerSize = 20 // up to the first packet status chunk
	chunkSize  = 2

	tick          = 250   // µs per unit of a receive delta
	referenceTick = 64000 // µs per unit of the reference time
)

// Packet status symbols, section 3.1.1 of the draft.
const (
	notReceived = iota
	smallDelta
	largeDelta
	withoutDelta // reserved by the draft; received, arrival time unknown
)

// Result is what a feedback packet says about one sent packet.
type Result struct {
	Seq     int64 // unwrapped transport-wide sequence number
	Sent    int64 // nanoseconds, as passed to History.Sent
	Arrival int64 // µs on the receiver's clock, from an unknown zero; 0 if lost
	Size    int32 // bytes, as passed to History.Sent
	Cluster uint8 // probe the packet belongs to, 0 for none

	Received bool // otherwise it was missing when the report was written
	Late     bool // received after an earlier report called it missing
}

// Report sums up one feedback packet.
type Report struct {
	Number   uint8 // feedback packet count: a gap means lost feedback
	Received int   // results that say received
	Missing  int   // results that say lost
	Repeated int   // reported like this before, not among the results
	Unknown  int   // never sent, or too long ago; not among the results

	// RTT is the time from sending the packet that arrived last to now, in
	// nanoseconds: the round trip and what the receiver waited before it
	// reported. It is 0 where the packet reports no arrival.
	RTT int64
}

// Read parses the RTCP packet b, from its common header on, and appends to dst
// what it says about each packet in the order of the sequence numbers. A packet
// appears as received once, and as missing at most once before that. Arrival
// times of successive packets are on one scale; the reference time, which wraps
// after 12 days, is unwrapped.
//
// The errors are ErrShort, ErrType and ErrPadding. Bytes behind the packet's
// announced length are ignored. Read allocates only where dst is too small: at
// most one Result for each packet in the ring is appended.
func (h *History) Read(b []byte, now int64, dst []Result) ([]Result, Report, error) {
	p, err := parse(b)
	if err != nil {
		return dst, Report{}, err
	}
	w := walk{
		h: h, dst: dst, deltas: p.deltas,
		seq:     h.unwrap(p.base),
		arrival: h.unwrapReference(p.reference) * referenceTick,
		report:  Report{Number: p.number},
	}
	remaining := p.count
	for chunks := p.chunks; len(chunks) > 0; chunks = chunks[chunkSize:] {
		remaining -= w.chunk(binary.BigEndian.Uint16(chunks), remaining)
	}
	if w.report.Received > 0 {
		w.report.RTT = max(now-w.newestSent, 0)
	}
	return w.dst, w.report, nil
}

// packet is a feedback packet whose lengths agree.
type packet struct {
	base      uint16
	count     int
	reference uint32 // 24 bits
	number    uint8
	chunks    []byte
	deltas    []byte
}

func parse(b []byte) (packet, error) {
	if len(b) < headerSize {
		return packet{}, ErrShort
	}
	if b[0]>>6 != 2 || b[0]&0x1f != format || b[1] != packetType {
		return packet{}, ErrType
	}
	end := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
	if end < headerSize || end > len(b) {
		return packet{}, ErrShort
	}
	if b[0]&0x20 != 0 {
		padding := int(b[end-1])
		if padding == 0 || padding > end-headerSize {
			return packet{}, ErrPadding
		}
		end -= padding
	}
	p := packet{
		base:      binary.BigEndian.Uint16(b[12:]),
		count:     int(binary.BigEndian.Uint16(b[14:])),
		reference: binary.BigEndian.Uint32(b[16:]) >> 8,
		number:    b[19],
	}
	rest := b[headerSize:end]
	chunks, deltas := 0, 0
	for remaining := p.count; remaining > 0; chunks += chunkSize {
		if chunks+chunkSize > len(rest) {
			return packet{}, ErrShort
		}
		n, size := measure(binary.BigEndian.Uint16(rest[chunks:]), remaining)
		remaining -= n
		deltas += size
	}
	if chunks+deltas > len(rest) {
		return packet{}, ErrShort
	}
	p.chunks, p.deltas = rest[:chunks], rest[chunks:chunks+deltas]
	return p, nil
}

// measure returns for how many of the remaining packets a chunk speaks, and how
// many bytes of receive deltas belong to it.
func measure(chunk uint16, remaining int) (n, deltas int) {
	switch {
	case chunk&0x8000 == 0: // run length
		n = min(int(chunk&0x1fff), remaining)
		switch chunk >> 13 & 3 {
		case smallDelta:
			deltas = n
		case largeDelta:
			deltas = 2 * n
		}
	case chunk&0x4000 == 0: // 14 symbols of one bit
		n = min(14, remaining)
		deltas = bits.OnesCount16(chunk & 0x3fff >> (14 - n))
	default: // 7 symbols of two bits
		n = min(7, remaining)
		symbols := chunk & 0x3fff >> (14 - 2*n)
		low, high := symbols&0x1555, symbols>>1&0x1555
		deltas = bits.OnesCount16(low&^high) + 2*bits.OnesCount16(high&^low)
	}
	return n, deltas
}

// walk is one pass over a valid packet.
type walk struct {
	h          *History
	dst        []Result
	deltas     []byte
	seq        int64
	arrival    int64 // µs
	newest     int64 // arrival time of the last packet to arrive
	newestSent int64
	report     Report
}

// chunk handles one status chunk and returns for how many packets it spoke.
func (w *walk) chunk(chunk uint16, remaining int) int {
	if chunk&0x8000 == 0 {
		n := min(int(chunk&0x1fff), remaining)
		symbol := chunk >> 13 & 3
		for range n {
			w.packet(symbol)
		}
		return n
	}
	n, width := 14, 1
	if chunk&0x4000 != 0 {
		n, width = 7, 2
	}
	n = min(n, remaining)
	symbols := chunk << 2
	for range n {
		w.packet(symbols >> (16 - width))
		symbols <<= width
	}
	return n
}

// packet handles one status symbol.
func (w *walk) packet(symbol uint16) {
	switch symbol {
	case smallDelta:
		w.arrival += int64(w.deltas[0]) * tick
		w.deltas = w.deltas[1:]
	case largeDelta:
		w.arrival += int64(int16(binary.BigEndian.Uint16(w.deltas))) * tick
		w.deltas = w.deltas[2:]
	}
	seq := w.seq
	w.seq++
	e := w.h.lookup(seq)
	switch {
	case e == nil:
		w.report.Unknown++
	case e.state == received, symbol == notReceived && e.state == missing:
		w.report.Repeated++
	case e.state == again:
		e.state = received
		w.report.Missing++
		w.dst = append(w.dst, Result{Seq: seq, Sent: e.sent, Size: int32(e.size), Cluster: e.cluster})
	case symbol == withoutDelta:
		e.state = received
	case symbol == notReceived:
		e.state = missing
		w.report.Missing++
		w.dst = append(w.dst, Result{Seq: seq, Sent: e.sent, Size: int32(e.size), Cluster: e.cluster})
	default:
		late := e.state == missing
		e.state = received
		if w.report.Received == 0 || w.arrival >= w.newest {
			w.newest, w.newestSent = w.arrival, e.sent
		}
		w.report.Received++
		w.dst = append(w.dst, Result{
			Seq: seq, Sent: e.sent, Arrival: w.arrival, Size: int32(e.size), Cluster: e.cluster,
			Received: true, Late: late,
		})
	}
}

// unwrapReference returns the reference time nearest to the last one.
func (h *History) unwrapReference(low uint32) int64 {
	if !h.referenced {
		h.referenced, h.reference = true, int64(low)
		return h.reference
	}
	ahead := int32((low-uint32(h.reference))<<8) >> 8
	h.reference += int64(ahead)
	return h.reference
}
