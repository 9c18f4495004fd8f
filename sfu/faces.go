// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"cmp"
	"slices"
)

const (
	// maxFaces is how many cameras a client is sent at once: as many faces as can
	// be read on one screen, and as phones decode. Screens do not count.
	maxFaces = 12
	// A tile of so many times the smallest one's area is shown on purpose, as a
	// pinned one is.
	onPurpose = 4
)

// welcome gives a peer its seat.
func (r *roomMedia) welcome(t *transport) {
	r.seats++
	t.seat = r.seats
	r.peers = append(r.peers, t)
}

// noteSpeech remembers who speaks now, and not just for a word.
func (r *roomMedia) noteSpeech(now int64) {
	for _, t := range r.peers {
		for _, u := range t.ups {
			if u.kind == Audio && !u.muted && u.level.speech >= facesOnset {
				t.spoke = now
			}
		}
	}
}

// chooseFaces decides which cameras t is sent where more are visible than a
// client is sent at once. A tile that is shown on purpose goes first, then who
// spoke last; those who have not spoken keep the order in which they came. So a
// new speaker takes the place of who has been silent for longest, and nothing
// changes while those in view talk.
func (t *transport) chooseFaces() {
	faces := t.allot.faces[:0]
	least := uint64(0) // the area of the smallest tile
	for _, d := range t.downs {
		d.benched = false
		if d.track.kind != Video || d.track.screen || d.track.muted || d.settings.Disabled {
			continue
		}
		faces = append(faces, d)
		if a := d.area(); a > 0 && (least == 0 || a < least) {
			least = a
		}
	}
	if len(faces) > maxFaces {
		for _, d := range faces {
			d.pinned = least > 0 && d.area() >= onPurpose*least
		}
		slices.SortFunc(faces, compareFaces)
		for _, d := range faces[maxFaces:] {
			d.benched = true
		}
	}
	clear(faces)
	t.allot.faces = faces
}

// area is that of the tile, in pixels; 0 where it is not known.
func (d *downTrack) area() uint64 { return uint64(d.settings.Width) * uint64(d.settings.Height) }

// compareFaces orders those first who are to be seen.
func compareFaces(a, b *downTrack) int {
	p, q := a.track.pub, b.track.pub
	return cmp.Or(
		cmp.Compare(b.settings.Priority, a.settings.Priority),
		-compareBool(a.pinned, b.pinned),
		cmp.Compare(q.spoke, p.spoke),
		cmp.Compare(p.seat, q.seat),
		cmp.Compare(a.track.sid, b.track.sid),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
