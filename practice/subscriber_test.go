// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
	"github.com/caddy-videoroom/videoroom/token"
)

// library stands in for a calendar's server.
type library struct {
	asked, served atomic.Int64

	mu   sync.Mutex
	body string
	err  error
}

func (l *library) fetch(_ context.Context, address string, have Version) ([]byte, Version, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked.Add(1)
	now := Version{ETag: fmt.Sprintf("%q", l.body)}
	switch {
	case l.err != nil:
		return nil, have, false, l.err
	case address != "https://cal.example/secret.ics":
		return nil, have, false, errors.New("another address")
	case have == now:
		return nil, have, false, nil
	}
	l.served.Add(1)
	return []byte(l.body), now, true, nil
}

// events puts a calendar on the server.
func (l *library) events(all ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = nil
	l.body = "BEGIN:VCALENDAR\r\n" + strings.ReplaceAll(strings.Join(all, ""), "\n", "\r\n") + "END:VCALENDAR\r\n"
}

// event is one with a guest.
func event(uid, start string, lines ...string) string {
	return "BEGIN:VEVENT\nUID:" + uid + "\nDTSTART;TZID=Europe/Berlin:" + start + "\nDURATION:PT50M\nSUMMARY:K. 17\nDESCRIPTION:geheim\n" +
		"ORGANIZER:mailto:office@example.de\nATTENDEE;CN=Anna:mailto:anna@example.org\nATTENDEE:mailto:PRAXIS@example.de\n" +
		strings.Join(append(lines, ""), "\n") + "END:VEVENT\n"
}

// following runs a test with a calendar that host muster has.
func following(t *testing.T, f func(t *testing.T, o *office, l *library)) {
	t.Helper()
	inOffice(t, func(t *testing.T, o *office) {
		l := new(library)
		l.events()
		o.site.Hosts[0].Calendar = "https://cal.example/secret.ics"
		o.follow(l)
		f(t, o, l)
	})
}

func (o *office) follow(l *library) {
	o.desk.subscriber.mu.Lock()
	o.desk.subscriber.fetch = l.fetch
	o.desk.subscriber.mu.Unlock()
	o.desk.Follow([]Calendar{{Site: o.site, SiteID: siteA, Host: "muster", Origin: "https://" + siteA, Base: "/video"}})
	o.wait(pollFirst + 2*pollTurn)
}

// polled waits until the calendar has been looked at once more for certain.
func (o *office) polled() { o.wait(pollEvery*6/5 + 2*pollTurn) }

// agendaOf lists start, state, label and guests of muster's appointments.
func (o *office) agendaOf() string {
	var all []string
	for _, a := range o.list("muster") {
		var guests []string
		for _, g := range a.list("guests") {
			guests = append(guests, g.text("name")+"<"+g.text("email")+">")
		}
		all = append(all, fmt.Sprint(a.text("start")[:16], " ", a.text("status"), " ", a.text("label"), " ", strings.Join(guests, ",")))
	}
	return strings.Join(all, "\n")
}

