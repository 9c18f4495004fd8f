// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/caddy-videoroom/videoroom/sfu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeMedia is a media plane without media: it keeps the books of sections and
// subscriptions as the contract of Peer has it.
type fakeMedia struct {
	mu    sync.Mutex
	rooms []*fakeRoom
	fail  error // of NewPeer
}

func (m *fakeMedia) NewRoom(e sfu.RoomEvents) MediaRoom {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &fakeRoom{media: m, events: e, peers: make(map[string]*fakePeer)}
	m.rooms = append(m.rooms, r)
	return r
}

func (m *fakeMedia) last() *fakeRoom {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rooms[len(m.rooms)-1]
}

func (m *fakeMedia) peer(sid string) *fakePeer {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rooms {
		r.mu.Lock()
		p := r.peers[sid]
		r.mu.Unlock()
		if p != nil {
			return p
		}
	}
	return nil
}

type fakeRoom struct {
	media  *fakeMedia
	events sfu.RoomEvents
	mu     sync.Mutex
	peers  map[string]*fakePeer
	closed bool
}

func (r *fakeRoom) NewPeer(c sfu.PeerConfig, e sfu.PeerEvents) (Peer, error) {
	if r.media.fail != nil {
		return nil, r.media.fail
	}
	p := &fakePeer{
		room: r, id: c.ID, events: e, specs: make(map[string]sfu.TrackSpec),
		mids: make(map[string]string), subs: make(map[string]sfu.Kind),
		settings: make(map[string]sfu.Settings), muted: make(map[string]bool),
		config: c,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peers[c.ID] != nil {
		return nil, fmt.Errorf("peer %s twice", c.ID)
	}
	r.peers[c.ID] = p
	return p, nil
}

func (r *fakeRoom) Close() {
	r.mu.Lock()
	r.closed = true
	peers := make([]*fakePeer, 0, len(r.peers))
	for _, p := range r.peers {
		peers = append(peers, p)
	}
	r.mu.Unlock()
	for _, p := range peers {
		p.Close()
	}
}

func (r *fakeRoom) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// fakePeer implements Peer. Its lock only serves the tests that look at it.
type fakePeer struct {
	config sfu.PeerConfig
	room   *fakeRoom
	id     string
	events sfu.PeerEvents

	mu       sync.Mutex
	specs    map[string]sfu.TrackSpec // by sid
	mids     map[string]string        // published sid → mid
	subs     map[string]sfu.Kind      // sid
	places   []place                  // recvonly sections
	stale    bool                     // an answer must be renewed
	offers   int
	offered  *fakeProposal // of a peer with two connections: unanswered
	told     *fakeProposal // and the last answered
	restarts int
	settings map[string]sfu.Settings
	limits   []uint32
	report   sfu.Report
	silent   bool // never reports
	muted    map[string]bool
	sent     [][]byte
	sendErr  error
	pubErr   error
	subErr   error
	closed   bool
}

type place struct {
	mid  string
	kind sfu.Kind
	sid  string
}

// fakeOffer is the "SDP" of these tests.
type fakeOffer struct {
	Audios, Videos int      // recvonly sections
	CIDs           []string // of what is sent
}

func (o fakeOffer) String() string {
	b, _ := json.Marshal(o)
	return string(b)
}

func (p *fakePeer) Publish(s sfu.TrackSpec) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pubErr != nil {
		return p.pubErr
	}
	p.specs[s.SID] = s
	return nil
}

func (p *fakePeer) Unpublish(sid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mids[sid] != "" {
		p.stale = true
	}
	delete(p.specs, sid)
	delete(p.mids, sid)
}

func (p *fakePeer) Mute(sid string, muted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.muted[sid] = muted
}

func (p *fakePeer) Subscribe(publisher, sid string) error {
	q := p.room.media.peer(publisher)
	if q == nil || q == p {
		return fmt.Errorf("no publisher")
	}
	q.mu.Lock()
	spec, ok := q.specs[sid]
	ok = ok && !q.closed
	q.mu.Unlock()
	if !ok {
		return fmt.Errorf("no track")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.subErr != nil {
		return p.subErr
	}
	if p.closed {
		return sfu.ErrClosed
	}
	p.subs[sid] = spec.Kind
	return nil
}

func (p *fakePeer) Unsubscribe(sid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.subs, sid)
	delete(p.settings, sid)
	for i := range p.places {
		if p.places[i].sid == sid {
			p.places[i].sid, p.stale = "", true
		}
	}
}

func (p *fakePeer) Settings(sid string, s sfu.Settings) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settings[sid] = s
}

func (p *fakePeer) Limit(rate uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limits = append(p.limits, rate)
}

func (p *fakePeer) Report(tell func(sfu.Report)) {
	p.mu.Lock()
	r, mute := p.report, p.silent
	p.mu.Unlock()
	if !mute {
		go tell(r) // ends with the call
	}
}

