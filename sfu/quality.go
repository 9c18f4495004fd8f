// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import "time"

// Bounds of the grades: beyond the first values a connection is not excellent any
// more, beyond the second it is poor. Receivers wait for late packets: jitter of
// a tenth of a second is heard as gaps or as lag.
const (
	goodLoss, poorLoss     = 0.02, 0.08
	goodRTT, poorRTT       = 0.3, 0.6  // s
	goodJitter, poorJitter = 0.04, 0.1 // s
)

// grade maps loss, round-trip time and jitter, the worse of both directions, to
// the three grades people are shown.
func (t *transport) grade(now int64) (grade int, score float32) {
	loss, trip, cut := t.condition()
	rtt := float64(trip) / 1e9
	shaking := max(t.quality.up.seconds(now), t.quality.down.seconds(now))
	if m := t.mate; m != nil {
		shaking = max(shaking, m.quality.up.seconds(now), m.quality.down.seconds(now))
	}
	score = float32(max(1, 4.5-loss*25-max(0, rtt-0.15)*3-max(0, shaking-0.02)*12))
	switch {
	case loss > poorLoss || rtt > poorRTT || shaking > poorJitter || cut || t.choke.on:
		return 0, score
	case loss > goodLoss || rtt > goodRTT || shaking > goodJitter:
		return 1, score
	}
	return 2, score
}

// soundCounts is how long pictures say nothing of jitter after sound did: the
// packets of one picture have one time stamp, so that leaving one after the
// other looks like jitter.
const soundCounts = int64(10 * time.Second)

// jitter is the smoothed interarrival jitter of one direction (RFC 3550 §6.4.1).
type jitter struct {
	value   float64 // s
	at      int64   // when it was last heard of; 0: never
	soundAt int64
}

// heard takes what a report says of a track, in units of its clock.
func (j *jitter) heard(u *upTrack, units uint32, now int64) {
	if u.clock == 0 {
		return
	}
	sound := u.kind == Audio
	if !sound && j.soundAt != 0 && now-j.soundAt < soundCounts {
		return
	}
	v := float64(units) / float64(u.clock)
	switch {
	case j.at == 0 || sound && j.soundAt == 0:
		j.value = v
	default:
		j.value = j.value*0.7 + v*0.3
	}
	j.at = now
	if sound {
		j.soundAt = now
	}
}

// seconds returns the jitter; 0 when nothing was heard of it for long.
func (j *jitter) seconds(now int64) float64 {
	if j.at == 0 || now-j.at > soundCounts {
		return 0
	}
	return j.value
}