func (o *office) expectAgenda(want ...string) {
	o.t.Helper()
	if got := o.agendaOf(); got != strings.Join(want, "\n") {
		o.t.Errorf("agenda:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

// An event becomes an appointment, moves, gets another guest, and goes.
func TestEventsBecomeAppointments(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		l.events(event("a/1", "20260305T140000"), event("far", "20260601T100000"),
			"BEGIN:VEVENT\nUID:alone\nDTSTART:20260304T100000Z\nDTEND:20260304T110000Z\nEND:VEVENT\n",
			"BEGIN:VEVENT\nUID:day\nDTSTART;VALUE=DATE:20260304\nATTENDEE:mailto:x@example.org\nEND:VEVENT\n",
			event("no", "20260306T140000", "STATUS:CANCELLED"), event("past", "20260301T140000"))
		o.polled()
		o.expectAgenda("2026-03-05T14:00 planned K. 17 Anna<anna@example.org>")
		room, secret := "", ""
		for _, m := range o.mail.take() {
			if m.What != "invitation" || m.To != "anna@example.org" {
				t.Errorf("mail %+v", m)
			}
			_, rest, _ := strings.Cut(m.Link, "/r/")
			room, secret, _ = strings.Cut(rest, "#s=")
		}
		if o.state(room, secret) != "early" {
			t.Errorf("the link leads to %s", o.state(room, secret))
		}
		l.events(event("a/1", "20260306T150000"))
		o.polled()
		o.expectAgenda("2026-03-06T15:00 planned K. 17 Anna<anna@example.org>")
		if got := whats(o.mail.take()); got != "change" || o.state(room, secret) != "early" {
			t.Errorf("mails %s, state %s", got, o.state(room, secret))
		}
		l.events(event("a/1", "20260306T150000", "ATTENDEE;CN=Bert:mailto:bert@example.org"))
		o.polled()
		o.expectAgenda("2026-03-06T15:00 planned K. 17 Anna<anna@example.org>,Bert<bert@example.org>")
		if got := o.mail.take(); whats(got) != "invitation" || got[0].To != "bert@example.org" {
			t.Errorf("mails %+v", got)
		}
		l.events()
		o.polled()
		o.expectAgenda("2026-03-06T15:00 cancelled K. 17 Anna<anna@example.org>,Bert<bert@example.org>")
		if got := whats(o.mail.take()); got != "cancellation cancellation" {
			t.Errorf("mails %s", got)
		}
		// An event that comes back is another appointment.
		l.events(event("a/1", "20260307T150000"))
		o.polled()
		o.expectAgenda("2026-03-06T15:00 cancelled K. 17 Anna<anna@example.org>,Bert<bert@example.org>", "2026-03-07T15:00 planned K. 17 Anna<anna@example.org>")
		for _, key := range o.disk.Keys() {
			if text := string(o.disk.Read(key)); strings.Contains(text, "geheim") || strings.Contains(text, "secret.ics") || strings.Contains(text, "a/1") {
				t.Errorf("%s says too much", key)
			}
		}
		if strings.Contains(o.logs.String(), "cal.example") {
			t.Errorf("the log names the calendar: %s", o.logs)
		}
	})
}

// A series: its times come into sight one after the other; one of them moves, and
// then all of them do.
func TestSeriesOfACalendar(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		l.events(event("s", "20260304T140000", "RRULE:FREQ=WEEKLY;COUNT=4"))
		o.polled()
		o.expectAgenda("2026-03-04T14:00 planned K. 17 Anna<anna@example.org>", "2026-03-11T14:00 planned K. 17 Anna<anna@example.org>")
		first := o.list("muster")[1].text("id")
		l.events(event("s", "20260304T140000", "RRULE:FREQ=WEEKLY;COUNT=4"),
			event("s", "20260312T090000", "RECURRENCE-ID;TZID=Europe/Berlin:20260311T140000"))
		o.polled()
		o.expectAgenda("2026-03-04T14:00 planned K. 17 Anna<anna@example.org>", "2026-03-12T09:00 planned K. 17 Anna<anna@example.org>")
		o.mail.take()
		l.events(event("s", "20260304T160000", "RRULE:FREQ=WEEKLY;COUNT=4"))
		o.polled()
		o.expectAgenda("2026-03-04T16:00 planned K. 17 Anna<anna@example.org>", "2026-03-11T16:00 planned K. 17 Anna<anna@example.org>")
		if got := whats(o.mail.take()); got != "change change" || o.list("muster")[1].text("id") != first {
			t.Errorf("mails %s", got)
		}
		// Without any change at the server, the next week comes into sight.
		o.wait(3 * 24 * time.Hour)
		if got := o.agendaOf(); !strings.Contains(got, "2026-03-18T16:00 planned") {
			t.Errorf("agenda:\n%s", got)
		}
	})
}

