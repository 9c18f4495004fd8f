// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"

	"github.com/caddy-videoroom/videoroom/port"
)

// Takeover tells that next has taken the place of old, a socket of Datagrams on
// the same port that is closed or soon will be. Clients see no difference where
// next is bound to the same address or to all, so their transports go on there at
// once; for the others it is Forget.
func (p *Plane) Takeover(old, next *port.Socket) {
	for _, l := range p.loops {
		l.post(func(*core) { l.takeover(old, next) })
	}
}

func (l *loop) takeover(old, next *port.Socket) {
	from := l.shared[old]
	if from == nil {
		return
	}
	delete(l.shared, old)
	to := l.shared[next]
	if to == nil {
		to = newSockBox(next, l.stats)
		l.shared[next] = to
	}
	at := next.LocalAddr().Addr()
	l.core.moveVia(from, to, func(local netip.Addr) bool { return at.IsUnspecified() || local == at })
	l.core.dropVia(from)
}

// moveVia moves the paths through one outbox, where they fit, to another.
func (c *core) moveVia(from, to outbox, fits func(local netip.Addr) bool) {
	for t := range c.all {
		for i := range t.paths {
			p := &t.paths[i]
			if p.via != from || !fits(p.local) {
				continue
			}
			selected := t.on(p.addr, from)
			// A check may have come in over there before.
			if q := t.path(p.addr, to); q != nil {
				q.nominated = q.nominated || p.nominated
				p = q
			} else {
				p.via = to
			}
			if selected {
				t.via = to
				t.dest.Set(p.addr, p.local)
			}
		}
	}
}
