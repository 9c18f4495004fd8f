// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"strconv"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
)

// change applies what a host changes, and returns the guests whose link is to be
// shown.
func (f *form) change(a *appointment.Appointment, in *changeBody, by creator) (shown map[string]string, err error) {
	if a.Status == appointment.Cancelled {
		return nil, fail(CodeConflict)
	}
	kind, known := f.site.Kind(a.Kind)
	most := f.site.MaxParticipants
	if known {
		most = kind.MaxParticipants
	}
	a.Notify = f.notify(in.Notify, a.Notify)
	minutes := f.minutes(in.DurationMinutes, a.Duration())
	start := a.Start
	if in.Start != nil {
		start = f.start("start", *in.Start, f.zone(a.Zone), minutes)
	}
	if in.Label != nil {
		a.Label = f.label(*in.Label)
	}
	var guests []guestBody
	if in.Guests != nil {
		guests = f.guests(*in.Guests, most)
		for i, g := range guests {
			if g.ID != "" && a.Guest(g.ID) == nil {
				f.wrong["guests."+strconv.Itoa(i)+".id"] = "unknown"
			}
		}
	}
	if err := f.wrong.err(); err != nil {
		return nil, err
	}
	if !start.Equal(a.Start) || minutes != a.Minutes {
		if a.Sequence >= maxNotices {
			return nil, fail(CodeTooMany)
		}
		a.Next(start)
		a.Minutes = minutes
		tell(a, appointment.Change, f.now)
	}
	if in.Guests != nil {
		shown = f.relist(a, guests, by)
	}
	return shown, nil
}

// tell decides that all guests are told something.
func tell(a *appointment.Appointment, what appointment.What, now time.Time) {
	if !a.Notify {
		return
	}
	for i := range a.Guests {
		if !a.Guests[i].Removed {
			note(&a.Guests[i], a.Sequence, what, now)
		}
	}
}

// note adds a decision. Its place in the list names its letter, so that nothing
// is ever taken out of the list.
func note(g *appointment.Guest, sequence int, what appointment.What, now time.Time) {
	if len(g.Notices) < maxNotices || what == appointment.Cancellation {
		g.Notices = append(g.Notices, appointment.Notice{What: what, Sequence: sequence, At: now.UTC()})
	}
}

// relist replaces the list of guests. Whoever is not on it any more loses their
// link; whoever gets another address gets another link with it.
func (f *form) relist(a *appointment.Appointment, list []guestBody, by creator) map[string]string {
	shown := make(map[string]string)
	stay := make(map[string]bool)
	for _, g := range list {
		stay[g.ID] = true
	}
	for i := range a.Guests {
		if g := &a.Guests[i]; !g.Removed && !stay[g.ID] {
			g.Removed, g.Revoked = true, true
			if a.Notify {
				note(g, a.Sequence, appointment.Cancellation, f.now)
			}
		}
	}
	for _, in := range list {
		g := a.Guest(in.ID)
		if g == nil {
			a.Guests = append(a.Guests, by.guest(a, in, f.now))
			g = &a.Guests[len(a.Guests)-1]
			shown[g.ID] = by.secret(a, g)
			continue
		}
		if g.Email != in.Email {
			by.renew(a, g)
			shown[g.ID] = by.secret(a, g)
			if a.Notify {
				note(g, a.Sequence, appointment.Invitation, f.now)
			}
		}
		g.Name, g.Email, g.Language, g.Address = in.Name, in.Email, in.Language, in.Address
	}
	return shown
}
