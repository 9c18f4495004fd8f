// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
)

// The way of an appointment from its making to its deletion.
func TestAppointmentFromInvitationToDeletion(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-03T14:30"))[0]
		if a.text("start") != "2026-03-03T14:30:00+01:00" || a.text("opens_at") != "2026-03-03T14:00:00+01:00" ||
			a.text("closes_at") != "2026-03-03T17:20:00+01:00" || a["duration_minutes"] != 50.0 || a.text("status") != "planned" {
			t.Errorf("appointment %v", a)
		}
		room, secret := o.guestLink(a, 0)
		mails := o.mail.take()
		if whats(mails) != "invitation" || mails[0].To != "anna@example.org" || !strings.HasSuffix(mails[0].Link, "/r/"+room+"#s="+secret) ||
			mails[0].Start.Format(time.RFC3339) != a.text("start") || mails[0].TestLink != "https://"+siteA+"/video/test" {
			t.Errorf("mails %+v", mails)
		}
		if got := letters(o.list("muster")[0], 0); got != "invitation sent, reminder queued" {
			t.Errorf("letters: %s", got)
		}
		if got := o.state(room, secret); got != "early" {
			t.Errorf("a day before: %s", got)
		}

		o.wait(time.Until(time.Date(2026, 3, 3, 12, 59, 0, 0, time.UTC)))
		if mails := o.mail.take(); len(mails) > 0 || o.state(room, secret) != "early" {
			t.Errorf("31 minutes before: %v, %s", whats(mails), o.state(room, secret))
		}
		o.wait(2 * time.Minute)
		if mails := o.mail.take(); whats(mails) != "reminder" || !strings.HasSuffix(mails[0].Link, "/r/"+room+"#s="+secret) {
			t.Errorf("29 minutes before: %v", mails)
		}
		status, m := o.visit(room, secret)
		visited, _ := m["appointment"].(map[string]any)
		if status != http.StatusOK || visited["state"] != "open" || visited["name"] != "Anna" || visited["label"] != nil {
			t.Errorf("visit %d %v", status, m)
		}

		o.wait(3*time.Hour + 30*time.Minute)
		if got := o.state(room, secret); got != "over" {
			t.Errorf("afterwards: %s", got)
		}
		o.wait(24 * time.Hour)
		if keys := o.disk.Keys(); len(keys) > 0 || len(o.list("muster")) > 0 || o.state(room, secret) != "bad_link" {
			t.Errorf("a day later: %v", keys)
		}
		if mails := o.mail.take(); len(mails) > 0 {
			t.Errorf("mails %s", whats(mails))
		}
	})
}

// A link stays the same when the appointment moves, and its window moves with it.
func TestMovedAppointmentKeepsItsLink(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-03T14:30"))[0]
		room, secret := o.guestLink(a, 0)
		o.mail.take()
		moved := o.do("muster", http.MethodPatch, "api/v1/appointments/"+a.text("id"), message{"start": "2026-03-02T13:15"}, http.StatusOK)
		o.wait(0)
		if moved.text("room") != room || moved.text("start") != "2026-03-02T13:15:00+01:00" {
			t.Errorf("moved %v", moved)
		}
		mails := o.mail.take()
		if whats(mails) != "change" || mails[0].Sequence != 1 || !strings.HasSuffix(mails[0].Link, secret) || o.state(room, secret) != "open" {
			t.Errorf("mails %+v, %s", mails, o.state(room, secret))
		}
		// The change has just brought the link: no reminder follows at once.
		o.wait(20 * time.Minute)
		if mails := o.mail.take(); len(mails) > 0 {
			t.Errorf("mails %s", whats(mails))
		}
		o.do("muster", http.MethodPatch, "api/v1/appointments/"+a.text("id"), message{"start": "2026-03-04T10:00:00+01:00"}, http.StatusOK)
		o.wait(0)
		if got := o.state(room, secret); got != "early" || whats(o.mail.take()) != "change" {
			t.Errorf("moved again: %s", got)
		}
		o.wait(time.Until(time.Date(2026, 3, 4, 8, 31, 0, 0, time.UTC)))
		if mails := o.mail.take(); whats(mails) != "reminder" {
			t.Errorf("mails %s", whats(mails))
		}
	})
}

