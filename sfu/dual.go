// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-videoroom/videoroom/sfu/internal/sdp"
)

// Peers with two connections (version 0 of the client protocol). On one the
// client offers and sends, as in negotiate.go; on the other, which is here, the
// server offers and sends. At most one offer is unanswered at a time.

// subscriber is the connection on which the server offers.
type subscriber struct {
	connection
	sections  []*outSection // the first one is that of the data channels
	unsettled *proposal     // sent and not answered yet
}

// outSection is one m-section of our offers. It never changes its kind.
type outSection struct {
	section
	// shown is what the client has been told the section carries. A section is
	// free for another track when the client knows that it carries none: it
	// would not see one track take another's place.
	shown *subscription
	// down is what sends on it; codec its format.
	down  *downTrack
	codec sdp.Codec
}

func (s *outSection) free() bool { return !s.dead && s.sub == nil && s.shown == nil }

// proposal is an offer on its way.
type proposal struct {
	*sdp.Proposal
	cred  credentials
	seats []*subscription // by section: what it carries in this offer
}

// offeredExts are the header extensions of our offers.
var offeredExts = []sdp.Ext{{ID: 1, URI: sdp.ExtMid}, {ID: 3, URI: sdp.ExtTransportCC}}

// divide gives a new peer its second connection.
func (p *Peer) divide() {
	p.down = &subscriber{connection: newConnection(&transport{peerID: p.id, room: p.room.media})}
	primary, other := p.t, p.down.t
	if p.cfg.SubscriberPrimary {
		primary, other = other, primary
	}
	couple(primary, other, p.events)
}

// outgoing is the transport of what the client receives.
func (p *Peer) outgoing() *transport {
	if p.down != nil {
		return p.down.t
	}
	return p.t
}

// channels returns the id of the first data channel that we open on n; nil where
// the client opens them.
func (p *Peer) channels(n *connection, active bool) *uint16 {
	if n == &p.connection {
		return nil
	}
	id := uint16(1)
	if active {
		id = 0
	}
	return &id
}

// Propose returns our next offer on the subscriber connection of a peer with two.
// It returns false where there is nothing to tell, or where the last one is not
// answered yet. With restart it renews ICE, and takes the place of one that is
// not answered. It may be called for a peer with one connection.
func (p *Peer) Propose(restart bool) (offer Proposal, ok bool) {
	s := p.down
	if s == nil || p.closed || s.unsettled != nil && !restart {
		return Proposal{}, false
	}
	restart = restart && s.version > 0
	if s.unsettled != nil {
		s.supersede()
	}
	if len(s.sections) == 0 {
		s.sections = append(s.sections, &outSection{section: section{mid: "0"}})
	}
	p.seat()
	if !restart && !p.due() {
		return Proposal{}, false
	}
	cred := s.cred
	if restart || cred.ufrag == "" {
		cred = newCredentials(p.room.loop)
	}
	s.version++
	out := &proposal{cred: cred, Proposal: &sdp.Proposal{
		SessionID: s.sessionID, Version: s.version, Ufrag: cred.ufrag, Pwd: cred.pwd,
		FingerprintSHA256: p.print, Candidates: p.candidates(),
	}}
	offer.MidToTrack = make(map[string]string)
	for _, sec := range s.sections {
		out.seats = append(out.seats, sec.sub)
		out.Sections = append(out.Sections, sec.describe())
		if sec.sub != nil {
			offer.MidToTrack[sec.mid] = sec.sub.pub.spec.SID
		}
	}
	s.unsettled, offer.SDP = out, out.Marshal()
	return offer, true
}

// supersede gives up an offer whose answer got lost. The client may have seen
// it.
func (s *subscriber) supersede() {
	for i, seat := range s.unsettled.seats {
		if seat != nil {
			s.sections[i].shown = seat
		}
	}
	s.unsettled = nil
}

// seat gives waiting subscriptions a place in our next offer.
func (p *Peer) seat() {
	for _, sid := range p.order {
		sub := p.subs[sid]
		if sub.section != nil {
			continue
		}
		codec, ok := sdp.Format(sub.pub.codecName())
		sec := p.down.place(sub.pub.spec.Kind)
		if !ok || sec == nil {
			continue
		}
		sec.sub, sub.section, sec.codec = sub, &sec.section, codec
		sec.down = p.newDown(sub, &codec)
	}
}

