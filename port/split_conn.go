// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

// replayConn is a connection of which the beginning has been read: Read returns
// that first.
type replayConn struct {
	net.Conn
	rest []byte
	// kind is what the beginning was.
	kind opening
}

func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 || len(p) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.rest = nil
	}
	return n, nil
}

// ReadFrom keeps sendfile for servers without TLS.
func (c *replayConn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite keeps the half close of TCP for servers without TLS.
func (c *replayConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// NetConn returns the connection below.
func (c *replayConn) NetConn() net.Conn { return c.Conn }

// openingOf returns what the listener before TLS has seen on a connection;
// openingShort where there was none.
func openingOf(conn *tls.Conn) (kind opening) {
	unwrap(conn.NetConn(), func(c net.Conn) bool {
		r, ok := c.(*replayConn)
		if ok {
			kind = r.kind
		}
		return ok
	})
	return kind
}

// strangerConn is an ICE-TCP connection whose client has not proven yet that it
// belongs to a call. The media plane answers nobody else, hence the first Write
// is the proof; until then the connection counts as waiting, and proofTime ends
// it.
type strangerConn struct {
	net.Conn
	once  sync.Once
	place *waiting
	end   *time.Timer
}

func newStrangerConn(conn net.Conn, place *waiting) *strangerConn {
	c := &strangerConn{Conn: conn, place: place}
	c.end = time.AfterFunc(proofTime, func() { conn.Close() })
	return c
}

// known ends the waiting, one way or the other.
func (c *strangerConn) known() {
	c.once.Do(func() {
		c.end.Stop()
		c.place.leave()
	})
}

func (c *strangerConn) Write(p []byte) (int, error) {
	c.known()
	return c.Conn.Write(p)
}

func (c *strangerConn) Close() error {
	c.known()
	return c.Conn.Close()
}

// NetConn returns the connection below.
func (c *strangerConn) NetConn() net.Conn { return c.Conn }

// cookieEnd is how much of a STUN message shows that it is one, in octets.
const cookieEnd = 8

// lazyConn is a TLS connection without ALPN. It belongs to the HTTP server
// until the first octets inside TLS have come. If those are STUN it goes to the
// sink, and the HTTP server sees the end of the stream; from then on it cannot
// touch the connection any more.
type lazyConn struct {
	*tls.Conn
	hub  *Hub
	head []byte // read by us, not yet by the HTTP server; Read's

	mu       sync.Mutex
	decided  bool // it is HTTP's for good
	diverted bool // it is the sink's
	closed   bool // by the HTTP server
}

// Read reads for the HTTP server, which has one reader at a time.
func (c *lazyConn) Read(p []byte) (int, error) {
	if err := c.decide(); err != nil {
		return 0, err
	}
	if len(c.head) == 0 || len(p) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.head)
	if c.head = c.head[n:]; len(c.head) == 0 {
		c.head = nil
	}
	return n, nil
}

// decide reads until it is clear whose the connection is. It returns nil where
// it is HTTP's, io.EOF where it is not.
func (c *lazyConn) decide() error {
	c.mu.Lock()
	decided, diverted := c.decided, c.diverted
	c.mu.Unlock()
	if diverted {
		return io.EOF
	}
	if decided {
		return nil
	}
	buf := make([]byte, streamBuffer)
	for {
		copy(buf, c.head)
		n, err := c.Conn.Read(buf[len(c.head):])
		c.head = buf[:len(c.head)+n]
		if maybe, sure := startsSTUN(c.head); sure {
			if sink := c.hub.Sink(); sink != nil {
				return c.divert(sink)
			}
		} else if maybe && err == nil {
			continue
		}
		c.mu.Lock()
		c.decided = len(c.head) > 0
		c.mu.Unlock()
		if len(c.head) > 0 {
			return nil // an error comes again with the next Read
		}
		return err
	}
}

// startsSTUN tells whether b begins a STUN request, sure, or still may.
func startsSTUN(b []byte) (maybe, sure bool) {
	if len(b) > 0 && b[0] != 0 {
		return false, false
	}
	if len(b) < cookieEnd {
		return true, false
	}
	sure = binary.BigEndian.Uint32(b[4:]) == stunCookie
	return sure, sure
}

func (c *lazyConn) divert(sink Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.diverted = true
	// What the HTTP server has set does not bind the sink, which sets its own
	// before it waits.
	if err := c.Conn.SetDeadline(time.Time{}); err != nil {
		c.diverted = false
		return err
	}
	first := c.head
	c.head = nil
	go sink.TLS(c.Conn, first) // returns when the connection has ended
	return io.EOF
}

// Write fails where the connection is not HTTP's any more.
func (c *lazyConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	diverted := c.diverted
	c.mu.Unlock()
	if diverted {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

// ours runs f, unless the connection is not HTTP's any more. f does not wait.
func (c *lazyConn) ours(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.diverted {
		return nil
	}
	return f()
}

// Close closes the connection while it is HTTP's.
func (c *lazyConn) Close() error {
	c.mu.Lock()
	diverted := c.diverted
	c.closed = true
	c.mu.Unlock()
	if diverted {
		return nil
	}
	return c.Conn.Close() // may wait for the peer, hence without the lock
}

// CloseWrite sends close_notify while the connection is HTTP's.
func (c *lazyConn) CloseWrite() error {
	c.mu.Lock()
	diverted := c.diverted
	c.mu.Unlock()
	if diverted {
		return nil
	}
	return c.Conn.CloseWrite()
}

func (c *lazyConn) SetDeadline(t time.Time) error {
	return c.ours(func() error { return c.Conn.SetDeadline(t) })
}

func (c *lazyConn) SetReadDeadline(t time.Time) error {
	return c.ours(func() error { return c.Conn.SetReadDeadline(t) })
}

func (c *lazyConn) SetWriteDeadline(t time.Time) error {
	return c.ours(func() error { return c.Conn.SetWriteDeadline(t) })
}
