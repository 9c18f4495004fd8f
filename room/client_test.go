// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// client is a Conn that keeps the books of a browser: the roster, its sections,
// its tracks. It answers SectionsNeeded when auto is set.
type client struct {
	t        *testing.T
	identity string
	media    *fakeMedia

	mu       sync.Mutex
	log      []Message
	roster   map[string]ParticipantInfo // by identity, without oneself
	self     ParticipantInfo
	session  Session
	full     bool // refuses messages
	left     *Leave
	ended    bool
	faults   []string
	auto     bool
	due      bool // an offer was asked for before the session was known
	audios   int
	videos   int
	cids     []string
	offerID  uint32
	answered uint32
	mids     map[string]string

	dual    bool // two connections: mids is what the server proposed last
	refuse  []string
	reply   uint32 // id of a proposal to answer once the session is known
	pending int    // proposals without reply
}

func newClient(h *host, identity string) *client {
	return &client{
		t: h.t, identity: identity, media: h.media, auto: true,
		audios: 3, videos: 3, roster: make(map[string]ParticipantInfo),
	}
}

func (c *client) Send(m Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full || c.ended {
		return false
	}
	if c.left != nil {
		c.faults = append(c.faults, fmt.Sprintf("%T after Leave", m))
	}
	c.log = append(c.log, m)
	c.note(m)
	return true
}

// note follows the messages as livekit-client does.
func (c *client) note(m Message) {
	switch m := m.(type) {
	case Joined:
		if len(c.log) != 1 {
			c.faults = append(c.faults, "Joined is not the first message")
		}
		c.self = m.Participant
		for _, p := range m.Others {
			c.learn(p)
		}
	case Update:
		for _, p := range m.Participants {
			c.learn(p)
		}
	case Leave:
		c.left = &m
	case Answer:
		c.answered = m.ID
		if c.dual {
			if len(m.MidToTrack) > 0 {
				c.faults = append(c.faults, "media on the connection on which the client sends")
			}
			return
		}
		c.seat(m.MidToTrack)
	case Proposal:
		c.proposed(m)
	case SectionsNeeded:
		c.audios += m.Audios
		c.videos += m.Videos
		c.due = c.session == nil
		if c.auto && c.session != nil {
			c.offerLocked()
		}
	}
}

func (c *client) seat(mids map[string]string) {
	c.mids = mids
	for _, sid := range mids {
		if !c.knowsTrack(sid) {
			c.faults = append(c.faults, "media of an unknown track")
		}
	}
}

func (c *client) proposed(m Proposal) {
	var p fakeProposal
	if json.Unmarshal([]byte(m.SDP), &p) != nil || !c.dual {
		c.faults = append(c.faults, "a proposal that is none")
	}
	if c.pending++; c.pending > 1 {
		c.faults = append(c.faults, "a proposal before the reply to the last one")
	}
	if !maps.Equal(p.Tracks, m.MidToTrack) {
		c.faults = append(c.faults, "a proposal whose map differs")
	}
	c.seat(m.MidToTrack)
	c.reply = m.ID
	if c.auto && c.session != nil {
		c.replyLocked()
	}
}

func (c *client) replyLocked() {
	c.pending--
	c.session.Handle(Reply{SDP: fakeReply{c.refuse}.String(), ID: c.reply})
	c.reply = 0
}

func (c *client) learn(p ParticipantInfo) {
	if p.SID == c.self.SID {
		if p.Version < c.self.Version {
			c.faults = append(c.faults, "own version went back")
		}
		c.self = p
		return
	}
	if p.Permission.Hidden && p.State != StateDisconnected {
		c.faults = append(c.faults, "a hidden participant is listed")
	}
	old, known := c.roster[p.Identity]
	if known && old.SID == p.SID && p.Version < old.Version {
		c.faults = append(c.faults, "a version went back")
	}
	if p.State == StateDisconnected {
		if known && p.JoinedAt.Before(old.JoinedAt) {
			c.faults = append(c.faults, "the departure of an older participant tears down a newer one")
		}
		delete(c.roster, p.Identity)
		return
	}
	c.roster[p.Identity] = p
}

func (c *client) knowsTrack(sid string) bool {
	for _, p := range c.roster {
		if slices.ContainsFunc(p.Tracks, func(t TrackInfo) bool { return t.SID == sid }) {
			return true
		}
	}
	return false
}

// End implements Conn: the session learns of it as signaling tells it.
func (c *client) End() {
	c.mu.Lock()
	was := c.ended
	c.ended = true
	s := c.session
	c.mu.Unlock()
	if !was && s != nil {
		s.Detach()
	}
}

func (c *client) offerLocked() {
	c.offerID++
	c.session.Handle(Offer{SDP: c.sdp(), ID: c.offerID})
}

