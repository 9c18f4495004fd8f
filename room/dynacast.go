// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import "github.com/caddy-videoroom/videoroom/sfu"

// Publishers are told which layers anybody watches (dynacast), so that they
// need not encode the others: more at once, less after five seconds.

// watch has t's watchers looked at when the turn ends.
func (r *Room) watch(t *track) {
	if t.info.Kind == sfu.Video && !t.watched {
		t.watched = true
		r.watched = append(r.watched, t)
	}
}

func (r *Room) updateWatched() {
	list := r.watched
	r.watched = nil
	for _, t := range list {
		t.watched = false
		if t.announced {
			r.updateWanted(t)
		}
	}
}

// updateWanted compares what is wanted of t with what the publisher was told.
func (r *Room) updateWanted(t *track) {
	want := r.wanted(t)
	if t.owner.narrow && want < t.told {
		r.agenda.cancel(t.downTask)
		t.downTask = nil
		r.tellWanted(t, want)
		return
	}
	if want >= t.told {
		r.agenda.cancel(t.downTask)
		t.downTask = nil
		if want > t.told {
			r.tellWanted(t, want)
		}
		return
	}
	if t.downTask == nil {
		t.downTask = r.agenda.after(downgradeDelay, func() {
			t.downTask = nil
			if want := r.wanted(t); want < t.told {
				r.tellWanted(t, want)
			}
		})
	}
}

// uplinkChanged has a participant pause all pictures that its own line cannot
// carry beside sound, and go on with them later. There is no time to wait: sound is
// being lost.
func (r *Room) uplinkChanged(p *participant, narrow bool) {
	if p.narrow == narrow {
		return
	}
	p.narrow = narrow
	for _, t := range p.tracks {
		r.watch(t)
	}
}

// wanted returns the highest quality that anybody wants of t, -1 when nobody
// wants anything.
func (r *Room) wanted(t *track) int {
	want := -1
	if t.owner.narrow {
		return want
	}
	for _, q := range r.order {
		if s := q.subs[t.info.SID]; s != nil && s.active {
			want = max(want, t.qualityFor(s))
		}
	}
	return want
}

// qualityFor translates a subscription's settings to a quality. A size takes
// the smallest layer that covers it with both sides, whichever way up.
func (t *track) qualityFor(s *subscription) int {
	switch {
	case s.set && s.settings.Disabled:
		return -1
	case s.paused:
		return 0 // what it goes on with
	case !s.set:
		return 2
	case s.settings.Width == 0 || s.settings.Height == 0:
		return min(max(s.settings.Quality, 0), 2)
	}
	short, long := min(s.settings.Width, s.settings.Height), max(s.settings.Width, s.settings.Height)
	for _, l := range t.info.Layers {
		if min(l.Width, l.Height) >= short && max(l.Width, l.Height) >= long {
			return min(max(l.Quality, 0), 2)
		}
	}
	return 2
}

// tellWanted tells the publisher. Whatever lies below the wanted quality stays
// on: a receiver falls back to it when the network narrows.
func (r *Room) tellWanted(t *track, want int) {
	t.told = want
	r.send(t.owner, t.subscribedQuality())
}

// subscribedQuality is what the publisher is told. A track with its layers within
// one encoding is encoded as a whole or not at all: clients do so whatever they
// are told, and layers that nobody wants go no further than the server.
func (t *track) subscribedQuality() SubscribedQuality {
	c := SubscribedCodec{Codec: shortName(t.info.Mime)}
	for q := range c.Enabled {
		c.Enabled[q] = q <= t.told || (t.info.scalable() && t.told >= 0)
	}
	return SubscribedQuality{TrackSID: t.info.SID, Codecs: []SubscribedCodec{c}}
}
