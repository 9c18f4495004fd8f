// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"time"
)

// Updates are collected and sent at most every 50 ms, the first of them at
// once. What must not precede them (subscriptions to new tracks, requests for
// sections) waits for them.

// departure is one participant who has left.
type departure struct {
	seq  uint64
	info ParticipantInfo
}

// info returns the room as told to its participants. Hidden ones are not
// counted: the count would give them away.
func (r *Room) info() Info {
	i := Info{
		SID: r.sid, Name: r.key.Name, Metadata: r.metadata, CreatedAt: r.created,
		EmptyTimeout: r.policy.EmptyGrace, MaxParticipants: r.policy.MaxParticipants,
	}
	for _, p := range r.order {
		if p.visible() {
			i.NumParticipants++
			if len(p.tracks) > 0 {
				i.NumPublishers++
			}
		}
	}
	return i
}

// changed notes that p differs from what others know.
func (r *Room) changed(p *participant) {
	p.version++
	r.stale = true
	if !p.dirty {
		p.dirty = true
		r.dirty = append(r.dirty, p)
	}
}

// depart notes that a visible participant has left, or has become hidden.
func (r *Room) depart(i ParticipantInfo) {
	i.State, i.Tracks, i.Publisher = StateDisconnected, nil, false
	r.seq++
	d := departure{r.seq, i}
	r.left = append(r.left, d)
	if len(r.departed) >= maxDeparted {
		oldest := d
		for _, e := range r.departed {
			if e.seq < oldest.seq {
				oldest = e
			}
		}
		delete(r.departed, oldest.info.Identity)
	}
	r.departed[i.Identity] = d
}

func (r *Room) updatesPending() bool { return len(r.dirty)+len(r.left)+len(r.fresh) > 0 }

// flushUpdates sends what has been collected, when its time has come.
func (r *Room) flushUpdates() {
	if !r.updatesPending() {
		r.tellRoom()
		return
	}
	if wait := updateInterval - time.Since(r.lastFlush); wait > 0 {
		if r.flushTask == nil {
			// The task only wakes the room: settle follows each turn.
			r.flushTask = r.agenda.after(wait, func() { r.flushTask = nil })
		}
		return
	}
	r.lastFlush = time.Now()
	dirty, left, fresh := r.dirty, r.left, r.fresh
	r.dirty, r.left, r.fresh = nil, nil, nil
	infos := make(map[*participant]ParticipantInfo, len(dirty))
	for _, p := range dirty {
		p.dirty = false
		if !p.gone {
			infos[p] = p.info()
		}
	}
	for _, q := range r.order {
		if u := updateFor(q, dirty, infos, left); len(u) > 0 {
			r.send(q, Update{Participants: u})
		}
	}
	r.tellRoom()
	for _, t := range fresh {
		r.offerTrack(t)
	}
}

// updateFor picks what concerns q: the departed whom q may know of, first,
// because an identity may be back already; then the changed.
func updateFor(q *participant, dirty []*participant, infos map[*participant]ParticipantInfo, left []departure) []ParticipantInfo {
	var out []ParticipantInfo
	for _, d := range left {
		if d.seq > q.since && d.info.SID != q.sid {
			out = append(out, d.info)
		}
	}
	for _, p := range dirty {
		if i, ok := infos[p]; ok && (p == q || p.visible()) {
			out = append(out, i)
		}
	}
	return out
}

// tellRoom tells everybody a changed room.
func (r *Room) tellRoom() {
	i := r.info()
	if i == r.toldInfo {
		return
	}
	r.toldInfo = i
	for _, q := range r.order {
		r.send(q, RoomUpdate{Room: i})
	}
}

// catchUp is the whole state for a participant who resumes: who has left since
// the join and is not back, everybody else, and oneself.
func (r *Room) catchUp(p *participant) []ParticipantInfo {
	var out []ParticipantInfo
	for _, d := range r.departed {
		if d.seq > p.joined && d.info.Identity != p.identity {
			out = append(out, d.info)
		}
	}
	slices.SortFunc(out, func(a, b ParticipantInfo) int {
		return int(int64(r.departed[a.Identity].seq) - int64(r.departed[b.Identity].seq))
	})
	out = append(out, p.info())
	return append(out, r.others(p)...)
}
