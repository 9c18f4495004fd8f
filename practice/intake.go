// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	records "github.com/caddy-videoroom/videoroom/practice/internal/record"
)

// booked is an appointment as other software tells of it.
type booked struct {
	// source is the mark it gets, before those under which it may be known.
	source string
	before []string
	// told is when the other software said so; the zero time: now.
	told time.Time

	start       time.Time
	minutes     int // 0: as long as the kind is
	kind, zone  string
	label       string
	guests      []guestBody
	relabelling bool // the label follows the other software's
}

// importing runs f while nobody else imports into the site, with the agenda as
// it is on the storage.
func (s *secretary) importing(f func() error) error {
	ctx, cancel := s.context()
	defer cancel()
	g, site := s.d.agenda, s.c.SiteID
	return s.d.calls.store.Locked(ctx, site, string(records.Call), func() error {
		if err := g.look(ctx, site); err != nil {
			return err
		}
		return f()
	})
}

// look has the storage looked at now, whatever was seen before.
func (g *agenda) look(ctx context.Context, site string) error {
	g.mu.Lock()
	g.bookLocked(site).looked = time.Time{}
	g.mu.Unlock()
	return g.refresh(ctx, site)
}

// imported finds the appointment with one of the marks; the one that takes place
// rather than one that does not. nil: there is none.
func (s *secretary) imported(marks ...string) *appointment.Appointment {
	found := s.d.agenda.choose(s.c.SiteID, func(a *appointment.Appointment) bool {
		return a.Host == s.host && a.Source != "" && slices.Contains(marks, a.Source)
	})
	for _, a := range found {
		if a.Status == appointment.Planned {
			return a
		}
	}
	if len(found) > 0 {
		return found[0]
	}
	return nil
}

// take makes the agenda say what other software says: the appointment is created,
// moved, or left as it is. It runs within importing.
func (s *secretary) take(b booked) (*appointment.Appointment, error) {
	a := s.imported(append([]string{b.source}, b.before...)...)
	switch {
	case a == nil:
		return s.enter(b)
	case a.Status == appointment.Cancelled, a.End().Before(s.d.now()), b.told.Before(a.Told) && !b.told.IsZero():
		return a, nil
	}
	change := b.change(a)
	if change == (changeBody{}) && a.Source == b.source {
		return a, nil
	}
	return s.apply(a.ID, func(a *appointment.Appointment) error {
		b.mark(a)
		_, err := s.form().change(a, &change, s.creator())
		return err
	})
}

// mark notes where the appointment comes from.
func (b *booked) mark(a *appointment.Appointment) {
	if a.Source != "" && a.Source != b.source {
		a.Former = append(slices.Clone(a.Former), a.Source)
	}
	a.Source, a.Told = b.source, b.told
}

// enter creates the appointment.
func (s *secretary) enter(b booked) (*appointment.Appointment, error) {
	f, by := s.form(), s.creator()
	by.source = b.source
	in := createBody{Kind: b.kind, Start: b.start.Format(time.RFC3339), Timezone: b.zone, Label: b.label, Guests: b.guests}
	if b.minutes > 0 {
		in.DurationMinutes = &b.minutes
	}
	all := f.invitation(&in, by)
	if err := f.wrong.err(); err != nil {
		return nil, err
	}
	all[0].Told = b.told
	planned := s.d.agenda.choose(s.c.SiteID, func(a *appointment.Appointment) bool {
		return a.Host == s.host && a.Status == appointment.Planned
	})
	if len(planned) >= maxAppointments {
		return nil, fail(CodeTooMany)
	}
	ctx, cancel := s.context()
	defer cancel()
	if err := s.d.agenda.create(ctx, s.c.SiteID, all); err != nil {
		return nil, err
	}
	s.changed()
	return all[0], nil
}

// change is what differs from the appointment as it is.
func (b *booked) change(a *appointment.Appointment) changeBody {
	var c changeBody
	if !b.start.Equal(a.Start) {
		start := b.start.Format(time.RFC3339)
		c.Start = &start
	}
	if b.minutes > 0 && b.minutes != a.Minutes {
		c.DurationMinutes = &b.minutes
	}
	if b.relabelling && b.label != a.Label {
		c.Label = &b.label
	}
	if list, differs := b.relist(a); differs {
		c.Guests = &list
	}
	return c
}

// relist is the new list of guests, in which those who are known by their address
// stay who they are.
func (b *booked) relist(a *appointment.Appointment) (list []guestBody, differs bool) {
	known := 0
	for i := range a.Guests {
		if !a.Guests[i].Removed {
			known++
		}
	}
	for _, g := range b.guests {
		same := slices.IndexFunc(a.Guests, func(o appointment.Guest) bool {
			return !o.Removed && strings.EqualFold(o.Email, g.Email)
		})
		if same < 0 {
			differs = true
		} else {
			o := a.Guests[same]
			g = guestBody{ID: o.ID, Name: o.Name, Email: o.Email, Language: o.Language, Address: o.Address}
		}
		list = append(list, g)
	}
	return list, differs || len(list) != known
}

// usualKind is the kind of conversation of what is booked without naming one: one
// that needs no word of the host's.
func usualKind(site *config.Site) string {
	const usual = "beratung"
	if k, ok := site.Kind(usual); ok && !k.InPerson {
		return usual
	}
	for _, k := range site.AllKinds() {
		if !k.InPerson {
			return k.ID
		}
	}
	return ""
}
