// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"fmt"
	"testing"
	"time"
)

// TestMeetingOf75 brings 25 people with camera and 50 with sound together, one
// every tenth of a second: in the end everybody hears all others and has all
// pictures, and nobody had to offer for each of the others.
func TestMeetingOf75(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		var all []*client
		most := func(j *Join) { j.Policy.MaxParticipants = 75 }
		for i := range 75 {
			c := h.join(fmt.Sprintf("person-%02d", i), most)
			all = append(all, c)
			c.publish("mic", SourceMicrophone, nil)
			if i < 25 {
				c.publish("cam", SourceCamera, nil)
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		settle()
		for i, c := range all {
			want := 74 + 25
			if i < 25 {
				want--
			}
			if got := len(c.sections()); got != want {
				t.Errorf("%d: %d tracks, want %d", i, got, want)
			}
		}
		p := all[0].peer()
		p.mu.Lock()
		defer p.mu.Unlock()
		if tracks := 74 + 24; p.offers > tracks/2 {
			t.Errorf("the first one had to offer %d times", p.offers)
		}
		t.Logf("the first one offered %d times", p.offers)
	})
}

// TestFewAreAskedAtOnce: where few are together nobody waits.
func TestFewAreAskedAtOnce(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		settle()
		for i := range 8 {
			c := h.join(fmt.Sprintf("person-%d", i), nil)
			c.publish("mic", SourceMicrophone, nil)
			settle()
			if got := len(a.sections()); got != i+1 {
				t.Fatalf("%d tracks at once, want %d", got, i+1)
			}
		}
	})
}
