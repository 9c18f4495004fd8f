// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
)

// kind is whose a datagram on a shared socket is.
type kind uint8

const (
	kindQUIC kind = iota
	kindSTUN
	kindDTLS
	kindMedia // SRTP and SRTCP
	kindOther // from a known address, but none of the above
	kinds
)

const (
	stunHeader = 20
	stunCookie = 0x2112A442
	// quicBit is set in the first octet of every QUIC packet (RFC 9000 section
	// 17): we never allow the exception of RFC 9287.
	quicBit = 0x40
)

// divide tells whose b is, after RFC 9443 section 3: by its sender and by the
// first octet. b is not empty.
//
// Packets with the QUIC bit stay QUIC's even from a known address: no RTC
// protocol that we speak sets it, and a NAT may give the port of a caller to a
// browser that speaks HTTP/3. Octets 128 to 191 from strangers stay QUIC's too:
// only the first bit of a long header is the same in all versions (RFC 8999),
// and media without a transport is of no use.
func divide(b []byte, addr netip.AddrPort, s Sink) kind {
	first := b[0]
	switch {
	case first&quicBit != 0:
		return kindQUIC
	case first <= 3 && len(b) >= stunHeader && binary.BigEndian.Uint32(b[4:]) == stunCookie:
		return kindSTUN
	case first >= 20 && first <= 63:
		return kindDTLS
	case !s.Known(addr):
		return kindQUIC
	case first >= 128:
		return kindMedia
	}
	return kindOther
}

// SharedStats counts the datagrams that came in on sockets shared with HTTP/3,
// since the process began. Where no sink was attached all are QUIC's.
type SharedStats struct {
	QUIC  uint64 // left to HTTP/3
	STUN  uint64
	DTLS  uint64
	Media uint64 // SRTP and SRTCP from known addresses
	Other uint64 // anything else from known addresses
	// Batches is the number of reads that brought them.
	Batches uint64
}

// sharedCounters are added to once per batch.
type sharedCounters struct {
	kinds   [kinds]atomic.Uint64
	batches atomic.Uint64
}

func (c *sharedCounters) add(n *[kinds]uint64) {
	c.batches.Add(1)
	for k, by := range n {
		if by > 0 {
			c.kinds[k].Add(by)
		}
	}
}

// SharedStats returns the counters.
func (h *Hub) SharedStats() SharedStats {
	n := &h.counters.kinds
	return SharedStats{
		QUIC:    n[kindQUIC].Load(),
		STUN:    n[kindSTUN].Load(),
		DTLS:    n[kindDTLS].Load(),
		Media:   n[kindMedia].Load(),
		Other:   n[kindOther].Load(),
		Batches: h.counters.batches.Load(),
	}
}
