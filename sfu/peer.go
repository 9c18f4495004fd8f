// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import "fmt"

const (
	maxPending   = 8
	maxPublished = 12
	maxSubs      = 160
)

// Room is the control half of a room's place in the media plane. Its methods and
// those of its peers, except Peer.SendData, must be called from one goroutine.
type Room struct {
	plane  *Plane
	post   func(func(*core))
	loop   int
	media  *roomMedia
	peers  map[string]*Peer
	closed bool
}

// NewPeer adds a participant. Its media path begins with its first offer, or its
// first answer to ours.
func (r *Room) NewPeer(cfg PeerConfig, events PeerEvents) (*Peer, error) {
	if r.closed {
		return nil, ErrClosed
	}
	if r.peers[cfg.ID] != nil {
		return nil, fmt.Errorf("adding peer: %w", ErrTooMany)
	}
	cert, fingerprint, err := r.plane.certificate()
	if err != nil {
		return nil, err
	}
	p := &Peer{
		id: cfg.ID, cfg: cfg, room: r, events: events, cert: cert, print: fingerprint,
		cname:      ufragEncoding.EncodeToString(randomBytes(10)),
		pubs:       make(map[string]*published),
		subs:       make(map[string]*subscription),
		connection: newConnection(&transport{peerID: cfg.ID, events: events, room: r.media}),
	}
	if cfg.Dual {
		p.divide()
	}
	r.peers[cfg.ID] = p
	return p, nil
}

// Close closes all peers and gives the place back.
func (r *Room) Close() {
	if r.closed {
		return
	}
	r.closed = true
	for _, p := range r.peers {
		p.Close()
	}
	media := r.media
	r.post(func(c *core) { delete(c.rooms, media) })
	r.plane.stats.rooms.Add(-1)
}

// published is a track on its way from a pending announcement to media.
type published struct {
	spec TrackSpec
	by   *Peer
	mime string
	up   *upTrack // nil while pending
	cid  string   // as matched in the offer
}

// subscription is a wish for a track; with a down track once it has a section.
type subscription struct {
	pub      *published
	section  *section
	down     *downTrack
	settings Settings
}

// Peer is the control half of a participant's media path.
type Peer struct {
	id     string
	cfg    PeerConfig
	room   *Room
	events PeerEvents
	cert   tlsCertificate
	print  string
	cname  string
	closed bool

	connection             // the client offers on it
	down       *subscriber // the server offers on it; nil: there is one connection
	hasData    bool

	sections []*section
	pending  []TrackSpec
	pubs     map[string]*published
	subs     map[string]*subscription
	order    []string // subscriptions in the order of their arrival
}

// Publish registers a track that the client is about to offer.
func (p *Peer) Publish(spec TrackSpec) error {
	switch {
	case p.closed:
		return ErrClosed
	case len(p.pending) >= maxPending || len(p.pubs) >= maxPublished:
		return fmt.Errorf("publishing a track: %w", ErrTooMany)
	}
	p.pending = append(p.pending, spec)
	return nil
}

// Unpublish forgets a track, pending or published, and ends its forwarding.
func (p *Peer) Unpublish(sid string) {
	for i := range p.pending {
		if p.pending[i].SID == sid {
			p.pending = append(p.pending[:i], p.pending[i+1:]...)
			break
		}
	}
	pub := p.pubs[sid]
	if pub == nil {
		return
	}
	delete(p.pubs, sid)
	for _, s := range p.sections {
		if s.pub == pub {
			s.pub = nil
		}
	}
	for _, other := range p.room.peers {
		if sub := other.subs[sid]; sub != nil && sub.pub == pub {
			other.Unsubscribe(sid)
		}
	}
	up := pub.up
	p.room.post(func(c *core) { c.removeUp(up) })
}

