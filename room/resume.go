// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"time"
)

// resume continues a participant on a new connection.
func (r *Room) resume(ctx context.Context, q Resume, c Conn) (Session, error) {
	return ask(ctx, r, func() (Session, error) {
		p := r.members[q.Identity]
		switch {
		case r.over:
			return nil, ErrEnded
		case r.draining:
			return nil, ErrClosing
		case p == nil || p.sid != q.SID || p.broken:
			return nil, ErrUnknownParticipant
		}
		if q.IssuedAt.IsZero() {
			q.IssuedAt = p.joinedAt
		}
		if r.dir.revoked.covers(r.key, q.Identity, q.TokenID, q.IssuedAt) {
			return nil, ErrRevoked
		}
		p.noteToken(q.TokenID)
		r.agenda.cancel(p.nudgeTask)
		// The client has left the old connection, even if nobody has noticed: a
		// farewell would reach nobody.
		r.hangUp(p)
		s := r.attach(p, c)
		r.retell(p)
		return s, nil
	})
}

// retell tells a resumed participant everything that may have been missed.
func (r *Room) retell(p *participant) {
	r.send(p, Reconnected{LastReliable: p.lastReliable})
	// Mutes precede the state: from the state alone the client would conclude
	// that the server is wrong, and undo a moderator's mute.
	for _, list := range [][]*track{p.tracks, p.pending} {
		for _, t := range list {
			if !t.unconfirmed.IsZero() {
				t.unconfirmed = time.Now().Add(muteSettle)
				r.send(p, MuteTrack{SID: t.info.SID, Muted: true})
			}
		}
	}
	r.send(p, Update{Participants: r.catchUp(p)})
	r.send(p, RoomUpdate{Room: r.info()})
	r.refreshToken(p)
	r.greet(p, true)
	for _, q := range r.order {
		for _, t := range q.tracks {
			if s := p.subs[t.info.SID]; s != nil && s.denied {
				r.send(p, SubscriptionPermission{ParticipantSID: q.sid, TrackSID: t.info.SID})
			}
		}
	}
	r.retellStreams(p)
	for _, t := range p.tracks {
		if t.told < 2 {
			r.send(p, t.subscribedQuality())
		}
	}
	if p.dual {
		// What was on its way got lost, and the path may have changed.
		r.propose(p, true)
		return
	}
	r.await(p, resumeOfferWait)
}
