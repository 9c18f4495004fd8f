// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package ics

import (
	"io"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of one event.
const (
	maxAttendees = 50
	maxDates     = 2000 // exceptions and additions of a series
	maxTextRunes = 200
	maxUIDBytes  = 512
	maxDuration  = 7 * 24 * time.Hour
)

// Feed is a foreign calendar: timed events with their series.
type Feed struct {
	series map[string]*series
	// Unread are the UIDs of events that could not be understood. They exist
	// in the calendar, so nothing may be concluded from their absence.
	Unread []string
}

// series is all that a feed says under one UID.
type series struct {
	master    *event
	overrides map[time.Time]*event // by the start in UTC that they replace
}

// event is one VEVENT.
type event struct {
	uid       string
	sequence  int
	replaces  time.Time // RECURRENCE-ID; zero: none
	start     time.Time // in its zone
	duration  time.Duration
	summary   string
	cancelled bool
	organizer string
	attendees []Attendee
	rule      string
	extra     []time.Time
	except    map[time.Time]bool // UTC
	daysOff   map[string]bool    // whole days that are left out, in the event's zone
}

// Attendee is a person invited to an event.
type Attendee struct {
	Address string // bare mail address
	Name    string // may be empty
	// Declined tells that the person has said no.
	Declined bool
}

// Read takes a calendar apart. Times without a zone are in floating, unless the
// calendar names its own. The error is [ErrFeed], or that of r.
func Read(r io.Reader, floating *time.Location) (Feed, error) {
	top, err := parse(r)
	if err != nil {
		return Feed{}, err
	}
	f := Feed{series: make(map[string]*series)}
	for _, cal := range top.subs {
		if cal.name != "VCALENDAR" {
			continue
		}
		zones := newZones(cal, floating)
		for _, c := range cal.subs {
			if c.name != "VEVENT" {
				continue
			}
			e, verdict := readEvent(c, zones)
			switch verdict {
			case understood:
				f.add(e)
			case notUnderstood:
				f.Unread = append(f.Unread, c.uid())
			}
		}
	}
	return f, nil
}

func (c *component) uid() string {
	uid := strings.TrimSpace(c.value("UID"))
	if len(uid) > maxUIDBytes {
		return ""
	}
	return uid
}

// add files an event under its UID; of two that say the same the later counts.
func (f *Feed) add(e *event) {
	s := f.series[e.uid]
	if s == nil {
		s = &series{overrides: make(map[time.Time]*event)}
		f.series[e.uid] = s
	}
	if e.replaces.IsZero() {
		if s.master == nil || e.sequence >= s.master.sequence {
			s.master = e
		}
		return
	}
	key := e.replaces.UTC()
	if old := s.overrides[key]; old == nil || e.sequence >= old.sequence {
		s.overrides[key] = e
	}
}

type verdict int

const (
	understood verdict = iota
	notUnderstood
	noAppointment // whole days, notes: never of interest
)

func readEvent(c *component, z *zones) (*event, verdict) {
	e := &event{uid: c.uid(), summary: text(c.value("SUMMARY"))}
	start, ok := c.get("DTSTART")
	if ok && wholeDay(start) {
		return nil, noAppointment
	}
	if e.uid == "" || !ok {
		return nil, notUnderstood
	}
	if e.start, ok = z.time(start, start.value); !ok {
		return nil, notUnderstood
	}
	if e.duration, ok = length(c, z, e.start); !ok {
		return nil, notUnderstood
	}
	if id, has := c.get("RECURRENCE-ID"); has {
		if wholeDay(id) {
			return nil, notUnderstood
		}
		if e.replaces, ok = z.time(id, id.value); !ok {
			return nil, notUnderstood
		}
	}
	e.sequence, _ = strconv.Atoi(strings.TrimSpace(c.value("SEQUENCE"))) // absent or garbled: 0
	e.cancelled = strings.EqualFold(strings.TrimSpace(c.value("STATUS")), "CANCELLED")
	e.rule = strings.TrimSpace(c.value("RRULE"))
	if _, has := c.get("EXRULE"); has {
		return nil, notUnderstood // abolished; a guess would make appointments up
	}
	if !e.dates(c, z) {
		return nil, notUnderstood
	}
	if e.rule != "" {
		if _, err := parseRule(e.rule, e.start); err != nil {
			return nil, notUnderstood
		}
	}
	e.people(c)
	return e, understood
}

// dates reads exceptions and additions.
func (e *event) dates(c *component, z *zones) bool {
	e.except, e.daysOff = make(map[time.Time]bool), make(map[string]bool)
	n := 0
	for _, p := range c.props {
		if p.name != "EXDATE" && p.name != "RDATE" {
			continue
		}
		for v := range strings.SplitSeq(p.value, ",") {
			if n++; n > maxDates {
				return false
			}
			v, _, _ = strings.Cut(strings.TrimSpace(v), "/") // a period: its begin
			if v == "" {
				continue
			}
			if _, err := time.Parse("20060102", v); err == nil {
				e.daysOff[v] = e.daysOff[v] || p.name == "EXDATE"
				continue // a day adds no time
			}
			at, ok := z.time(p, v)
			if !ok {
				return false
			}
			if p.name == "EXDATE" {
				e.except[at.UTC()] = true
			} else {
				e.extra = append(e.extra, at)
			}
		}
	}
	return true
}

func (e *event) people(c *component) {
	if p, ok := c.get("ORGANIZER"); ok {
		e.organizer, _ = address(p)
	}
	for _, p := range c.props {
		kind := strings.ToUpper(p.params["CUTYPE"])
		if p.name != "ATTENDEE" || len(e.attendees) == maxAttendees ||
			kind == "ROOM" || kind == "RESOURCE" || kind == "GROUP" ||
			strings.EqualFold(p.params["ROLE"], "NON-PARTICIPANT") {
			continue
		}
		if a, ok := address(p); ok && !strings.EqualFold(a, e.organizer) {
			name := text(p.params["CN"])
			if strings.Contains(name, "@") {
				name = "" // many programs repeat the address
			}
			e.attendees = append(e.attendees, Attendee{a, name, strings.EqualFold(p.params["PARTSTAT"], "DECLINED")})
		}
	}
}

// address is the mail address of a calendar user.
func address(p property) (string, bool) {
	v := strings.TrimSpace(p.value)
	if len(v) >= 7 && strings.EqualFold(v[:7], "mailto:") {
		v = v[7:]
	} else if v = p.params["EMAIL"]; v == "" {
		return "", false
	}
	a, err := mail.ParseAddress(v)
	if err != nil || len(a.Address) > 254 || a.Address != v {
		return "", false
	}
	return a.Address, true
}

// text is a value for people: without escapes, line breaks and excess.
func text(s string) string {
	s = strings.Join(strings.Fields(unescapes.Replace(s)), " ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > maxTextRunes {
		s = string([]rune(s)[:maxTextRunes])
	}
	return s
}

func wholeDay(p property) bool {
	return strings.EqualFold(p.params["VALUE"], "DATE") || len(strings.TrimSpace(p.value)) == 8
}

// length is how long an event takes.
func length(c *component, z *zones, start time.Time) (time.Duration, bool) {
	d := time.Duration(0)
	if p, ok := c.get("DTEND"); ok {
		end, ok := z.time(p, p.value)
		if !ok {
			return 0, false
		}
		d = end.Sub(start)
	} else if p, ok := c.get("DURATION"); ok {
		if d, ok = parseDuration(strings.TrimSpace(p.value)); !ok {
			return 0, false
		}
	}
	return d, d >= 0 && d <= maxDuration
}

var units = map[byte]time.Duration{
	'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour, 'H': time.Hour, 'M': time.Minute, 'S': time.Second,
}

// parseDuration reads PnW or PnDTnHnMnS.
func parseDuration(s string) (time.Duration, bool) {
	s = strings.TrimPrefix(s, "+")
	if len(s) < 3 || s[0] != 'P' {
		return 0, false
	}
	var sum time.Duration
	n, digits := 0, 0
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if digits++; digits > 6 {
				return 0, false
			}
			n = 10*n + int(c-'0')
		case c == 'T' && digits == 0:
		case units[c] > 0 && digits > 0:
			sum += time.Duration(n) * units[c]
			n, digits = 0, 0
		default:
			return 0, false
		}
	}
	return sum, digits == 0
}
