// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// burst sends n datagrams of 1100 octets from a to b in one Flush and checks
// their arrival.
func burst(t *testing.T, a, b *Socket, d *Dest, n int) {
	t.Helper()
	o := NewOutbox(n)
	for seq := range n {
		commit(t, o, d, uint32(seq), 1100)
	}
	if sent, dropped := a.Flush(o); sent != n || dropped != 0 {
		t.Fatalf("sent %d, dropped %d", sent, dropped)
	}
	for seq, got := range take(t, b, n) {
		check(t, got, uint32(seq), 1100)
	}
}

// spy counts the messages that go to the kernel.
func spy(s *Socket, messages *int) {
	s.sys.sendmmsg = func(fd uintptr, msgs []unix.Mmsghdr) (int, unix.Errno) {
		n, errno := sendmmsg(fd, msgs)
		*messages += n
		return n, errno
	}
}

func TestSegmentation(t *testing.T) {
	for _, ip := range []netip.Addr{v4, v6} {
		a, b := open(t, ip), open(t, ip)
		if !a.GSO() {
			t.Skip("this kernel does not segment")
		}
		var messages int
		spy(a, &messages)
		var d Dest
		d.Set(b.LocalAddr(), netip.Addr{})
		burst(t, a, b, &d, 20)
		if messages != 1 {
			t.Fatalf("20 equal datagrams took %d messages", messages)
		}
		burst(t, a, b, &d, 130) // 65000/1100 = 59 in one
		if messages != 1+3 {
			t.Fatalf("130 equal datagrams took %d messages", messages-1)
		}
	}
}

// TestNoSegmentingDevice plays an egress device that cannot segment: the first
// run comes back with EIO, nothing is lost, and no run is tried again.
func TestNoSegmentingDevice(t *testing.T) {
	a, b := open(t, v4), open(t, v4)
	if !a.GSO() {
		t.Skip("this kernel does not segment")
	}
	var refused int
	a.sys.sendmmsg = func(fd uintptr, msgs []unix.Mmsghdr) (int, unix.Errno) {
		for i := range msgs {
			if msgs[i].Hdr.Iovlen > 1 {
				if i == 0 {
					refused++
					return 0, unix.EIO
				}
				return sendmmsg(fd, msgs[:i])
			}
		}
		return sendmmsg(fd, msgs)
	}
	var d Dest
	d.Set(b.LocalAddr(), netip.Addr{})
	burst(t, a, b, &d, 100)
	if refused != 2 || a.GSO() {
		t.Fatalf("%d runs refused, GSO %v", refused, a.GSO())
	}
	burst(t, a, b, &d, 100)
	if refused != 2 {
		t.Fatal("a run was tried again")
	}
}

