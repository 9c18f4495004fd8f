// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"errors"
	"slices"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// What a client with one connection receives, it offers itself. When subscriptions need sections, or sections have become
// free, the client is asked for an offer; it is not asked again while one is on
// its way.

// offer answers an offer. One that cannot be answered ends the connection: in
// silence the client would wait for the answer in vain.
func (r *Room) offer(p *participant, req Offer) {
	if p.broken {
		return
	}
	if !p.dual { // else what is awaited is an answer
		r.agenda.cancel(p.offerTask)
		p.awaiting = false
	}
	p.candidates = 0
	answer, err := p.peer.Offer(req.SDP)
	if err != nil {
		// The error itself may quote the offer, and with it addresses.
		r.log.Debug("an offer was refused", "malformed", errors.Is(err, sfu.ErrBadOffer))
		r.giveUp(p)
		return
	}
	for _, sid := range answer.Unpublished {
		if t := p.track(sid); t != nil {
			r.dropTrack(t)
		}
	}
	for _, pub := range answer.Published {
		r.announce(p, pub)
	}
	r.send(p, Answer{SDP: answer.SDP, ID: req.ID, MidToTrack: answer.MidToTrack})
	r.tellReceived(answer.MidToTrack)
	r.seatStreams(p, answer.MidToTrack)
	r.weigh(p)
	r.unsettle(p)
}

// tellReceived tells publishers that a track of theirs has its first receiver.
func (r *Room) tellReceived(midToTrack map[string]string) {
	for _, sid := range midToTrack {
		if t := r.tracks[sid]; t != nil && !t.received {
			t.received = true
			r.send(t.owner, TrackSubscribed{SID: sid})
		}
	}
}

// weigh compares what an offer brought with what was asked for. A client that
// did not add the sections is given growing time before it is asked again.
func (r *Room) weigh(p *participant) {
	audios, videos, offer := p.peer.Need()
	if !p.asked || !offer || p.askedFor != [2]int{audios, videos} {
		p.asked, p.fruitless = false, 0
		return
	}
	wait := min(fruitlessWait<<min(p.fruitless, 10), maxFruitlessWait)
	p.fruitless++
	r.await(p, wait)
}

// await refrains from asking p for an offer, or from making one, until p has
// offered or answered, at most for d.
func (r *Room) await(p *participant, d time.Duration) {
	r.agenda.cancel(p.offerTask)
	p.awaiting = true
	p.offerTask = r.agenda.after(d, func() {
		if p.dual {
			r.unanswered(p)
			return
		}
		p.awaiting = false
		r.unsettle(p)
	})
}

// unsettle has p's need of sections looked at when the turn ends.
func (r *Room) unsettle(p *participant) {
	if !p.unsettled {
		p.unsettled = true
		r.unsettled = append(r.unsettled, p)
	}
}

// negotiateAll asks whoever must offer.
func (r *Room) negotiateAll() {
	for len(r.unsettled) > 0 {
		list := r.unsettled
		r.unsettled = nil
		for _, p := range list {
			p.unsettled = false
			if !p.gone && !p.broken {
				r.negotiate(p)
			}
		}
	}
}

func (r *Room) negotiate(p *participant) {
	r.refill(p)
	if p.dual {
		r.propose(p, false)
		return
	}
	if p.session == nil || p.awaiting {
		return
	}
	audios, videos, offer := p.peer.Need()
	if !offer && audios == 0 && videos == 0 {
		return
	}
	if wait := r.askPause() - time.Since(p.askedAt); wait > 0 {
		r.await(p, wait)
		return
	}
	p.asked, p.askedFor, p.askedAt = true, [2]int{audios, videos}, time.Now()
	r.await(p, offerWait)
	r.send(p, SectionsNeeded{Audios: audios, Videos: videos})
}

// askPause is how long a client is left alone at least between two askings. In a
// large meeting an offer has hundreds of kilobytes, and at its beginning somebody
// comes in every moment: those who came meanwhile are then asked for together.
func (r *Room) askPause() time.Duration {
	if len(r.order) <= intimate {
		return 0
	}
	return time.Duration(len(r.order)) * askPauseEach
}

// syncState restores what a client wanted before its connection was cut, and
// tells it which of its tracks are no more.
func (r *Room) syncState(p *participant, req SyncState) {
	if s := req.Subscription; s != nil && (p.perm.Subscribe || !s.Subscribe) {
		sids := slices.Clone(s.TrackSIDs)
		for _, more := range s.ByParticipant {
			sids = append(sids, more...)
		}
		// Tracks that ended meanwhile are no failure here: the state that
		// followed the resume has told so.
		sids = slices.DeleteFunc(sids, func(sid string) bool { return r.tracks[sid] == nil })
		r.subscribe(p, sids, s.Subscribe)
	}
	for _, sid := range req.Disabled {
		if s := r.sub(p, r.tracks[sid]); s != nil {
			settings := s.settings
			if !s.set {
				settings = sfu.Settings{Quality: 2}
			}
			settings.Disabled = true
			r.setSettings(p, s, settings)
		}
	}
	for _, id := range req.Published {
		if len(id) > 3 && id[:3] == "TR_" && p.track(id) == nil {
			r.send(p, TrackUnpublished{SID: id})
		}
	}
}
