// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// fakeProposal is the "SDP" that a fake peer with two connections offers.
type fakeProposal struct {
	Restarts int
	Tracks   map[string]string // by mid
}

// fakeReply is the "SDP" of the answer.
type fakeReply struct{ Refuse []string }

func (r fakeReply) String() string {
	b, _ := json.Marshal(r)
	return string(b)
}

// nextLocked is what the next proposal would tell.
func (p *fakePeer) nextLocked() *fakeProposal {
	next := &fakeProposal{Restarts: p.restarts, Tracks: make(map[string]string)}
	for _, q := range p.places {
		if _, ok := p.subs[q.sid]; ok {
			next.Tracks[q.mid] = q.sid
		}
	}
	for _, sid := range slices.Sorted(maps.Keys(p.subs)) {
		if !slices.ContainsFunc(p.places, func(q place) bool { return q.sid == sid }) {
			mid := strconv.Itoa(len(p.places))
			p.places = append(p.places, place{mid: mid, kind: p.subs[sid], sid: sid})
			next.Tracks[mid] = sid
		}
	}
	return next
}

func (p *fakePeer) dueLocked(next *fakeProposal) bool {
	if p.told == nil {
		return p.config.SubscriberPrimary || len(next.Tracks) > 0
	}
	return !maps.Equal(p.told.Tracks, next.Tracks) || p.told.Restarts != next.Restarts
}

func (p *fakePeer) Propose(restart bool) (sfu.Proposal, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.config.Dual || p.closed || p.offered != nil && !restart {
		return sfu.Proposal{}, false
	}
	if restart && (p.told != nil || p.offered != nil) {
		p.restarts++
	}
	next := p.nextLocked()
	if !p.dueLocked(next) {
		return sfu.Proposal{}, false
	}
	p.offered = next
	b, err := json.Marshal(next)
	return sfu.Proposal{SDP: string(b), MidToTrack: next.Tracks}, err == nil
}

func (p *fakePeer) Accept(sdp string) (sfu.Answer, error) {
	p.mu.Lock()
	var r fakeReply
	if p.offered == nil || json.Unmarshal([]byte(sdp), &r) != nil {
		p.mu.Unlock()
		return sfu.Answer{}, fmt.Errorf("parsing: %w", sfu.ErrBadAnswer)
	}
	p.told, p.offered = p.offered, nil
	a := sfu.Answer{MidToTrack: make(map[string]string)}
	for mid, sid := range p.told.Tracks {
		if _, ok := p.subs[sid]; ok && !slices.Contains(r.Refuse, sid) {
			a.MidToTrack[mid] = sid
		}
	}
	p.mu.Unlock()
	for _, sid := range r.Refuse {
		p.Unsubscribe(sid)
		a.Refused = append(a.Refused, sid)
	}
	return a, nil
}
