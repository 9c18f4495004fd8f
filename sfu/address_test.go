// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func addrs(text string) (all []netip.Addr) {
	for _, f := range strings.Fields(text) {
		all = append(all, netip.MustParseAddr(f))
	}
	return all
}

func sockets(text string) (all []netip.AddrPort) {
	for _, f := range strings.Fields(text) {
		all = append(all, netip.MustParseAddrPort(f))
	}
	return all
}

func TestAddresses(t *testing.T) {
	const own = "127.0.0.1 ::1 192.0.2.9 10.0.0.2 2001:db8::9 fd00::2"
	for _, test := range []struct{ name, public, reached, want string }{
		{"over IPv4", "", "192.0.2.9", "192.0.2.9 10.0.0.2 2001:db8::9 fd00::2"},
		{"over IPv6", "", "2001:db8::9", "2001:db8::9 fd00::2 192.0.2.9 10.0.0.2"},
		{"over IPv4 in IPv6", "", "::ffff:10.0.0.2", "10.0.0.2 192.0.2.9 2001:db8::9 fd00::2"},
		{"on the machine itself", "", "::1", "::1 2001:db8::9 fd00::2 127.0.0.1 192.0.2.9 10.0.0.2"},
		{"named IPv4", "203.0.113.7", "10.0.0.2", "203.0.113.7 10.0.0.2 2001:db8::9 fd00::2"},
		{"named both", "203.0.113.7 2001:db8::7", "fd00::2", "203.0.113.7 2001:db8::7 fd00::2 10.0.0.2"},
		{"link-local", "", "fe80::1%eth0", "fe80::1 2001:db8::9 fd00::2 192.0.2.9 10.0.0.2"},
	} {
		if got := rankAddresses(addrs(test.public), netip.MustParseAddr(test.reached), addrs(own)); !slices.Equal(got, addrs(test.want)) {
			t.Errorf("%s: %v, want %s", test.name, got, test.want)
		}
	}
	var many []netip.Addr
	for a := netip.MustParseAddr("10.0.0.1"); len(many) < 100; a = a.Next() {
		many = append(many, a)
	}
	if n := len(rankAddresses(nil, netip.Addr{}, many)); n != maxAddresses {
		t.Errorf("%d addresses of 100", n)
	}
}

func TestAnnounced(t *testing.T) {
	const known = "203.0.113.7 2001:db8::9 10.0.0.2 fd00::2"
	for _, test := range []struct{ name, public, bound, want string }{
		{"all", "", "[::]:443", known},
		{"all twice", "", "[::]:443 [::]:443", known},
		{"all of IPv4", "", "0.0.0.0:443", "203.0.113.7 10.0.0.2"},
		{"one", "", "10.0.0.2:443", "10.0.0.2"},
		{"one behind translation", "203.0.113.7", "10.0.0.2:443", "203.0.113.7 10.0.0.2"},
		{"two in the client's order", "203.0.113.7", "10.0.0.2:443 [2001:db8::9]:443", "203.0.113.7 2001:db8::9 10.0.0.2"},
		{"loopback", "203.0.113.7", "127.0.0.1:443", "127.0.0.1"},
		{"loopback of both", "", "127.0.0.1:443 [::1]:443", "127.0.0.1 ::1"},
		{"one that nobody knows", "", "192.0.2.1:443", "192.0.2.1"},
	} {
		p := &Plane{cfg: PlaneConfig{PublicIPs: addrs(test.public)}}
		if got := p.announced(sockets(test.bound), addrs(known)); !slices.Equal(got, addrs(test.want)) {
			t.Errorf("%s: %v, want %s", test.name, got, test.want)
		}
	}
	same, others := splitByPort(sockets("[::]:1 [::]:2 10.0.0.1:1"))
	if !slices.Equal(same, sockets("[::]:1 10.0.0.1:1")) || !slices.Equal(others, sockets("[::]:2")) {
		t.Errorf("split into %v and %v", same, others)
	}
}