func TestCancelledAppointment(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-03T14:30"))[0]
		room, secret := o.guestLink(a, 0)
		for range 2 { // again changes nothing
			got := o.do("muster", http.MethodDelete, "api/v1/appointments/"+a.text("id"), nil, http.StatusOK).list("appointments")
			if len(got) != 1 || got[0].text("status") != "cancelled" {
				t.Errorf("cancelled %v", got)
			}
		}
		o.wait(54 * time.Hour)
		if mails := o.mail.take(); whats(mails) != "invitation cancellation" || mails[1].Link != "" || mails[1].Sequence != 1 {
			t.Errorf("mails %+v", mails)
		}
		o.do("muster", http.MethodPatch, "api/v1/appointments/"+a.text("id"), message{"label": "x"}, http.StatusNotFound)
		if got := o.state(room, secret); got != "bad_link" {
			t.Errorf("after retention: %s", got)
		}
	})
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-03T14:30"))[0]
		room, secret := o.guestLink(a, 0)
		o.do("muster", http.MethodDelete, "api/v1/appointments/"+a.text("id"), nil, http.StatusOK)
		if got := o.state(room, secret); got != "cancelled" {
			t.Errorf("cancelled: %s", got)
		}
		o.do("muster", http.MethodPatch, "api/v1/appointments/"+a.text("id"), message{"label": "x"}, http.StatusConflict)
	})
}

// Whoever was never told of an appointment is not told that it is off either, and
// several moves that nobody has heard of are one invitation.
func TestUnsentLettersBecomePointless(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.mail.set(func(context.Context, Letter) error { return ErrMailTemporary })
		a := o.create(meet("2026-03-06T14:30"))[0]
		b := o.create(meet("2026-03-06T16:30"))[0]
		path := "api/v1/appointments/"
		o.do("muster", http.MethodPatch, path+a.text("id"), message{"start": "2026-03-06T15:30"}, http.StatusOK)
		o.do("muster", http.MethodPatch, path+a.text("id"), message{"start": "2026-03-06T15:00"}, http.StatusOK)
		o.do("muster", http.MethodDelete, path+b.text("id"), nil, http.StatusOK)
		o.wait(time.Hour)
		o.mail.set(nil)
		o.wait(2 * time.Hour)
		mails := o.mail.take()
		if whats(mails) != "invitation" || mails[0].Start.Format("15:04") != "15:00" || mails[0].Sequence != 2 {
			t.Errorf("mails %+v", mails)
		}
	})
}

func TestSeriesKeepsTheWallClock(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		in := meet("2026-03-16T18:00")
		in["repeat"] = message{"every": "week", "count": 4}
		all := o.create(in)
		var starts, links []string
		for _, a := range all {
			starts = append(starts, a.text("start"))
			links = append(links, a.list("guests")[0].text("link"))
			if a.text("series") == "" || a.text("series") != all[0].text("series") {
				t.Errorf("series %v", a)
			}
		}
		want := "2026-03-16T18:00:00+01:00 2026-03-23T18:00:00+01:00 2026-03-30T18:00:00+02:00 2026-04-06T18:00:00+02:00"
		if got := strings.Join(starts, " "); got != want {
			t.Errorf("starts %s", got)
		}
		seen := map[string]bool{}
		for _, l := range links {
			seen[l] = true
		}
		if len(seen) != 4 {
			t.Errorf("links %v", links)
		}
		third := all[2].text("id")
		if got := o.do("muster", http.MethodDelete, "api/v1/appointments/"+third+"?series=following", nil, http.StatusOK).list("appointments"); len(got) != 2 {
			t.Errorf("cancelled %d", len(got))
		}
		if got := o.do("muster", http.MethodDelete, "api/v1/appointments/"+third+"?series=all", nil, http.StatusOK).list("appointments"); len(got) != 4 {
			t.Errorf("cancelled %d", len(got))
		}
		in = meet("")
		delete(in, "start")
		in["dates"] = []string{"2026-05-05T10:00", "2026-05-01T10:00", "2026-05-05T10:00:00+02:00"}
		if all := o.create(in); len(all) != 2 || all[0].text("start") != "2026-05-01T10:00:00+02:00" {
			t.Errorf("dates %v", all)
		}
	})
}

