// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// Sink is the media plane as the listeners see it. Its methods are called from
// many goroutines.
type Sink interface {
	// Datagrams takes RTC datagrams (STUN, DTLS, SRTP) that came in on a socket
	// shared with HTTP/3, or whatever came in on one of the hub's own; via sends
	// the replies. ds and its Data are the caller's again on return. It never
	// blocks.
	Datagrams(via *Socket, ds []Datagram)
	// Known tells whether addr, an IPv4 address never in its IPv6-mapped form,
	// may belong to a running transport: a NAT can move one to another port of
	// the same host at any time. It is called per packet and takes no lock.
	Known(addr netip.AddrPort) bool
	// Stream takes over an ICE-TCP connection whose first frame (RFC 4571,
	// without its length) is given; it returns when the connection has ended.
	Stream(conn net.Conn, first []byte)
	// TLS takes over a connection on which TURN was seen inside Caddy's TLS;
	// first is what has been read of it. It returns when the connection has
	// ended.
	TLS(conn net.Conn, first []byte)
}

// Hub is the process-wide meeting point of Caddy's listeners and the media
// plane. Listeners belong to one configuration, or to one socket, and come and
// go; the media plane outlives them. The zero Hub is ready.
type Hub struct {
	sink atomic.Pointer[attached]

	mu       sync.Mutex
	sockets  []*Socket // shared and our own, oldest first
	own      ownUDP
	tcp      map[netip.AddrPort]*tcp // by local address
	watchers []*watcher              // replaced, never changed in place
	declined map[uint16]error        // by local port

	counters sharedCounters

	split splitState // the TCP side, see split.go
}

// attached gives a sink an identity of its own, so that detaching one does not
// take away its successor.
type attached struct{ Sink }

type watcher struct{ changed func() }

// tcp counts the open listeners on one local address on either side of TLS.
// During a reload there are two generations of them.
type tcp struct{ before, after int }

var shared Hub

// Shared returns the hub of this process.
func Shared() *Hub { return &shared }

// Attach makes s the receiver of what the listeners divert; the returned func
// takes it away again; calls that are under way may still finish after it. A
// second Attach replaces the first. Without a sink the listeners divert
// nothing.
func (h *Hub) Attach(s Sink) (detach func()) {
	a := &attached{s}
	h.sink.Store(a)
	return func() { h.sink.CompareAndSwap(a, nil) }
}

// Sink returns the attached sink, or nil.
func (h *Hub) Sink() Sink {
	if a := h.sink.Load(); a != nil {
		return a.Sink
	}
	return nil
}

// OnChange has f called after each change of Sockets or TCPPorts, from
// the goroutine that made it and perhaps from several at a time: f must return
// soon and may ask the hub. The returned func ends that; a call that is under way may still finish after it.
func (h *Hub) OnChange(f func()) (stop func()) {
	w := &watcher{f}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers = append(slices.Clip(h.watchers), w)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.watchers = slices.DeleteFunc(slices.Clone(h.watchers), func(other *watcher) bool { return other == w })
	}
}

// change runs f under the lock and then tells the watchers, if f says that
// something changed.
func (h *Hub) change(f func() bool) {
	h.mu.Lock()
	changed := f()
	watchers := h.watchers
	h.mu.Unlock()
	if !changed {
		return
	}
	for _, w := range watchers {
		w.changed()
	}
}

// Sockets returns the UDP sockets on the sites' ports now, oldest first: those
// that HTTP/3 shares with us and those that the hub has opened. They send, and
// answer LocalAddr; what comes in on them reaches the sink. The caller may keep
// the slice.
func (h *Hub) Sockets() []*Socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sockets)
}

// SharedSockets returns those of Sockets that HTTP/3 shares with us.
func (h *Hub) SharedSockets() []*Socket {
	return slices.DeleteFunc(h.Sockets(), func(s *Socket) bool { return !s.shared })
}

// addSocket lists a socket of HTTP/3, which takes the place of our own.
func (h *Hub) addSocket(s *Socket) {
	h.changeSockets(func() {
		h.own.ended = slices.DeleteFunc(h.own.ended, func(other *Socket) bool { return other == s })
		h.sockets = slices.DeleteFunc(h.sockets, func(other *Socket) bool {
			return !other.shared && sameLocal(other.local, s.local)
		})
		if !slices.Contains(h.sockets, s) {
			h.sockets = append(h.sockets, s)
		}
	})
}

// removeSocket takes a socket of HTTP/3 out of the list: now, or when our own
// has taken its place.
func (h *Hub) removeSocket(s *Socket) {
	var todo netip.AddrPort
	h.changeSockets(func() {
		o := &h.own
		i := slices.IndexFunc(o.wanted, func(a netip.AddrPort) bool { return sameLocal(a, s.local) })
		other := func(other *Socket) bool { return other != s && sameLocal(other.local, s.local) }
		if i < 0 || slices.ContainsFunc(h.sockets, other) {
			h.sockets = slices.DeleteFunc(h.sockets, func(other *Socket) bool { return other == s })
			return
		}
		o.ended = append(o.ended, s)
		if a := o.wanted[i]; !slices.Contains(o.opening, a) {
			o.opening, todo = append(o.opening, a), a
		}
	})
	if todo.IsValid() {
		go h.insist(todo) // ends after openPatience
	}
}

// addTCP notes an open listener on addr, before or after TLS. The returned func
// notes that it has closed; calling it again does nothing.
func (h *Hub) addTCP(addr netip.AddrPort, beforeTLS bool) (remove func()) {
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	count := func(by int) func() bool {
		return func() bool {
			t := h.tcp[addr]
			if t == nil {
				t = new(tcp)
				if h.tcp == nil {
					h.tcp = make(map[netip.AddrPort]*tcp)
				}
				h.tcp[addr] = t
			}
			was := t.both()
			if beforeTLS {
				t.before += by
			} else {
				t.after += by
			}
			if *t == (tcp{}) {
				delete(h.tcp, addr)
			}
			return t.both() != was
		}
	}
	h.change(count(1))
	var once sync.Once
	return func() { once.Do(func() { h.change(count(-1)) }) }
}

func (t *tcp) both() bool { return t.before > 0 && t.after > 0 }

// TCPPorts returns the local addresses of the TCP listeners that divert to us
// both before and after TLS now, in ascending order. The address part is
// unspecified for all addresses.
func (h *Hub) TCPPorts() []netip.AddrPort {
	h.mu.Lock()
	defer h.mu.Unlock()
	var addrs []netip.AddrPort
	for addr, t := range h.tcp {
		if t.both() {
			addrs = append(addrs, addr)
		}
	}
	slices.SortFunc(addrs, netip.AddrPort.Compare)
	return addrs
}
