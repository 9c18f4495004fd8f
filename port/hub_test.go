// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestTCPPorts(t *testing.T) {
	h := new(Hub)
	var changes int
	h.OnChange(func() { changes++ })
	a, b := netip.MustParseAddrPort("[::]:443"), netip.MustParseAddrPort("192.0.2.1:8443")
	step := func(want ...netip.AddrPort) {
		t.Helper()
		if got := h.TCPPorts(); !slices.Equal(got, want) {
			t.Errorf("TCPPorts = %v, want %v", got, want)
		}
	}
	before := h.addTCP(a, true)
	step()
	after := h.addTCP(a, false)
	step(a)
	// The next generation opens before this one closes.
	before2, after2 := h.addTCP(a, true), h.addTCP(a, false)
	h.addTCP(b, false)
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.1]:8443")
	removeB := h.addTCP(mapped, true)
	step(b, a)
	before()
	before()
	after()
	step(b, a)
	after2()
	step(b)
	before2()
	removeB()
	step()
	if changes != 4 {
		t.Errorf("%d changes were told", changes)
	}
}

// A wrapper that stands twice in a list wraps once.
func TestListenersWrapOnce(t *testing.T) {
	h := new(Hub)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := h.WrapBeforeTLS(ln)
	after := h.WrapAfterTLS(before)
	if h.WrapBeforeTLS(before) != before || h.WrapAfterTLS(after) != after || before == after {
		t.Error("a listener was wrapped twice")
	}
	if n := len(h.TCPPorts()); n != 1 {
		t.Errorf("%d ports are in place", n)
	}
	if err := after.Close(); err != nil || len(h.TCPPorts()) != 0 {
		t.Errorf("Close: %v, and %v stay in place", err, h.TCPPorts())
	}
}
