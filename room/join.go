// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

func (j *Join) check(c Conn) error {
	switch {
	case c == nil:
		return fmt.Errorf("%w: no connection", ErrBadJoin)
	case j.Key.Name == "" || j.Identity == "":
		return fmt.Errorf("%w: no room or no identity", ErrBadJoin)
	case len(j.Key.Name) > maxIdentity || len(j.Identity) > maxIdentity:
		return fmt.Errorf("%w: room or identity is too long", ErrBadJoin)
	case tooLarge(j.Name, j.Metadata, j.Attributes):
		return fmt.Errorf("%w: %w", ErrBadJoin, ErrTooLarge)
	}
	return nil
}

// join takes a participant in.
func (r *Room) join(ctx context.Context, j Join, c Conn) (Session, error) {
	return ask(ctx, r, func() (Session, error) {
		p, err := r.admit(j)
		if err != nil {
			return nil, err
		}
		s := r.attach(p, c)
		r.welcome(p, j)
		return s, nil
	})
}

// admit gives a participant a place and a media path. An older participant of
// the same identity loses both: whoever holds the newest token is the person.
func (r *Room) admit(j Join) (*participant, error) {
	if r.over {
		return nil, ErrEnded
	}
	if r.draining {
		return nil, ErrClosing
	}
	if r.dir.revoked.covers(r.key, j.Identity, j.TokenID, j.IssuedAt) {
		return nil, ErrRevoked
	}
	old := r.members[j.Identity]
	if err := r.seat(j, old == nil); err != nil {
		return nil, err
	}
	p := &participant{
		sid: newSID("PA_"), identity: j.Identity, name: j.Name, metadata: j.Metadata,
		attributes: maps.Clone(j.Attributes), perm: j.Permission, client: j.Client,
		autoSubscribe: j.AutoSubscribe, adaptive: j.AdaptiveStream, allowPause: j.AllowPause,
		dual: j.Dual, state: StateJoining, version: 1, joinedAt: time.Now(), refresh: j.RefreshToken,
		subs: make(map[string]*subscription), grade: noGrade, bucket: newBucket(),
	}
	p.perm.Sources = slices.Clone(j.Permission.Sources)
	p.client.Capabilities = slices.Clone(j.Client.Capabilities)
	p.noteToken(j.TokenID)
	p.in = &inbox{p: p}
	cfg := j.Peer
	cfg.ID = p.sid
	// A client that may not receive waits for the connection on which it sends.
	cfg.Dual, cfg.SubscriberPrimary = p.dual, p.dual && p.perm.Subscribe
	peer, err := r.media.NewPeer(cfg, peerEvents{&r.mail, p.in})
	if err != nil {
		r.dir.census.leave(r)
		return nil, fmt.Errorf("opening media path: %w", err)
	}
	p.peer = peer
	if old != nil {
		r.leave(old, ReasonDuplicateIdentity, ActionDisconnect)
	}
	r.members[p.identity], r.bySID[p.sid] = p, p
	r.order = append(r.order, p)
	if p.visible() {
		delete(r.departed, p.identity)
	}
	r.checkEmpty()
	return p, nil
}

// seat takes a place in the room and among the people of the site, which remove
// gives back. Who replaces somebody takes theirs.
func (r *Room) seat(j Join, newcomer bool) error {
	most := r.policy.MaxParticipants
	if j.RoomMost > 0 {
		most = min(most, j.RoomMost)
	}
	if !newcomer {
		j.SiteMost = 0
	} else if len(r.order) >= most {
		return ErrFull
	}
	if !r.dir.census.enter(r, j.SiteMost) {
		return ErrFull
	}
	return nil
}

// attach makes c the connection of p.
func (r *Room) attach(p *participant, c Conn) *session {
	r.agenda.cancel(p.graceTask)
	p.session = &session{r: r, p: p, conn: c}
	p.since = r.seq
	return p.session
}

// welcome tells a new participant the state of the room, then the room of the
// new participant.
func (r *Room) welcome(p *participant, j Join) {
	s := p.session
	p.state, p.joined = StateJoined, r.seq
	r.changed(p)
	r.emit(Event{Kind: EventParticipantJoined, Participant: p.info()})
	r.send(p, Joined{
		Room: r.info(), Participant: p.info(), Others: r.others(p),
		SubscriberPrimary: p.dual && p.perm.Subscribe,
	})
	r.refreshToken(p)
	r.greet(p, false)
	if p.autoSubscribe {
		r.subscribeAll(p)
	}
	switch {
	case p.dual:
		r.unsettle(p)
	case j.Offer == "":
		r.await(p, firstOfferWait)
		return
	}
	if j.Offer != "" && p.session == s {
		r.offer(p, Offer{SDP: j.Offer, ID: j.OfferID})
	}
}

// others lists everybody whom p may know of, except p.
func (r *Room) others(p *participant) []ParticipantInfo {
	var out []ParticipantInfo
	for _, q := range r.order {
		if q != p && q.visible() {
			out = append(out, q.info())
		}
	}
	return out
}

// refreshToken hands p its next token, now and every five minutes.
func (r *Room) refreshToken(p *participant) {
	if p.refresh == nil {
		return
	}
	r.agenda.cancel(p.refreshTask)
	p.refreshTask = r.agenda.after(refreshInterval, func() { r.refreshToken(p) })
	if p.session == nil {
		return
	}
	jwt, err := p.refresh(p.info())
	if err != nil {
		r.log.Warn("a participant's next token could not be minted")
		return
	}
	r.send(p, Token{JWT: jwt})
}

// leave tells p why it must go, ends its connection and removes it.
func (r *Room) leave(p *participant, reason Reason, action Action) {
	r.send(p, Leave{reason, action})
	r.hangUp(p)
	r.remove(p, reason)
}

// remove forgets p and tells the others.
func (r *Room) remove(p *participant, reason Reason) {
	if p.gone {
		return
	}
	if s := p.session; s != nil {
		s.conn.End()
		r.disconnect(p)
	}
	if !p.broken {
		r.endMedia(p)
	}
	p.gone = true
	r.dir.census.leave(r)
	for _, t := range []*task{p.graceTask, p.failTask, p.refreshTask, p.offerTask, p.nudgeTask} {
		r.agenda.cancel(t)
	}
	if r.members[p.identity] == p {
		delete(r.members, p.identity)
	}
	delete(r.bySID, p.sid)
	r.order = slices.DeleteFunc(r.order, func(q *participant) bool { return q == p })
	p.state = StateDisconnected
	p.version++
	i := p.info()
	i.Reason = reason
	if p.visible() {
		r.depart(i)
	}
	r.stale = true
	r.emit(Event{Kind: EventParticipantLeft, Participant: i})
	r.checkEmpty()
}
