// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package appointment

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/caddy-videoroom/videoroom/token"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestParseTime(t *testing.T) {
	for _, tc := range []struct {
		zone, in, want string
		err            error
	}{
		{"Europe/Berlin", "2026-03-02T14:30", "2026-03-02T13:30:00Z", nil},
		{"Europe/Berlin", "2026-07-02T14:30:15", "2026-07-02T12:30:15Z", nil},
		{"Europe/Berlin", "2026-07-02T14:30:00-05:00", "2026-07-02T19:30:00Z", nil},
		{"Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59:00Z", nil},
		{"Europe/Berlin", "2026-03-29T02:00", "", ErrNoSuchTime},
		{"Europe/Berlin", "2026-03-29T02:59", "", ErrNoSuchTime},
		{"Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00Z", nil},
		{"Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z", nil}, // twice: the first
		{"Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00:00Z", nil},
		{"America/St_Johns", "2026-03-08T02:30", "", ErrNoSuchTime},
		{"Australia/Lord_Howe", "2026-10-04T02:15", "", ErrNoSuchTime}, // half an hour only
		{"Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30:00Z", nil},
		{"Pacific/Apia", "2011-12-30T12:00", "", ErrNoSuchTime}, // the whole day
		{"UTC", "2026-03-29T02:30", "2026-03-29T02:30:00Z", nil},
		{"UTC", "", "", ErrTime},
		{"UTC", "2026-13-01T00:00", "", ErrTime},
		{"UTC", "2026-03-01", "", ErrTime},
	} {
		got, err := ParseTime(tc.in, zone(t, tc.zone))
		if !errors.Is(err, tc.err) || err == nil && got.Format(time.RFC3339) != tc.want {
			t.Errorf("%s in %s: %v, %v, want %s", tc.in, tc.zone, got, err, tc.want)
		}
	}
}

func TestRepeat(t *testing.T) {
	for _, tc := range []struct {
		name, zone, first string
		step              Step
		count             int
		want              string
	}{
		{"over spring", "Europe/Berlin", "2026-03-22T18:00", "week", 3, "22.18:00+01 29.18:00+02 05.18:00+02"},
		{"over autumn", "Europe/Berlin", "2026-10-18T09:00", "week", 3, "18.09:00+02 25.09:00+01 01.09:00+01"},
		{"through the skipped hour", "Europe/Berlin", "2026-03-28T02:30", "day", 3, "28.02:30+01 29.03:30+02 30.02:30+02"},
		{"through the hour twice", "Europe/Berlin", "2026-10-24T02:30", "day", 3, "24.02:30+02 25.02:30+02 26.02:30+01"},
		{"every other week", "Europe/Berlin", "2026-03-02T10:00", "2weeks", 3, "02.10:00+01 16.10:00+01 30.10:00+02"},
		{"end of a month", "Europe/Berlin", "2026-01-31T10:00", "day", 2, "31.10:00+01 01.10:00+01"},
		{"other half of the world", "America/New_York", "2026-03-01T23:30", "week", 2, "01.23:30-05 08.23:30-04"},
		{"once", "UTC", "2026-03-01T10:00", "day", 1, "01.10:00Z"},
	} {
		z := zone(t, tc.zone)
		first, err := ParseTime(tc.first, z)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range Repeat(first, tc.step, tc.count, z) {
			got = append(got, s.In(z).Format("02.15:04Z07"))
		}
		if text := strings.Join(got, " "); text != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, text, tc.want)
		}
	}
	if Step("month").Known() || !Step("week").Known() {
		t.Error("steps")
	}
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func meeting() *Appointment {
	room := token.NewID()
	return &Appointment{
		ID: IDOf(room), Room: room, Host: "muster", Kind: "beratung", Start: noon.Add(24 * time.Hour), Minutes: 50,
		Zone: "Europe/Berlin", Notify: true, Status: Planned, Created: noon,
		Guests: []Guest{{
			ID: token.NewID(), Email: "anna@example.org", SecretHash: HashSecret("s"), Generation: 1,
			Notices: []Notice{{What: Invitation, At: noon}},
		}},
	}
}

