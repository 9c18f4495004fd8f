// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"
	"sync"

	"github.com/caddy-videoroom/videoroom/port"
)

// parcel is a batch of datagrams on its way to a loop. They came in on socket,
// or on link, or, when both are nil, on a sibling's own socket.
type parcel struct {
	socket *port.Socket
	link   *Link
	n      int
	sizes  [batchSize]int
	from   [batchSize]netip.AddrPort
	local  [batchSize]netip.Addr
	data   [batchSize][port.MaxDatagram]byte
}

var parcels = sync.Pool{New: func() any { return new(parcel) }}

func newParcel(socket *port.Socket, link *Link) *parcel {
	p := parcels.Get().(*parcel)
	p.socket, p.link, p.n = socket, link, 0
	return p
}

// add copies a datagram in; false when the parcel is full or it does not fit.
func (p *parcel) add(data []byte, from netip.AddrPort, local netip.Addr) bool {
	if p.n == batchSize || len(data) > port.MaxDatagram {
		return false
	}
	p.sizes[p.n] = copy(p.data[p.n][:], data)
	p.from[p.n], p.local[p.n] = from, local
	p.n++
	return true
}
