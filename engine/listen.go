// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-videoroom/videoroom/port"
	"github.com/caddy-videoroom/videoroom/sfu"
	"github.com/caddy-videoroom/videoroom/signaling"
	"github.com/caddy-videoroom/videoroom/token"
)

var errRemoved = errors.New("the participant has been removed")

// listening connects the media plane to what Caddy's listeners divert from the
// sites' own ports, and to the TCP half of its own: datagrams beside HTTP/3 or
// instead of it, ICE-TCP before TLS, TURN inside it.
type listening struct {
	hub      *port.Hub
	plane    *sfu.Plane
	turn     *port.TURN
	keys     *token.Keys
	refusals *refusals
	detach   func()
	unwatch  func()

	mu      sync.Mutex
	sockets []*port.Socket
}

var (
	_ port.Sink     = (*listening)(nil)
	_ port.TURNAuth = (*listening)(nil)
)

// reachable tells the media plane what else clients may reach it at. It is asked
// from the moment the plane exists, before anything is attached to the hub.
type reachable struct {
	hub *port.Hub
	own atomic.Pointer[port.ICEListener] // the TCP half of the plane's own port
}

// reach lists our own port before those of the sites: it takes nothing from
// HTTP/3, and clients that refuse port 443 on private addresses take it.
func (r *reachable) reach() (at sfu.Reach) {
	if own := r.own.Load(); own != nil {
		at.TCP = append(at.TCP, own.LocalAddr())
	}
	for _, s := range r.hub.Sockets() {
		at.UDP = append(at.UDP, s.LocalAddr())
	}
	sites := r.hub.TCPPorts()
	if len(sites) > 0 {
		at.Relayed = port.VirtualPeer
	}
	at.TCP = append(at.TCP, sites...)
	return at
}

func listen(hub *port.Hub, plane *sfu.Plane, keys *token.Keys, r *refusals) *listening {
	l := &listening{hub: hub, plane: plane, keys: keys, refusals: r}
	l.turn = port.NewTURN(l, l.open)
	l.sockets = hub.Sockets()
	l.unwatch = hub.OnChange(l.changed)
	l.detach = hub.Attach(l)
	return l
}

func (l *listening) close() {
	l.unwatch()
	l.detach()
	l.turn.Close()
}

// changed tells the plane which sockets are gone, and what has taken their place.
// It holds the lock to the end, so that the plane learns of changes in their order.
func (l *listening) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.sockets
	l.sockets = l.hub.Sockets()
	for _, s := range before {
		if slices.Contains(l.sockets, s) {
			continue
		}
		if next := successor(s, l.sockets); next != nil {
			l.plane.Takeover(s, next)
		} else {
			l.plane.Forget(s)
		}
	}
}

// successor returns the socket that gets what gone would get now: on the same
// address, else on the same port.
func successor(gone *port.Socket, sockets []*port.Socket) (next *port.Socket) {
	for _, s := range sockets {
		switch at := s.LocalAddr(); {
		case at == gone.LocalAddr():
			return s
		case at.Port() == gone.LocalAddr().Port():
			next = s
		}
	}
	return next
}

// Datagrams implements port.Sink.
func (l *listening) Datagrams(via *port.Socket, ds []port.Datagram) { l.plane.Datagrams(via, ds) }

// Known implements port.Sink.
func (l *listening) Known(a netip.AddrPort) bool { return l.plane.Known(a) }

// Stream implements port.Sink. How a stream ended concerns nobody: the client
// finds another path.
func (l *listening) Stream(conn net.Conn, first []byte) {
	_ = port.ServeFramed(conn, first, func(deliver func([]byte) bool) (port.Relay, error) {
		return linkRelay{l.plane.OpenLink(deliver)}, nil
	})
}

// TLS implements port.Sink.
func (l *listening) TLS(conn net.Conn, first []byte) { _ = l.turn.Serve(conn, first) }

// open makes the plane's side of a TURN allocation.
func (l *listening) open(participant string, deliver func([]byte) bool) (port.Relay, error) {
	if l.refusals.has("", "", participant) {
		return nil, errRemoved
	}
	return linkRelay{l.plane.OpenRelay(deliver)}, nil
}

// TURNUser implements port.TURNAuth.
func (l *listening) TURNUser(username string) (port.TURNUser, bool) {
	password, participant, expires, ok := l.keys.RelayUser(username)
	return port.TURNUser{Password: password, Participant: participant, Expires: expires}, ok
}

// revoke ends a removed participant's allocations for good.
func (l *listening) revoke(site, room, identity string) {
	who := l.keys.RelayParticipant(site, "/"+room, identity) // the realm of our own admission is empty
	l.refusals.add("", "", who)
	l.turn.Revoke(who)
}

// linkRelay is a link of the media plane as streams and relays see it.
type linkRelay struct{ *sfu.Link }

// Send implements port.Relay.
func (r linkRelay) Send(b []byte) bool { r.Receive(b); return true }

// relays lists what a participant whose page came from origin may be relayed by.
func (l *listening) relays(origin, site, room, identity string) []signaling.Relay {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" {
		return nil
	}
	at := 443
	if p := u.Port(); p != "" {
		if at, err = strconv.Atoi(p); err != nil {
			return nil
		}
	}
	offered := slices.ContainsFunc(l.hub.TCPPorts(), func(a netip.AddrPort) bool { return int(a.Port()) == at })
	if !offered {
		return nil
	}
	name, password := l.keys.Relay(site, room, identity, time.Now())
	return []signaling.Relay{{
		URL:      "turns:" + net.JoinHostPort(u.Hostname(), strconv.Itoa(at)) + "?transport=tcp",
		Username: name, Credential: password,
	}}
}