// Links: revoked, renewed, another guest's, another address.
func TestLinksOfGuests(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		in := meet("2026-03-02T13:15")
		in["guests"] = []message{{"name": "Anna", "email": "anna@example.org"}, {"name": "Bert"}}
		a := o.create(in)[0]
		path := "api/v1/appointments/" + a.text("id")
		room, anna := o.guestLink(a, 0)
		_, bert := o.guestLink(a, 1)
		if o.state(room, anna) != "open" || o.state(room, bert) != "open" || anna == bert {
			t.Fatal("links do not work")
		}
		id := func(i int) string { return a.list("guests")[i].text("id") }
		o.do("muster", http.MethodPost, path+"/guests/"+id(0)+"/revoke", nil, http.StatusOK)
		if o.state(room, anna) != "bad_link" || o.state(room, bert) != "open" {
			t.Error("revoking one link")
		}
		renewed := o.do("muster", http.MethodPost, path+"/guests/"+id(0)+"/link", nil, http.StatusOK)
		if _, next := o.guestLink(renewed, 0); next == anna || o.state(room, next) != "open" || o.state(room, anna) != "bad_link" {
			t.Error("renewing a link")
		}
		if renewed.list("guests")[1].text("link") != "" {
			t.Error("another guest's link is shown")
		}
		o.wait(0)
		o.mail.take()
		// Another address is another person as far as anybody can know.
		changed := o.do("muster", http.MethodPatch, path, message{"guests": []message{
			{"id": id(0), "name": "Anna", "email": "anna@example.net"}, {"name": "Carla", "email": "carla@example.org"},
		}}, http.StatusOK)
		o.wait(0)
		guests := changed.list("guests")
		if len(guests) != 2 || guests[0].text("link") == "" || guests[1].text("name") != "Carla" || o.state(room, bert) != "bad_link" {
			t.Errorf("guests %v", guests)
		}
		if mails := o.mail.take(); whats(mails) != "invitation invitation" {
			t.Errorf("mails %+v", mails)
		}
		if a := o.desk.agenda.find(siteA, a.text("id")); a.Guests[1].SecretHash == bert || len(a.Guests) != 3 {
			t.Errorf("record %+v", a)
		}
		for _, k := range o.disk.Keys() {
			for _, secret := range []string{anna, bert, room, "anna", "muster"} {
				if strings.Contains(k, secret) {
					t.Errorf("key %s names %s", k, secret)
				}
			}
			if text := string(o.disk.Read(k)); strings.Contains(text, anna) || strings.Contains(text, bert) {
				t.Errorf("%s holds a secret", k)
			}
		}
	})
}

// Without mail server, hosts hand out links themselves.
func TestWithoutMailServer(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.site.SMTP = nil
		a := o.create(meet("2026-03-03T14:30"))[0]
		if got := letters(a, 0); got != "" {
			t.Errorf("letters %s", got)
		}
		in := meet("2026-03-03T14:30")
		in["notify"] = true
		m := o.do("muster", http.MethodPost, "api/v1/appointments", in, http.StatusUnprocessableEntity)
		e, _ := m["error"].(map[string]any)
		if fields, _ := e["fields"].(map[string]any); fields["notify"] != "no_mail_server" || e["code"] != "invalid" {
			t.Errorf("refused with %v", m)
		}
	})
}

func TestRemindNow(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-05T14:30"))[0]
		path := "api/v1/appointments/" + a.text("id") + "/guests/" + a.list("guests")[0].text("id") + "/remind"
		for range maxRemindersSent {
			o.do("muster", http.MethodPost, path, nil, http.StatusOK)
		}
		o.do("muster", http.MethodPost, path, nil, http.StatusTooManyRequests)
		o.wait(time.Minute)
		if got := whats(o.mail.take()); got != "invitation"+strings.Repeat(" reminder", maxRemindersSent) {
			t.Errorf("mails %s", got)
		}
	})
}

