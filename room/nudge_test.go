// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// silence tells that c's media path is dead.
func (c *client) silence() { c.peer().events.PeerState(sfu.PeerSilent) }

// told tells whether c has been asked to resume, and nothing else.
func (c *client) toldToResume() bool {
	l := c.leave()
	return l != nil && *l == (Leave{ReasonUnknown, ActionResume}) && c.hasEnded()
}

func TestDeadPathIsResumed(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		cam := a.publish("cam", SourceCamera, nil)
		a.connect()
		b.connect()
		settle()
		b.clear()
		a.silence()
		settle()
		if !a.toldToResume() {
			t.Fatalf("ada was told %+v", a.leave())
		}
		n, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		n.connect()
		settle()
		if n.sid() != a.sid() || n.peer().isClosed() {
			t.Error("ada is another participant now")
		}
		if got := b.types(); len(got) != 0 {
			t.Errorf("bob was told %v", got)
		}
		if !b.peer().receives(cam) {
			t.Error("bob lost the track")
		}
		time.Sleep(2 * defaultResumeGrace)
		if n.leave() != nil || n.hasEnded() {
			t.Errorf("ada was told %+v", n.leave())
		}
		h.agree(n, b)
	})
}

// Whoever does not come back is removed as after any cut connection.
func TestDeadPathWithoutResume(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		a.connect()
		settle()
		a.silence()
		time.Sleep(defaultResumeGrace - time.Second)
		if _, ok := b.knows("ada"); !ok {
			t.Error("ada lost the place early")
		}
		time.Sleep(2 * time.Second)
		if _, ok := b.knows("ada"); ok {
			t.Error("ada is still there")
		}
	})
}

// A path that dies again and again is resumed at growing intervals.
func TestNudgesBackOff(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		a.connect()
		settle()
		var at []time.Duration
		begin := time.Now()
		for time.Since(begin) < 70*time.Second {
			a.silence()
			for !a.hasEnded() {
				time.Sleep(100 * time.Millisecond)
			}
			if !a.toldToResume() {
				t.Fatalf("ada was told %+v", a.leave())
			}
			at = append(at, time.Since(begin).Round(time.Second))
			n, err := h.resume(a)
			if err != nil {
				t.Fatal(err)
			}
			a = n
			a.connect()
			settle()
		}
		want := []time.Duration{0, 5 * time.Second, 15 * time.Second, 35 * time.Second, 55 * time.Second}
		if !slices.Equal(at[:5], want) {
			t.Errorf("told after %v", at)
		}
		time.Sleep(nudgeMemory + time.Second)
		begin = time.Now()
		a.silence()
		settle()
		if !a.toldToResume() || time.Since(begin) > time.Second {
			t.Error("an old outage delays the help")
		}
	})
}

// A path that recovers while the next telling is not due yet is left alone.
func TestRecoveredPathIsLeftAlone(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a := h.join("ada", nil)
		a.connect()
		settle()
		a.silence()
		settle()
		n, err := h.resume(a)
		if err != nil {
			t.Fatal(err)
		}
		n.connect()
		settle()
		n.silence() // within the five seconds
		time.Sleep(2 * time.Second)
		n.connect()
		time.Sleep(time.Minute)
		if n.leave() != nil || n.hasEnded() {
			t.Errorf("ada was told %+v", n.leave())
		}
	})
}

// Nobody is told who could not hear it, or is at it already, or has not been
// connected at all.
func TestNoNudgeWithoutNeed(t *testing.T) {
	cases := map[string]func(t *testing.T, h *host) *client{
		"never connected": func(_ *testing.T, h *host) *client {
			a := h.join("ada", nil)
			a.silence()
			return a
		},
		"resumed while the telling was due": func(t *testing.T, h *host) *client {
			a := h.join("ada", nil)
			a.connect()
			settle()
			a.silence()
			settle()
			n, err := h.resume(a)
			if err != nil {
				t.Fatal(err)
			}
			n.connect()
			settle()
			n.silence()
			settle()
			n.cut()
			settle()
			if n, err = h.resume(n); err != nil {
				t.Fatal(err)
			}
			return n
		},
		"without connection": func(t *testing.T, h *host) *client {
			a := h.join("ada", nil)
			a.connect()
			settle()
			a.cut()
			settle()
			a.silence()
			settle()
			n, err := h.resume(a)
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
	}
	for name, act := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{}, func(t *testing.T, h *host) {
				c := act(t, h)
				time.Sleep(30 * time.Second)
				if c.leave() != nil || c.hasEnded() {
					t.Errorf("told %+v", c.leave())
				}
			})
		})
	}
}
