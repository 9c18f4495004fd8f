// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"syscall"

	"golang.org/x/net/ipv4"
)

// NewSharedSocket makes a Socket for sending on conn, which stays somebody
// else's: Read and SetReadDeadline refuse, Wake and Close do nothing. Where
// the system cannot be asked not to wait, a send may wait for it.
func NewSharedSocket(conn *net.UDPConn) (*Socket, error) {
	la, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, ErrNotUDP
	}
	return newSocket(conn, la.IP.IsUnspecified(), true)
}

// WrapPacketConn makes pc, the UDP socket of an HTTP/3 server, carry RTC too:
// what it returns hands RTC datagrams to the sink and everything else to its
// reader. It keeps what makes HTTP/3 fast: batches, segmentation offload and
// ECN. The socket is listed in SharedSockets from now to the first read that
// fails.
//
// A pc that is already wrapped is returned as it is. On error, which Declined
// keeps, pc is returned untouched and is not shared: ErrNotFirst, ErrNotUDP or
// the system's.
func (h *Hub) WrapPacketConn(pc net.PacketConn) (net.PacketConn, error) {
	if c, ok := pc.(*sharedConn); ok {
		return c, nil
	}
	c, err := h.share(pc)
	if err != nil {
		err = fmt.Errorf("sharing the socket of HTTP/3: %w", err)
	}
	h.decline(pc, err)
	if err != nil {
		return pc, err
	}
	c.listed = true
	h.addSocket(c.sock)
	return c, nil
}

func (h *Hub) share(pc net.PacketConn) (*sharedConn, error) {
	conn, err := bare(pc)
	if err != nil {
		return nil, err
	}
	s, err := NewSharedSocket(conn)
	if err != nil {
		return nil, err
	}
	c := &sharedConn{UDPConn: conn, outer: pc, hub: h, sock: s}
	c.in.init()
	return c, nil
}

// decline notes err, or that there is none, for pc's port if it has one.
func (h *Hub) decline(pc net.PacketConn, err error) {
	if pc == nil {
		return
	}
	addr, ok := pc.LocalAddr().(*net.UDPAddr)
	if !ok {
		return
	}
	at := addr.AddrPort().Port()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		delete(h.declined, at)
		return
	}
	if h.declined == nil {
		h.declined = make(map[uint16]error)
	}
	h.declined[at] = err
}

// Declined returns why the last WrapPacketConn on a local port did not share
// its socket, or nil when it did.
func (h *Hub) Declined(port uint16) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.declined[port]
}

// caddyPath is the package of the connections that may be seen through. What
// another package has put around the socket changes what is read from it.
const caddyPath = "github.com/caddyserver/caddy/v2"

// bare returns the socket inside Caddy's own wrappings.
func bare(pc net.PacketConn) (*net.UDPConn, error) {
	for {
		if conn, ok := pc.(*net.UDPConn); ok {
			return conn, nil
		}
		t := reflect.TypeOf(pc)
		for t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		inner, ok := pc.(interface{ Unwrap() net.PacketConn })
		switch {
		case t == nil:
			return nil, ErrNotUDP
		case t.PkgPath() != caddyPath && t.PkgPath() != "net":
			return nil, ErrNotFirst
		case !ok:
			return nil, ErrNotUDP
		}
		pc = inner.Unwrap()
	}
}

// sharedConn is what HTTP/3 reads instead of the socket. quic-go keeps its fast
// path because the socket's methods are there and because ReadBatch is our own:
// otherwise it would read the file descriptor past us. The caller of a read
// does the dividing, so no goroutine stands between the kernel and either side.
type sharedConn struct {
	*net.UDPConn
	outer net.PacketConn // Caddy's, which counts the users of the address
	hub   *Hub
	sock  *Socket

	// mu is a reader's turn. Nothing but reading takes it, so that the sink may
	// be called, and the kernel waited for, while it is held.
	mu     sync.Mutex
	listed bool   // in the hub; guarded by mu
	in     intake // guarded by mu
}

// packet is one datagram for HTTP/3. It holds until the next read.
type packet struct {
	data, oob []byte
	flags     int
	addr      netip.AddrPort // as the socket's family has it
}

var errNoBuffers = errors.New("no buffers to read into")