// Nothing is cancelled because a server fails, an answer is cut or is strange, or
// too much is gone at once.
func TestCalendarsThatFailCancelNothing(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		var all []string
		for i := range 6 {
			all = append(all, event(fmt.Sprint("e", i), fmt.Sprintf("202603%02dT140000", 4+i)))
		}
		l.events(all...)
		o.polled()
		planned := func() int { return strings.Count(o.agendaOf(), "planned") }
		if planned() != 6 {
			t.Fatalf("agenda:\n%s", o.agendaOf())
		}
		good := l.body
		for name, spoil := range map[string]func(){
			"unreachable": func() { l.err = errors.New("no") },
			"cut":         func() { l.body = good[:len(good)/2] },
			"a web page":  func() { l.body = "<html>Sign in</html>" },
			"strange":     func() { l.body = strings.ReplaceAll(good, "Europe/Berlin", "Mars/Olympus") },
		} {
			l.mu.Lock()
			l.err = nil
			spoil()
			l.mu.Unlock()
			o.wait(15 * time.Minute)
			if planned() != 6 {
				t.Fatalf("%s: agenda:\n%s", name, o.agendaOf())
			}
		}
		l.events(all[5:]...)
		o.wait(2 * pollSeldom) // it looks seldom after failures, once
		o.polled()
		if planned() != 1 {
			t.Errorf("what is gone twice stays: agenda:\n%s", o.agendaOf())
		}
	})
}

// The host is told of a calendar that fails again and again, since when, and no
// longer once it can be read.
func TestHostsLearnThatACalendarFails(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		trouble := func() time.Time { return o.desk.subscriber.trouble(hostKey{siteA, "muster"}) }
		began := o.now()
		l.mu.Lock()
		l.err = errors.New("no")
		l.mu.Unlock()
		o.polled()
		if !trouble().IsZero() {
			t.Error("told at the first failure, which passes by itself")
		}
		o.wait(40 * time.Minute)
		if since := trouble(); since.Before(began) || since.After(began.Add(pollEvery*6/5+2*pollTurn)) {
			t.Errorf("told since %v, it began at %v", since, began)
		}
		if since := o.desk.subscriber.trouble(hostKey{siteA, "zweit"}); !since.IsZero() {
			t.Errorf("a colleague is told since %v", since)
		}
		l.events()
		o.wait(2 * pollSeldom)
		if since := trouble(); !since.IsZero() {
			t.Errorf("told since %v although it can be read", since)
		}
	})
}

func TestCalendarTroubleIsInTheState(t *testing.T) {
	b := house(t, storagetest.NewDisk(), token.NewKeys(), nil)
	host := b.host("muster")
	if m := host.next("state"); m["calendar_trouble"] != nil {
		t.Errorf("trouble without a calendar: %v", m["calendar_trouble"])
	}
	// Busy, so that nobody looks at it.
	f := &follow{Calendar: Calendar{SiteID: siteA, Host: "muster"}, busy: true}
	u := b.desk.subscriber
	u.mu.Lock()
	u.follows[followKey{siteA, "muster", "x"}] = f
	u.mu.Unlock()
	u.tell(f, time.Date(2026, 11, 30, 13, 5, 0, 0, time.UTC))
	host.until("state", func(m message) bool { return m["calendar_trouble"] == "2026-11-30T13:05:00Z" })
	u.tell(f, time.Time{})
	host.until("state", func(m message) bool { return m["calendar_trouble"] == nil })
}

// A mass deletion is believed at the second look.
func TestMassDeletionIsLookedAtTwice(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		var all []string
		for i := range 6 {
			all = append(all, event(fmt.Sprint("e", i), fmt.Sprintf("202603%02dT140000", 4+i)))
		}
		l.events(all...)
		o.polled()
		l.events()
		before := l.served.Load()
		for l.served.Load() == before {
			o.wait(time.Second)
		}
		o.wait(pollTurn)
		if n := strings.Count(o.agendaOf(), "planned"); n != 6 {
			t.Errorf("after one look %d are left", n)
		}
		o.polled()
		if n := strings.Count(o.agendaOf(), "planned"); n != 0 {
			t.Errorf("after two looks %d are left", n)
		}
	})
}