func TestWindowAndStates(t *testing.T) {
	a := meeting()
	w := a.Window(30*time.Minute, 2*time.Hour)
	for _, tc := range []struct {
		at   time.Time
		want State
	}{
		{a.Start.Add(-30*time.Minute - time.Nanosecond), Early}, {a.Start.Add(-30 * time.Minute), Open},
		{a.End().Add(2*time.Hour - time.Nanosecond), Open}, {a.End().Add(2 * time.Hour), Over},
	} {
		if got := a.State(w, tc.at); got != tc.want {
			t.Errorf("at %v: %s", tc.at, got)
		}
	}
	a.Status = Cancelled
	if got := a.State(w, a.Start); got != Off {
		t.Errorf("cancelled: %s", got)
	}
}

func TestExpired(t *testing.T) {
	a := meeting()
	w := a.Window(30*time.Minute, 2*time.Hour)
	for _, tc := range []struct {
		retention, after time.Duration
		want             bool
	}{
		{24 * time.Hour, 24*time.Hour - 1, false}, {24 * time.Hour, 24 * time.Hour, true},
		{time.Hour, time.Hour, false}, {time.Hour, 2 * time.Hour, true}, // not while links are good
		{10_000 * time.Hour, MaxRetention - 1, false}, {10_000 * time.Hour, MaxRetention, true}, {0, MaxRetention, true},
	} {
		if got := a.Expired(tc.retention, w, a.End().Add(tc.after)); got != tc.want {
			t.Errorf("%v after the end with %v: %v", tc.after, tc.retention, got)
		}
	}
	a.Start, a.Status, a.Changed = noon.Add(10_000*time.Hour), Cancelled, noon
	if w := a.Window(0, 0); a.Expired(time.Hour, w, noon.Add(MaxRetention-1)) || !a.Expired(time.Hour, w, noon.Add(MaxRetention)) {
		t.Error("a cancelled appointment far ahead")
	}
}

// ledger is what has become of letters.
type ledger map[string]Outcome

func (l ledger) of(id string) Outcome { return l[id] }

func (l ledger) sent(a *Appointment, m Letter, at time.Time) {
	l[m.ID] = Outcome{Settled: true, Told: true, Sequence: a.Sequence, At: at}
}

// owed names what is not settled.
func (l ledger) owed(a *Appointment) string {
	var names []string
	for _, m := range a.Letters(30*time.Minute, l.of) {
		if !l[m.ID].Settled {
			names = append(names, string(m.What))
		}
	}
	return strings.Join(names, " ")
}

func (l ledger) first(t *testing.T, a *Appointment, what What) Letter {
	t.Helper()
	for _, m := range a.Letters(30*time.Minute, l.of) {
		if m.What == what && !l[m.ID].Settled {
			return m
		}
	}
	t.Fatalf("no %s is owed", what)
	return Letter{}
}

func (a *Appointment) tell(what What, at time.Time) {
	a.Guests[0].Notices = append(a.Guests[0].Notices, Notice{What: what, Sequence: a.Sequence, At: at})
}

func TestLetters(t *testing.T) {
	a, l := meeting(), ledger{}
	if got := l.owed(a); got != "invitation reminder" {
		t.Errorf("new: %s", got)
	}
	invitation := l.first(t, a, Invitation)
	if invitation.Told != -1 || !invitation.Due.Equal(noon) {
		t.Errorf("invitation %+v", invitation)
	}
	l.sent(a, invitation, noon)
	reminder := l.first(t, a, Reminder)
	if !reminder.Due.Equal(a.Start.Add(-30*time.Minute)) || !reminder.Until.Equal(a.End()) {
		t.Errorf("reminder %+v", reminder)
	}
	l.sent(a, reminder, reminder.Due)
	if got := l.owed(a); got != "" {
		t.Errorf("all sent: %s", got)
	}
	// A move owes a change, and the reminder anew.
	was := a.Start
	a.Next(a.Start.Add(24 * time.Hour))
	a.tell(Change, noon.Add(time.Hour))
	a.Next(a.Start.Add(time.Hour))
	a.tell(Change, noon.Add(2*time.Hour))
	if got := l.owed(a); got != "change reminder" {
		t.Errorf("moved twice: %s", got)
	}
	change := l.first(t, a, Change)
	if change.Sequence != 2 || change.Told != 0 || !a.Was(change.Told).Equal(was) || !a.Was(9).IsZero() {
		t.Errorf("change %+v", change)
	}
	l.sent(a, change, noon.Add(3*time.Hour))
	a.Next(a.Start)
	a.Status = Cancelled
	a.tell(Cancellation, noon.Add(4*time.Hour))
	if got := l.owed(a); got != "cancellation" {
		t.Errorf("cancelled: %s", got)
	}
}