// The rules of a request, field by field.
func TestInvalidAppointments(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		guests := func(g ...message) []message { return g }
		for _, tc := range []struct {
			name          string
			change        message
			field, reason string
		}{
			{"kind missing", message{"kind": ""}, "kind", "required"},
			{"kind unknown", message{"kind": "tanz"}, "kind", "unknown"},
			{"therapy without meeting", message{"kind": "therapie"}, "in_person", "required"},
			{"no start", message{"start": ""}, "start", "required"},
			{"start malformed", message{"start": "morgen"}, "start", "malformed"},
			{"start past", message{"start": "2026-03-02T11:00"}, "start", "past"},
			{"start far", message{"start": "2029-03-02T11:00"}, "start", "far"},
			{"start skipped", message{"start": "2026-03-29T02:30"}, "start", "skipped"},
			{"short", message{"duration_minutes": 4}, "duration_minutes", "range"},
			{"long", message{"duration_minutes": 721}, "duration_minutes", "range"},
			{"zone", message{"timezone": "Europe/Entenhausen"}, "timezone", "unknown"},
			{"local zone", message{"timezone": "Local"}, "timezone", "unknown"},
			{"label", message{"label": strings.Repeat("x", 201)}, "label", "malformed"},
			{"label controls", message{"label": "a\x00b"}, "label", "malformed"},
			{"nobody", message{"guests": guests()}, "guests", "required"},
			{"crowd", message{"guests": make([]message, 6)}, "guests", "too_many"},
			{"name", message{"guests": guests(message{"name": "a\u202eb"})}, "guests.0.name", "malformed"},
			{"email", message{"guests": guests(message{"email": "anna"})}, "guests.0.email", "malformed"},
			{"email with name", message{"guests": guests(message{"email": "Anna <anna@example.org>"})}, "guests.0.email", "malformed"},
			{"two emails", message{"guests": guests(message{"email": "a@example.org,b@example.org"})}, "guests.0.email", "malformed"},
			{"header", message{"guests": guests(message{"email": "a@example.org\r\nBcc: b@example.org"})}, "guests.0.email", "malformed"},
			{"language", message{"guests": guests(message{"language": "fr"})}, "guests.0.language", "unknown"},
			{"address", message{"guests": guests(message{"address": "ihr"})}, "guests.0.address", "unknown"},
			{"id", message{"guests": guests(message{"id": "x"})}, "guests.0.id", "unknown"},
			{"step", message{"repeat": message{"every": "month", "count": 2}}, "repeat.every", "unknown"},
			{"count", message{"repeat": message{"every": "day", "count": 61}}, "repeat.count", "range"},
			{"both", message{"repeat": message{"every": "day", "count": 2}, "dates": []string{"2026-03-04T10:00"}}, "dates", "conflict"},
			{"dates", message{"dates": make([]string, 60)}, "dates", "too_many"},
			{"date", message{"dates": []string{"x"}}, "dates.0", "malformed"},
			{"misspelt", message{"in_persn": true}, "in_persn", "unknown"},
		} {
			in := meet("2026-03-05T14:30")
			for k, v := range tc.change {
				in[k] = v
			}
			m := o.do("muster", http.MethodPost, "api/v1/appointments", in, http.StatusUnprocessableEntity)
			e, _ := m["error"].(map[string]any)
			if fields, _ := e["fields"].(map[string]any); fields[tc.field] != tc.reason || e["code"] != "invalid" {
				t.Errorf("%s: %v", tc.name, e)
			}
		}
		if keys := o.disk.Keys(); len(keys) > 0 {
			t.Errorf("keys %v", keys)
		}
		in := meet("2026-03-05T14:30")
		in["kind"], in["in_person"] = "therapie", true
		a := o.create(in)[0]
		if a["in_person"] != true || o.desk.agenda.find(siteA, a.text("id")).Status != appointment.Planned {
			t.Errorf("therapy %v", a)
		}
	})
}
