// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net"
	"net/netip"
	"slices"

	"github.com/caddy-videoroom/videoroom/sfu/internal/sdp"
)

// maxAddresses bounds the addresses announced to a client for one port.
const maxAddresses = 12

// candidates are what the client may reach us at: our own port before the sites',
// datagrams before streams, and last what only relays understand.
func (p *Peer) candidates() []sdp.Candidate {
	plane := p.room.plane
	var reach Reach
	if plane.cfg.Reach != nil {
		reach = plane.cfg.Reach()
	}
	if own, ok := plane.ownAddr(); ok {
		reach.UDP = append([]netip.AddrPort{own}, reach.UDP...)
	}
	known := plane.addresses(p.cfg.Reached)
	var out []sdp.Candidate
	rank := uint16(8191)
	add := func(a netip.AddrPort, tcp bool) {
		if slices.ContainsFunc(out, func(c sdp.Candidate) bool { return c.Addr == a && c.TCP == tcp }) {
			return
		}
		out = append(out, sdp.Candidate{Addr: a, TCP: tcp, Priority: sdp.CandidatePriority(tcp, rank)})
		rank--
	}
	for _, tcp := range []bool{false, true} {
		bound := reach.UDP
		if tcp {
			bound = reach.TCP
		}
		for len(bound) > 0 {
			var same []netip.AddrPort // sockets on one port
			same, bound = splitByPort(bound)
			for _, a := range plane.announced(same, known) {
				add(netip.AddrPortFrom(a, same[0].Port()), tcp)
			}
		}
	}
	if reach.Relayed.IsValid() {
		add(reach.Relayed, false)
	}
	return out
}

// splitByPort returns the sockets that have the first one's port, and the others.
func splitByPort(sockets []netip.AddrPort) (same, others []netip.AddrPort) {
	for _, s := range sockets {
		if s.Port() == sockets[0].Port() {
			same = append(same, s)
		} else {
			others = append(others, s)
		}
	}
	return same, others
}

// announced returns under which addresses sockets on one port are reached, those
// of known in that order and before others.
func (p *Plane) announced(sockets []netip.AddrPort, known []netip.Addr) []netip.Addr {
	var bound []netip.Addr
	for _, s := range sockets {
		bound = append(bound, s.Addr().Unmap().WithZone(""))
	}
	var out []netip.Addr
	for _, a := range known {
		if slices.ContainsFunc(bound, func(b netip.Addr) bool { return p.leads(a, b) }) {
			out = append(out, a)
		}
	}
	for _, b := range bound {
		if !b.IsUnspecified() && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// leads tells whether a socket bound to b may get what clients send to a.
func (p *Plane) leads(a, b netip.Addr) bool {
	switch {
	case b == netip.IPv4Unspecified():
		return a.Is4()
	case b.IsUnspecified(), a == b:
		return true
	case b.IsLoopback():
		return false // nobody translates to that
	}
	// Whatever the operator named may lead here.
	return a.Is4() == b.Is4() && slices.ContainsFunc(p.cfg.PublicIPs, func(public netip.Addr) bool { return public.Unmap() == a })
}

// ownAddr is what the plane's own sockets are bound to; false: there are none.
func (p *Plane) ownAddr() (netip.AddrPort, bool) {
	if len(p.loops) == 0 || p.loops[0].own == nil {
		return netip.AddrPort{}, false
	}
	return p.loops[0].own.sock.LocalAddr(), true
}

// addresses lists where a client may reach the machine, best first: the configured
// public addresses, the address that the client's signaling reached, then the
// machine's own, those of the family that the client has used first. Loopback is
// announced only to clients on the machine itself.
func (p *Plane) addresses(reached netip.Addr) []netip.Addr {
	return rankAddresses(p.cfg.PublicIPs, reached, interfaceAddrs())
}

func rankAddresses(public []netip.Addr, reached netip.Addr, own []netip.Addr) (out []netip.Addr) {
	reached = reached.Unmap().WithZone("")
	add := func(a netip.Addr) {
		if a.IsValid() && !a.IsUnspecified() && !slices.Contains(out, a) && len(out) < maxAddresses {
			out = append(out, a)
		}
	}
	var named4, named6 bool
	for _, a := range public {
		a = a.Unmap()
		named4, named6 = named4 || a.Is4(), named6 || a.Is6()
		add(a)
	}
	add(reached)
	own = slices.Clone(own)
	slices.SortStableFunc(own, func(a, b netip.Addr) int {
		switch same := a.Is4() == reached.Is4(); {
		case same == (b.Is4() == reached.Is4()):
			return 0
		case same:
			return -1
		}
		return 1
	})
	for _, a := range own {
		if a.IsLoopback() && !reached.IsLoopback() {
			continue
		}
		if named := a.Is4() && named4 || a.Is6() && named6; named && a.IsGlobalUnicast() && !a.IsPrivate() {
			continue // the operator named the public addresses of this family
		}
		add(a)
	}
	return out
}

// interfaceAddrs lists the machine's unicast addresses, link-local ones left out.
func interfaceAddrs() []netip.Addr {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, f := range found {
		n, ok := f.(*net.IPNet)
		if !ok {
			continue
		}
		a, ok := netip.AddrFromSlice(n.IP)
		if !ok || a.IsLinkLocalUnicast() || a.IsMulticast() {
			continue
		}
		out = append(out, a.Unmap())
	}
	return out
}
