// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	pion "github.com/pion/stun/v4"
)

// errTURNEnd ends a connection whose client has used up our patience.
var errTURNEnd = errors.New("too many requests without valid credentials")

// turnConn is one client's connection. Its fields belong to the goroutine of
// Serve, but for those that say otherwise.
type turnConn struct {
	t      *TURN
	conn   net.Conn
	client netip.AddrPort // as the client's packets arrive here
	r      turnReader
	q      *sendQueue // any goroutine
	place  *waiting   // while there is no allocation
	idle   idleDeadline
	begun  time.Time // when the connection was last without an allocation
	now    time.Time // when the message under way came

	msg     pion.Message
	nonce   string
	nonceAt time.Time
	strikes int

	alloc *allocation
}

// allocation is the one allocation of a connection.
type allocation struct {
	c           *turnConn
	username    string
	key         pion.MessageIntegrity
	participant string
	user        *turnUser
	relay       Relay
	until       time.Time

	// channel is the number bound to VirtualPeer, 0 for none; permitted tells
	// that the client expects packets from there. Serve writes them, deliver
	// reads them.
	channel                       atomic.Uint32
	permitted                     atomic.Bool
	channelUntil, permissionUntil time.Time
}

func newTURNConn(t *TURN, conn net.Conn, first []byte) *turnConn {
	c := &turnConn{t: t, conn: conn, idle: idleDeadline{conn: conn}}
	c.client = addrPortOf(conn.RemoteAddr())
	if !c.client.IsValid() {
		c.client = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	c.r.r = bufio.NewReaderSize(replayed(first, conn), streamBuffer)
	return c
}

// serve runs the connection to its end.
func (c *turnConn) serve() error {
	c.q = newSendQueue(c.conn)
	defer c.q.close()
	c.stayOut()
	defer func() { c.place.leave() }()
	defer c.deallocate()
	for {
		if err := c.idle.extend(c.deadline()); err != nil {
			return endOfStream("reading a TURN stream", err)
		}
		b, isChannel, err := c.r.next()
		if err != nil {
			return endOfStream("reading a TURN stream", err)
		}
		c.now = time.Now()
		c.expire()
		if isChannel {
			c.channelData(b)
		} else if err := c.message(b); err != nil {
			return err
		}
	}
}

// stayOut makes the connection one without an allocation.
func (c *turnConn) stayOut() {
	c.begun = time.Now()
	c.now = c.begun
	c.place = c.t.unknown.enter(c.conn)
	c.place.from(c.conn.RemoteAddr())
}

// deadline returns when the connection ends if nothing comes.
func (c *turnConn) deadline() time.Time {
	if c.alloc == nil {
		return c.begun.Add(handshakeTime)
	}
	idle := c.now.Add(turnIdle)
	if idle.Before(c.alloc.until) {
		return idle
	}
	return c.alloc.until
}

// expire ends what has not been refreshed in time.
func (c *turnConn) expire() {
	a := c.alloc
	if a == nil {
		return
	}
	if !c.now.Before(a.until) {
		c.deallocate()
		c.stayOut()
		return
	}
	if a.permitted.Load() && !c.now.Before(a.permissionUntil) {
		a.permitted.Store(false)
	}
	if a.channel.Load() != 0 && !c.now.Before(a.channelUntil) {
		a.channel.Store(0)
	}
}

// deallocate ends the allocation, if there is one.
func (c *turnConn) deallocate() {
	a := c.alloc
	if a == nil {
		return
	}
	c.alloc = nil
	a.permitted.Store(false)
	a.relay.Close()
	c.t.release(a.participant, c)
	c.t.allocations.Add(-1)
}

// channelData takes a ChannelData message (RFC 8656 section 12.4).
func (c *turnConn) channelData(b []byte) {
	if c.alloc == nil || uint32(binary.BigEndian.Uint16(b)) != c.alloc.channel.Load() {
		return
	}
	c.alloc.send(b[channelHeader:])
}

// permit installs or refreshes the permission for VirtualPeer.
func (a *allocation) permit(now time.Time) {
	a.permissionUntil = now.Add(turnPermission)
	a.permitted.Store(true)
}

// send passes a packet for VirtualPeer on.
func (a *allocation) send(b []byte) {
	if !a.permitted.Load() {
		return
	}
	if len(b) > MaxDatagram || !a.user.up.take(len(b), a.c.now) || !a.relay.Send(b) {
		a.c.t.dropped.Add(1)
	}
}

// deliver sends a packet that comes from VirtualPeer to the client, from any
// goroutine.
func (a *allocation) deliver(b []byte) bool {
	if !a.permitted.Load() {
		return false
	}
	if len(b) > MaxDatagram || !a.user.down.take(len(b), time.Now()) || !a.queue(b) {
		a.c.t.dropped.Add(1)
		return false
	}
	return true
}

func (a *allocation) queue(b []byte) bool {
	pad := -len(b) & 3
	channel := a.channel.Load()
	if channel == 0 {
		head := dataIndication(len(b))
		return a.c.q.add(head[:], b, pad)
	}
	var head [channelHeader]byte
	binary.BigEndian.PutUint16(head[:], uint16(channel))
	binary.BigEndian.PutUint16(head[2:], uint16(len(b)))
	return a.c.q.add(head[:], b, pad)
}
