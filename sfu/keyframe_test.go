// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"testing"
	"time"
)

func TestKeyRequestsDue(t *testing.T) {
	const ms = int64(time.Millisecond)
	for _, tc := range []struct {
		name  string
		asked [2]int64
		came  int64
		want  int64 // in ms
	}{
		{"never asked", [2]int64{}, 0, 0},
		{"asked, and one came", [2]int64{0, 1000 * ms}, 1050 * ms, 1500},
		{"asked in vain", [2]int64{0, 1000 * ms}, 900 * ms, 1180},
		{"asked in vain twice", [2]int64{1000 * ms, 1180 * ms}, 900 * ms, 2000},
		{"asked in vain long after the last", [2]int64{1000 * ms, 5000 * ms}, 1100 * ms, 5180},
	} {
		k := keyRequests{asked: tc.asked, came: tc.came}
		if got := k.due(40*ms) / ms; got != tc.want {
			t.Errorf("%s: due at %d ms, want %d", tc.name, got, tc.want)
		}
	}
}

// A lost request is repeated as soon as its key frame is overdue.
func TestLostKeyRequest(t *testing.T) {
	s := newSim(t, 3)
	a, b := s.client("PA_a"), s.client("PA_b")
	a.down = netem{loss: 1}
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	k := b.subscribe(src.track)
	s.until(time.Second, func() bool { return src.track.layers[0].keys.asked[1] != 0 })
	began := s.c.now
	a.down = netem{}
	took, ok := s.until(time.Second, func() bool { return k.decoding })
	if !ok || took > 350*time.Millisecond {
		t.Errorf("picture %v after the lost request, %v (%d)", took, ok, s.c.now-began)
	}
}