func TestPointlessLetters(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(*Appointment, ledger)
		want string
	}{
		{"cancelled before anybody was told", func(a *Appointment, l ledger) {
			a.Status = Cancelled
			a.tell(Cancellation, noon)
		}, ""},
		{"refused, then cancelled", func(a *Appointment, l ledger) {
			l[l.id(a, Invitation)] = Outcome{Settled: true, At: noon}
			a.Status = Cancelled
			a.tell(Cancellation, noon)
		}, ""},
		{"perhaps told, then cancelled", func(a *Appointment, l ledger) {
			l[l.id(a, Invitation)] = Outcome{Settled: true, Told: true, At: noon}
			a.Status = Cancelled
			a.tell(Cancellation, noon)
		}, "cancellation"},
		{"moved before anybody was told", func(a *Appointment, l ledger) {
			a.Next(a.Start.Add(time.Hour))
			a.tell(Change, noon)
		}, "invitation reminder"},
		{"revoked", func(a *Appointment, _ ledger) { a.Guests[0].Revoked = true }, ""},
		{"removed after being told", func(a *Appointment, l ledger) {
			l[l.id(a, Invitation)] = Outcome{Settled: true, Told: true, At: noon}
			a.Guests[0].Revoked, a.Guests[0].Removed = true, true
			a.tell(Cancellation, noon)
		}, "cancellation"},
		{"another address", func(a *Appointment, l ledger) {
			l[l.id(a, Invitation)] = Outcome{Settled: true, Told: true, At: noon}
			a.tell(Invitation, noon)
		}, "invitation reminder"},
		{"no address", func(a *Appointment, _ ledger) { a.Guests[0].Email = "" }, ""},
		{"no mail wanted", func(a *Appointment, _ ledger) { a.Notify, a.Guests[0].Notices = false, nil }, ""},
		{"invited within the last minutes", func(a *Appointment, l ledger) {
			l[l.id(a, Invitation)] = Outcome{Settled: true, Told: true, At: a.Start.Add(-35 * time.Minute)}
		}, ""},
		{"invited a little earlier", func(a *Appointment, l ledger) {
			l[l.id(a, Invitation)] = Outcome{Settled: true, Told: true, At: a.Start.Add(-41 * time.Minute)}
		}, "reminder"},
	} {
		a, l := meeting(), ledger{}
		tc.do(a, l)
		if got := l.owed(a); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func (l ledger) id(a *Appointment, what What) string {
	for _, m := range a.Letters(30*time.Minute, l.of) {
		if m.What == what {
			return m.ID
		}
	}
	return ""
}

func TestHolder(t *testing.T) {
	a := meeting()
	a.Guests = append(a.Guests, Guest{ID: token.NewID(), SecretHash: HashSecret("other")})
	if a.Holder("s") != &a.Guests[0] || a.Holder("other") != &a.Guests[1] || a.Holder("") != nil || a.Holder(a.Guests[0].SecretHash) != nil {
		t.Error("holders")
	}
	a.Guests[0].Revoked, a.Guests[1].Removed = true, true
	if a.Holder("s") != nil || a.Holder("other") != nil || a.Guest(a.Guests[1].ID) != nil {
		t.Error("holders of links that are void")
	}
}

func TestValid(t *testing.T) {
	if !meeting().Valid() {
		t.Fatal("a sound one is not valid")
	}
	for name, spoil := range map[string]func(*Appointment){
		"another room": func(a *Appointment) { a.Room = token.NewID() }, "no host": func(a *Appointment) { a.Host = "" },
		"no time": func(a *Appointment) { a.Minutes = 0 }, "no start": func(a *Appointment) { a.Start = time.Time{} },
		"status": func(a *Appointment) { a.Status = "x" }, "zone": func(a *Appointment) { a.Zone = "x" },
		"guest": func(a *Appointment) { a.Guests[0].ID = "x" }, "hash": func(a *Appointment) { a.Guests[0].SecretHash = "" },
	} {
		a := meeting()
		if spoil(a); a.Valid() {
			t.Errorf("%s is valid", name)
		}
	}
	a := meeting()
	b := a.Clone()
	b.Guests[0].Notices[0].What, b.Guests[0].Name = Change, "x"
	if a.Guests[0].Notices[0].What != Invitation || a.Guests[0].Name != "" {
		t.Error("a clone shares")
	}
}