// place finds a free section, or adds one; nil where there are too many.
func (s *subscriber) place(k Kind) *outSection {
	for _, sec := range s.sections {
		if sec.kind == k && sec.free() {
			return sec
		}
	}
	if len(s.sections) == sdp.MaxSections {
		return nil
	}
	sec := &outSection{section: section{mid: strconv.Itoa(len(s.sections)), kind: k}}
	s.sections = append(s.sections, sec)
	return sec
}

// due tells whether the client does not know yet what the sections carry. The
// first offer is due at once where the client waits for this connection.
func (p *Peer) due() bool {
	s := p.down
	if s.version == 0 && p.cfg.SubscriberPrimary {
		return true
	}
	return slices.ContainsFunc(s.sections, func(sec *outSection) bool { return !sec.dead && sec.sub != sec.shown })
}

// describe writes the section as our next offer has it.
func (s *outSection) describe() sdp.OfferSection {
	if s.kind == 0 {
		return sdp.OfferSection{Mid: s.mid, Kind: sdp.KindApplication, MaxMessageSize: maxDataMessage}
	}
	o := sdp.OfferSection{Mid: s.mid, Kind: s.kind.String(), Rejected: s.dead, Exts: offeredExts}
	if s.sub == nil || s.dead {
		return o
	}
	pub := s.sub.pub
	o.Codecs = []sdp.Codec{s.codec}
	o.StreamID, o.TrackID = pub.by.id+"|"+pub.spec.stream(), pub.spec.SID
	o.SSRC, o.RTXSSRC, o.CNAME = s.down.ssrc, s.down.rtx, pub.by.cname
	return o
}

// Accept takes the client's answer to the last Propose. The result names the
// tracks that the client receives from now on, and those that it refuses, whose
// subscriptions have ended. Errors wrap ErrBadAnswer; nothing has changed then.
func (p *Peer) Accept(raw string) (Answer, error) {
	s := p.down
	switch {
	case p.closed:
		return Answer{}, ErrClosed
	case s == nil || s.unsettled == nil:
		return Answer{}, fmt.Errorf("%w: nothing was offered", ErrBadAnswer)
	}
	o, err := s.unsettled.ParseAnswer(raw)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrBadAnswer, err)
	}
	if prints := sha256Prints(o); len(prints) == 0 || s.joined && strings.Join(prints, " ") != s.identity {
		return Answer{}, fmt.Errorf("%w: no SHA-256 fingerprint, or another one", ErrBadAnswer)
	}
	agreed := s.unsettled
	s.unsettled = nil
	switch {
	case !s.joined:
		s.cred = agreed.cred
		p.join(&s.connection, o)
	case agreed.cred != s.cred:
		p.restart(&s.connection, agreed.cred, o)
	case o.Ufrag != s.remote:
		// Clients have no business to do that in an answer, but pion does when the
		// offer comes before its agent has begun.
		s.remote = o.Ufrag
		t, remote := s.t, credentials{o.Ufrag, o.Pwd}
		p.room.post(func(*core) { t.remote = remote })
	}
	out := Answer{MidToTrack: make(map[string]string)}
	for i, seat := range agreed.seats {
		p.settle(s.sections[i], seat, &o.Sections[i], &out)
	}
	return out, nil
}

// settle takes note of what the client answered to one section, and begins to
// forward there.
func (p *Peer) settle(sec *outSection, seat *subscription, theirs *sdp.Section, out *Answer) {
	sec.shown = seat
	sec.dead = sec.dead || theirs.Rejected && sec.kind != 0
	if seat == nil || sec.sub != seat {
		return // it ended meanwhile, which the next offer tells
	}
	sid := seat.pub.spec.SID
	if sec.dead || !theirs.Receives() || len(theirs.Codecs) == 0 {
		out.Refused = append(out.Refused, sid)
		p.Unsubscribe(sid)
		return
	}
	out.MidToTrack[sec.mid] = sid
	if seat.down != nil {
		return
	}
	d, c := sec.down, &theirs.Codecs[0]
	d.twcc, d.settings = feedbackExt(theirs, c), seat.settings
	d.nacks = slices.Contains(c.Feedback, "nack")
	if c.RTX == 0 {
		d.rtx, d.rtxPT = 0, 0
	}
	seat.down = d
	p.room.post(func(c *core) { c.addDown(d) })
}
