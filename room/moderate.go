// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"slices"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// Key returns the room's key.
func (r *Room) Key() Key { return r.key }

// Participants returns everybody in the room by time of joining, hidden ones
// included (see Permission.Hidden). The slice is shared: do not change it.
func (r *Room) Participants() []ParticipantInfo { return *r.roster.Load() }

// Info returns the room as told to its participants.
func (r *Room) Info() (Info, error) {
	return ask(context.Background(), r, func() (Info, error) { return r.info(), nil })
}

// moderate runs f on a participant.
func (r *Room) moderate(identity string, f func(p *participant) error) error {
	_, err := ask(context.Background(), r, func() (struct{}, error) {
		p := r.members[identity]
		if p == nil {
			return struct{}{}, ErrUnknownParticipant
		}
		return struct{}{}, f(p)
	})
	return err
}

// MuteTrack mutes one track of a participant. There is no unmuting: only the
// participant may do that. It returns ErrUnknownParticipant or ErrUnknownTrack.
//
// The client is asked to stop sending, which every client of the protocol does;
// one that does not is to be removed.
func (r *Room) MuteTrack(identity, trackSID string) error {
	return r.moderate(identity, func(p *participant) error {
		t := p.track(trackSID)
		if t == nil {
			return ErrUnknownTrack
		}
		r.muteByServer(t)
		return nil
	})
}

// MuteKind mutes all tracks of one kind. Having none is no error.
func (r *Room) MuteKind(identity string, kind sfu.Kind) error {
	return r.moderate(identity, func(p *participant) error {
		for _, list := range [][]*track{p.tracks, p.pending} {
			for _, t := range list {
				if t.info.Kind == kind {
					r.muteByServer(t)
				}
			}
		}
		return nil
	})
}

func (r *Room) muteByServer(t *track) {
	if t.info.Muted {
		return
	}
	t.unconfirmed = time.Now().Add(muteSettle)
	r.setMuted(t, true)
	r.send(t.owner, MuteTrack{SID: t.info.SID, Muted: true})
}

// Remove makes a participant leave at once. The tokens they came with are
// revoked, and so is any other token for this identity and room that was not
// minted later, for 15 minutes. ErrUnknownParticipant tells that nobody of that
// identity was here; the revocation holds all the same.
func (r *Room) Remove(identity string) error {
	_, err := ask(context.Background(), r, func() (struct{}, error) {
		p := r.members[identity]
		if p == nil {
			r.dir.revoked.add(r.key, identity, nil)
			return struct{}{}, ErrUnknownParticipant
		}
		r.dir.revoked.add(r.key, identity, p.tokens)
		r.leave(p, ReasonRemoved, ActionDisconnect)
		return struct{}{}, nil
	})
	return err
}

// End makes everybody leave and forgets the room. It does not wait, and may be
// called from a Watch function.
func (r *Room) End(reason Reason) { r.mail.end(Leave{reason, ActionDisconnect}) }

// SetPermission changes what a participant may do. Tracks that may no longer be
// published end; subscriptions end or begin.
func (r *Room) SetPermission(identity string, perm Permission) error {
	perm.Sources = slices.Clone(perm.Sources)
	return r.moderate(identity, func(p *participant) error {
		was := p.perm
		p.perm = perm
		for _, t := range slices.Concat(p.tracks, p.pending) {
			if !perm.mayPublish(t.info.Source) {
				r.endTrack(t)
			}
		}
		r.changed(p)
		if perm.Hidden && !was.Hidden {
			r.depart(p.info())
		}
		if !perm.Hidden && was.Hidden {
			delete(r.departed, p.identity)
			r.left = slices.DeleteFunc(r.left, func(d departure) bool { return d.info.SID == p.sid })
		}
		if perm.Subscribe && !was.Subscribe && p.autoSubscribe {
			r.subscribeAll(p)
		}
		for _, s := range p.subs {
			r.reconcile(p, s)
		}
		r.refreshToken(p) // the token carries the permission
		r.emit(Event{Kind: EventParticipantChanged, Participant: p.info()})
		return nil
	})
}

// SetSubscription subscribes a participant to tracks, or ends that, as if they
// had asked for it themselves.
func (r *Room) SetSubscription(identity string, trackSIDs []string, subscribe bool) error {
	return r.moderate(identity, func(p *participant) error {
		r.subscribe(p, trackSIDs, subscribe)
		return nil
	})
}

// SetParticipant changes what is told of a participant. Empty name and metadata
// mean no change; an empty attribute is deleted. It returns ErrTooLarge when
// the outcome exceeds 8 KiB.
func (r *Room) SetParticipant(identity, name, metadata string, attributes map[string]string) error {
	return r.moderate(identity, func(p *participant) error {
		return r.describe(p, name, metadata, attributes)
	})
}

// SetMetadata changes the room's metadata, at most 8 KiB.
func (r *Room) SetMetadata(metadata string) error {
	if len(metadata) > maxMetadata {
		return ErrTooLarge
	}
	return r.mail.command(func() { r.metadata = metadata })
}

// SetMaxParticipants changes how many places there are; 0 means 10. Nobody is
// removed when there are fewer than participants.
func (r *Room) SetMaxParticipants(n int) error {
	return r.mail.command(func() {
		r.policy.MaxParticipants = Policy{MaxParticipants: n}.withDefaults().MaxParticipants
	})
}

// SendData sends an encoded data packet to these identities, or to all.
func (r *Room) SendData(kind sfu.DataKind, payload []byte, to []string) error {
	return r.mail.command(func() { r.fanOut(nil, kind, payload, to) })
}