// Mute tells that the publisher muted or unmuted a track. A muted source is not
// asked for key frames.
func (p *Peer) Mute(sid string, muted bool) {
	for i := range p.pending {
		if p.pending[i].SID == sid {
			p.pending[i].Muted = muted
		}
	}
	if pub := p.pubs[sid]; pub != nil {
		up := pub.up
		p.room.post(func(c *core) {
			up.muted = muted
			for _, d := range up.downs {
				d.retarget(c)
				if !muted {
					d.wantKey(c)
				}
			}
		})
	}
}

// Subscribe wants a track of another peer forwarded to this one. It takes effect
// with the next offer that has a section for it; see Need and Propose.
func (p *Peer) Subscribe(publisherID, sid string) error {
	if p.closed {
		return ErrClosed
	}
	if p.subs[sid] != nil {
		return nil
	}
	by := p.room.peers[publisherID]
	if by == nil || by == p || by.pubs[sid] == nil {
		return fmt.Errorf("subscribing: %w", ErrUnknownTrack)
	}
	if len(p.subs) >= maxSubs {
		return fmt.Errorf("subscribing: %w", ErrTooMany)
	}
	// The best layer until the subscriber says how large the picture is.
	p.subs[sid] = &subscription{pub: by.pubs[sid], settings: Settings{Quality: 2}}
	p.order = append(p.order, sid)
	return nil
}

// Unsubscribe ends forwarding at once. The section becomes free with the next
// offer, which answers it inactive.
func (p *Peer) Unsubscribe(sid string) {
	sub := p.subs[sid]
	if sub == nil {
		return
	}
	delete(p.subs, sid)
	for i, s := range p.order {
		if s == sid {
			p.order = append(p.order[:i], p.order[i+1:]...)
			break
		}
	}
	if sub.section != nil {
		sub.section.sub, sub.section.cooling = nil, true
	}
	if d := sub.down; d != nil {
		p.room.post(func(c *core) { c.dropDown(d) })
	}
}

// Settings changes what is forwarded of a subscribed track.
func (p *Peer) Settings(sid string, s Settings) {
	sub := p.subs[sid]
	if sub == nil {
		return
	}
	sub.settings = s
	if d := sub.down; d != nil {
		p.room.post(func(c *core) { d.configure(c, s) })
	}
}

// Need tells how many recvonly sections the client must add before all
// subscriptions have a place, and whether an offer is due at all. Of a peer with
// two connections nothing is needed: there the server offers.
func (p *Peer) Need() (audios, videos int, offer bool) {
	if !p.joined || p.down != nil {
		return 0, 0, false
	}
	room := map[Kind]int{}
	for _, s := range p.sections {
		switch {
		case s.cooling:
			offer = true
			room[s.kind]++
		case s.open():
			room[s.kind]++
		}
	}
	want := map[Kind]int{}
	for _, sub := range p.subs {
		if sub.section == nil {
			offer = true
			want[sub.pub.spec.Kind]++
		}
	}
	return max(0, want[Audio]-room[Audio]), max(0, want[Video]-room[Video]), offer
}

// SendData sends one message on a data channel without waiting. Safe for
// concurrent use.
func (p *Peer) SendData(kind DataKind, payload []byte) error {
	if p.down != nil && p.cfg.SubscriberPrimary {
		return p.down.data.send(kind, payload)
	}
	return p.data.send(kind, payload)
}

// Close ends the media path; PeerState(PeerClosed) follows.
func (p *Peer) Close() {
	if p.closed {
		return
	}
	p.closed = true
	delete(p.room.peers, p.id)
	for sid, pub := range p.pubs {
		for _, other := range p.room.peers {
			if sub := other.subs[sid]; sub != nil && sub.pub == pub {
				other.Unsubscribe(sid)
			}
		}
	}
	t, joined := p.t, p.joined
	p.room.post(func(c *core) { c.end(t, joined) })
	if s := p.down; s != nil {
		t, joined := s.t, s.joined
		p.room.post(func(c *core) { c.end(t, joined) })
	}
}
