// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// subscription is what one participant wants of one track of another.
type subscription struct {
	track *track
	// wanted by the participant, by default or by request.
	wanted bool
	// active in the media plane.
	active bool
	// denied by the publisher's access list, and told so.
	denied bool
	// settings as last asked for; set tells that there are any.
	settings sfu.Settings
	set      bool

	// paused tells that the media plane holds the picture back for the sake of
	// the participant's path; toldPaused that the client was ever told so.
	paused, toldPaused bool
	// begun tells that the client has the track and heeds its states, from
	// beginTask on.
	begun     bool
	beginTask *task
}

// sub returns q's subscription to t, which it makes when there is none. nil
// for own tracks and tracks that q may not know of.
func (r *Room) sub(q *participant, t *track) *subscription {
	if t == nil || !t.announced || t.owner == q || !t.owner.visible() {
		return nil
	}
	s := q.subs[t.info.SID]
	if s == nil {
		s = &subscription{track: t}
		if q.adaptive && t.info.Kind == sfu.Video {
			// Such a client tells within moments how large it shows the picture;
			// until then the lowest layer is enough.
			s.settings, s.set = sfu.Settings{Quality: 0}, true
		}
		q.subs[t.info.SID] = s
	}
	return s
}

// offerTrack subscribes everybody to a new track who wants all of them.
func (r *Room) offerTrack(t *track) {
	for _, q := range r.order {
		if s := r.sub(q, t); s != nil && q.autoSubscribe {
			s.wanted = true
			r.reconcile(q, s)
		}
	}
}

// subscribeAll subscribes p to all tracks that others know of.
func (r *Room) subscribeAll(p *participant) {
	for _, q := range r.order {
		for _, t := range q.tracks {
			if s := r.sub(p, t); s != nil && !slices.Contains(r.fresh, t) {
				s.wanted = true
				r.reconcile(p, s)
			}
		}
	}
}

// subscription changes what a participant receives.
func (r *Room) subscription(p *participant, req Subscription) {
	sids := slices.Clone(req.TrackSIDs)
	for _, more := range req.ByParticipant {
		sids = append(sids, more...)
	}
	if req.Subscribe && !p.perm.Subscribe {
		r.refuse(p, 0, refusedNotAllowed, "no permission to subscribe", req)
		return
	}
	r.subscribe(p, sids, req.Subscribe)
}

func (r *Room) subscribe(p *participant, sids []string, want bool) {
	for _, sid := range sids {
		s := r.sub(p, r.tracks[sid])
		if s == nil {
			if want {
				r.send(p, SubscriptionFailed{TrackSID: sid, NotFound: true})
			}
			continue
		}
		s.wanted = want
		r.reconcile(p, s)
		if want && !s.active && !s.denied && r.received(p, s.track.info.Kind) >= maxReceived[s.track.info.Kind] {
			r.refuse(p, 0, refusedLimit, "too many subscriptions", Subscription{TrackSIDs: []string{sid}, Subscribe: true})
		}
	}
}

var maxReceived = map[sfu.Kind]int{sfu.Audio: maxAudioReceived, sfu.Video: maxVideoReceived}

// received counts p's active subscriptions of a kind.
func (r *Room) received(p *participant, k sfu.Kind) int {
	n := 0
	for _, s := range p.subs {
		if s.active && s.track.info.Kind == k {
			n++
		}
	}
	return n
}

// reconcile makes the media plane follow what q wants and may have.
func (r *Room) reconcile(q *participant, s *subscription) {
	allowed := s.track.owner.allows(q, s.track)
	if s.wanted && s.denied == allowed {
		s.denied = !allowed
		r.send(q, SubscriptionPermission{
			ParticipantSID: s.track.owner.sid, TrackSID: s.track.info.SID, Allowed: allowed,
		})
	}
	if !s.wanted || !allowed || !q.perm.Subscribe || q.broken {
		r.deactivate(q, s)
		return
	}
	kind := s.track.info.Kind
	if s.active || r.received(q, kind) >= maxReceived[kind] {
		return
	}
	if err := q.peer.Subscribe(s.track.owner.sid, s.track.info.SID); err != nil {
		s.wanted = false
		r.send(q, SubscriptionFailed{TrackSID: s.track.info.SID})
		return
	}
	s.active = true
	q.asked, q.fruitless = false, 0
	if s.set {
		q.peer.Settings(s.track.info.SID, s.settings)
	}
	r.unsettle(q)
	r.watch(s.track)
}

// deactivate ends the forwarding of a track to q.
func (r *Room) deactivate(q *participant, s *subscription) {
	if !s.active {
		return
	}
	s.active = false
	if !q.broken {
		q.peer.Unsubscribe(s.track.info.SID)
	}
	r.forgetStream(q, s)
	r.unsettle(q)
	r.watch(s.track)
}

// refill gives places that have become free to subscriptions that found none.
func (r *Room) refill(q *participant) {
	for _, s := range q.subs {
		if s.wanted && !s.active && !s.denied {
			r.reconcile(q, s)
		}
	}
}

// trackSettings changes what is forwarded of tracks.
func (r *Room) trackSettings(p *participant, req TrackSettings) {
	for _, sid := range req.TrackSIDs {
		if s := r.sub(p, r.tracks[sid]); s != nil {
			r.setSettings(p, s, req.Settings)
		}
	}
}

func (r *Room) setSettings(p *participant, s *subscription, settings sfu.Settings) {
	s.settings, s.set = settings, true
	if s.active {
		p.peer.Settings(s.track.info.SID, settings)
		r.watch(s.track)
	}
}

// receiveLimit bounds what p receives, on p's own wish. Nobody else is told.
func (r *Room) receiveLimit(p *participant, req ReceiveLimit) {
	if !p.broken {
		p.peer.Limit(req.Rate)
	}
}

// subscriptionRights installs a publisher's own access list.
func (r *Room) subscriptionRights(p *participant, req SubscriptionRights) {
	p.rights = nil
	if !req.All {
		p.rights = &req
	}
	for _, q := range r.order {
		for _, t := range p.tracks {
			if s := q.subs[t.info.SID]; s != nil {
				r.reconcile(q, s)
			}
		}
	}
}

// allows tells whether p's own access list lets q receive t.
func (p *participant) allows(q *participant, t *track) bool {
	if p.rights == nil {
		return true
	}
	for _, name := range []string{q.identity, q.sid} {
		if sids, ok := p.rights.Allowed[name]; ok && (len(sids) == 0 || slices.Contains(sids, t.info.SID)) {
			return true
		}
	}
	return false
}
