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
	seats       uint64 // given so far
}

func (r *roomMedia) forget(t *transport) { r.peers = without(r.peers, t) }

func (r *roomMedia) tick(c *core) {
	if c.now >= r.nextSpeaker {
		r.nextSpeaker = c.now + speakerPeriod
		r.speakers()
		r.noteSpeech(c.now)
	}
	if c.now >= r.nextQuality {
		r.nextQuality = c.now + qualityPeriod
		r.qualities(c.now)
	}
}

// Speaker detection: a window counts as speech when enough of its packets are
// louder than the threshold. Somebody speaks after half a second of it, silent
// windows between taken off, so that a cough is none, and does no more after six
// silent ones, so that a breath is no end. Nearly a second of it brings a face
// into view where not all can be; see chooseFaces. Both are in windows.
const (
	speechLevel   = 40 // -dBov (RFC 6464): smaller is louder
	speechShare   = 0.4
	speechOnset   = 2.5
	facesOnset    = 4.5
	silentWindows = 6
	fewPackets    = 4
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
	speech       float32 // windows that were loud, facesOnset at most
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
	// Silence may send next to nothing (DTX): a tap alone is no window of speech.
	loud := float32(l.loud) / float32(max(l.packets, fewPackets))
	speech := loud >= speechShare
	l.level = l.level/2 + mean/2
	l.packets, l.loud, l.sum = 0, 0, 0
	switch {
	case speech:
		l.speech, l.silent = min(l.speech+loud, facesOnset), 0
		l.active = l.active || l.speech >= speechOnset
	case l.active:
		if l.silent++; l.silent >= silentWindows {
			l.active, l.speech = false, 0
		}
	default:
		l.speech = max(l.speech-1, 0)
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
	up      jitter  // on the way to us
	down    jitter  // on the way to the client
	told    bool
	lastTop int
}

func (q *qualityState) heard(fraction uint8) {
	q.lost = q.lost*0.7 + float64(fraction)/256*0.3
}

func (r *roomMedia) qualities(now int64) {
	var out []Quality
	for _, t := range r.peers {
		if t.second || t.state < PeerConnected || t.state > PeerDisconnected {
			continue
		}
		g, score := t.grade(now)
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
