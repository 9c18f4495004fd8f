// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// track is one published track. It belongs to the room's goroutine.
type track struct {
	owner     *participant
	info      TrackInfo
	cid       string
	announced bool  // its section appeared in an offer: others may know of it
	expiry    *task // of a track that waits for its section

	// unconfirmed is until when the client has time to confirm a moderator's
	// mute; zero when it has, or none was ordered.
	unconfirmed time.Time
	received    bool // the publisher knows that somebody receives it

	// told is the highest quality the publisher was told to send (dynacast),
	// -1 for none; watched tells that Room.watched lists the track.
	told     int
	watched  bool
	downTask *task
}

// bump gives the track's description a newer version.
func (t *track) bump() {
	t.info.Version = max(time.Now().UnixMicro(), t.info.Version+1)
}

// addTrack announces a track to the media plane and answers at once; others
// hear of it when its section appears in an offer.
func (r *Room) addTrack(p *participant, req AddTrack) {
	for _, t := range p.pending {
		if t.cid == req.CID {
			r.send(p, TrackPublished{CID: t.cid, Track: *t.info.clone()})
			return
		}
	}
	if reason, text := p.refusesTrack(req); reason != 0 {
		r.refuse(p, 0, reason, text, req)
		return
	}
	if r.policy.Encrypted && req.Encryption == 0 {
		r.refuse(p, 0, refusedNotAllowed, "this room takes tracks that are encrypted from end to end only", req)
		return
	}
	t := &track{owner: p, cid: req.CID, info: infoOf(req), told: 2}
	t.bump()
	if err := p.peer.Publish(specOf(req, t.info)); err != nil {
		r.refuse(p, 0, refusedFailure, "the media plane does not take the track", req)
		return
	}
	p.pending = append(p.pending, t)
	t.expiry = r.agenda.after(pendingLife, func() { r.endTrack(t) })
	r.send(p, TrackPublished{CID: t.cid, Track: *t.info.clone()})
}

// refusesTrack checks rights and limits; 0 means that nothing stands against
// the track.
func (p *participant) refusesTrack(req AddTrack) (int32, string) {
	layers := len(req.Layers)
	for _, c := range req.Codecs {
		layers = max(layers, len(c.Layers))
	}
	kind, known := kindOf[req.Source]
	switch {
	case p.broken || req.CID == "" || len(req.CID) > maxIdentity:
		return refusedFailure, "no media path or no track id"
	case req.SID != "":
		return refusedUnsupported, "backup codecs are not supported"
	case req.Kind != sfu.Audio && req.Kind != sfu.Video:
		return refusedUnsupported, "unknown kind of media"
	case known && kind != req.Kind:
		// Otherwise a right to the microphone would be one to the camera.
		return refusedNotAllowed, "kind of media and source do not match"
	case !p.perm.mayPublish(req.Source):
		return refusedNotAllowed, "no permission to publish this source"
	case len(p.tracks) >= maxPublished || len(p.pending) >= maxPending:
		return refusedLimit, "too many tracks"
	case layers > maxLayers || len(req.Codecs) > maxCodecs:
		return refusedLimit, "too many layers or codecs"
	case len(req.Name) > maxTrackName || len(req.AudioFeatures) > maxFeatures:
		return refusedLimit, "name or features are too long"
	}
	return 0, ""
}

