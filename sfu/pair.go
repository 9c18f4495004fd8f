// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

// pair makes one state of a peer's two transports: the peer is new as long as
// the primary transport is, and then in the worse of the two states. The other
// one counts from when it was first connected, or failed to. It belongs to the
// room's core.
type pair struct {
	PeerEvents
	primary, other PeerState
	told           PeerState
}

// half is what one transport of a pair tells its events.
type half struct {
	*pair
	state *PeerState
}

// PeerState implements PeerEvents.
func (h half) PeerState(s PeerState) {
	*h.state = s
	if now := h.combined(); now != h.told && h.told != PeerClosed {
		h.told = now
		h.PeerEvents.PeerState(now)
	}
}

func (p *pair) combined() PeerState {
	if p.primary == PeerNew && p.other != PeerClosed {
		return PeerNew
	}
	return max(p.primary, p.other)
}

// couple tells two transports of one peer of each other. people counts them as
// one; primary speaks for both.
func couple(primary, other *transport, events PeerEvents) {
	p := &pair{PeerEvents: events}
	primary.events, other.events = half{p, &p.primary}, half{p, &p.other}
	primary.mate, other.mate = other, primary
	other.second = true
}

// count notes that one transport more, or less, is in the core; its peer counts
// once. Called while t itself is not among c.all.
func (c *core) count(t *transport, n int) {
	if t.mate != nil {
		if _, ok := c.all[t.mate]; ok {
			return
		}
	}
	t.room.people += n
	c.stats.peers.Add(int64(n))
}

// condition is what is known of a peer's path, of both transports where there
// are two.
func (t *transport) condition() (loss float64, rtt int64, cut bool) {
	loss, rtt, cut = max(t.quality.lost, t.loss), t.rtt, t.state == PeerDisconnected
	if m := t.mate; m != nil {
		loss, rtt, cut = max(loss, m.quality.lost, m.loss), max(rtt, m.rtt), cut || m.state == PeerDisconnected
	}
	return loss, rtt, cut
}

// roundTrip is the smoothed round-trip time, 0 where it is unknown. Only what is
// sent to a client tells it, so that a transport which only receives takes its
// mate's.
func (t *transport) roundTrip() int64 {
	if t.rtt == 0 && t.mate != nil {
		return t.mate.rtt
	}
	return t.rtt
}
