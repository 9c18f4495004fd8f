// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/booking"
)

const noticePath = "api/v1/hooks/cal"

// serveNotice takes a notice of booking software. Its signature covers the body
// alone, and no time: whatever comes again must do no harm, and does not.
func (d *Desk) serveNotice(w http.ResponseWriter, r *http.Request, c Call) {
	switch origin := r.Header.Values("Origin"); {
	case len(origin) > 1 || len(origin) == 1 && origin[0] != c.Origin:
		WriteError(w, fail(CodeForeignOrigin))
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		WriteError(w, fail(CodeMethod))
		return
	}
	s := &secretary{d: d, c: c, query: r.URL.Query()}
	a, err := s.notice(w, r)
	if err != nil {
		if coded(err).Code == CodeInternal {
			d.log.Error("a notice of booking software failed", "error", err)
		}
		WriteError(w, err)
		return
	}
	body := listBody{[]appointmentBody{}}
	if a != nil {
		body.Appointments = append(body.Appointments, s.describe(a, nil))
	}
	d.reply(w, body)
}

func (s *secretary) notice(w http.ResponseWriter, r *http.Request) (*appointment.Appointment, error) {
	from, err := s.d.count(s.c)
	if err != nil {
		return nil, err
	}
	if s.body, err = readBody(w, r); err != nil {
		return nil, err
	}
	key := s.query.Get("key")
	secret, known := bookingSecret(s.c, key)
	if !booking.CheckNotice(secret, r.Header.Get(booking.CalHeader), s.body) || !known {
		return nil, s.d.crowd.wrong(from, time.Now(), unsigned(booking.ErrWrong))
	}
	s.d.crowd.right(from)
	n, err := booking.ParseNotice(s.body)
	if err != nil {
		return nil, err
	}
	if err := s.d.plans(s.c.SiteID); err != nil {
		return nil, err
	}
	s.software = key
	if err := s.choose(r.Method); err != nil {
		return nil, err
	}
	var a *appointment.Appointment
	run := noticed[n.Trigger]
	if run == nil {
		return nil, nil //nolint:nilnil // other triggers concern no appointment
	}
	err = s.importing(func() (err error) {
		a, err = run(s, n)
		return err
	})
	return a, err
}

// noticed is what the triggers do.
var noticed = map[booking.Trigger]func(*secretary, booking.Notice) (*appointment.Appointment, error){
	booking.Created:     (*secretary).noticedBooking,
	booking.Rescheduled: (*secretary).noticedBooking,
	booking.Called:      (*secretary).noticedCancellation,
}

// mark is the source of a booking.
func (s *secretary) mark(uid string) string { return "cal " + digestID("cal", s.software, uid) }

func (s *secretary) noticedBooking(n booking.Notice) (*appointment.Appointment, error) {
	b := booked{
		source: s.mark(n.UID), start: n.Start, minutes: int(n.End.Sub(n.Start) / time.Minute),
		told: n.At, kind: or(s.query.Get("kind"), usualKind(s.c.Site)), zone: n.Zone,
	}
	if n.Before != "" && n.Before != n.UID {
		b.before = []string{s.mark(n.Before)}
	}
	// Notices come late, twice, and in any order.
	if a := s.outdated(b.source); a != nil {
		return a, nil
	}
	if a := s.imported(b.source); a != nil && n.Trigger == booking.Created {
		return a, nil
	}
	if s.form().zone(b.zone) == time.UTC {
		b.zone = "" // one that is not known here: the site's
	}
	host, _ := s.c.Site.Host(s.host)
	for _, g := range n.Guests {
		if strings.EqualFold(g.Email, host.Email) {
			continue
		}
		name, err := CleanName(g.Name)
		if err != nil {
			name = "" // a name that nobody can read is none
		}
		b.guests = append(b.guests, guestBody{Name: name, Email: g.Email, Language: g.Language})
	}
	return s.take(b)
}

// outdated finds the appointment that had this mark once and has another now.
func (s *secretary) outdated(mark string) *appointment.Appointment {
	found := s.d.agenda.choose(s.c.SiteID, func(a *appointment.Appointment) bool {
		return a.Host == s.host && slices.Contains(a.Former, mark)
	})
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func (s *secretary) noticedCancellation(n booking.Notice) (*appointment.Appointment, error) {
	mark := s.mark(n.UID)
	a := s.imported(mark)
	if a == nil {
		return s.outdated(mark), nil
	}
	if a.Status == appointment.Cancelled {
		return a, nil
	}
	return s.apply(a.ID, s.callOff)
}
