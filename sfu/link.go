// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/caddy-videoroom/videoroom/port"
	"github.com/caddy-videoroom/videoroom/sfu/internal/demux"
)

// Link is a path for one client's datagrams that is not a UDP socket: a TCP
// connection (RFC 4571) or a relay. To the core it looks like a remote address.
type Link struct {
	plane *Plane
	addr  netip.AddrPort
	send  func([]byte) bool
	relay bool // it goes through a relay
	// owner is the loop that the link serves, one more than its index; 0 before
	// the first check. A link serves one transport, so it has one owner for good.
	owner  atomic.Int32
	closed atomic.Bool
	buf    [port.MaxDatagram + 64]byte // the owner's
}

// OpenLink makes a link. send takes a datagram for the client; it must copy it
// and must not block, and returns false when it was dropped.
func (p *Plane) OpenLink(send func([]byte) bool) *Link {
	// The address stands for the link within the plane and never appears on a
	// wire: 240.0.0.0/4 belongs to nobody.
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 0xf0000000|p.links.Add(1)&0x0fffffff)
	return &Link{plane: p, addr: netip.AddrPortFrom(netip.AddrFrom4(a), 9), send: send}
}

// OpenRelay makes a link like OpenLink's, for an allocation on a relay.
func (p *Plane) OpenRelay(send func([]byte) bool) *Link {
	l := p.OpenLink(send)
	l.relay = true
	return l
}

// Addr is the address that stands for the link.
func (l *Link) Addr() netip.AddrPort { return l.addr }

// Receive takes a datagram from the client; it is copied. Safe for concurrent
// use, never blocks.
func (l *Link) Receive(b []byte) {
	loops := l.plane.loops
	i := int(l.owner.Load()) - 1
	if i < 0 && demux.Classify(b) == demux.STUN {
		if ufrag, ok := stunUfrag(b); ok {
			if n, ok := ufragLoop(ufrag); ok && n < len(loops) {
				l.owner.CompareAndSwap(0, int32(n)+1)
				i = int(l.owner.Load()) - 1
			}
		}
	}
	if i < 0 || l.closed.Load() {
		l.plane.stats.dropped.Add(1)
		return
	}
	p := newParcel(nil, l)
	if !p.add(b, l.addr, netip.Addr{}) {
		l.plane.stats.dropped.Add(1)
		parcels.Put(p)
		return
	}
	loops[i].deliver(p)
}

// Close ends the link; the transport on it looks for another path.
func (l *Link) Close() {
	if l.closed.Swap(true) {
		return
	}
	if i := int(l.owner.Load()) - 1; i >= 0 {
		l.plane.loops[i].post(func(c *core) { c.dropVia(l) })
	}
}

// Slot implements outbox, as the methods below do, for the owner's core.
func (l *Link) Slot() []byte { return l.buf[:0] }

// Commit sends the slot at once: a link keeps its own queue.
func (l *Link) Commit(_ *port.Dest, n int) { l.transmit(l.buf[:n]) }

// Flush has nothing to do.
func (l *Link) Flush() {}

// WriteTo sends one datagram.
func (l *Link) WriteTo(b []byte, _ netip.AddrPort, _ netip.Addr) { l.transmit(b) }

func (l *Link) transmit(b []byte) {
	if l.closed.Load() || !l.send(b) {
		l.plane.stats.dropped.Add(1)
	}
}

// dropVia forgets all paths through an outbox that is no more.
func (c *core) dropVia(via outbox) {
	for t := range c.all {
		var gone []netip.AddrPort
		t.paths = slices.DeleteFunc(t.paths, func(p path) bool {
			if p.via == via {
				gone = append(gone, p.addr)
			}
			return p.via == via
		})
		for _, a := range gone {
			c.forgetAddr(t, a)
		}
		if t.via == via {
			t.leavePath()
		}
	}
}

// leavePath stops sending until the client nominates a path, or goes on at once
// on the most recent one that it has nominated before.
func (t *transport) leavePath() {
	t.via, t.selected = nil, netip.AddrPort{}
	best := -1
	for i := range t.paths {
		if t.paths[i].nominated && (best < 0 || t.paths[i].seen > t.paths[best].seen) {
			best = i
		}
	}
	if best >= 0 {
		t.selectPath(&t.paths[best])
	}
}

// Datagrams takes datagrams that a listener shared with HTTP/3 has read; they
// are copied. Answers leave through via. Never blocks.
func (p *Plane) Datagrams(via *port.Socket, ds []port.Datagram) {
	var out [maxLoops]*parcel
	for i := range ds {
		d := &ds[i]
		n, ok := p.dir.ownerOf(d.Data, d.Addr)
		if !ok || n >= len(p.loops) {
			p.stats.dropped.Add(1)
			continue
		}
		if out[n] == nil {
			out[n] = newParcel(via, nil)
		}
		if !out[n].add(d.Data, d.Addr, d.Local) {
			p.loops[n].deliver(out[n])
			out[n] = newParcel(via, nil)
			if !out[n].add(d.Data, d.Addr, d.Local) {
				p.stats.dropped.Add(1)
			}
		}
	}
	for n, parcel := range out {
		if parcel != nil {
			p.loops[n].deliver(parcel)
		}
	}
}

// Known tells whether an address belongs to a running transport, or may: a NAT
// can give a client another port in the middle of a call.
func (p *Plane) Known(a netip.AddrPort) bool { return p.dir.host(a.Addr()) }

// Forget tells that a shared socket has been closed.
func (p *Plane) Forget(s *port.Socket) {
	for _, l := range p.loops {
		l.post(func(*core) { l.forget(s) })
	}
}
