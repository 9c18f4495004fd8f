// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// TestRemovedSite: a reload takes one of several sites away. Its calls end with
// notice, those of the others go on.
func TestRemovedSite(t *testing.T) {
	const kept, removed = "localhost", "removed.localhost"
	for _, tc := range []struct{ name, kept, removed string }{
		{"named", "site kept", "site removed"},
		{"unnamed, with keys of their own", "", ""},
		{"unnamed, with the same key", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stays := site(kept, "", tc.kept)
			if strings.Contains(tc.name, "of their own") {
				// The tests' own key is the one of the site that goes.
				stays = strings.ReplaceAll(stays, "api_key "+apiKey+" ", "api_key other ")
			}
			s := serve(t, stays+site(removed, "", tc.removed))
			goes := s.begin(removed, [][2]way{{overUDP, overTCP}})
			if strings.Contains(tc.name, "of their own") {
				s.key = "other"
			}
			goesOn := s.begin(kept, [][2]way{{overUDP, overTCP}})
			began := time.Now()
			if err := s.reload(stays); err != nil {
				t.Fatal(err)
			}
			goes.awaitNotice(began, 2*time.Second)
			time.Sleep(time.Until(began.Add(time.Second)))
			goesOn.steady("removal", []time.Time{began})
			goesOn.unharmed()
			goesOn.awaitMedia(time.Now(), time.Second)
		})
	}
}

// awaitNotice waits until everybody has been told that the call is over.
func (c *calls) awaitNotice(began time.Time, patience time.Duration) {
	c.t.Helper()
	for {
		told := 0
		for _, g := range c.guests {
			g.mu.Lock()
			if n := len(g.leaves); n > 0 {
				told++
				if last := g.leaves[n-1]; last.Action != wire.LeaveRequest_DISCONNECT || last.Reason != wire.DisconnectReason_ROOM_CLOSED {
					c.t.Errorf("%s was told %v", g.identity, last)
				}
			}
			g.mu.Unlock()
		}
		if told == len(c.guests) {
			c.t.Logf("everybody was told after %s", ms(time.Since(began)))
			return
		}
		if time.Since(began) > patience {
			c.t.Errorf("%d of %d were told within %s", told, len(c.guests), patience)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