// TestNoSegmentsOnPath makes the kernel itself refuse runs with EINVAL, as it
// does for segments longer than a path's MTU. That is remembered for the
// destination until its address changes; the socket keeps segmenting.
func TestNoSegmentsOnPath(t *testing.T) {
	a, b := open(t, v4), open(t, v4)
	if !a.GSO() {
		t.Skip("this kernel does not segment")
	}
	noCheck := func(on int) {
		err := a.sys.raw.Control(func(fd uintptr) {
			if err := unix.SetsockoptInt(int(a.sys.fd(fd)), unix.SOL_SOCKET, unix.SO_NO_CHECK, on); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var d Dest
	d.Set(b.LocalAddr(), netip.Addr{})
	noCheck(1)
	burst(t, a, b, &d, 70)
	if !a.GSO() || !d.sys.whole {
		t.Fatalf("GSO %v, destination without %v", a.GSO(), d.sys.whole)
	}
	var messages int
	spy(a, &messages)
	burst(t, a, b, &d, 10)
	if messages != 10 {
		t.Fatalf("10 datagrams took %d messages", messages)
	}
	noCheck(0)
	c := open(t, v4)
	d.Set(c.LocalAddr(), netip.Addr{})
	burst(t, a, c, &d, 10)
	if messages != 11 {
		t.Fatalf("10 datagrams to the new address took %d messages", messages-10)
	}
}

// TestFullSendBuffer checks that datagrams are dropped, not waited for.
func TestFullSendBuffer(t *testing.T) {
	a, b := open(t, v4), open(t, v4)
	errnos := []unix.Errno{unix.EINTR, 0, unix.ENOBUFS, unix.EPERM, 0, unix.EAGAIN}
	a.sys.gso.Store(false)
	a.sys.sendmmsg = func(fd uintptr, msgs []unix.Mmsghdr) (int, unix.Errno) {
		errno := errnos[0]
		errnos = errnos[1:]
		if errno != 0 {
			return 0, errno
		}
		return sendmmsg(fd, msgs[:1])
	}
	var d Dest
	d.Set(b.LocalAddr(), netip.Addr{})
	o := NewOutbox(6)
	for seq := range uint32(6) {
		commit(t, o, &d, seq, 100)
	}
	if sent, dropped := a.Flush(o); sent != 2 || dropped != 4 {
		t.Fatalf("sent %d, dropped %d", sent, dropped)
	}
	got := take(t, b, 2)
	check(t, got[0], 0, 100)
	check(t, got[1], 3, 100)
}

// TestReplyAddress checks PKTINFO both ways: a reply leaves from the address
// that was called, though the socket is bound to all.
func TestReplyAddress(t *testing.T) {
	called := netip.MustParseAddr("127.0.0.2")
	for _, all := range []netip.Addr{netip.IPv6Unspecified(), netip.IPv4Unspecified()} {
		s, c := open(t, all), open(t, v4)
		to := netip.AddrPortFrom(called, s.LocalAddr().Port())
		if err := c.WriteTo([]byte("call"), to, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		got := take(t, s, 1)[0]
		if got.Local != called {
			t.Fatalf("called at %v, want %v", got.Local, called)
		}
		var d Dest
		d.Set(got.Addr, got.Local)
		o := NewOutbox(8)
		for seq := range uint32(8) {
			commit(t, o, &d, seq, 500)
		}
		if sent, _ := s.Flush(o); sent != 8 {
			t.Fatalf("sent %d", sent)
		}
		if err := s.WriteTo([]byte("reply"), got.Addr, got.Local); err != nil {
			t.Fatal(err)
		}
		for _, back := range take(t, c, 9) {
			if back.Addr != to {
				t.Fatalf("reply came from %v, want %v", back.Addr, to)
			}
		}
		// A source of the other family is left out, not an error.
		if err := s.WriteTo([]byte("reply"), got.Addr, v6); err != nil {
			t.Fatal(err)
		}
		take(t, c, 1)
	}
}

// TestIPv4Socket checks PKTINFO on a socket of IPv4 alone.
func TestIPv4Socket(t *testing.T) {
	s, c := open(t, v4), open(t, v4)
	if s.sys.v6 {
		t.Fatal("a socket on an IPv4 address is of IPv6")
	}
	s.wildcard = true // as where the system has no IPv6
	if err := s.sys.raw.Control(func(fd uintptr) {
		if err := s.sys.configure(int(s.sys.fd(fd)), true); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteTo([]byte("x"), s.LocalAddr(), netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	got := take(t, s, 1)[0]
	if got.Local != v4 {
		t.Fatalf("called at %v", got.Local)
	}
	var d Dest
	d.Set(got.Addr, got.Local)
	burst(t, s, c, &d, 5)
	err := s.WriteTo([]byte("x"), netip.AddrPortFrom(v6, 9), netip.Addr{})
	if !errors.Is(err, ErrAddress) {
		t.Fatal(err)
	}
}

func TestZones(t *testing.T) {
	for _, text := range []string{"[fe80::1%7]:9", "[2001:db8::1]:65535", "192.0.2.1:1"} {
		want := netip.MustParseAddrPort(text)
		var sa unix.RawSockaddrInet6
		if n := putName(&sa, want, true); n != unix.SizeofSockaddrInet6 {
			t.Fatalf("%v: length %d", want, n)
		}
		if got := readName(&sa); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	if zoneIndex("lo") != 1 || zoneIndex("no such interface") != 0 || zoneIndex("") != 0 {
		t.Fatal("zones are not resolved")
	}
}

func TestReusePort(t *testing.T) {
	a, err := Listen(netip.AddrPortFrom(v4, 0), true)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := Listen(a.LocalAddr(), true)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	if c, err := Listen(a.LocalAddr(), false); err == nil {
		c.Close()
		t.Fatal("a port was shared without reusePort")
	}
}

func TestBuffers(t *testing.T) {
	s := open(t, v4)
	if err := s.sys.raw.Control(func(fd uintptr) {
		for _, opt := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF} {
			if n, err := unix.GetsockoptInt(int(s.sys.fd(fd)), unix.SOL_SOCKET, opt); err != nil || n < 64<<10 {
				t.Errorf("option %d: %d octets, %v", opt, n, err)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// FuzzControlMessages feeds control messages as a kernel could write them.
func FuzzControlMessages(f *testing.F) {
	var a ancillary
	p, n := a.put(0, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	p[15] = 1
	f.Add(a.b[:], n)
	f.Add([]byte{}, 0)
	f.Add(make([]byte, controlSize), controlSize)
	f.Fuzz(func(_ *testing.T, b []byte, n int) {
		var a ancillary
		copy(a.b[:], b)
		readLocal(a.b[:min(max(n, 0), controlSize)])
	})
}
