// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"testing"
	"time"
)

// sounds is what somebody does for how long, in turn.
type sounds []struct {
	loud bool
	for_ time.Duration
}

// TestWhoSpeaks plays what people do in a call at every offset to the windows, and
// counts how often others are told that somebody began to speak.
func TestWhoSpeaks(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		name   string
		does   sounds
		begins int           // how often somebody begins to speak
		within time.Duration // from the first sound until that is told
		face   bool          // whether it brings the face into view
	}{
		{"silence", sounds{{false, 5000 * ms}}, 0, 0, false},
		{"a cough", sounds{{true, 350 * ms}, {false, 3000 * ms}}, 0, 0, false},
		{"a fit of coughing", sounds{{true, 300 * ms}, {false, 700 * ms}, {true, 300 * ms}, {false, 700 * ms}, {true, 300 * ms}, {false, 3000 * ms}}, 0, 0, false},
		{"a door", sounds{{true, 120 * ms}, {false, 3000 * ms}}, 0, 0, false},
		{"keys", sounds{{true, 40 * ms}, {false, 160 * ms}, {true, 40 * ms}, {false, 160 * ms}, {true, 40 * ms}, {false, 160 * ms}, {true, 40 * ms}}, 0, 0, false},
		{"a sentence", sounds{{true, 2500 * ms}, {false, 3000 * ms}}, 1, 800 * ms, true},
		{"a short answer", sounds{{true, 780 * ms}, {false, 3000 * ms}}, 1, 800 * ms, false},
		{"words", sounds{{true, 350 * ms}, {false, 80 * ms}, {true, 400 * ms}, {false, 100 * ms}, {true, 500 * ms}, {false, 3000 * ms}}, 1, 1000 * ms, true},
		{"a second to think", sounds{{true, 2000 * ms}, {false, 1000 * ms}, {true, 2000 * ms}, {false, 1000 * ms}, {true, 2000 * ms}, {false, 3000 * ms}}, 1, 800 * ms, true},
		{"two turns", sounds{{true, 2000 * ms}, {false, 4000 * ms}, {true, 2000 * ms}, {false, 3000 * ms}}, 2, 800 * ms, true},
	} {
		for offset := time.Duration(0); offset < 200*ms; offset += 20 * ms {
			s := newSim(t, 21)
			a := s.client("PA_a")
			s.ticking()
			at, began := time.Duration(0), s.c.now+int64(offset)
			a.publishAudio("TR_a", func() uint8 {
				at = time.Duration(s.c.now - began)
				for _, d := range tc.does {
					if at >= 0 && at < d.for_ {
						return map[bool]uint8{true: 22, false: 70}[d.loud]
					}
					at -= d.for_
				}
				return 127
			})
			told, first := 0, time.Duration(0)
			active := false
			total := offset
			for _, d := range tc.does {
				total += d.for_
			}
			for range total / (20 * ms) {
				s.run(20 * ms)
				for _, e := range s.events.speakers {
					if e.Active && !active {
						if told++; told == 1 {
							first = time.Duration(s.c.now - began)
						}
					}
					active = e.Active
				}
				s.events.speakers = nil
			}
			if told != tc.begins || told > 0 && first > tc.within || active {
				t.Errorf("%s, offset %v: told %d times, first after %v, at the end %t", tc.name, offset, told, first, active)
			}
			if face := a.t.spoke != 0; face != tc.face {
				t.Errorf("%s, offset %v: brings the face into view: %t", tc.name, offset, face)
			}
		}
	}
}