// needLocked counts missing sections; those without a place are served by free
// ones first.
func (p *fakePeer) needLocked() (audios, videos int, offer bool) {
	if p.config.Dual {
		return 0, 0, p.offered != nil || p.dueLocked(p.nextLocked())
	}
	missing := map[sfu.Kind]int{}
	for sid, k := range p.subs {
		if !slices.ContainsFunc(p.places, func(q place) bool { return q.sid == sid }) {
			missing[k]++
		}
	}
	offer = p.stale || len(missing) > 0
	for _, q := range p.places {
		if q.sid == "" {
			missing[q.kind]--
		}
	}
	return max(0, missing[sfu.Audio]), max(0, missing[sfu.Video]), offer
}

func (p *fakePeer) Need() (audios, videos int, offer bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.config.Dual {
		return 0, 0, false
	}
	return p.needLocked()
}

func (p *fakePeer) Offer(sdp string) (sfu.Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var o fakeOffer
	if json.Unmarshal([]byte(sdp), &o) != nil {
		return sfu.Answer{}, fmt.Errorf("parsing: %w", sfu.ErrBadOffer)
	}
	p.offers++
	if p.config.Dual {
		a := sfu.Answer{SDP: "answer " + strconv.Itoa(p.offers), MidToTrack: map[string]string{}}
		p.match(o, &a)
		return a, nil
	}
	p.grow(sfu.Audio, o.Audios)
	p.grow(sfu.Video, o.Videos)
	a := sfu.Answer{SDP: "answer " + strconv.Itoa(p.offers), MidToTrack: make(map[string]string)}
	p.match(o, &a)
	sids := make([]string, 0, len(p.subs))
	for sid := range p.subs {
		sids = append(sids, sid)
	}
	slices.Sort(sids)
	for _, sid := range sids {
		p.seat(sid)
	}
	for _, q := range p.places {
		if q.sid != "" {
			a.MidToTrack[q.mid] = q.sid
		}
	}
	p.stale = false
	return a, nil
}

func (p *fakePeer) grow(k sfu.Kind, n int) {
	have := 0
	for _, q := range p.places {
		if q.kind == k {
			have++
		}
	}
	for ; have < n; have++ {
		p.places = append(p.places, place{mid: strconv.Itoa(len(p.places)), kind: k})
	}
}

// match finds the sections of pending tracks and the tracks without section.
func (p *fakePeer) match(o fakeOffer, a *sfu.Answer) {
	for sid, spec := range p.specs {
		offered := slices.Contains(o.CIDs, spec.CID)
		switch {
		case offered && p.mids[sid] == "":
			p.mids[sid] = "p" + spec.CID
			mime := defaultMime[spec.Kind]
			if len(spec.Codecs) > 0 {
				mime = mimes[spec.Kind][spec.Codecs[0]]
			}
			a.Published = append(a.Published, sfu.Published{
				SID: sid, Mid: p.mids[sid], Mime: mime, Simulcast: len(spec.Layers) > 1 && (spec.Layers[0].RID != "" || !svc(mime)),
			})
		case !offered && p.mids[sid] != "":
			a.Unpublished = append(a.Unpublished, sid)
			delete(p.mids, sid)
		}
	}
}

func (p *fakePeer) seat(sid string) {
	for _, q := range p.places {
		if q.sid == sid {
			return
		}
	}
	for i := range p.places {
		if p.places[i].sid == "" && p.places[i].kind == p.subs[sid] {
			p.places[i].sid = sid
			return
		}
	}
}

func (p *fakePeer) SendData(_ sfu.DataKind, payload []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sendErr == nil {
		p.sent = append(p.sent, payload)
	}
	return p.sendErr
}

func (p *fakePeer) setSendErr(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sendErr = err
}

func (p *fakePeer) Close() {
	p.mu.Lock()
	was := p.closed
	p.closed = true
	p.mu.Unlock()
	if !was {
		p.events.PeerState(sfu.PeerClosed)
	}
}

func (p *fakePeer) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *fakePeer) data() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, b := range p.sent {
		out = append(out, string(b))
	}
	return out
}

func (p *fakePeer) setting(sid string) (sfu.Settings, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.settings[sid]
	return s, ok
}

func (p *fakePeer) receives(sid string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.subs[sid]
	return ok
}

// fakeCodec understands {"d":"text","to":["identity"],"s":7}.
type fakeCodec struct{}

type fakePacket struct {
	Data string   `json:"d"`
	To   []string `json:"to,omitempty"`
	Seq  uint32   `json:"s,omitempty"`
	From string   `json:"from,omitempty"`
}

func (fakeCodec) Stamp(payload []byte, identity, _ string) ([]byte, []string, uint32, error) {
	var p fakePacket
	if err := json.Unmarshal(payload, &p); err != nil {
		return nil, nil, 0, err
	}
	p.From = identity
	out, err := json.Marshal(p)
	return out, p.To, p.Seq, err
}