// announce makes a track known whose section appeared in an offer.
func (r *Room) announce(p *participant, pub sfu.Published) {
	i := slices.IndexFunc(p.pending, func(t *track) bool { return t.info.SID == pub.SID })
	if i < 0 {
		return
	}
	t := p.pending[i]
	if len(p.tracks) >= maxPublished {
		r.endTrack(t)
		return
	}
	p.pending = slices.Delete(p.pending, i, i+1)
	r.agenda.cancel(t.expiry)
	t.announced = true
	t.info.Mid = pub.Mid
	was := t.info.scalable()
	if pub.Mime != "" && shortName(pub.Mime) != shortName(t.info.Mime) {
		t.info.Mime = pub.Mime
	}
	t.info.Simulcast = pub.Simulcast
	if t.info.scalable() != was {
		t.info.Layers = completeLayers(t.info.Layers, !was)
	}
	t.info.Codecs = []Codec{{
		Mime: t.info.Mime, Mid: pub.Mid, CID: t.cid, Layers: slices.Clone(t.info.Layers),
	}}
	t.bump()
	p.tracks = append(p.tracks, t)
	r.tracks[t.info.SID] = t
	r.fresh = append(r.fresh, t)
	r.watch(t)
	r.changed(p)
	r.emit(Event{Kind: EventTrackPublished, Participant: p.info(), Track: t.info.clone()})
}

// endTrack ends a track on the server's initiative and tells its publisher.
func (r *Room) endTrack(t *track) {
	sid, p := t.info.SID, t.owner
	if !slices.Contains(p.tracks, t) && !slices.Contains(p.pending, t) {
		return
	}
	r.dropTrack(t)
	r.unsettle(p)
	r.send(p, TrackUnpublished{SID: sid})
}

// dropTrack forgets a track and ends its forwarding.
func (r *Room) dropTrack(t *track) {
	p, sid := t.owner, t.info.SID
	r.agenda.cancel(t.expiry)
	r.agenda.cancel(t.downTask)
	p.pending = slices.DeleteFunc(p.pending, func(o *track) bool { return o == t })
	if t.announced {
		for _, q := range r.order {
			if sub := q.subs[sid]; sub != nil {
				r.deactivate(q, sub)
				delete(q.subs, sid)
			}
		}
		delete(r.tracks, sid)
		p.tracks = slices.DeleteFunc(p.tracks, func(o *track) bool { return o == t })
		r.fresh = slices.DeleteFunc(r.fresh, func(o *track) bool { return o == t })
		r.changed(p)
		r.emit(Event{Kind: EventTrackUnpublished, Participant: p.info(), Track: t.info.clone()})
	}
	t.announced = false
	p.peer.Unpublish(sid)
}

// mute follows a client that (un)muted a track of its own.
func (r *Room) mute(p *participant, req Mute) {
	t := p.track(req.SID)
	if t == nil {
		r.refuse(p, 0, refusedNotFound, "no such track", req)
		return
	}
	if !req.Muted && time.Now().Before(t.unconfirmed) {
		return
	}
	t.unconfirmed = time.Time{}
	r.setMuted(t, req.Muted)
}

func (r *Room) setMuted(t *track, muted bool) {
	if t.info.Muted == muted {
		return
	}
	t.info.Muted = muted
	t.bump()
	t.owner.peer.Mute(t.info.SID, muted)
	if t.announced {
		r.changed(t.owner)
		r.emit(Event{Kind: EventTrackMuted, Participant: t.owner.info(), Track: t.info.clone()})
	}
}

// updateAudio changes the features of an own audio track.
func (r *Room) updateAudio(p *participant, req UpdateAudio) {
	t := p.track(req.SID)
	switch {
	case t == nil || t.info.Kind != sfu.Audio:
		r.refuse(p, 0, refusedNotFound, "no such audio track", req)
	case len(req.Features) > maxFeatures:
		r.refuse(p, 0, refusedLimit, "too many features", req)
	default:
		t.info.AudioFeatures = slices.Clone(req.Features)
		r.trackChanged(t)
	}
}

// updateVideo changes the size of an own video track.
func (r *Room) updateVideo(p *participant, req UpdateVideo) {
	t := p.track(req.SID)
	if t == nil || t.info.Kind != sfu.Video {
		r.refuse(p, 0, refusedNotFound, "no such video track", req)
		return
	}
	t.info.Width, t.info.Height = req.Width, req.Height
	r.trackChanged(t)
}

func (r *Room) trackChanged(t *track) {
	t.bump()
	if t.announced {
		r.changed(t.owner)
	}
}
