// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// VirtualPeer is the one address that TURN clients may send to. It stands for
// the media plane and exists nowhere else: it is of the benchmarking range
// (RFC 2544), which no network routes, and its port is one that browsers accept
// on any address. Answers offer it as a candidate to clients that relay.
var VirtualPeer = netip.MustParseAddrPort("198.18.0.1:40000")

// TURNRealm is the realm of the long-term credentials (RFC 8489 section 9.2).
const TURNRealm = "videoroom"

// Limits of the TURN server.
const (
	// TURNLifetime is how long an allocation lives without a Refresh. No client
	// gets another one.
	TURNLifetime = 10 * time.Minute
	// turnPermission and turnChannel are the lifetimes of RFC 8656 sections 9
	// and 12.
	turnPermission = 5 * time.Minute
	turnChannel    = 10 * time.Minute
	// turnIdle ends a connection with an allocation on which nothing comes.
	turnIdle = time.Minute
	// turnNonce is how long a nonce is good.
	turnNonce = time.Hour
	// turnStrikes is how many requests without valid credentials a connection
	// may send.
	turnStrikes = 16
	// turnPerParticipant is how many allocations a participant may have at a
	// time.
	turnPerParticipant = 4
	// turnRate is what a participant may send, and receive, in octets of
	// payload per second; turnBurst is how much of it at once.
	turnRate  = 12_000_000 / 8
	turnBurst = turnRate / 4
	// maxTURN is the longest message, in octets.
	maxTURN = 1600
)

// TURNUser is what a username of the TURN server stands for.
type TURNUser struct {
	// Password is the long-term password.
	Password string
	// Participant is whom quotas and Revoke count by: the same for all
	// usernames of one participant, and nobody else's.
	Participant string
	// Expires is when the username stops being good for new allocations. Those
	// that exist live on, by Refresh, as long as their connection.
	Expires time.Time
}

// TURNAuth knows the users of the TURN server. Its method is called from many
// goroutines, with usernames that anybody may have made up, of at most 1,500
// octets.
type TURNAuth interface {
	// TURNUser returns the user of that name; false: there is none.
	TURNUser(username string) (TURNUser, bool)
}

// TURNOpen makes the media plane's side of a new allocation of a participant.
// deliver sends a packet that comes from VirtualPeer to the client. It may be
// called from any goroutine, never blocks, and returns false where it drops the
// packet: above 12 Mbit/s, with 1 MiB waiting, beyond MaxDatagram octets,
// without a permission from the client, or after the end. An error of TURNOpen
// refuses the allocation; it is the place to do so for a participant who has
// left since their username was made.
type TURNOpen func(participant string, deliver func(b []byte) bool) (Relay, error)

// TURNStats counts what the TURN server did since it began.
type TURNStats struct {
	Allocations int64  // that exist now
	Refused     uint64 // requests without valid credentials, challenges aside
	OverQuota   uint64 // allocations that a participant had too many of
	Denied      uint64 // uses of another peer than VirtualPeer
	Dropped     uint64 // packets in either direction that found no room
}

// TURN is a TURN server (RFC 8656) for browsers that reach the media plane over
// TCP or TLS only. It opens no socket: an allocation is a Relay of the media
// plane, its only peer is VirtualPeer, and what is sent to anybody else goes
// nowhere. Relays over TCP (RFC 6062), IPv6 relays, reserved ports and
// DONT-FRAGMENT are refused. NewTURN makes one.
//
// The relayed addresses that clients are told are of 198.19.0.0/16, with ports
// from 49152: as unroutable as VirtualPeer, and different for each allocation
// until 2^30 of them have been made. Nothing can be sent to them; clients merely
// need one for their candidate.
type TURN struct {
	auth TURNAuth
	open TURNOpen

	unknown waitingRoom // connections without an allocation
	relayed atomic.Uint32

	mu    sync.Mutex
	end   bool
	conns map[*turnConn]struct{}
	users map[string]*turnUser // by participant, while there are allocations

	serving sync.WaitGroup

	allocations                         atomic.Int64
	refused, overQuota, denied, dropped atomic.Uint64
}

// NewTURN returns a TURN server whose users auth knows and whose allocations
// open makes.
func NewTURN(auth TURNAuth, open TURNOpen) *TURN {
	t := &TURN{
		auth:  auth,
		open:  open,
		conns: make(map[*turnConn]struct{}),
		users: make(map[string]*turnUser),
	}
	t.unknown.perSource, t.unknown.all = waitPerSource, waitAll
	t.relayed.Store(rand.Uint32())
	return t
}

// Serve serves one client over conn, of which first has been read, until the
// connection ends: closed by the client, by Revoke or by Close; without an
// allocation for 10 s or silent for a minute; out of frame or with a message
// above 1,600 octets (ErrFrame); after 16 requests without valid credentials.
// Then conn is closed. Its error names no address.
func (t *TURN) Serve(conn net.Conn, first []byte) error {
	c := newTURNConn(t, conn, first)
	if !t.enter(c) {
		conn.Close()
		return net.ErrClosed
	}
	defer t.leave(c)
	return c.serve()
}

// Revoke ends all connections on which the participant has an allocation.
func (t *TURN) Revoke(participant string) {
	t.mu.Lock()
	var conns []*turnConn
	if u := t.users[participant]; u != nil {
		for c := range u.conns {
			conns = append(conns, c)
		}
	}
	t.mu.Unlock()
	for _, c := range conns {
		c.conn.Close()
	}
}

// Close ends all connections and waits until they have ended; Serve refuses new
// ones.
func (t *TURN) Close() {
	t.mu.Lock()
	t.end = true
	var conns []*turnConn
	for c := range t.conns {
		conns = append(conns, c)
	}
	t.mu.Unlock()
	for _, c := range conns {
		c.conn.Close()
	}
	t.serving.Wait()
}

// Stats returns the counters.
func (t *TURN) Stats() TURNStats {
	return TURNStats{
		Allocations: t.allocations.Load(),
		Refused:     t.refused.Load(),
		OverQuota:   t.overQuota.Load(),
		Denied:      t.denied.Load(),
		Dropped:     t.dropped.Load(),
	}
}

func (t *TURN) enter(c *turnConn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end {
		return false
	}
	t.conns[c] = struct{}{}
	t.serving.Add(1)
	return true
}

func (t *TURN) leave(c *turnConn) {
	t.mu.Lock()
	delete(t.conns, c)
	t.mu.Unlock()
	t.serving.Done()
}

// relayedAddr returns the relayed address of a new allocation.
func (t *TURN) relayedAddr() netip.AddrPort {
	n := t.relayed.Add(1)
	ip := [4]byte{198, 19}
	binary.BigEndian.PutUint16(ip[2:], uint16(n))
	return netip.AddrPortFrom(netip.AddrFrom4(ip), 49152+uint16(n>>16)&0x3fff)
}
