// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import "github.com/caddy-videoroom/videoroom/sfu/internal/allocation"

// Limit bounds what the client receives to a rate in bit/s, sound included; 0 is
// no bound. It holds pictures back and never sound, also where sound alone takes
// more.
func (p *Peer) Limit(rate uint32) {
	if p.closed {
		return
	}
	t := p.outgoing()
	p.room.post(func(c *core) {
		t.saver = rate
		t.allocate(c)
	})
}

// saving is what the client's own bound leaves for pictures beside sound; 0 where
// there is no bound. The smallest bound that is one leaves them nothing.
func (t *transport) saving(sound uint32) uint32 {
	if t.saver == 0 {
		return 0
	}
	return max(1, allocation.Video(t.saver, sound))
}

// within bounds what is probed for: a path needs not be known beyond what its
// owner wants of it.
func (a *allotment) within(wish uint32) uint32 {
	if a.in.Saver == 0 {
		return wish
	}
	return min(wish, a.in.Saver)
}
