// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net"
	"net/netip"
	"slices"
)

// maxCandidates bounds the addresses announced to a client.
const maxCandidates = 12

// addresses lists where a client may reach the plane, best first: the configured
// public addresses, the address that the client's signaling reached, then the
// machine's own. Loopback is announced only to clients on the machine itself.
func (p *Plane) addresses(reached netip.Addr) []netip.Addr {
	reached = reached.Unmap().WithZone("")
	var out []netip.Addr
	add := func(a netip.Addr) {
		if a.IsValid() && !a.IsUnspecified() && !slices.Contains(out, a) && len(out) < maxCandidates {
			out = append(out, a)
		}
	}
	if p.cfg.Addr.IsValid() && !p.cfg.Addr.IsUnspecified() {
		add(p.cfg.Addr)
		return out
	}
	for _, a := range p.cfg.PublicIPs {
		add(a.Unmap())
	}
	add(reached)
	for _, a := range interfaceAddrs() {
		if a.IsLoopback() && !reached.IsLoopback() {
			continue
		}
		if len(p.cfg.PublicIPs) > 0 && a.IsGlobalUnicast() && !a.IsPrivate() {
			continue // the operator named the public addresses
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
