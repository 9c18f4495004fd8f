// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import "net/netip"

// MaxDatagram is the longest datagram in octets that Read hands out; longer
// ones are discarded. It is the Ethernet MTU.
const MaxDatagram = 1500

// Datagram is one received datagram.
type Datagram struct {
	// Data points into the batch's buffers and holds until the next Read into
	// that batch. It may be changed in place.
	Data []byte
	// Addr is the sender. IPv4 addresses are never in their IPv6-mapped form.
	Addr netip.AddrPort
	// Local is the address that the datagram was sent to, so that a reply can
	// leave from it. Invalid where the system does not tell.
	Local netip.Addr
}

// Batch holds the receive buffers of one loop. It is used by one goroutine at
// a time. NewBatch makes it.
type Batch struct {
	dgrams []Datagram
	n      int
	bufs   []byte
	sys    batchSys
}

// NewBatch returns buffers for up to n datagrams per Read (at least 1).
func NewBatch(n int) *Batch {
	n = max(n, 1)
	b := &Batch{
		dgrams: make([]Datagram, n),
		bufs:   make([]byte, n*MaxDatagram+1),
	}
	b.sys.init(b)
	return b
}

// Len returns the number of datagrams that the last Read brought.
func (b *Batch) Len() int { return b.n }

// At returns the i-th datagram of the last Read, 0 <= i < Len.
func (b *Batch) At(i int) *Datagram { return &b.dgrams[:b.n][i] }

// buf returns the receive buffer i.
func (b *Batch) buf(i int) []byte {
	off := i * MaxDatagram
	return b.bufs[off : off+MaxDatagram : off+MaxDatagram]
}
