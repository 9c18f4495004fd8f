// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"
)

const (
	// openPatience is how long an address in use is tried again, because HTTP/3
	// may be about to let go of it.
	openPatience = time.Second
	// ownBatch is how many datagrams one read of an own socket takes at most.
	ownBatch = 64
)

// ownUDP is the part of the hub that opens UDP ports where HTTP/3 does not. The
// zero ownUDP is ready; the hub's lock guards it.
type ownUDP struct {
	wanted  []netip.AddrPort
	opening []netip.AddrPort // somebody is at it
	outcome func(netip.AddrPort, error)
	// ended are the sockets of HTTP/3 that are no more, but stay in the list
	// until the hub's own has taken over.
	ended []*Socket
}

// OpenUDP makes addrs the UDP addresses that the hub opens and reads itself, in
// place of those of the call before; nil: none. [::] means all addresses of both
// families, 0.0.0.0 all of IPv4. What another program holds is not shared with
// it. HTTP/3 in this process may open the same address beside the hub: as soon as
// WrapPacketConn gets that socket, it takes the place of the hub's, which is
// closed. When HTTP/3 has closed it, the hub opens the address again, and until
// that is done the socket of HTTP/3 stays in Sockets.
//
// outcome is told of each address that has been opened (nil) or could not be,
// now or later, for instance when HTTP/3 has let go of it; from any goroutine,
// one at a time or several. Where opening fails because the address is in use,
// it is tried for another second, and then not before the next call. The errors
// name no address.
func (h *Hub) OpenUDP(addrs []netip.AddrPort, outcome func(addr netip.AddrPort, err error)) {
	var todo []netip.AddrPort
	h.changeSockets(func() {
		o := &h.own
		o.wanted, o.outcome = distinct(addrs), outcome
		h.sockets = slices.DeleteFunc(h.sockets, func(s *Socket) bool { return !s.shared && !o.wants(s.local) })
		for _, a := range o.wanted {
			if !h.has(a) && !slices.Contains(o.opening, a) {
				todo = append(todo, a)
			}
		}
		o.opening = append(o.opening, todo...)
	})
	for _, a := range todo {
		if !h.tryOpening(a, false) {
			go h.insist(a) // ends after openPatience
		}
	}
}

// distinct returns addrs without those that another one covers.
func distinct(addrs []netip.AddrPort) (out []netip.AddrPort) {
	for _, a := range addrs {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		switch i := slices.IndexFunc(out, func(b netip.AddrPort) bool { return sameLocal(a, b) }); {
		case !a.IsValid():
		case i < 0:
			out = append(out, a)
		case a.Addr().Is6():
			out[i] = a // both families instead of one
		}
	}
	return out
}

// sameLocal tells whether a socket on a would get what one on b gets.
func sameLocal(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() &&
		(a.Addr() == b.Addr() || a.Addr().IsUnspecified() && b.Addr().IsUnspecified())
}

func (o *ownUDP) wants(a netip.AddrPort) bool {
	return slices.ContainsFunc(o.wanted, func(b netip.AddrPort) bool { return sameLocal(a, b) })
}

// has tells whether a socket is in place on a. h.mu is held.
func (h *Hub) has(a netip.AddrPort) bool {
	return slices.ContainsFunc(h.sockets, func(s *Socket) bool { return sameLocal(s.local, a) })
}

// changeSockets is change for the list of sockets: it closes those of our own
// that f has taken out, once the watchers know.
func (h *Hub) changeSockets(f func()) {
	var gone []*Socket
	h.change(func() bool {
		before := slices.Clone(h.sockets)
		f()
		for _, s := range before {
			if !slices.Contains(h.sockets, s) {
				gone = append(gone, s)
			}
		}
		return !slices.Equal(before, h.sockets)
	})
	for _, s := range gone {
		_ = s.Close() // does nothing to shared ones
	}
}

// insist tries until HTTP/3 has let go of an address.
func (h *Hub) insist(a netip.AddrPort) {
	begin := time.Now()
	for wait := time.Millisecond; ; wait *= 2 {
		time.Sleep(wait)
		if h.tryOpening(a, time.Since(begin) > openPatience) {
			return
		}
	}
}

// tryOpening opens a once; false: it is in use, and this is not the last try.
func (h *Hub) tryOpening(a netip.AddrPort, last bool) (done bool) {
	h.mu.Lock()
	wanted := h.own.wants(a)
	// Our own sockets on other addresses of that port are no strangers.
	beside := slices.ContainsFunc(h.sockets, func(s *Socket) bool {
		return s.local.Port() == a.Port() && !sameLocal(s.local, a)
	})
	h.mu.Unlock()
	if !wanted {
		h.opened(a, nil, nil)
		return true
	}
	s, err := listenOwn(a, beside)
	if errors.Is(err, syscall.EADDRINUSE) && !last {
		return false
	}
	h.opened(a, s, err)
	return true
}

// opened ends the opening of a: with a socket, an error, or neither, when nobody
// wants it any more.
func (h *Hub) opened(a netip.AddrPort, s *Socket, err error) {
	var outcome func(netip.AddrPort, error)
	var late bool
	h.changeSockets(func() {
		o := &h.own
		o.opening = slices.DeleteFunc(o.opening, func(b netip.AddrPort) bool { return a == b })
		ended := func(s *Socket) bool { return slices.Contains(o.ended, s) && sameLocal(s.local, a) }
		h.sockets = slices.DeleteFunc(h.sockets, ended)
		o.ended = slices.DeleteFunc(o.ended, func(s *Socket) bool { return sameLocal(s.local, a) })
		if late = !o.wants(a) || h.has(a); late {
			return
		}
		outcome = o.outcome
		if s != nil {
			h.sockets = append(h.sockets, s)
		}
	})
	switch {
	case late && s != nil:
		_ = s.Close() // nobody has seen it
	case s != nil:
		go h.serve(s) // ends with the socket
	}
	if outcome != nil {
		outcome(a, err)
	}
}

// serve hands what comes in on an own socket to the sink, until it is closed.
func (h *Hub) serve(s *Socket) {
	b := NewBatch(ownBatch)
	for {
		err := s.Read(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(time.Millisecond) // whatever it is, it must not take a processor
			continue
		}
		if sink := h.Sink(); sink != nil {
			sink.Datagrams(s, b.dgrams[:b.n])
		}
	}
}

// listenOwn opens a so that HTTP/3 may open it too. Unless beside is set it
// fails where anybody else has the port, even if they would share it.
func listenOwn(a netip.AddrPort, beside bool) (*Socket, error) {
	network, host := "udp", a.Addr().String()
	switch {
	case a.Addr().IsUnspecified() && a.Addr().Is4():
		network = "udp4"
	case a.Addr().IsUnspecified():
		host = ""
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return control(c, beside) }}
	pc, err := lc.ListenPacket(context.Background(), network, net.JoinHostPort(host, strconv.Itoa(int(a.Port()))))
	if err != nil {
		return nil, withoutAddress("opening a UDP port", err)
	}
	conn := pc.(*net.UDPConn)
	raw, err := conn.SyscallConn()
	if err == nil {
		err = control(raw, true)
	}
	var s *Socket
	if err == nil {
		s, err = newSocket(conn, a.Addr().IsUnspecified(), false)
	}
	if err != nil {
		_ = conn.Close()
		return nil, withoutAddress("preparing a UDP port", err)
	}
	return s, nil
}

// withoutAddress takes the addresses out of an error of the net package.
func withoutAddress(doing string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	return fmt.Errorf("%s: %w", doing, err)
}
