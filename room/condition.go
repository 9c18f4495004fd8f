// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"cmp"
	"maps"
	"slices"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// gradeLost is the grade of a participant whose media path is cut. It is told
// to others only: a client that hears it of itself starts all over.
const gradeLost = 3

// speakers passes on who began, changed or ceased to speak.
func (r *Room) speakers(changed map[string]sfu.Speaker) {
	var told []SpeakerInfo
	for _, s := range inOrder(r, changed) {
		p := r.bySID[s.PeerID]
		p.level, p.speaking = s.Level, s.Active
		if p.visible() {
			told = append(told, p.speaker())
		}
	}
	if len(told) == 0 {
		return
	}
	for _, q := range r.order {
		if q.perm.Subscribe {
			r.send(q, Speakers{Speakers: told})
		}
	}
}

func (p *participant) speaker() SpeakerInfo {
	return SpeakerInfo{SID: p.sid, Level: p.level, Active: p.speaking}
}

// qualities passes on changed connection qualities.
func (r *Room) qualities(changed map[string]sfu.Quality) {
	var told []*participant
	for _, c := range inOrder(r, changed) {
		p := r.bySID[c.PeerID]
		p.grade, p.score = min(max(c.Grade, 0), 2), c.Score
		told = append(told, p)
	}
	r.tellQuality(told)
}

// inOrder lists the values of those who are still here, by time of joining, so
// that everybody is told the same in the same order.
func inOrder[T any](r *Room, m map[string]T) []T {
	sids := slices.DeleteFunc(slices.Collect(maps.Keys(m)), func(sid string) bool { return r.bySID[sid] == nil })
	slices.SortFunc(sids, func(a, b string) int {
		return cmp.Or(r.bySID[a].joinedAt.Compare(r.bySID[b].joinedAt), cmp.Compare(a, b))
	})
	out := make([]T, 0, len(sids))
	for _, sid := range sids {
		out = append(out, m[sid])
	}
	return out
}

// setLost notes that p's media path was cut, or is back.
func (r *Room) setLost(p *participant, lost bool) {
	if p.lost != lost {
		p.lost = lost
		r.tellQuality([]*participant{p})
	}
}

// tellQuality tells everybody the qualities of these participants.
func (r *Room) tellQuality(of []*participant) {
	for _, q := range r.order {
		r.sendQuality(q, of)
	}
}

func (r *Room) sendQuality(q *participant, of []*participant) {
	var told []QualityInfo
	for _, p := range of {
		switch {
		case p != q && !p.visible():
		case p != q && p.lost:
			told = append(told, QualityInfo{SID: p.sid, Grade: gradeLost})
		case p.grade != noGrade:
			told = append(told, QualityInfo{SID: p.sid, Grade: p.grade, Score: p.score})
		}
	}
	if len(told) > 0 {
		r.send(q, Quality{Qualities: told})
	}
}

// greet tells one participant who speaks and how well all are connected. One
// who has been here before must also learn who does not speak any more.
func (r *Room) greet(p *participant, before bool) {
	var speaking []SpeakerInfo
	for _, q := range r.order {
		if q.visible() && (q.speaking || before) {
			speaking = append(speaking, q.speaker())
		}
	}
	if len(speaking) > 0 && p.perm.Subscribe {
		r.send(p, Speakers{Speakers: speaking})
	}
	r.sendQuality(p, r.order)
}
