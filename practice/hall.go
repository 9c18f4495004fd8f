// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/circle"
	"github.com/caddy-videoroom/videoroom/token"
)

// hall keeps the circles of all rooms, in memory alone. Its mutex is a leaf.
// Circles that nobody is in do not exist.
type hall struct {
	limits *Limits

	mu      sync.Mutex
	closed  bool
	circles map[roomKey]*ring
}

// ring is a circle with the timer that tells it the time.
type ring struct {
	*circle.Circle
	timer *time.Timer
}

func newHall(l *Limits) *hall { return &hall{limits: l, circles: make(map[roomKey]*ring)} }

// in does something in the circle of a room, where there is one.
func (h *hall) in(key roomKey, do func(c *circle.Circle, now time.Time)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.circles[key]; r != nil {
		do(r.Circle, time.Now())
		h.settleLocked(key, r)
	}
}

// settleLocked forgets a circle that is empty and sets the timer of another.
func (h *hall) settleLocked(key roomKey, r *ring) {
	if r.Empty() {
		r.timer.Stop()
		delete(h.circles, key)
		return
	}
	now := time.Now()
	due, ok := r.Due(now)
	if !ok || h.closed {
		r.timer.Stop()
		return
	}
	r.timer.Reset(max(due.Sub(now), time.Millisecond))
}

func (h *hall) tick(key roomKey) {
	h.in(key, func(c *circle.Circle, now time.Time) { c.Tick(now) })
}

// close stops the clocks. Sessions end by themselves.
func (h *hall) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, r := range h.circles {
		r.timer.Stop()
	}
}

func (h *hall) hello(s *circleSession, hello circle.Hello) (err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.circles[s.key]
	if r == nil {
		if len(h.circles) >= h.limits.Rooms {
			return retry(CodeUnavailable, 60)
		}
		r = &ring{circle.New(h.limits.Circle), time.AfterFunc(time.Hour, func() { h.tick(s.key) })}
		h.circles[s.key] = r
	}
	s.line, err = r.Hello(hello, s.signal, time.Now())
	h.settleLocked(s.key, r)
	return err
}

func (h *hall) resume(s *circleSession, secret string, c *token.Claims, got uint64) (err error) {
	err = circle.ErrBegin
	h.in(s.key, func(r *circle.Circle, now time.Time) {
		s.line, err = r.Resume(secret, c.Subject, c.Key, got, s.signal, now)
	})
	return err
}

// take returns what a session writes next. A circle that is gone has ended all
// its lines.
func (h *hall) take(s *circleSession) (frames []circle.Frame, end circle.End) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.line.Take(framesAtOnce)
}

func (h *hall) got(s *circleSession, got uint64) (err error) {
	h.in(s.key, func(c *circle.Circle, now time.Time) { err = c.Got(s.line, got, now) })
	return err
}

func (h *hall) send(s *circleSession, n uint64, to *circle.PID, data []byte) (err error) {
	h.in(s.key, func(c *circle.Circle, now time.Time) { err = c.Send(s.line, n, to, data, now) })
	return err
}

func (h *hall) admit(s *circleSession, n uint64, pid circle.PID, a *circle.Admit) (err error) {
	h.in(s.key, func(c *circle.Circle, now time.Time) { err = c.Admit(s.line, n, pid, a, now) })
	return err
}

func (h *hall) missing(s *circleSession, pids []circle.PID) (err error) {
	h.in(s.key, func(c *circle.Circle, now time.Time) { err = c.Missing(s.line, pids, now) })
	return err
}

func (h *hall) bye(s *circleSession) {
	h.in(s.key, func(c *circle.Circle, now time.Time) { c.Leave(s.line, now) })
}

func (h *hall) cut(s *circleSession) {
	h.in(s.key, func(c *circle.Circle, now time.Time) { c.Cut(s.line, now) })
}

// remove sends a person away and tells whether they were here.
func (h *hall) remove(key roomKey, identity string) (here bool) {
	h.in(key, func(c *circle.Circle, now time.Time) { here = c.Remove(identity, now) })
	return here
}

// end sends everybody away.
func (h *hall) end(key roomKey) {
	h.in(key, func(c *circle.Circle, _ time.Time) { c.Close() })
}

// pageKey returns the key of the page of a person who is here.
func (h *hall) pageKey(key roomKey, identity string) (text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.circles[key]; r != nil {
		text = r.Key(identity)
	}
	return text
}
