// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/ics"
)

// reconciliation makes appointments what a calendar says.
type reconciliation struct {
	s   *secretary
	now time.Time
	// gone were missing the last time, missing are it now and wait for the next.
	gone, missing map[string]bool
	odd           int
}

// The marks of what comes from a calendar: host, series, and time within it.
func (r *reconciliation) seriesMark(uid string) string {
	return "feed " + digestID("feed", r.s.host) + " " + digestID("uid", uid) + " "
}

func (r *reconciliation) run(events []ics.Occurrence, unread []string) error {
	wanted := make(map[string]*booked)
	var order []string
	for _, e := range events {
		b := r.booking(e)
		if len(b.guests) > 0 && e.Start.Add(e.Duration).After(r.now) && wanted[b.source] == nil {
			wanted[b.source] = b
			order = append(order, b.source)
		}
	}
	have := make(map[string]*appointment.Appointment)
	for _, a := range r.s.d.agenda.choose(r.s.c.SiteID, func(a *appointment.Appointment) bool {
		return a.Host == r.s.host && a.Status == appointment.Planned && strings.HasPrefix(a.Source, r.hostMark()) && a.End().After(r.now)
	}) {
		have[a.Source] = a
	}
	r.pair(wanted, have, order)
	for _, source := range order {
		b := wanted[source]
		if have[source] == nil && len(b.before) == 0 && b.start.After(r.now.Add(bookAhead)) {
			continue // its time comes
		}
		if _, err := r.s.take(*b); isUnavailable(err) {
			return err
		} else if err != nil {
			if coded(err).Code == CodeInternal {
				return err
			}
			r.odd++
		}
	}
	return r.cancel(wanted, have, unread)
}

func (r *reconciliation) hostMark() string { return "feed " + digestID("feed", r.s.host) + " " }

// booking is an event as an appointment.
func (r *reconciliation) booking(e ics.Occurrence) *booked {
	site := r.s.c.Site
	b := &booked{
		source: r.seriesMark(e.UID) + digestID("key", e.Key), relabelling: true,
		start: e.Start, kind: usualKind(site), zone: e.Start.Location().String(), told: r.now.UTC(),
	}
	if _, err := time.LoadLocation(b.zone); err != nil || b.zone == "UTC" || b.zone == "Local" {
		b.zone = ""
	}
	if e.Duration > 0 {
		b.minutes = min(max(int(e.Duration/time.Minute), minMinutes), maxMinutes)
	}
	f := r.s.form()
	if b.label = f.label(e.Summary); len(f.wrong) > 0 {
		b.label = ""
	}
	own := []string{}
	if host, ok := site.Host(r.s.host); ok {
		own = append(own, host.Email)
	}
	if site.SMTP != nil {
		if from, err := mail.ParseAddress(site.SMTP.From); err == nil {
			own = append(own, from.Address)
		}
	}
	same := func(a string) func(string) bool { return func(b string) bool { return strings.EqualFold(a, b) } }
	for _, a := range e.Attendees {
		if a.Declined || slices.ContainsFunc(own, same(a.Address)) {
			continue
		}
		own = append(own, a.Address) // once is enough
		name, err := CleanName(a.Name)
		if err != nil {
			name = ""
		}
		b.guests = append(b.guests, guestBody{Name: name, Email: a.Address})
	}
	return b
}

// pair finds the appointments of a series that has moved as a whole: its times
// have other names then. Those that are missing and those that are new are the
// same, in their order.
func (r *reconciliation) pair(wanted map[string]*booked, have map[string]*appointment.Appointment, order []string) {
	lost := make(map[string][]*appointment.Appointment)
	for source, a := range have {
		if wanted[source] == nil {
			lost[seriesOf(source)] = append(lost[seriesOf(source)], a)
		}
	}
	for _, l := range lost {
		slices.SortFunc(l, func(a, b *appointment.Appointment) int { return a.Start.Compare(b.Start) })
	}
	for _, source := range order { // by start
		l := lost[seriesOf(source)]
		if have[source] != nil || len(l) == 0 {
			continue
		}
		wanted[source].before = []string{l[0].Source}
		delete(have, l[0].Source)
		lost[seriesOf(source)] = l[1:]
	}
}

// seriesOf is a mark without the time within the series.
func seriesOf(source string) string { return source[:strings.LastIndexByte(source, ' ')+1] }

// cancel calls off what is not in the calendar any more.
func (r *reconciliation) cancel(wanted map[string]*booked, have map[string]*appointment.Appointment, unread []string) error {
	spared := make(map[string]bool)
	for _, uid := range unread {
		if uid == "" {
			return nil // any of them could be the one
		}
		spared[r.seriesMark(uid)] = true
	}
	var missing []*appointment.Appointment
	for source, a := range have {
		if wanted[source] == nil && !spared[seriesOf(source)] && a.Start.Before(r.now.Add(lookAhead)) {
			missing = append(missing, a)
		}
	}
	if many := len(missing) > fewGone && 2*len(missing) > len(have); many {
		r.missing = make(map[string]bool)
		for _, a := range missing {
			r.missing[a.Source] = true
		}
		missing = slices.DeleteFunc(missing, func(a *appointment.Appointment) bool { return !r.gone[a.Source] })
	}
	for _, a := range missing {
		if _, err := r.s.apply(a.ID, r.drop); err != nil {
			return err
		}
		delete(r.missing, a.Source)
	}
	return nil
}

// drop calls an appointment off that has lost its event. Should the event come
// back, it is another appointment; one that a host has called off stays as it is.
func (r *reconciliation) drop(a *appointment.Appointment) error {
	if a.Source != "" {
		a.Former, a.Source = append(slices.Clone(a.Former), a.Source), ""
	}
	return r.s.callOff(a)
}
