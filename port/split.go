// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// sniffTime is what a connection has for its first octets.
	sniffTime = 5 * time.Second
	// handshakeTime is what it has for a TLS handshake that we wait for.
	handshakeTime = 10 * time.Second
	// proofTime is what an ICE-TCP connection has to prove that it belongs to
	// a call.
	proofTime = 5 * time.Second

	waitPerSource, waitAll         = 100, 5000
	strangersPerSource, strangeAll = 10, 1000
)

// splitState is the part of the hub that serves TCP. The zero splitState is
// ready.
type splitState struct {
	once      sync.Once
	half      waitingRoom // have not said yet what they are
	strangers waitingRoom // are ICE-TCP, but not proven to belong to a call

	mu        sync.Mutex
	listeners []*splitListener // oldest first
}

func (s *splitState) init() {
	s.once.Do(func() {
		s.half.perSource, s.half.all = waitPerSource, waitAll
		s.strangers.perSource, s.strangers.all = strangersPerSource, strangeAll
	})
}

// WrapBeforeTLS returns a listener for the place before TLS: what begins with a
// STUN Binding request in RFC 4571 framing (ICE-TCP, RFC 6544) goes to the
// sink, everything else comes out of Accept with all its octets. ClientHellos
// are looked at for WrapAfterTLS's sake.
//
// Accept returns connections in the order in which they say what they are. A
// connection has 5 s to do so; at most 100 of one source (an IPv4 address or an
// IPv6 /64) and 5,000 in all may be waited for, then the oldest are closed.
// Closing the listener ends neither diverted connections nor those that are
// waited for: the latter come out of the listener that has taken over the
// address, if there is one. A listener that is wrapped already is returned as it
// is.
func (h *Hub) WrapBeforeTLS(ln net.Listener) net.Listener {
	return h.wrap(ln, true)
}

// WrapAfterTLS returns a listener for the place after TLS. A connection whose
// client offers ALPN comes out of Accept as the *tls.Conn that it is. One
// without, or with HTTP/1.1 alone, comes out as a net.Conn with the method
// ConnectionState, and goes to the sink if the first octets inside TLS are STUN:
// then its Read returns io.EOF and closing it does nothing. Where WrapBeforeTLS has not seen the ClientHello
// the listener completes the handshake itself, within 10 s and the same bounds,
// and goes by the protocol negotiated. Connections without TLS come out as they
// are. A listener that is wrapped already is returned as it is.
func (h *Hub) WrapAfterTLS(ln net.Listener) net.Listener {
	return h.wrap(ln, false)
}

func (h *Hub) wrap(ln net.Listener, before bool) net.Listener {
	if same, ok := ln.(*splitListener); ok && same.before == before {
		return ln
	}
	h.split.init()
	l := &splitListener{
		Listener: ln,
		hub:      h,
		before:   before,
		ready:    make(chan net.Conn),
		failed:   make(chan error),
		done:     make(chan struct{}),
		forget:   func() {},
	}
	if l.addr = addrPortOf(ln.Addr()); l.addr.IsValid() {
		l.forget = h.addTCP(l.addr, before)
	}
	h.split.mu.Lock()
	defer h.split.mu.Unlock()
	h.split.listeners = append(h.split.listeners, l)
	return l
}

// splitListener is the listener of either place.
type splitListener struct {
	net.Listener
	hub    *Hub
	before bool
	addr   netip.AddrPort
	forget func()

	start  sync.Once
	ready  chan net.Conn
	failed chan error
	close  sync.Once
	done   chan struct{} // closed by Close
}

