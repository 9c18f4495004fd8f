// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"errors"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// Participants with two connections: what they receive, the server offers. One
// offer is on its way at a time; what comes up meanwhile is in the next one,
// after the answer.

// propose makes an offer where one is due. With restart it renews ICE, whether
// or not the last offer was answered.
func (r *Room) propose(p *participant, restart bool) {
	if p.session == nil || p.awaiting && !restart {
		return
	}
	offer, ok := p.peer.Propose(restart)
	if !ok {
		return
	}
	p.proposed++
	r.await(p, replyWait)
	r.send(p, Proposal{SDP: offer.SDP, ID: p.proposed, MidToTrack: offer.MidToTrack})
}

// unanswered gives up a client that does not answer an offer: it could receive
// nothing any more.
func (r *Room) unanswered(p *participant) {
	p.awaiting = false
	if p.session != nil { // else a resume makes another offer
		r.giveUp(p)
	}
}

// reply takes the answer to an offer of ours. Some clients do not repeat its id.
func (r *Room) reply(p *participant, req Reply) {
	if p.broken || !p.dual || !p.awaiting || req.ID != 0 && req.ID != p.proposed {
		return
	}
	r.agenda.cancel(p.offerTask)
	p.awaiting, p.candidates = false, 0
	answer, err := p.peer.Accept(req.SDP)
	if err != nil {
		// The error itself may quote the answer, and with it addresses.
		r.log.Debug("an answer was refused", "malformed", errors.Is(err, sfu.ErrBadAnswer))
		r.giveUp(p)
		return
	}
	for _, sid := range answer.Refused {
		if s := p.subs[sid]; s != nil {
			s.wanted = false
			r.deactivate(p, s)
			r.send(p, SubscriptionFailed{TrackSID: sid})
		}
	}
	r.tellReceived(answer.MidToTrack)
	r.seatStreams(p, answer.MidToTrack)
	r.unsettle(p)
}
