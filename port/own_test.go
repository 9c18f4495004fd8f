// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// outcomes keeps what OpenUDP has told.
type outcomes struct {
	mu           sync.Mutex
	open, failed []netip.AddrPort
	err          error
}

func (o *outcomes) tell(a netip.AddrPort, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.failed, o.err = append(o.failed, a), err
		return
	}
	o.open = append(o.open, a)
}

func (o *outcomes) count() (open, failed int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.open), len(o.failed)
}

// ownHub returns a hub that closes what it has opened when the test ends.
func ownHub(t *testing.T) (*Hub, *media) {
	h, m := new(Hub), &media{reply: true}
	detach := h.Attach(m)
	t.Cleanup(func() {
		h.OpenUDP(nil, nil)
		detach()
	})
	return h, m
}

// freeUDP returns a port that nobody has.
func freeUDP(t *testing.T) uint16 {
	pc, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	return pc.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// echoes sends a datagram to the port at ip and waits for it to come back from
// there.
func echoes(t *testing.T, ip string, port uint16) {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	put(t, conn, stun())
	if n, err := conn.Read(b); err != nil || !bytes.Equal(b[:n], stun()) {
		t.Fatalf("from %s came %x, %v", ip, b[:n], err)
	}
}

func TestOwnSocket(t *testing.T) {
	h, m := ownHub(t)
	var out outcomes
	at := freeUDP(t)
	all := netip.AddrPortFrom(netip.IPv6Unspecified(), at)
	h.OpenUDP([]netip.AddrPort{{}, netip.AddrPortFrom(netip.IPv4Unspecified(), at), all, all}, out.tell)
	sockets := h.Sockets()
	if open, failed := out.count(); len(sockets) != 1 || open != 1 || failed != 0 || len(h.SharedSockets()) != 0 {
		t.Fatalf("%d sockets, %d shared, told of %d and %d", len(sockets), len(h.SharedSockets()), open, failed)
	}
	if got := sockets[0].LocalAddr(); !sameLocal(got, all) {
		t.Errorf("open is %v", got)
	}
	echoes(t, "127.0.0.1", at)
	ips := []string{"127.0.0.1"}
	if m.taken()[0].Local.IsValid() { // answers leave from where they were asked for
		ips = append(ips, "127.0.0.5")
	}
	if sockets[0].LocalAddr().Addr().Is6() {
		ips = append(ips, "::1")
	}
	for _, ip := range ips {
		echoes(t, ip, at)
		got := m.taken()
		d := got[len(got)-1]
		if d.Local.IsValid() && d.Local != netip.MustParseAddr(ip) || d.Addr.Addr().Is4In6() {
			t.Errorf("a datagram to %s came from %v to %v", ip, d.Addr, d.Local)
		}
	}
	h.OpenUDP([]netip.AddrPort{all}, out.tell)
	if again := h.Sockets(); !slices.Equal(again, sockets) {
		t.Errorf("another configuration has other sockets: %v", again)
	}
	// Two addresses of one port are no strangers to each other.
	one := netip.AddrPortFrom(v4, at)
	h.OpenUDP([]netip.AddrPort{all, one}, out.tell)
	if SharesPorts && len(h.Sockets()) != 2 {
		t.Errorf("%d sockets are open: %v", len(h.Sockets()), out.err)
	}
	h.OpenUDP(nil, nil)
	if n := len(h.Sockets()); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
	pc, err := net.ListenPacket("udp", net.JoinHostPort("", itoa(at)))
	if err != nil {
		t.Fatal("the port is still in use:", err)
	}
	pc.Close()
}

func itoa(port uint16) string { return netip.AddrPortFrom(v4, port).String()[len(v4.String())+1:] }

// TestOwnSocketTaken: what another program holds is left to it, even if it would
// share.
func TestOwnSocketTaken(t *testing.T) {
	for _, shares := range []bool{false, true} {
		h, _ := ownHub(t)
		var out outcomes
		other, err := Listen(netip.AddrPortFrom(netip.IPv6Unspecified(), 0), shares)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		at := netip.AddrPortFrom(netip.IPv6Unspecified(), other.LocalAddr().Port())
		begin := time.Now()
		h.OpenUDP([]netip.AddrPort{at}, out.tell)
		await(t, func() bool { _, failed := out.count(); return failed == 1 })
		if !errors.Is(out.err, syscall.EADDRINUSE) && SharesPorts || bytes.Contains([]byte(out.err.Error()), []byte("::")) {
			t.Errorf("error = %v", out.err)
		}
		if took := time.Since(begin); took > 3*openPatience {
			t.Errorf("took %v", took)
		}
		time.Sleep(openPatience / 4)
		if open, failed := out.count(); open != 0 || failed != 1 || len(h.Sockets()) != 0 {
			t.Errorf("told of %d and %d", open, failed)
		}
		other.Close()
		h.OpenUDP([]netip.AddrPort{at}, out.tell)
		if open, _ := out.count(); open != 1 || len(h.Sockets()) != 1 {
			t.Errorf("the next configuration opens %d: %v", open, out.err)
		}
		h.OpenUDP(nil, nil)
	}
}

// TestOwnSocketGivesWay to HTTP/3, and comes back.
func TestOwnSocketGivesWay(t *testing.T) {
	if !SharesPorts {
		t.Skip("not on this system")
	}
	h, _ := ownHub(t)
	var out outcomes
	at := netip.AddrPortFrom(netip.IPv6Unspecified(), freeUDP(t))
	var mu sync.Mutex
	var seen []int // sockets in the list, change by change
	defer h.OnChange(func() {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, len(h.Sockets()))
	})()
	h.OpenUDP([]netip.AddrPort{at}, out.tell)
	own := h.Sockets()[0]
	for round := range 3 {
		theirs, err := plain(at)
		if err != nil {
			t.Fatal("HTTP/3 cannot open its port:", err)
		}
		pc, err := h.WrapPacketConn(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if sockets := h.Sockets(); len(sockets) != 1 || sockets[0] != h.SharedSockets()[0] {
			t.Fatalf("%d sockets beside HTTP/3", len(sockets))
		}
		if err := own.WriteTo(stun(), netip.AddrPortFrom(v4, 9), netip.Addr{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("our own socket is still open: %v", err)
		}
		// A configuration that wants it as well changes nothing.
		h.OpenUDP([]netip.AddrPort{at}, out.tell)
		ended := make(chan struct{})
		go func() { // ends with theirs
			defer close(ended)
			for {
				if _, err := pc.(*sharedConn).ReadBatch(messages(8), 0); err != nil {
					return
				}
			}
		}()
		echoes(t, "127.0.0.1", at.Port())
		theirs.Close()
		<-ended
		await(t, func() bool { open, _ := out.count(); return open == round+2 })
		sockets := h.Sockets()
		if len(sockets) != 1 || len(h.SharedSockets()) != 0 {
			t.Fatalf("%d sockets after HTTP/3", len(sockets))
		}
		own = sockets[0]
		echoes(t, "127.0.0.1", at.Port())
	}
	mu.Lock()
	defer mu.Unlock()
	if slices.Contains(seen, 0) || slices.Contains(seen, 2) {
		t.Errorf("sockets in the list, change by change: %v", seen)
	}
}

// TestOwnSocketNotWantedAnyMore while HTTP/3 ends: nothing is left.
func TestOwnSocketNotWantedAnyMore(t *testing.T) {
	h, _ := ownHub(t)
	var out outcomes
	theirs, err := plain(netip.AddrPortFrom(netip.IPv6Unspecified(), 0))
	if err != nil {
		t.Fatal(err)
	}
	pc, err := h.WrapPacketConn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(netip.IPv6Unspecified(), theirs.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	h.OpenUDP([]netip.AddrPort{at}, out.tell)
	// The reader gives up, but the socket stays open, so that opening has to wait.
	if err := pc.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := pc.(*sharedConn).ReadBatch(messages(8), 0); err == nil {
		t.Fatal("read something")
	}
	if n := len(h.Sockets()); n != 1 {
		t.Errorf("%d sockets while HTTP/3 ends", n)
	}
	h.OpenUDP(nil, nil)
	await(t, func() bool { return len(h.Sockets()) == 0 })
	theirs.Close()
	time.Sleep(50 * time.Millisecond)
	if open, failed := out.count(); open != 0 || failed != 0 || len(h.own.ended)+len(h.own.opening) != 0 {
		t.Errorf("told of %d and %d", open, failed)
	}
}

func TestListenICE(t *testing.T) {
	h := new(Hub)
	s := attachSink(t, h)
	l, err := h.ListenICE(netip.AddrPortFrom(netip.IPv6Unspecified(), 0))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(h.TCPPorts()); n != 0 {
		t.Errorf("%d ports of sites", n)
	}
	if _, err := h.ListenICE(l.LocalAddr()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the second one: %v", err)
	}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", itoa(l.LocalAddr().Port())))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x02hi", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"} {
		conn := dial()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(conn); len(b) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%q gets %q, %v", text, b, err)
		}
	}
	conn := dial()
	if _, err := conn.Write(append([]byte{0, stunHeader}, stun()...)); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s.streams); !bytes.Equal(got.first, stun()) {
		t.Errorf("handed over with %x", got.first)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", conn.RemoteAddr().String()); err == nil {
		t.Error("the port is still open")
	}
}

// plain opens a port that others may share, as HTTP/3 does.
func plain(at netip.AddrPort) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return control(c, true) }}
	pc, err := lc.ListenPacket(context.Background(), "udp", net.JoinHostPort("", strconv.Itoa(int(at.Port()))))
	if err != nil {
		return nil, err
	}
	return pc.(*net.UDPConn), nil
}