// Accept returns the next connection. The first call begins to take connections
// from the listener below.
func (l *splitListener) Accept() (net.Conn, error) {
	l.start.Do(func() {
		go l.run() // ends after Close
	})
	select {
	case <-l.done:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.ready:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close closes the listener below; Accept returns net.ErrClosed.
func (l *splitListener) Close() error {
	err := l.Listener.Close()
	l.close.Do(func() {
		l.hub.split.remove(l)
		close(l.done)
		l.forget()
	})
	return err
}

func (s *splitState) remove(l *splitListener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = slices.DeleteFunc(s.listeners, func(other *splitListener) bool { return other == l })
}

// successor returns the listener that has taken over l's place.
func (s *splitState) successor(l *splitListener) *splitListener {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range slices.Backward(s.listeners) {
		if l.addr.IsValid() && other.addr == l.addr && other.before == l.before {
			return other
		}
	}
	return nil
}

// run takes connections from the listener below. An error goes to who calls
// Accept, and that sets the pace.
func (l *splitListener) run() {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			select {
			case l.failed <- err:
				continue
			case <-l.done:
				return
			}
		}
		if l.before {
			place := l.hub.split.half.enter(c)
			go l.sniff(c, place) // ends after sniffTime, or when place is taken away, and after deliver
			continue
		}
		l.afterTLS(c)
	}
}

// deliver waits until somebody accepts c.
func (l *splitListener) deliver(c net.Conn) {
	for at := l; at != nil; at = l.hub.split.successor(at) {
		select {
		case at.ready <- c:
			return
		case <-at.done:
		}
	}
	c.Close()
}

// sniff finds out what c is and brings it where it belongs.
func (l *splitListener) sniff(c net.Conn, place *waiting) {
	defer place.leave()
	b, kind, err := readOpening(c, place)
	if err != nil {
		c.Close()
		return
	}
	if kind == openingICE {
		if sink := l.hub.Sink(); sink != nil {
			l.hub.split.stranger(sink, c, b)
			return
		}
	}
	l.deliver(&replayConn{Conn: c, rest: b, kind: kind})
}

// readOpening reads from c until it is clear what it is.
func readOpening(c net.Conn, place *waiting) (b []byte, kind opening, err error) {
	if err := c.SetReadDeadline(time.Now().Add(sniffTime)); err != nil {
		return nil, openingShort, err
	}
	// This may wait: behind a proxy the address comes with the first octets.
	place.from(c.RemoteAddr())
	b = make([]byte, 0, 2048)
	for {
		kind, need := classify(b)
		if kind != openingShort {
			return b, kind, c.SetReadDeadline(time.Time{})
		}
		for len(b) < need {
			// Room follows what has come, not what is announced.
			b = slices.Grow(b, 1)
			n, err := c.Read(b[len(b):cap(b)])
			if b = b[:len(b)+n]; n == 0 && err != nil {
				return nil, openingShort, err
			}
		}
	}
}

// stranger hands an ICE-TCP connection of which b has been read to the sink.
func (s *splitState) stranger(sink Sink, c net.Conn, b []byte) {
	place := s.strangers.enter(c)
	place.from(c.RemoteAddr())
	end := frameHeader + int(b[0])<<8 + int(b[1])
	conn := newStrangerConn(&replayConn{Conn: c, rest: b[end:], kind: openingICE}, place)
	go func() { // ends with the connection
		defer conn.known()
		sink.Stream(conn, b[frameHeader:end:end])
	}()
}

// afterTLS brings c where it belongs, by what its client offers.
func (l *splitListener) afterTLS(c net.Conn) {
	t, ok := c.(*tls.Conn)
	if !ok {
		l.deliver(c)
		return
	}
	switch openingOf(t) {
	case openingTLS:
		l.deliver(t)
	case openingTLSPlain:
		l.deliver(&lazyConn{Conn: t, hub: l.hub})
	default:
		place := l.hub.split.half.enter(t)
		go l.shakeHands(t, place) // ends after handshakeTime, or when place is taken away, and after deliver
	}
}

// shakeHands completes the handshake of a connection of which nothing is known.
func (l *splitListener) shakeHands(t *tls.Conn, place *waiting) {
	defer place.leave()
	place.from(t.RemoteAddr())
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTime)
	defer cancel()
	err := t.HandshakeContext(ctx)
	protocol := t.ConnectionState().NegotiatedProtocol
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		_ = t.Close() // it was closed when the time had passed
	case err == nil && (protocol == "" || protocol == http11):
		l.deliver(&lazyConn{Conn: t, hub: l.hub})
	default:
		// The HTTP server meets the same error and has an answer to it.
		l.deliver(t)
	}
}
