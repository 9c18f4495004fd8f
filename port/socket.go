// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// bufferSize is asked of the kernel for each direction of a socket, in octets.
const bufferSize = 4 << 20

// maxPayload is the longest UDP payload over IPv4, in octets.
const maxPayload = 65507

// Socket is one UDP socket. Read belongs to one goroutine at a time; Flush may
// run in several, each with an outbox of its own; every other method may be
// called from anywhere.
type Socket struct {
	conn     *net.UDPConn // nil where a bell watches the socket
	local    netip.AddrPort
	wildcard bool
	shared   bool // somebody else reads and closes conn

	// mu guards the read deadline. It is never held while waiting.
	mu       sync.Mutex
	deadline time.Time
	woken    atomic.Bool
	closed   atomic.Bool

	sys socketSys
}

// Listen opens a socket on addr. An unspecified address means all addresses of
// both families where the system has them. With reusePort several sockets may
// share the port where the system supports it. The kernel's buffers are set to
// 4 MiB, or as near as it allows.
func Listen(addr netip.AddrPort, reusePort bool) (*Socket, error) {
	wildcard := !addr.Addr().IsValid() || addr.Addr().IsUnspecified()
	host := ""
	if !wildcard {
		host = addr.Addr().Unmap().String()
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return control(c, reusePort)
	}}
	pc, err := lc.ListenPacket(context.Background(), "udp", net.JoinHostPort(host, strconv.Itoa(int(addr.Port()))))
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	s, err := newSocket(pc.(*net.UDPConn), wildcard, false)
	if err != nil {
		pc.Close()
		return nil, err
	}
	if err := s.hang(); err != nil {
		pc.Close()
		return nil, fmt.Errorf("preparing the socket: %w", err)
	}
	return s, nil
}

// newSocket makes a Socket of conn; unless shared, it takes conn over.
func newSocket(conn *net.UDPConn, wildcard, shared bool) (*Socket, error) {
	la := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s := &Socket{
		conn:     conn,
		local:    netip.AddrPortFrom(la.Addr().Unmap(), la.Port()),
		wildcard: wildcard,
		shared:   shared,
	}
	if err := s.sys.init(s); err != nil {
		return nil, fmt.Errorf("preparing the socket: %w", err)
	}
	return s, nil
}

// Read waits for at least one datagram and fills b with all that are there, as
// far as it has room. It returns os.ErrDeadlineExceeded when the deadline has
// passed or Wake was called, net.ErrClosed after Close, and ErrShared on a
// socket that somebody else reads. On error b is empty.
func (s *Socket) Read(b *Batch) error {
	b.n = 0
	if s.shared {
		return ErrShared
	}
	err := s.read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.awake()
		return os.ErrDeadlineExceeded
	}
	return s.readError(err)
}

func (s *Socket) readError(err error) error {
	switch {
	case err == nil:
		return nil
	case s.closed.Load() || errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	}
	return fmt.Errorf("reading datagrams: %w", err)
}

// SetReadDeadline sets when Read gives up; the zero time means never. It does
// not undo a Wake that no Read has seen yet. A shared socket has no such
// deadline: ErrShared.
func (s *Socket) SetReadDeadline(t time.Time) error {
	if s.shared {
		return ErrShared
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t == s.deadline {
		return nil
	}
	s.deadline = t
	if s.woken.Load() {
		return nil
	}
	return s.setDeadline(t)
}

// Wake makes a blocked Read, or else the next one, return
// os.ErrDeadlineExceeded once. Several calls before that Read count as one.
// The deadline of SetReadDeadline stays as it is. On a shared socket it does
// nothing.
func (s *Socket) Wake() {
	if s.shared || s.woken.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken.Store(true)
	// The only error is that of a closed socket, which ends Read by itself.
	_ = s.setDeadline(time.Unix(1, 0))
}

// awake takes note that a Read has seen Wake.
func (s *Socket) awake() {
	if !s.woken.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken.Store(false)
	_ = s.setDeadline(s.deadline)
}

// Flush sends everything in o and empties it. Datagrams for one Dest keep
// their order; runs of equal length travel through the kernel as one. It never
// waits: what the kernel has no room for, or refuses, is dropped. It returns
// how many datagrams the kernel took and how many were dropped.
func (s *Socket) Flush(o *Outbox) (sent, dropped int) {
	if o.used == 0 {
		return 0, 0
	}
	total := o.used
	sent = s.flush(o)
	o.reset()
	return sent, total - sent
}

// WriteTo sends one datagram without waiting. local is the source address on a
// socket bound to all addresses; invalid: the kernel chooses. Errors are
// ErrDropped, ErrTooBig, ErrAddress, net.ErrClosed or the system's.
func (s *Socket) WriteTo(b []byte, addr netip.AddrPort, local netip.Addr) error {
	if len(b) > maxPayload {
		return ErrTooBig
	}
	err := s.write(b, addr, local)
	switch {
	case err == nil, errors.Is(err, ErrAddress), errors.Is(err, ErrDropped):
		return err
	case s.closed.Load() || errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	}
	return fmt.Errorf("sending a datagram: %w", err)
}

// LocalAddr returns the address that the socket is bound to. The address part
// is unspecified (of IPv6, where both families are served) for all addresses.
func (s *Socket) LocalAddr() netip.AddrPort { return s.local }

// Close closes the socket; a blocked Read returns net.ErrClosed. A shared
// socket is left to its owner.
func (s *Socket) Close() error {
	if s.shared {
		return nil
	}
	s.closed.Store(true)
	return s.close()
}

// GSO tells whether Flush hands runs of datagrams to the kernel as one (UDP
// generic segmentation offload).
func (s *Socket) GSO() bool { return s.sys.segments() }
