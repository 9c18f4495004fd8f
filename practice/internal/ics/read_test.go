// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package ics

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// calendar wraps the lines of events into a feed.
func calendar(body string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.ReplaceAll(strings.TrimLeft(body, "\n"), "\n", "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

func read(t testing.TB, feed string) Feed {
	t.Helper()
	f, err := Read(strings.NewReader(feed), location(t, "Europe/Berlin"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// starts lists what begins between two days, in UTC.
func starts(t testing.TB, f Feed, from, to string) []string {
	t.Helper()
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	all, err := f.Between(day(from), day(to))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, o := range all {
		out = append(out, o.Start.UTC().Format("2006-01-02 15:04"))
	}
	return out
}

func TestSeries(t *testing.T) {
	const head = "BEGIN:VEVENT\nUID:s\n"
	for name, c := range map[string]struct {
		event, from, to string
		want            []string
	}{
		"wall clock over the change of clocks": {
			"DTSTART;TZID=Europe/Berlin:20261020T140000\nDURATION:PT50M\nRRULE:FREQ=WEEKLY;COUNT=3",
			"2026-10-01", "2026-12-01", []string{"2026-10-20 12:00", "2026-10-27 13:00", "2026-11-03 13:00"},
		},
		"a Windows name": {
			"DTSTART;TZID=\"W. Europe Standard Time\":20260701T090000\nDTEND;TZID=\"W. Europe Standard Time\":20260701T100000",
			"2026-07-01", "2026-07-02", []string{"2026-07-01 07:00"},
		},
		"a prefixed name": {
			"DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Vienna:20260101T090000",
			"2026-01-01", "2026-01-02", []string{"2026-01-01 08:00"},
		},
		"UTC":      {"DTSTART:20260101T090000Z", "2026-01-01", "2026-01-02", []string{"2026-01-01 09:00"}},
		"floating": {"DTSTART:20260101T090000", "2026-01-01", "2026-01-02", []string{"2026-01-01 08:00"}},
		"exceptions in another zone than the start": {
			"DTSTART;TZID=Europe/Berlin:20260105T090000\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20260106T080000Z,20260108T080000Z",
			"2026-01-01", "2026-02-01", []string{"2026-01-05 08:00", "2026-01-07 08:00"},
		},
		"exceptions that are days": {
			"DTSTART;TZID=Europe/Berlin:20260105T003000\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20260106",
			"2026-01-01", "2026-02-01", []string{"2026-01-04 23:30"},
		},
		"additions": {
			"DTSTART:20260105T090000Z\nRDATE:20260107T100000Z,20260105T090000Z",
			"2026-01-01", "2026-02-01", []string{"2026-01-05 09:00", "2026-01-07 10:00"},
		},
		"until a day, inclusive": {
			"DTSTART;TZID=Europe/Berlin:20260105T230000\nRRULE:FREQ=DAILY;UNTIL=20260107",
			"2026-01-01", "2026-02-01", []string{"2026-01-05 22:00", "2026-01-06 22:00", "2026-01-07 22:00"},
		},
		"until in UTC": {
			"DTSTART;TZID=Europe/Berlin:20260105T090000\nRRULE:FREQ=DAILY;UNTIL=20260106T080000Z",
			"2026-01-01", "2026-02-01", []string{"2026-01-05 08:00", "2026-01-06 08:00"},
		},
		"every second week on two days": {
			"DTSTART:20260105T090000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=MO;COUNT=4",
			"2026-01-01", "2026-03-01", []string{"2026-01-05 09:00", "2026-01-08 09:00", "2026-01-19 09:00", "2026-01-22 09:00"},
		},
		"the last Friday": {
			"DTSTART:20260130T090000Z\nRRULE:FREQ=MONTHLY;BYDAY=-1FR",
			"2026-02-01", "2026-04-01", []string{"2026-02-27 09:00", "2026-03-27 09:00"},
		},
		"old and without end": {
			"DTSTART:19800102T090000Z\nRRULE:FREQ=YEARLY", "2026-01-01", "2027-01-01", []string{"2026-01-02 09:00"},
		},
		"a start that the rule would not yield counts": {
			"DTSTART:20260106T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=1",
			"2026-01-01", "2026-02-01", []string{"2026-01-06 09:00", "2026-01-12 09:00"},
		},
		"cancelled": {"DTSTART:20260106T090000Z\nSTATUS:CANCELLED", "2026-01-01", "2026-02-01", nil},
		"the alarm's properties are not the event's": {
			"DTSTART:20260106T090000Z\nBEGIN:VALARM\nDTSTART:20200101T000000Z\nRRULE:FREQ=DAILY\nEND:VALARM",
			"2026-01-01", "2026-02-01", []string{"2026-01-06 09:00"},
		},
	} {
		f := read(t, calendar(head+c.event+"\nEND:VEVENT"))
		if got := starts(t, f, c.from, c.to); !slices.Equal(got, c.want) || len(f.Unread) != 0 {
			t.Errorf("%s: got %q (unread %q), want %q", name, got, f.Unread, c.want)
		}
	}
}

const movedSeries = `
BEGIN:VEVENT
UID:s
DTSTART;TZID=Europe/Berlin:20260105T090000
DTEND;TZID=Europe/Berlin:20260105T095000
RRULE:FREQ=WEEKLY;COUNT=3
ATTENDEE;CN=Gast:mailto:gast@example.net
END:VEVENT
BEGIN:VEVENT
UID:s
RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000
DTSTART;TZID=Europe/Berlin:20260113T110000
DURATION:PT30M
ATTENDEE:mailto:gast@example.net
END:VEVENT
BEGIN:VEVENT
UID:s
RECURRENCE-ID:20260119T080000Z
DTSTART:20260119T080000Z
STATUS:CANCELLED
END:VEVENT`

// Within a series one time may move or fall away; its key stays.
func TestOccurrenceMovesAndKeepsItsKey(t *testing.T) {
	f := read(t, calendar(movedSeries))
	all, err := f.Between(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range all {
		got = append(got, fmt.Sprint(o.Key, " ", o.Start.UTC().Format("02 15:04"), " ", o.Duration, " ", len(o.Attendees)))
	}
	want := []string{"s/20260105T080000Z 05 08:00 50m0s 1", "s/20260112T080000Z 13 10:00 30m0s 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if zone := all[0].Start.Location().String(); zone != "Europe/Berlin" {
		t.Errorf("zone %q", zone)
	}
}

func TestNewerVersionCounts(t *testing.T) {
	f := read(t, calendar("BEGIN:VEVENT\nUID:a\nSEQUENCE:3\nDTSTART:20260107T090000Z\nEND:VEVENT\n"+
		"BEGIN:VEVENT\nUID:a\nSEQUENCE:1\nDTSTART:20260106T090000Z\nEND:VEVENT"))
	if got := starts(t, f, "2026-01-01", "2026-02-01"); !slices.Equal(got, []string{"2026-01-07 09:00"}) {
		t.Errorf("got %q", got)
	}
}

func TestAttendees(t *testing.T) {
	f := read(t, calendar(`
BEGIN:VEVENT
UID:a
DTSTART:20260107T090000Z
ORGANIZER;CN=Praxis:mailto:praxis@example.de
ATTENDEE;CN=Praxis:mailto:PRAXIS@example.de
ATTENDEE;CN="Muster, Anna";PARTSTAT=ACCEPTED:mailto:anna@example.net
ATTENDEE;CN=bert@example.net;PARTSTAT=DECLINED:MAILTO:bert@example.net
ATTENDEE;CUTYPE=ROOM:mailto:raum@example.de
ATTENDEE;ROLE=NON-PARTICIPANT:mailto:info@example.de
ATTENDEE;EMAIL=carla@example.net:urn:uuid:1
ATTENDEE:urn:uuid:2
ATTENDEE:mailto:"><script>@example.net
ATTENDEE:mailto:x@example.net?cc=y@example.net
END:VEVENT`))
	all, err := f.Between(time.Unix(0, 0), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	want := []Attendee{
		{"anna@example.net", "Muster, Anna", false}, {"bert@example.net", "", true}, {"carla@example.net", "", false},
	}
	// A question mark is legal before the @ only; the address above is none.
	if !slices.Equal(all[0].Attendees, want) {
		t.Errorf("got %+v, want %+v", all[0].Attendees, want)
	}
}

// What is not understood is named, so that nobody takes it for deleted.
func TestUnreadEventsAreNamed(t *testing.T) {
	for name, event := range map[string]string{
		"unknown zone":       "DTSTART;TZID=Mars:20260107T090000",
		"no start":           "SUMMARY:x",
		"garbled start":      "DTSTART:2026-01-07 09:00",
		"end before start":   "DTSTART:20260107T090000Z\nDTEND:20260107T080000Z",
		"every second":       "DTSTART:20260107T090000Z\nRRULE:FREQ=SECONDLY",
		"every hour":         "DTSTART:20260107T090000Z\nRRULE:FREQ=HOURLY",
		"garbled rule":       "DTSTART:20260107T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=XX",
		"costly rule":        "DTSTART:20260107T090000Z\nRRULE:FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2",
		"many times a day":   "DTSTART:20260107T090000Z\nRRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7;BYMINUTE=0,10,20,30",
		"huge interval":      "DTSTART:20260107T090000Z\nRRULE:FREQ=DAILY;INTERVAL=100000",
		"excluding rule":     "DTSTART:20260107T090000Z\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY",
		"before the epoch":   "DTSTART:00010107T090000Z\nRRULE:FREQ=DAILY",
		"day in a series":    "DTSTART:20260107T090000Z\nRECURRENCE-ID;VALUE=DATE:20260107",
		"endless duration":   "DTSTART:20260107T090000Z\nDURATION:P9999W",
		"broken duration":    "DTSTART:20260107T090000Z\nDURATION:PT",
		"garbled exceptions": "DTSTART:20260107T090000Z\nRRULE:FREQ=DAILY\nEXDATE:tomorrow",
	} {
		f := read(t, calendar("BEGIN:VEVENT\nUID:a\n"+event+"\nEND:VEVENT"))
		if !slices.Equal(f.Unread, []string{"a"}) || len(f.series) != 0 {
			t.Errorf("%s: unread %q, %d series", name, f.Unread, len(f.series))
		}
	}
	f := read(t, calendar("BEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20260107\nEND:VEVENT"))
	if len(f.Unread) != 0 || len(f.series) != 0 {
		t.Error("a whole day is no appointment, and no trouble")
	}
}

// A download that ended early must not look like deletions.
func TestBrokenCalendars(t *testing.T) {
	whole := calendar(movedSeries)
	for cut := range len(whole) - 2 {
		if _, err := Read(strings.NewReader(whole[:cut]), time.UTC); !errors.Is(err, ErrFeed) {
			t.Fatalf("cut after %d bytes: %v, want ErrFeed", cut, err)
		}
	}
	for name, feed := range map[string]string{
		"web page":       "<!DOCTYPE html><title>Sign in</title>",
		"badly nested":   "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT\n",
		"END alone":      "END:VCALENDAR\n",
		"deep":           strings.Repeat("BEGIN:VCALENDAR\n", 50) + strings.Repeat("END:VCALENDAR\n", 50),
		"too large":      "BEGIN:VCALENDAR\n" + strings.Repeat("X-PAD:"+strings.Repeat("x", 70)+"\n", maxFeedBytes/70) + "END:VCALENDAR\n",
		"too many":       "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\nEND:VEVENT\n", maxEvents+1) + "END:VCALENDAR\n",
		"something else": "BEGIN:VCARD\nEND:VCARD\n",
	} {
		if _, err := Read(strings.NewReader(feed), time.UTC); !errors.Is(err, ErrFeed) {
			t.Errorf("%s: %v, want ErrFeed", name, err)
		}
	}
	broken := errors.New("line broke")
	if _, err := Read(iotest.ErrReader(broken), time.UTC); !errors.Is(err, broken) {
		t.Errorf("the reader's error got lost: %v", err)
	}
}

func TestLongLinesArePassedOver(t *testing.T) {
	f := read(t, calendar("BEGIN:VEVENT\nUID:a\nATTACH;VALUE=BINARY:"+strings.Repeat("x", 1<<20)+"\nDTSTART:20260107T090000Z\n"+
		"SUMMARY:"+strings.Repeat("y", 40000)+"\n "+strings.Repeat("z", 40000)+"\nEND:VEVENT"))
	if got := starts(t, f, "2026-01-01", "2026-02-01"); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

// Programs that define zones of their own are understood where the definition
// leaves no doubt.
func TestZonesByDefinition(t *testing.T) {
	zone := func(lic, standard, summer string) string {
		s := "BEGIN:VTIMEZONE\nTZID:Custom\n" + lic + "BEGIN:STANDARD\n" + standard + "\nEND:STANDARD\n"
		if summer != "" {
			s += "BEGIN:DAYLIGHT\n" + summer + "\nEND:DAYLIGHT\n"
		}
		return s + "END:VTIMEZONE\nBEGIN:VEVENT\nUID:a\nDTSTART;TZID=Custom:20260707T090000\nEND:VEVENT"
	}
	for name, c := range map[string]struct{ feed, want string }{
		"location": {zone("X-LIC-LOCATION:Europe/Berlin\n", "TZOFFSETTO:+0000", ""), "2026-07-07 07:00"},
		"Europe": {zone("", "TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
			"TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"), "2026-07-07 07:00"},
		"America": {zone("", "TZOFFSETTO:-0500\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
			"TZOFFSETTO:-0400\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3"), "2026-07-07 13:00"},
		"fixed":   {zone("", "TZOFFSETTO:+0530", ""), "2026-07-07 03:30"},
		"strange": {zone("", "TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO", "TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1MO"), ""},
		"garbled": {zone("", "TZOFFSETTO:east", ""), ""},
	} {
		f := read(t, calendar(c.feed))
		got := strings.Join(starts(t, f, "2026-01-01", "2027-01-01"), " ")
		if got != c.want || (c.want == "") != (len(f.Unread) == 1) {
			t.Errorf("%s: got %q (unread %q), want %q", name, got, f.Unread, c.want)
		}
	}
	f := read(t, calendar("X-WR-TIMEZONE:America/New_York\nBEGIN:VEVENT\nUID:a\nDTSTART:20260107T090000\nEND:VEVENT"))
	if got := starts(t, f, "2026-01-01", "2027-01-01"); !slices.Equal(got, []string{"2026-01-07 14:00"}) {
		t.Errorf("the calendar's own zone: %q", got)
	}
}

func TestEveryWindowsNameLeadsToAZone(t *testing.T) {
	for name, iana := range windowsZones {
		if loc := named(name); loc == nil || loc.String() != iana {
			t.Errorf("%s: %v, want %s", name, loc, iana)
		}
	}
	for _, bad := range []string{"", "Local", "../../etc/passwd", "/etc/passwd", "Nowhere/Land", strings.Repeat("a/", 500)} {
		if loc := named(bad); loc != nil {
			t.Errorf("%q is %v", bad, loc)
		}
	}
}

func TestTooMany(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "BEGIN:VEVENT\nUID:%d\nDTSTART:20260107T090000Z\nRRULE:FREQ=DAILY\nEND:VEVENT\n", i)
	}
	f := read(t, calendar(strings.TrimSpace(b.String())))
	if _, err := f.Between(time.Unix(0, 0), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, ErrTooMany) {
		t.Errorf("%v, want ErrTooMany", err)
	}
}

// Feeds as the common programs write them.
func TestFeedsOfPrograms(t *testing.T) {
	for file, want := range map[string][]string{
		"google.ics":    {"2026-12-01 09:00", "2026-12-08 10:30"},
		"exchange.ics":  {"2026-12-02 13:00", "2026-12-09 13:00"},
		"nextcloud.ics": {"2026-12-03 15:00"},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		f := read(t, string(text))
		if got := starts(t, f, "2026-11-01", "2027-01-01"); !slices.Equal(got, want) || len(f.Unread) != 0 {
			t.Errorf("%s: got %q (unread %q), want %q", file, got, f.Unread, want)
		}
	}
}

// Whatever comes in, reading ends, and what is found lies in the span asked for.
func FuzzRead(f *testing.F) {
	f.Add(calendar(movedSeries))
	f.Add(calendar("BEGIN:VEVENT\nUID:a\nDTSTART:20260107T090000Z\nRRULE:FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2\nEND:VEVENT"))
	f.Add(calendar("BEGIN:VEVENT\nUID:a\nDTSTART;TZID=\"a;b\":20260107T090000\nRRULE:FREQ=YEARLY;BYWEEKNO=53;BYSETPOS=-1\nEND:VEVENT"))
	for _, file := range []string{"google.ics", "exchange.ics", "nextcloud.ics"} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 3, 0)
	f.Fuzz(func(t *testing.T, feed string) {
		got, err := Read(strings.NewReader(feed), time.UTC)
		if err != nil {
			return
		}
		all, err := got.Between(from, to)
		if err != nil {
			return
		}
		keys := make(map[string]bool)
		for _, o := range all {
			if o.Start.Before(from) || !o.Start.Before(to) || o.Duration < 0 || o.Key == "" || keys[o.Key] {
				t.Fatalf("bad or double occurrence %+v", o)
			}
			keys[o.Key] = true
		}
	})
}
