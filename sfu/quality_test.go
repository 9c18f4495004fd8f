// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// receives makes a client report on the sound it gets as browsers do: loss of the
// last second, and jitter in units of the clock.
func (cl *simClient) receives(d *downTrack, lost float64, shakes time.Duration) {
	cl.s.every(time.Second, func() {
		cl.sendRTCP(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{
			SSRC: d.ssrc, FractionLost: uint8(lost * 256), Jitter: uint32(shakes.Seconds() * float64(d.track.clock)),
		}}})
	})
}

// TestGrades judges both directions by loss and jitter.
func TestGrades(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		name       string
		up         netem
		lost       float64
		shakes     time.Duration
		who, other int // grades of who sends and of who listens
	}{
		{"all is well", netem{delay: 20 * ms, jitter: 4 * ms}, 0, 5 * ms, 2, 2},
		{"a far place", netem{delay: 120 * ms, jitter: 8 * ms}, 0.01, 15 * ms, 2, 2},
		{"loss on the way up", netem{loss: 0.05}, 0, 0, 1, 2},
		{"much of it", netem{loss: 0.2}, 0, 0, 0, 2},
		{"jitter on the way up", netem{delay: 20 * ms, jitter: 330 * ms}, 0, 0, 1, 2},
		{"much of it", netem{delay: 20 * ms, jitter: 2500 * ms}, 0, 0, 0, 2},
		{"loss on the way down", netem{}, 0.05, 0, 2, 1},
		{"jitter on the way down", netem{}, 0, 60 * ms, 2, 1},
		{"much of it", netem{}, 0, 150 * ms, 2, 0},
	} {
		s := newSim(t, 51)
		a, b := s.client("PA_a"), s.client("PA_b")
		a.up = tc.up
		s.ticking()
		u := a.publishAudio("TR_a", func() uint8 { return 127 })
		d := &downTrack{to: b.t, track: u, pt: 111, ssrc: random32()}
		s.c.addDown(d)
		b.receives(d, tc.lost, tc.shakes)
		s.run(30 * time.Second)
		got := map[string]Quality{"PA_a": {Grade: -1}, "PA_b": {Grade: -1}}
		for _, q := range s.events.qualities {
			got[q.PeerID] = q
		}
		if got["PA_a"].Grade != tc.who || got["PA_b"].Grade != tc.other {
			t.Errorf("%s: grades %d and %d, want %d and %d; jitter %.3f and %.3f s", tc.name,
				got["PA_a"].Grade, got["PA_b"].Grade, tc.who, tc.other, a.t.quality.up.value, b.t.quality.down.value)
		}
	}
}

// TestJitterOfPictures: pictures count where there is no sound, and never beside
// it.
func TestJitterOfPictures(t *testing.T) {
	sound, picture := &upTrack{kind: Audio, clock: 48000}, &upTrack{kind: Video, clock: 90000}
	second := int64(time.Second)
	var j jitter
	if j.seconds(second) != 0 {
		t.Error("jitter of nothing")
	}
	j.heard(picture, 9000, second)
	if got := j.seconds(second); got != 0.1 {
		t.Errorf("a picture alone: %.3f s", got)
	}
	j.heard(sound, 480, 2*second)
	j.heard(picture, 90000, 2*second)
	if got := j.seconds(2 * second); got != 0.01 {
		t.Errorf("with sound: %.3f s", got)
	}
	j.heard(sound, 960, 3*second)
	if got := j.seconds(3 * second); got <= 0.01 || got >= 0.02 {
		t.Errorf("it is not smoothed: %.3f s", got)
	}
	if got := j.seconds(3*second + soundCounts + 1); got != 0 {
		t.Errorf("long ago: %.3f s", got)
	}
	j.heard(picture, 9000, 3*second+soundCounts+1)
	if got := j.seconds(3*second + soundCounts + 1); got == 0 {
		t.Error("pictures do not count after the sound has ended")
	}
}
