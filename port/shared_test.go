// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// media is a sink that keeps copies.
type media struct {
	known sync.Map // netip.AddrPort
	reply bool     // answer each datagram with itself

	mu  sync.Mutex
	got []Datagram
	via []*Socket
}

func (m *media) Datagrams(via *Socket, ds []Datagram) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range ds {
		d.Data = bytes.Clone(d.Data)
		m.got, m.via = append(m.got, d), append(m.via, via)
		if m.reply {
			_ = via.WriteTo(d.Data, d.Addr, d.Local) // the test waits for what arrives
		}
	}
}

func (m *media) Known(addr netip.AddrPort) bool {
	_, ok := m.known.Load(addr)
	return ok
}

func (*media) Stream(conn net.Conn, _ []byte) { conn.Close() }
func (*media) TLS(conn net.Conn, _ []byte)    { conn.Close() }

func (m *media) taken() []Datagram {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

// stun returns a binding request with nothing in it.
func stun() []byte {
	b := make([]byte, stunHeader)
	b[1] = 1
	binary.BigEndian.PutUint32(b[4:], stunCookie)
	return b
}

// starting returns n octets after the first.
func starting(first byte, n int) []byte {
	return append([]byte{first}, bytes.Repeat([]byte{first}, n)...)
}

// udp returns a plain socket on addr for the duration of the test.
func udp(t testing.TB, network, addr string) *net.UDPConn {
	t.Helper()
	pc, err := net.ListenPacket(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	return pc.(*net.UDPConn)
}

// sharing returns a wrapped socket on addr and the hub and the sink behind it.
func sharing(t testing.TB, addr string) (*sharedConn, *Hub, *media) {
	t.Helper()
	h, m := new(Hub), new(media)
	t.Cleanup(h.Attach(m))
	pc, err := h.WrapPacketConn(udp(t, "udp", addr))
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return pc.(*sharedConn), h, m
}

// sender returns a socket that sends to c, and its address.
func sender(t testing.TB, c *sharedConn) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	port := c.LocalAddr().(*net.UDPAddr).Port
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func put(t testing.TB, conn *net.UDPConn, bs ...[]byte) {
	t.Helper()
	for _, b := range bs {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
}

// messages are as quic-go makes them.
func messages(n int) []ipv4.Message {
	ms := make([]ipv4.Message, n)
	for i := range ms {
		ms[i] = ipv4.Message{Buffers: [][]byte{make([]byte, 1452)}, OOB: make([]byte, 128)}
	}
	return ms
}

// fetch reads until n datagrams for HTTP/3 have come.
func fetch(t testing.TB, c *sharedConn, n int) [][]byte {
	t.Helper()
	var got [][]byte
	for len(got) < n {
		ms := messages(8)
		k, err := c.ReadBatch(ms, 0)
		if err != nil || k == 0 {
			t.Fatalf("after %d of %d: ReadBatch = %d, %v", len(got), n, k, err)
		}
		for _, m := range ms[:k] {
			got = append(got, bytes.Clone(m.Buffers[0][:m.N]))
		}
	}
	return got
}

func TestSharedMixedBatch(t *testing.T) {
	c, h, m := sharing(t, "127.0.0.1:0")
	conn, from := sender(t, c)
	stranger, _ := sender(t, c)
	m.known.Store(from, true)
	want := [][]byte{starting(0xC3, 1199), starting(0x41, 30), starting(0x7F, 1400), starting(0xFF, 5)}
	rtc := [][]byte{stun(), starting(22, 200), starting(0x80, 172), starting(0x90, 1100), starting(5, 3)}
	put(t, conn, rtc[0], want[0], rtc[1], want[1], rtc[2], rtc[3], want[2], rtc[4])
	put(t, stranger, want[3])
	if got := fetch(t, c, 4); !equal(got, want) {
		t.Errorf("HTTP/3 got %x", got)
	}
	got := m.taken()
	if len(got) != len(rtc) {
		t.Fatalf("the sink got %d datagrams, want %d", len(got), len(rtc))
	}
	for i, d := range got {
		if !bytes.Equal(d.Data, rtc[i]) || d.Addr != from || d.Local != v4 {
			t.Errorf("datagram %d: %d octets from %v to %v", i, len(d.Data), d.Addr, d.Local)
		}
		if m.via[i] != h.SharedSockets()[0] {
			t.Errorf("datagram %d came over another socket", i)
		}
	}
	stats := h.SharedStats()
	if stats.Batches == 0 || stats.QUIC != 4 || stats.STUN != 1 || stats.DTLS != 1 || stats.Media != 2 || stats.Other != 1 {
		t.Errorf("counted %+v", stats)
	}
}

func equal(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// What is not quic-go's must never end a read: it would take (0, nil) for a
// batch that it has read already.
func TestSharedBatchWithoutHTTP3(t *testing.T) {
	c, _, m := sharing(t, "127.0.0.1:0")
	conn, _ := sender(t, c)
	for range 40 {
		put(t, conn, stun())
	}
	late := time.AfterFunc(50*time.Millisecond, func() { _, _ = conn.Write(starting(0x40, 10)) })
	defer late.Stop()
	if got := fetch(t, c, 1); !equal(got, [][]byte{starting(0x40, 10)}) {
		t.Errorf("HTTP/3 got %x", got)
	}
	if n := len(m.taken()); n != 40 {
		t.Errorf("the sink got %d of 40", n)
	}
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	put(t, conn, stun())
	n, err := c.ReadBatch(messages(8), 0)
	if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ReadBatch = %d, %v, want the deadline", n, err)
	}
	if e, ok := err.(net.Error); !ok || !e.Timeout() {
		t.Errorf("%v is no timeout of a socket", err)
	}
	if n, err := c.ReadBatch(nil, 0); n != 0 || err == nil {
		t.Errorf("ReadBatch into nothing = %d, %v", n, err)
	}
}

// More than one call takes must not be lost, and must keep its order.
func TestSharedBatchLongerThanTheReaders(t *testing.T) {
	c, _, m := sharing(t, "127.0.0.1:0")
	conn, from := sender(t, c)
	var want [][]byte
	for i := range 30 {
		b := starting(0x40, i+1)
		want = append(want, b)
		put(t, conn, b, stun())
	}
	if got := fetch(t, c, 30); !equal(got, want) {
		t.Errorf("HTTP/3 got %d datagrams in another order", len(got))
	}
	if n := len(m.taken()); n < 29 {
		t.Errorf("the sink got %d of 30", n)
	}
	put(t, conn, starting(0x41, 99))
	ms := messages(1)
	if n, err := c.ReadBatch(ms, 0); n != 1 || err != nil || ms[0].Addr.String() != from.String() {
		t.Errorf("ReadBatch = %d, %v from %v", n, err, ms[0].Addr)
	}
}

func TestSharedSingleReads(t *testing.T) {
	c, _, m := sharing(t, "127.0.0.1:0")
	conn, from := sender(t, c)
	buf := make([]byte, 1452)
	reads := map[string]func() (int, string, error){
		"ReadFrom": func() (int, string, error) {
			n, a, err := c.ReadFrom(buf)
			return n, fmt.Sprint(a), err
		},
		"ReadFromUDP": func() (int, string, error) {
			n, a, err := c.ReadFromUDP(buf)
			return n, fmt.Sprint(a), err
		},
		"ReadFromUDPAddrPort": func() (int, string, error) {
			n, a, err := c.ReadFromUDPAddrPort(buf)
			return n, fmt.Sprint(a), err
		},
		"ReadMsgUDP": func() (int, string, error) {
			n, _, _, a, err := c.ReadMsgUDP(buf, make([]byte, 128))
			return n, fmt.Sprint(a), err
		},
		"ReadMsgUDPAddrPort": func() (int, string, error) {
			n, _, _, a, err := c.ReadMsgUDPAddrPort(buf, nil)
			return n, fmt.Sprint(a), err
		},
		"Read": func() (int, string, error) {
			n, err := c.Read(buf)
			return n, from.String(), err
		},
	}
	for name, read := range reads {
		before := len(m.taken())
		put(t, conn, stun(), starting(22, 50), starting(0x42, 77))
		n, addr, err := read()
		if err != nil || !bytes.Equal(buf[:n], starting(0x42, 77)) || addr != from.String() {
			t.Errorf("%s = %x from %s, %v", name, buf[:n], addr, err)
		}
		if n := len(m.taken()) - before; n != 2 {
			t.Errorf("%s: the sink got %d of 2", name, n)
		}
	}
}

// Without a sink, HTTP/3 gets all.
func TestSharedWithoutSink(t *testing.T) {
	h := new(Hub)
	pc, err := h.WrapPacketConn(udp(t, "udp4", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := pc.(*sharedConn)
	conn, _ := sender(t, c)
	put(t, conn, stun(), starting(22, 50))
	if got := fetch(t, c, 2); !equal(got, [][]byte{stun(), starting(22, 50)}) {
		t.Errorf("HTTP/3 got %x", got)
	}
	m := new(media)
	detach := h.Attach(m)
	later := new(media)
	defer h.Attach(later)()
	detach() // replaced before: the later one stays
	put(t, conn, stun(), starting(0x40, 1))
	fetch(t, c, 1)
	if len(m.taken()) != 0 || len(later.taken()) != 1 {
		t.Errorf("the sinks got %d and %d", len(m.taken()), len(later.taken()))
	}
}

// Caddy closes the socket, never the wrapper.
func TestSharedSocketIsListedWhileRead(t *testing.T) {
	h := new(Hub)
	var changes atomic.Int32
	stop := h.OnChange(func() { changes.Add(1) })
	inner := udp(t, "udp", "127.0.0.1:0")
	pc, err := h.WrapPacketConn(inner)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.WrapPacketConn(pc); err != nil || again != pc {
		t.Errorf("wrapping twice = %v, %v", again, err)
	}
	if n := len(h.SharedSockets()); n != 1 {
		t.Fatalf("%d sockets are listed", n)
	}
	// A read that somebody gives up takes the socket away until the next one.
	if err := pc.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := pc.(*sharedConn).ReadBatch(messages(8), 0); !errors.Is(err, os.ErrDeadlineExceeded) || len(h.SharedSockets()) != 0 {
		t.Errorf("after %v, %d sockets are listed", err, len(h.SharedSockets()))
	}
	if err := pc.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := pc.(*sharedConn).ReadBatch(messages(8), 0); ended <- err }() // ends with inner
	await(t, func() bool { return len(h.SharedSockets()) == 1 })
	s := h.SharedSockets()[0]
	if s.LocalAddr() != inner.LocalAddr().(*net.UDPAddr).AddrPort() {
		t.Errorf("the socket is at %v", s.LocalAddr())
	}
	if err := errors.Join(s.Close(), s.Read(NewBatch(1))); !errors.Is(err, ErrShared) {
		t.Errorf("Close and Read: %v", err)
	}
	s.Wake()
	if err := s.SetReadDeadline(time.Now()); !errors.Is(err, ErrShared) {
		t.Errorf("SetReadDeadline: %v", err)
	}
	select {
	case err := <-ended:
		t.Fatalf("the media plane has ended HTTP/3: %v", err)
	case <-time.After(30 * time.Millisecond):
	}
	inner.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the read ended with %v", err)
	}
	if n, got := len(h.SharedSockets()), changes.Load(); n != 0 || got != 4 {
		t.Errorf("%d sockets at the end, %d changes", n, got)
	}
	if err := s.WriteTo(stun(), netip.AddrPortFrom(v4, 9), netip.Addr{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("WriteTo: %v", err)
	}
	stop()
	h.addSocket(s)
	if changes.Load() != 4 {
		t.Error("told of a change after the end")
	}
}

func await(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

type foreign struct{ *net.UDPConn }

type seeThrough struct{ net.PacketConn }

func (s seeThrough) Unwrap() net.PacketConn { return s.PacketConn }

func TestSharedDeclines(t *testing.T) {
	inner := udp(t, "udp", "127.0.0.1:0")
	local, err := net.ListenPacket("unixgram", t.TempDir()+"/s")
	if err != nil {
		t.Skip("no Unix sockets here:", err)
	}
	defer local.Close()
	h := new(Hub)
	for name, test := range map[string]struct {
		pc   net.PacketConn
		want error
	}{
		"another wrapper":              {foreign{inner}, ErrNotFirst},
		"a wrapper that can be opened": {seeThrough{inner}, ErrNotFirst},
		"a Unix socket":                {local, ErrNotUDP},
		"nothing":                      {nil, ErrNotUDP},
	} {
		got, err := h.WrapPacketConn(test.pc)
		if got != test.pc || !errors.Is(err, test.want) {
			t.Errorf("%s: %T, %v", name, got, err)
		}
	}
	at := inner.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if err := h.Declined(at); !errors.Is(err, ErrNotFirst) {
		t.Errorf("declined with %v", err)
	}
	if _, err := h.WrapPacketConn(inner); err != nil || h.Declined(at) != nil {
		t.Errorf("the socket itself: %v, %v", err, h.Declined(at))
	}
}
