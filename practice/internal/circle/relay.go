// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import (
	"fmt"
	"time"
)

// MaxMessage bounds a message, in octets.
const MaxMessage = 9216

// Got confirms all frames up to a number. Errors wrap [ErrMalformed].
func (c *Circle) Got(l *Line, got uint64, now time.Time) error {
	if l.end != Running {
		return nil
	}
	if got > l.sent {
		return fmt.Errorf("confirms what was not sent: %w", ErrMalformed)
	}
	l.seat.confirm(got)
	c.settle(now)
	return nil
}

// next checks the number of a page's frame: each is heard once, in order. False:
// it has been heard before, and is confirmed again.
func (l *Line) next(n uint64) (bool, error) {
	s := l.seat
	switch {
	case n == 0 || n > s.heard+1:
		return false, fmt.Errorf("number out of order: %w", ErrMalformed)
	case n <= s.heard:
		l.acked = min(l.acked, n-1)
		s.wake()
		return false, nil
	}
	return true, nil
}

func (s *seat) hear() {
	s.heard++
	s.wake()
}

// Send passes a message of a member on to another one, or to all where to is nil.
// To nobody where that one has left. Errors wrap [ErrMalformed] or [ErrRefused].
func (c *Circle) Send(l *Line, n uint64, to *PID, data []byte, now time.Time) error {
	if l.end != Running {
		return nil
	}
	s := l.seat
	if len(data) == 0 || len(data) > MaxMessage {
		return fmt.Errorf("%d octets: %w", len(data), ErrMalformed)
	}
	if fresh, err := l.next(n); !fresh {
		return err
	}
	if !s.member {
		return fmt.Errorf("no member: %w", ErrRefused)
	}
	s.hear()
	for _, other := range c.seats {
		if other != s && other.member && (to == nil || other.Knock.PID == *to) {
			other.push(outgoing{kind: Message, data: data, at: now}, &c.limits)
		}
	}
	c.settle(now)
	return nil
}

// Admit takes a host's word about somebody who asks; nil is one that could not be
// read. Whoever has left or been let in meanwhile is passed over. Errors wrap
// [ErrMalformed] or [ErrRefused].
func (c *Circle) Admit(l *Line, n uint64, pid PID, a *Admit, now time.Time) error {
	if l.end != Running {
		return nil
	}
	if fresh, err := l.next(n); !fresh {
		return err
	}
	s := l.seat
	begins := c.epoch == 0 && c.first == s
	if !begins && !s.host() {
		return fmt.Errorf("no host: %w", ErrRefused)
	}
	if a == nil || a.PID != pid || a.signer() != hash(s.Knock.id()) {
		return fmt.Errorf("of somebody else: %w", ErrMalformed)
	}
	target := c.find(pid)
	if target != nil && target.admit == nil {
		if err := c.fits(target, a, begins); err != nil {
			return err
		}
		target.admit = a
		c.candidates()
	}
	s.hear()
	c.settle(now)
	return nil
}

// fits checks an admit against the page it is about.
func (c *Circle) fits(target *seat, a *Admit, begins bool) error {
	switch {
	case a.knock() != target.Knock.digest:
		return fmt.Errorf("of another knock: %w", ErrMalformed)
	case a.Role == RoleHost && !target.MayHost:
		return fmt.Errorf("makes a host of somebody else: %w", ErrRefused)
	case begins && (target != c.first || a.Role != RoleHost):
		return fmt.Errorf("lets others in before itself: %w", ErrRefused)
	case begins:
		c.call = a.call()
	case a.call() != c.call:
		return fmt.Errorf("of another call: %w", ErrMalformed)
	}
	return nil
}

// Missing takes a member's word that others let it wait. Those who are cut off or
// have not confirmed for long leave. Errors wrap [ErrRefused].
func (c *Circle) Missing(l *Line, pids []PID, now time.Time) error {
	if l.end != Running {
		return nil
	}
	if !l.seat.member {
		return fmt.Errorf("no member: %w", ErrRefused)
	}
	for _, pid := range pids {
		if s := c.find(pid); s != nil && s.member && s != l.seat && s.late(now, c.limits.Late) {
			c.leave(s, Restart)
		}
	}
	c.settle(now)
	return nil
}
