// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import "math"

// roomMedia is the loop half of a room: its peers' transports, who speaks, how well they are
// connected. It belongs to one core.
type roomMedia struct {
	events      RoomEvents
	peers       []*transport
	people      int // peers, however many transports each has
	nextSpeaker int64
	nextQuality int64
}

func (r *roomMedia) forget(t *transport) { r.peers = without(r.peers, t) }

func (r *roomMedia) tick(c *core) {
	if c.now >= r.nextSpeaker {
		r.nextSpeaker = c.now + speakerPeriod
		r.speakers()
	}
	if c.now >= r.nextQuality {
		r.nextQuality = c.now + qualityPeriod
		r.qualities()
	}
}

// Speaker detection: a window counts as speech when enough of its packets are
// louder than the threshold; speech ends after two silent windows.
const (
	speechLevel   = 40 // -dBov (RFC 6464): smaller is louder
	speechShare   = 0.4
	silentWindows = 2
	levelStep     = 0.1
)

// amplitude converts a level in -dBov to a linear amplitude.
var amplitude = func() (t [128]float32) {
	for i := range t {
		t[i] = float32(math.Pow(10, -float64(i)/20))
	}
	return t
}()

// loudness sums up the audio-level extensions of one window.
type loudness struct {
	packets, loud int
	sum           float32

	active       bool
	silent       int
	level        float32
	told         float32
	toldActivity bool
}

func (l *loudness) add(level uint8) {
	l.packets++
	l.sum += amplitude[level&0x7f]
	if level <= speechLevel {
		l.loud++
	}
}

// window closes a window and tells whether others should hear of a change.
func (l *loudness) window() (changed bool) {
	mean := float32(0)
	if l.packets > 0 {
		mean = l.sum / float32(l.packets)
	}
	speech := l.packets > 0 && float32(l.loud) >= speechShare*float32(l.packets)
	l.level = l.level/2 + mean/2
	l.packets, l.loud, l.sum = 0, 0, 0
	switch {
	case speech:
		l.active, l.silent = true, 0
	case l.active:
		if l.silent++; l.silent >= silentWindows {
			l.active = false
		}
	}
	if l.active == l.toldActivity && (!l.active || abs32(l.level-l.told) < levelStep) {
		return false
	}
	l.toldActivity, l.told = l.active, l.level
	return true
}

func abs32(v float32) float32 { return float32(math.Abs(float64(v))) }

func (r *roomMedia) speakers() {
	var out []Speaker
	for _, t := range r.peers {
		for _, u := range t.ups {
			if u.kind != Audio || !u.level.window() {
				continue
			}
			s := Speaker{PeerID: t.peerID, Active: u.level.active}
			if s.Active {
				s.Level = min(1, u.level.level*4) // speech peaks lie near -12 dBov
			}
			out = append(out, s)
		}
	}
	if len(out) > 0 {
		r.events.RoomSpeakers(out)
	}
}

// qualityState sums up what is known of a peer's media path between two grades.
type qualityState struct {
	lost    float64 // smoothed loss on the way to us
	told    bool
	lastTop int
}

func (q *qualityState) heard(fraction uint8) {
	q.lost = q.lost*0.7 + float64(fraction)/256*0.3
}

// grade maps loss and round-trip time to the three grades people are shown.
func (t *transport) grade() (grade int, score float32) {
	loss, trip, cut := t.condition()
	rtt := float64(trip) / 1e9
	score = float32(max(1, 4.5-loss*25-max(0, rtt-0.15)*3))
	switch {
	case loss > 0.08 || rtt > 0.6 || cut:
		return 0, score
	case loss > 0.02 || rtt > 0.3:
		return 1, score
	}
	return 2, score
}

func (r *roomMedia) qualities() {
	var out []Quality
	for _, t := range r.peers {
		if t.second || t.state < PeerConnected || t.state > PeerDisconnected {
			continue
		}
		g, score := t.grade()
		if t.quality.told && t.quality.lastTop == g {
			continue
		}
		t.quality.told, t.quality.lastTop = true, g
		out = append(out, Quality{PeerID: t.peerID, Grade: g, Score: score})
	}
	if len(out) > 0 {
		r.events.RoomQuality(out)
	}
}
