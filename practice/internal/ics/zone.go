// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package ics

import (
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // machines without a zone database tell the same times
)

// zones resolves the time zones that one calendar names.
type zones struct {
	floating *time.Location
	defined  map[string]*component // VTIMEZONE by TZID
	known    map[string]*time.Location
}

func newZones(cal *component, floating *time.Location) *zones {
	z := &zones{floating: floating, defined: make(map[string]*component), known: make(map[string]*time.Location)}
	for _, c := range cal.subs {
		if c.name == "VTIMEZONE" {
			z.defined[c.value("TZID")] = c
		}
	}
	if loc := named(cal.value("X-WR-TIMEZONE")); loc != nil {
		z.floating = loc
	}
	return z
}

// time reads a date with time in the form of property p.
func (z *zones) time(p property, value string) (time.Time, bool) {
	value = strings.TrimSpace(value)
	if utc, ok := strings.CutSuffix(value, "Z"); ok {
		return parseTime(utc, time.UTC)
	}
	id := p.params["TZID"]
	if id == "" {
		return parseTime(value, z.floating)
	}
	loc := z.zone(id)
	if loc == nil {
		return time.Time{}, false
	}
	return parseTime(value, loc)
}

func parseTime(s string, loc *time.Location) (time.Time, bool) {
	t, err := time.ParseInLocation("20060102T150405", s, loc)
	// Outside of these years lie typing mistakes and attacks.
	return t, err == nil && t.Year() >= 1970 && t.Year() < 2200
}

// zone resolves a TZID; nil: unknown.
func (z *zones) zone(id string) *time.Location {
	if loc, ok := z.known[id]; ok {
		return loc
	}
	loc := named(id)
	if c := z.defined[id]; loc == nil && c != nil {
		if loc = named(c.value("X-LIC-LOCATION")); loc == nil {
			loc = defined(c)
		}
	}
	if len(z.known) < 1000 {
		z.known[id] = loc
	}
	return loc
}

// named finds a zone by its IANA name, which may stand behind a prefix, or by
// its Windows name.
func named(id string) *time.Location {
	id = strings.Trim(strings.TrimSpace(id), `"`)
	if iana, ok := windowsZones[id]; ok {
		id = iana
	}
	for id != "" && len(id) < 200 {
		if id != "Local" && !strings.Contains(id, "..") {
			if loc, err := time.LoadLocation(id); err == nil {
				return loc
			}
		}
		// "/example.org/20250101_1/Europe/Berlin": the name is at the end.
		_, rest, ok := strings.Cut(id, "/")
		if !ok || !strings.Contains(rest, "/") && rest != "UTC" {
			return nil
		}
		id = rest
	}
	return nil
}

// customs are zones by what a definition says of them: the hours of standard
// and summer time, and when the latter begins and ends.
var customs = map[string]string{
	"0 60 3 -1SU 10 -1SU": "Europe/London", "60 120 3 -1SU 10 -1SU": "Europe/Berlin",
	"120 180 3 -1SU 10 -1SU": "Europe/Helsinki",
	"-300 -240 3 2SU 11 1SU": "America/New_York", "-360 -300 3 2SU 11 1SU": "America/Chicago",
	"-420 -360 3 2SU 11 1SU": "America/Denver", "-480 -420 3 2SU 11 1SU": "America/Los_Angeles",
}

// defined recognises a zone by its definition; nil: none that is known for sure.
func defined(c *component) *time.Location {
	var standard, summer *component
	for _, s := range c.subs { // the last ones hold today
		switch s.name {
		case "STANDARD":
			standard = s
		case "DAYLIGHT":
			summer = s
		}
	}
	if standard == nil {
		return nil
	}
	offset, ok := minutes(standard.value("TZOFFSETTO"))
	if !ok {
		return nil
	}
	if summer == nil {
		return time.FixedZone(c.value("TZID"), 60*offset)
	}
	ahead, ok := minutes(summer.value("TZOFFSETTO"))
	if !ok {
		return nil
	}
	return named(customs[strings.Join([]string{strconv.Itoa(offset), strconv.Itoa(ahead), switchDay(summer), switchDay(standard)}, " ")])
}

// switchDay is when a clock is put: "3 -1SU" for the last Sunday in March.
func switchDay(c *component) string {
	month, day := "", ""
	for part := range strings.SplitSeq(c.value("RRULE"), ";") {
		switch k, v, _ := strings.Cut(part, "="); k {
		case "BYMONTH":
			month = strings.TrimPrefix(v, "0")
		case "BYDAY":
			day = strings.TrimPrefix(v, "+")
		}
	}
	return month + " " + day
}

// minutes reads an offset such as +0130.
func minutes(s string) (int, bool) {
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, errH := strconv.Atoi(s[1:3])
	m, errM := strconv.Atoi(s[3:5])
	if errH != nil || errM != nil || h > 14 || m > 59 || h < 0 || m < 0 {
		return 0, false
	}
	if s[0] == '-' {
		return -60*h - m, true
	}
	return 60*h + m, true
}