func (c *client) sdp() string { return fakeOffer{c.audios, c.videos, c.cids}.String() }

func (c *client) offer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offerLocked()
}

func (c *client) join() Join {
	return Join{
		Key: testKey, Identity: c.identity, Name: "Name of " + c.identity,
		Permission:    Permission{Subscribe: true, Publish: true, PublishData: true, UpdateMetadata: true},
		AutoSubscribe: true, Offer: c.sdp(), OfferID: 1,
	}
}

func (h *host) tryJoin(c *client, change func(*Join)) error {
	j := c.join()
	if change != nil {
		change(&j)
	}
	c.offerID, c.dual = j.OfferID, j.Dual
	s, err := h.dir.Join(context.Background(), j, c)
	if err == nil {
		c.adopt(s)
	}
	return err
}

// adopt stores the session as signaling does: an end that came first is told
// now.
func (c *client) adopt(s Session) {
	c.mu.Lock()
	c.session = s
	ended := c.ended
	if c.due && c.auto {
		c.due = false
		c.offerLocked()
	}
	if c.reply != 0 && c.auto {
		c.replyLocked()
	}
	c.mu.Unlock()
	if ended {
		s.Detach()
	}
}

func (h *host) join(identity string, change func(*Join)) *client {
	h.t.Helper()
	c := newClient(h, identity)
	if err := h.tryJoin(c, change); err != nil {
		h.t.Fatalf("joining as %s: %v", identity, err)
	}
	return c
}

// resume brings c back on a new connection.
func (h *host) resume(c *client) (*client, error) {
	n := newClient(h, c.identity)
	c.mu.Lock()
	n.roster, n.self, n.audios, n.videos = c.roster, c.self, c.audios, c.videos
	n.cids, n.offerID = c.cids, c.offerID
	n.dual, n.mids = c.dual, c.mids
	c.mu.Unlock()
	s, err := h.dir.Resume(context.Background(), Resume{Key: testKey, Identity: c.identity, SID: n.self.SID}, n)
	if err == nil {
		n.adopt(s)
	}
	return n, err
}

func (c *client) sid() string { return c.me().SID }

// me is what c was told of itself last.
func (c *client) me() ParticipantInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.self
}

// sections is what c receives where.
func (c *client) sections() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mids
}

func (c *client) peer() *fakePeer { return c.media.peer(c.sid()) }

func (c *client) do(req Request) {
	c.t.Helper()
	if !c.session.Handle(req) {
		c.t.Fatalf("%T was not taken", req)
	}
}

// connect tells that media flows.
func (c *client) connect() { c.peer().events.PeerState(sfu.PeerConnected) }

// publish adds a track the way livekit-client does, and returns its sid.
func (c *client) publish(cid string, source Source, change func(*AddTrack)) string {
	c.t.Helper()
	req := AddTrack{CID: cid, Source: source, Kind: kindOf[source], Name: cid}
	if change != nil {
		change(&req)
	}
	before := len(all[TrackPublished](c))
	c.do(req)
	synctest.Wait()
	got := all[TrackPublished](c)
	if len(got) != before+1 || got[before].CID != cid {
		c.t.Fatalf("publishing %s: no TrackPublished in %v", cid, c.types())
	}
	c.mu.Lock()
	c.cids = append(slices.Clone(c.cids), cid)
	c.mu.Unlock()
	c.offer()
	settle()
	return got[before].Track.SID
}

func (c *client) unpublish(cid string) {
	c.mu.Lock()
	c.cids = slices.DeleteFunc(slices.Clone(c.cids), func(s string) bool { return s == cid })
	c.mu.Unlock()
	c.offer()
	settle()
}

// all returns the messages of one type that c has got.
func all[T Message](c *client) []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []T
	for _, m := range c.log {
		if m, ok := m.(T); ok {
			out = append(out, m)
		}
	}
	return out
}

// last returns the newest message of one type.
func last[T Message](c *client) T {
	c.t.Helper()
	l := all[T](c)
	if len(l) == 0 {
		c.t.Fatalf("%s got no %T: %v", c.identity, *new(T), c.types())
	}
	return l[len(l)-1]
}

func (c *client) types() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, m := range c.log {
		out = append(out, fmt.Sprintf("%T", m)[len("room."):])
	}
	return out
}

// clear forgets the messages so far.
func (c *client) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = c.log[:0:0]
}

func (c *client) knows(identity string) (ParticipantInfo, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.roster[identity]
	return p, ok
}

func (c *client) leave() *Leave {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

func (c *client) hasEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// cut ends the connection without a word.
func (c *client) cut() { c.End() }

// sound fails the test for what c should never have seen.
func (c *client) sound() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.faults {
		c.t.Errorf("%s: %s", c.identity, f)
	}
}
