// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"net/http"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
)

// toGuest changes the guest of the path, of an appointment that takes place.
func (s *secretary) toGuest(f func(*appointment.Appointment, *appointment.Guest) error) (*appointment.Appointment, error) {
	return s.apply(s.id, func(a *appointment.Appointment) error {
		g := a.Guest(s.guest)
		switch {
		case g == nil:
			return fail(CodeNotFound)
		case a.Status == appointment.Cancelled:
			return fail(CodeConflict)
		}
		return f(a, g)
	})
}

// link gives a guest another link and shows it; the one before is void.
func (s *secretary) link() (answer, error) {
	by := s.creator()
	a, err := s.toGuest(func(a *appointment.Appointment, g *appointment.Guest) error {
		by.renew(a, g)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, s.describe(a, map[string]string{s.guest: by.secret(a, a.Guest(s.guest))})}, nil
}

func (s *secretary) revoke() (answer, error) {
	a, err := s.toGuest(func(_ *appointment.Appointment, g *appointment.Guest) error {
		g.Revoked = true
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, s.describe(a, nil)}, nil
}

// remind sends a guest the link again, now.
func (s *secretary) remind() (answer, error) {
	f := s.form()
	a, err := s.toGuest(func(a *appointment.Appointment, g *appointment.Guest) error {
		reminders := 0
		for _, n := range g.Notices {
			if n.What == appointment.Reminder {
				reminders++
			}
		}
		switch {
		case !f.mails:
			return complaints{"notify": noMailServer}.err()
		case g.Email == "":
			return complaints{"email": "required"}.err()
		case g.Revoked || !f.now.Before(a.End()):
			return fail(CodeConflict)
		case reminders >= maxRemindersSent || len(g.Notices) >= maxNotices:
			return fail(CodeTooMany)
		}
		note(g, a.Sequence, appointment.Reminder, f.now)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, s.describe(a, nil)}, nil
}