// What a host cancels here stays cancelled; what a host moves here moves back.
func TestCalendarAgainstHost(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		l.events(event("a", "20260305T140000"), event("b", "20260306T140000"))
		o.polled()
		all := o.list("muster")
		o.do("muster", "DELETE", "api/v1/appointments/"+all[0].text("id"), nil, 200)
		o.do("muster", "PATCH", "api/v1/appointments/"+all[1].text("id"), message{"start": "2026-03-06T18:00"}, 200)
		o.wait(readWhole + pollEvery*2)
		o.expectAgenda("2026-03-05T14:00 cancelled K. 17 Anna<anna@example.org>", "2026-03-06T14:00 planned K. 17 Anna<anna@example.org>")
	})
}

// Restarts, reloads and second processes make nothing twice.
func TestFollowingAcrossRestartsAndProcesses(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		l.events(event("a", "20260305T140000"))
		o.polled()
		o.restart()
		o.follow(l)
		other := newOffice(t, o.disk, o.keys)
		defer other.close()
		other.site = o.site
		other.install()
		other.follow(l)
		l.events(event("a", "20260305T140000"), event("b", "20260306T140000"))
		o.polled()
		o.follow(l) // as a reload does
		o.polled()
		o.expectAgenda("2026-03-05T14:00 planned K. 17 Anna<anna@example.org>", "2026-03-06T14:00 planned K. 17 Anna<anna@example.org>")
		if got := whats(append(o.mail.take(), other.mail.take()...)); got != "invitation invitation" {
			t.Errorf("mails %s", got)
		}
		asked := l.asked.Load()
		o.desk.Follow(nil)
		other.desk.Follow(nil)
		o.wait(time.Hour)
		if l.asked.Load() != asked {
			t.Error("a calendar that is not followed any more is read")
		}
	})
}

// Looking is spread over time, and seldom after failures.
func TestHowOftenCalendarsAreRead(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		asked, served := l.asked.Load(), l.served.Load()
		o.wait(10 * time.Hour)
		if n := l.asked.Load() - asked; n < 90 || n > 150 {
			t.Errorf("%d looks in ten hours", n)
		}
		if n := l.served.Load() - served; n > 12 {
			t.Errorf("read whole %d times in ten hours without a change", n)
		}
		l.mu.Lock()
		l.err, asked = errors.New("no"), l.asked.Load()
		l.mu.Unlock()
		o.wait(10 * time.Hour)
		if n := l.asked.Load() - asked; n > 18 {
			t.Errorf("%d looks at a server that fails", n)
		}
		if n := strings.Count(o.logs.String(), "cannot be read"); n != 1 {
			t.Errorf("said %d times: %s", n, o.logs)
		}
		l.events()
		o.wait(2 * time.Hour)
		if !strings.Contains(o.logs.String(), "can be read again") {
			t.Error("the end of the trouble is not told")
		}
	})
}

// What no rule allows is counted, not forced.
func TestEventsThatAreTooMuch(t *testing.T) {
	following(t, func(t *testing.T, o *office, l *library) {
		var crowd []string
		for i := range 12 {
			crowd = append(crowd, fmt.Sprintf("ATTENDEE:mailto:g%d@example.org", i))
		}
		l.events(event("a", "20260305T140000", crowd...), event("b", "20260306T140000"))
		o.polled()
		o.expectAgenda("2026-03-06T14:00 planned K. 17 Anna<anna@example.org>")
		if !strings.Contains(o.logs.String(), "events=1") || strings.Contains(o.logs.String(), "example.org") {
			t.Errorf("the log says %s", o.logs)
		}
		sources := make(map[string]bool)
		for _, a := range o.desk.agenda.choose(siteA, func(*appointment.Appointment) bool { return true }) {
			sources[a.Source] = true
		}
		if len(sources) != 1 {
			t.Errorf("sources %v", sources)
		}
	})
}