// ReadBatch waits for at least one datagram for HTTP/3 and fills ms with those
// that are there, each message in its own buffers. It never returns 0 and no
// error. Flags are not supported.
func (c *sharedConn) ReadBatch(ms []ipv4.Message, _ int) (int, error) {
	if len(ms) == 0 {
		return 0, c.failed(errNoBuffers)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range ms {
		if i > 0 && c.in.idle() {
			return i, nil
		}
		p, err := c.next()
		if err != nil {
			return 0, err
		}
		c.fill(&ms[i], p)
	}
	return len(ms), nil
}

// fill copies p into m. Nothing but copying will do: quic-go owns the buffers
// of each message by its place in the batch.
func (c *sharedConn) fill(m *ipv4.Message, p packet) {
	m.N = 0
	for _, b := range m.Buffers {
		m.N += copy(b, p.data[m.N:])
	}
	m.Flags = p.flags
	m.NN = 0
	if len(p.oob) <= len(m.OOB) {
		m.NN = copy(m.OOB, p.oob)
	} else {
		m.Flags |= flagControlCut
	}
	if m.N < len(p.data) {
		m.Flags |= flagCut
	}
	m.Addr = c.in.senders.udpAddr(p.addr)
}

// next waits for a datagram for HTTP/3 and keeps the hub's list of sockets:
// Caddy ends a socket by closing it below us, so that its end is seen here and
// nowhere else. c.mu is held.
func (c *sharedConn) next() (packet, error) {
	if !c.listed {
		c.listed = true
		c.hub.addSocket(c.sock)
	}
	p, err := c.await()
	if err != nil {
		c.listed = false
		c.hub.removeSocket(c.sock)
		return packet{}, c.failed(err)
	}
	return p, nil
}

// failed makes err what the reader of a UDP socket expects.
func (c *sharedConn) failed(err error) error {
	if opErr, ok := errors.AsType[*net.OpError](err); ok {
		err = opErr.Err
	}
	return &net.OpError{Op: "read", Net: "udp", Source: c.LocalAddr(), Err: err}
}

// ReadMsgUDPAddrPort reads one datagram for HTTP/3.
func (c *sharedConn) ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.next()
	if err != nil {
		return 0, 0, 0, netip.AddrPort{}, err
	}
	n, flags = copy(b, p.data), p.flags
	if len(p.oob) <= len(oob) {
		oobn = copy(oob, p.oob)
	} else {
		flags |= flagControlCut
	}
	if n < len(p.data) {
		flags |= flagCut
	}
	return n, oobn, flags, p.addr, nil
}

// ReadMsgUDP reads one datagram for HTTP/3.
func (c *sharedConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	n, oobn, flags, from, err := c.ReadMsgUDPAddrPort(b, oob)
	if err != nil {
		return 0, 0, 0, nil, err
	}
	return n, oobn, flags, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromUDPAddrPort reads one datagram for HTTP/3.
func (c *sharedConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, _, _, addr, err := c.ReadMsgUDPAddrPort(b, nil)
	return n, addr, err
}

// ReadFromUDP reads one datagram for HTTP/3.
func (c *sharedConn) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	n, _, _, addr, err := c.ReadMsgUDP(b, nil)
	return n, addr, err
}

// ReadFrom reads one datagram for HTTP/3.
func (c *sharedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := c.ReadFromUDP(b)
	if err != nil {
		return 0, nil, err
	}
	return n, addr, nil
}

// Read reads one datagram for HTTP/3.
func (c *sharedConn) Read(b []byte) (int, error) {
	n, _, err := c.ReadFromUDPAddrPort(b)
	return n, err
}

// Close closes the socket as Caddy knows it.
func (c *sharedConn) Close() error { return c.outer.Close() }

// senders remembers the addresses in the form in which quic-go wants them, so
// that a connection in full flow does not make a new one for each packet.
// Whoever gets one must not change it.
type senders [64]struct {
	from netip.AddrPort
	addr *net.UDPAddr
}

func (s *senders) udpAddr(from netip.AddrPort) *net.UDPAddr {
	ip := from.Addr().As16()
	entry := &s[(ip[15]^ip[7]^byte(from.Port()>>8)^byte(from.Port()))%byte(len(s))]
	if entry.addr == nil || entry.from != from {
		entry.from, entry.addr = from, net.UDPAddrFromAddrPort(from)
	}
	return entry.addr
}

// What quic-go looks for; without net.PacketConn's and the socket's methods it
// would leave its fast path.
var _ interface {
	net.PacketConn
	SyscallConn() (syscall.RawConn, error)
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
	ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error)
	WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error)
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
} = (*sharedConn)(nil)
