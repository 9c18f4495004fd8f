// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// waitingRoom bounds how many connections that have not shown yet what they are
// may exist at a time, per source and in all. Where there is no room left, the
// oldest connection, of that source or of all, is closed in favour of the new
// one: who is honest gets out of here within a round trip.
type waitingRoom struct {
	perSource, all int

	mu      sync.Mutex
	oldest  list.List // of *waiting
	sources map[netip.Prefix]*list.List
}

// waiting is one connection in a waitingRoom.
type waiting struct {
	conn net.Conn
	room *waitingRoom

	// Guarded by room.mu.
	left       bool
	el         *list.Element // in room.oldest
	source     netip.Prefix  // invalid until it is known
	elOfSource *list.Element // in room.sources[source]
}

// enter adds conn, whose source is not known yet.
func (r *waitingRoom) enter(conn net.Conn) *waiting {
	w := &waiting{conn: conn, room: r}
	r.mu.Lock()
	w.el = r.oldest.PushBack(w)
	var out *waiting
	if r.oldest.Len() > r.all {
		out = r.oldest.Front().Value.(*waiting)
		r.remove(out)
	}
	r.mu.Unlock()
	if out != nil {
		out.conn.Close()
	}
	return w
}

// from tells where w comes from. Addresses that are not of the internet count
// in all only.
func (w *waiting) from(addr net.Addr) {
	source, ok := sourceOf(addr)
	if !ok {
		return
	}
	if out := w.room.place(w, source); out != nil {
		out.conn.Close()
	}
}

func (r *waitingRoom) place(w *waiting, source netip.Prefix) (out *waiting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.left || w.source.IsValid() {
		return nil
	}
	l := r.sources[source]
	if l == nil {
		l = list.New()
		if r.sources == nil {
			r.sources = make(map[netip.Prefix]*list.List)
		}
		r.sources[source] = l
	}
	w.source, w.elOfSource = source, l.PushBack(w)
	if l.Len() > r.perSource {
		out = l.Front().Value.(*waiting)
		r.remove(out)
	}
	return out
}

// leave takes w out: it has shown what it is, or has ended. Leaving again does
// nothing.
func (w *waiting) leave() {
	w.room.mu.Lock()
	defer w.room.mu.Unlock()
	w.room.remove(w)
}

func (r *waitingRoom) remove(w *waiting) {
	if w.left {
		return
	}
	w.left = true
	r.oldest.Remove(w.el)
	if !w.source.IsValid() {
		return
	}
	l := r.sources[w.source]
	l.Remove(w.elOfSource)
	if l.Len() == 0 {
		delete(r.sources, w.source)
	}
}

// len returns how many connections are waiting.
func (r *waitingRoom) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.oldest.Len()
}

// sourceOf returns what counts as one source: an IPv4 address or an IPv6 /64.
func sourceOf(addr net.Addr) (netip.Prefix, bool) {
	ip := addrPortOf(addr).Addr().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, err := ip.Prefix(bits)
	return p, err == nil && p.IsValid()
}

// addrPortOf returns the address of a TCP connection or listener, IPv4 never in
// its IPv6-mapped form; invalid for anything else.
func addrPortOf(addr net.Addr) netip.AddrPort {
	t, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
