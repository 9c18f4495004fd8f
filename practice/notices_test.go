// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/booking"
)

// notice is a Cal.com notice; created is the minute in which it was made.
func notice(trigger booking.Trigger, uid, before, start string, created int) string {
	end, _ := time.Parse(time.RFC3339, start)
	b, _ := json.Marshal(message{
		"triggerEvent": trigger, "createdAt": fmt.Sprintf("2026-03-01T10:%02d:00.000Z", created),
		"payload": message{
			"title": "Therapie zwischen A und B", "uid": uid, "rescheduleUid": before, "startTime": start,
			"endTime": end.Add(50 * time.Minute).Format(time.RFC3339), "additionalNotes": "geheim",
			"organizer": message{"name": "Dr. Muster", "email": "praxis@example.de", "timeZone": "Europe/Vienna"},
			"attendees": []message{{"name": "Anna", "email": "anna@example.org", "timeZone": "Europe/Berlin", "language": message{"locale": "de"}}},
		},
	})
	return string(b)
}

// post sends a notice with its signature.
func (o *office) post(path, body, secret string) (int, message) {
	o.t.Helper()
	o.wait(time.Second)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	w := o.send(call{method: "POST", path: path, body: body, site: siteA, header: http.Header{
		booking.CalHeader: {hex.EncodeToString(mac.Sum(nil))}, "Content-Type": {"application/json"},
	}})
	var m message
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		o.t.Fatalf("%v in %s", err, w.Body)
	}
	return w.Code, m
}

const hook = noticePath + "?key=buchung&host=muster"

func (o *office) noticed(body string) message {
	o.t.Helper()
	code, m := o.post(hook, body, bookingSecretA)
	if code != 200 || len(m.list("appointments")) != 1 {
		o.t.Fatalf("%d %v", code, m)
	}
	return m.list("appointments")[0]
}

// A booking is made, moved twice and cancelled; every notice comes twice, and the
// old ones come again at the end.
func TestNoticesOfBookings(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		story := []struct{ body, start, status string }{
			{notice(booking.Created, "u1", "", "2026-03-10T13:00:00Z", 1), "2026-03-10T14:00:00+01:00", "planned"},
			{notice(booking.Rescheduled, "u2", "u1", "2026-03-11T13:00:00Z", 2), "2026-03-11T14:00:00+01:00", "planned"},
			{notice(booking.Rescheduled, "u3", "u2", "2026-03-12T13:00:00Z", 3), "2026-03-12T14:00:00+01:00", "planned"},
			{notice(booking.Rescheduled, "u3", "u3", "2026-03-13T13:00:00Z", 4), "2026-03-13T14:00:00+01:00", "planned"},
		}
		id, old := "", []string{notice(booking.Called, "u1", "", "2026-03-10T13:00:00Z", 5)}
		for i, s := range story {
			for range 2 {
				a := o.noticed(s.body)
				if id == "" {
					id = a.text("id")
				}
				if a.text("id") != id || a.text("start") != s.start || a.text("status") != s.status || a.text("timezone") != "Europe/Vienna" {
					t.Errorf("%d: %v", i, a)
				}
				if strings.Contains(text(t, a), "Therapie") || a.list("guests")[0].text("link") != "" {
					t.Errorf("the answer says too much: %v", a)
				}
			}
			old = append(old, s.body)
		}
		o.wait(time.Minute)
		if got := whats(o.mail.take()); got != "invitation change change change" {
			t.Errorf("mails %s", got)
		}
		for _, body := range old {
			if a := o.noticed(body); a.text("start") != "2026-03-13T14:00:00+01:00" || a.text("status") != "planned" {
				t.Errorf("an old notice changed it to %v", a)
			}
		}
		cancelled := notice(booking.Called, "u3", "", "2026-03-13T13:00:00Z", 6)
		for range 2 {
			if a := o.noticed(cancelled); a.text("status") != "cancelled" {
				t.Errorf("not cancelled: %v", a)
			}
		}
		for _, body := range old {
			if a := o.noticed(body); a.text("status") != "cancelled" {
				t.Errorf("an old notice brought it back: %v", a)
			}
		}
		o.wait(time.Minute)
		if got := whats(o.mail.take()); got != "cancellation" || len(o.list("muster")) != 1 {
			t.Errorf("mails %s, %d appointments", got, len(o.list("muster")))
		}
	})
}

func TestNoticesThatAreRefused(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		body := notice(booking.Created, "u1", "", "2026-03-10T13:00:00Z", 1)
		for name, c := range map[string]struct {
			path, body, secret string
			status             int
		}{
			"wrong secret":    {hook, body, bookingSecretA + "x", 401},
			"unknown key":     {noticePath + "?key=andere&host=muster", body, bookingSecretA, 401},
			"no key":          {noticePath + "?host=muster", body, "", 401},
			"no host of two":  {noticePath + "?key=buchung", body, bookingSecretA, 422},
			"unknown host":    {noticePath + "?key=buchung&host=weg", body, bookingSecretA, 422},
			"unknown kind":    {hook + "&kind=tanz", body, bookingSecretA, 422},
			"needs a word":    {hook + "&kind=therapie", body, bookingSecretA, 422},
			"in the past":     {hook, notice(booking.Created, "u1", "", "2026-03-01T13:00:00Z", 1), bookingSecretA, 422},
			"malformed":       {hook, `{"triggerEvent":"BOOKING_CREATED","payload":{}}`, bookingSecretA, 400},
			"no JSON":         {hook, `hello`, bookingSecretA, 400},
			"another trigger": {hook, `{"triggerEvent":"FORM_SUBMITTED","payload":{"x":1}}`, bookingSecretA, 200},
			"unknown, cancel": {hook, `{"triggerEvent":"BOOKING_CANCELLED","payload":{"uid":"zz"}}`, bookingSecretA, 200},
		} {
			o.wait(11 * time.Second)
			if code, m := o.post(c.path, c.body, c.secret); code != c.status {
				t.Errorf("%s: %d %v, want %d", name, code, m, c.status)
			}
		}
		if w := o.send(call{method: "GET", path: hook, site: siteA}); w.Code != 405 {
			t.Errorf("GET: %d", w.Code)
		}
		if len(o.list("muster")) != 0 {
			t.Error("something was created")
		}
	})
}
