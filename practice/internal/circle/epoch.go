// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import (
	"slices"
	"time"
)

// Tick tells the circle the time; see [Circle.Due].
func (c *Circle) Tick(now time.Time) { c.settle(now) }

// Due returns when [Circle.Tick] is to be called next; false: not before
// something else happens.
func (c *Circle) Due(now time.Time) (due time.Time, ok bool) {
	add := func(t time.Time) {
		if !ok || t.Before(due) {
			due, ok = t, true
		}
	}
	for _, s := range c.seats {
		if s.line == nil {
			add(s.cut.Add(c.limits.Absence))
		} else if s.ask && s.host() && s.asking < c.limits.Lists {
			add(s.asked.Add(c.limits.Ask))
		}
	}
	if c.first != nil {
		add(c.firstBy)
	}
	switch {
	case c.joinAt.IsZero():
	case now.Before(c.joinAt):
		add(c.joinAt)
	default:
		add(c.joinAt.Add(c.limits.Join))
	}
	return due, ok
}

// settle does all that is due.
func (c *Circle) settle(now time.Time) {
	for {
		c.expire(now)
		c.advance(now)
		if !slices.ContainsFunc(c.seats, func(s *seat) bool { return s.full }) {
			break // nobody leaves because of the roster
		}
	}
	if c.epoch > 0 && !c.hosted() && slices.ContainsFunc(c.seats, func(s *seat) bool { return s.MayHost && s.line != nil }) {
		c.restart() // with the host who waits
	}
	if len(c.seats) == 0 {
		c.reset()
	}
	for _, s := range c.seats {
		if s.ask && s.host() && s.line != nil && s.asking < c.limits.Lists && !now.Before(s.asked.Add(c.limits.Ask)) {
			s.ask, s.asked = false, now
			s.push(outgoing{kind: Asking, at: now}, &c.limits)
		}
	}
}

// expire lets those go whose time is over.
func (c *Circle) expire(now time.Time) {
	if c.first != nil && !now.Before(c.firstBy) {
		c.leave(c.first, Restart)
	}
	for _, s := range slices.Clone(c.seats) {
		if s.gone {
			continue // with another one
		}
		if s.full || s.line == nil && !now.Before(s.cut.Add(c.limits.Absence)) {
			c.leave(s, Restart)
		}
	}
}

// leave takes a place away. When the first host goes before it has begun, those
// who know it as such begin anew.
func (c *Circle) leave(s *seat, why End) {
	s.gone = true
	s.end(why)
	c.seats = slices.DeleteFunc(c.seats, func(o *seat) bool { return o == s })
	if s.member {
		c.gone[s.Knock.PID] = struct{}{}
		c.changed = true
		return
	}
	c.candidates()
	if s == c.first {
		c.restart()
	}
}

// restart makes everybody begin anew.
func (c *Circle) restart() {
	for _, s := range c.seats {
		s.gone = true
		s.end(Restart)
	}
	c.reset()
}

// advance makes the next epoch when it is due: at once when somebody has left,
// and when those who may join have been gathered.
func (c *Circle) advance(now time.Time) {
	joiners, due := c.due(now)
	if !due && !c.changed {
		return
	}
	members := c.members()
	joiners = c.vouched(members, joiners)
	if len(joiners) == 0 && !c.changed {
		c.gather(now)
		return
	}
	all := slices.Concat(members, joiners)
	byPID(all)
	// What the last ones brought in is no longer to be proven to newcomers when
	// those have left: they see this roster alone.
	if len(joiners) > 0 && (!c.sound(all) || len(c.gone) > c.limits.Gone) {
		c.restart()
		return
	}
	c.changed = false
	for _, s := range joiners {
		s.member = true
		s.ask = s.admit.Role == RoleHost && len(c.list()) > 0
	}
	c.gather(now)
	if len(all) == 0 {
		return
	}
	c.first = nil
	c.publish(all, now)
}

// due returns who joins in an epoch that is made now, and whether one has to be
// made for them. It lets those go for whom they have waited long enough.
func (c *Circle) due(now time.Time) (joiners []*seat, due bool) {
	joiners = c.gather(now)
	due = len(joiners) > 0 && !now.Before(c.joinAt)
	for _, s := range c.members() {
		if s.line != nil {
			continue
		}
		if !due || now.Before(c.joinAt.Add(c.limits.Join)) {
			return nil, false
		}
		c.leave(s, Restart)
	}
	return joiners, due
}

// gather returns who may join and is there, as many as there are places for, and
// begins to wait for more when they are the first.
func (c *Circle) gather(now time.Time) (joiners []*seat) {
	places := MaxMembers - len(c.members())
	for _, s := range c.seats {
		if s.joining() && s.line != nil && len(joiners) < places {
			joiners = append(joiners, s)
		}
	}
	switch {
	case len(joiners) == 0:
		c.joinAt = time.Time{}
	case !c.joinAt.IsZero():
	case c.epoch == 0:
		c.joinAt = now
	default:
		c.joinAt = now.Add(c.limits.Gather)
	}
	return joiners
}

// vouched returns those whose host is still there or is the first one. The others
// need the word of another host.
func (c *Circle) vouched(members, joiners []*seat) (kept []*seat) {
	for _, s := range joiners {
		signer := s.admit.signerPID()
		if signer == c.pin || slices.ContainsFunc(members, func(m *seat) bool { return m.host() && m.Knock.PID == signer }) {
			kept = append(kept, s)
			continue
		}
		s.admit = nil
		c.candidates()
	}
	return kept
}

// sound tells whether hosts of the roster lead from each member to the first host,
// who need not be in it any more.
func (c *Circle) sound(all []*seat) bool {
	hosts := make(map[PID]*seat)
	for _, s := range all {
		if s.admit.Role == RoleHost {
			hosts[s.Knock.PID] = s
		}
	}
	for _, s := range all {
		for steps := 0; s != nil && s.admit.signerPID() != c.pin; steps++ {
			if s = hosts[s.admit.signerPID()]; steps > len(all) {
				return false
			}
		}
		if s == nil {
			return false
		}
	}
	return true
}

// publish gives all members the roster of a new epoch.
func (c *Circle) publish(all []*seat, now time.Time) {
	c.epoch++
	octets, next := encodeRoster(c.call, c.epoch, c.roster, all)
	c.roster = next
	people := make([]Person, len(all))
	for i, s := range all {
		people[i] = Person{PID: s.Knock.PID, Identity: s.Identity, Host: s.host()}
	}
	for _, s := range all {
		s.push(outgoing{kind: Roster, data: octets, people: people, host: c.pin, at: now}, &c.limits)
	}
}
