// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Always as a line of Host.Open: at any time.
const Always = "always"

const (
	wholeDay      = 24 * 60
	maxHoursLines = 14
	maxSpans      = 8 // of one day
	// lookDays is how far ahead the next opening is looked for: whatever is open at
	// all is so within a week, but for an hour that clocks skip.
	lookDays = 15
)

// Span is a part of a day in minutes from midnight by the wall clock, From
// included and To excluded. To is 1440 at the end of the day.
type Span struct{ From, To int }

// Hours are the hours of a week at which a host takes visitors without a link.
// The zero value is closed.
type Hours struct {
	// Always is open at any time; Days then says nothing.
	Always bool
	// Days are the spans of each weekday, Sunday first as in package time, in order
	// and without overlap.
	Days [7][]Span
}

// weekdays are the names of days in German and English; no two days share one.
var weekdays = map[string]time.Weekday{
	"mo": time.Monday, "di": time.Tuesday, "tu": time.Tuesday, "mi": time.Wednesday, "we": time.Wednesday,
	"do": time.Thursday, "th": time.Thursday, "fr": time.Friday, "sa": time.Saturday, "so": time.Sunday, "su": time.Sunday,
}

// WalkIn reports whether visitors may come to the host without a link.
func (h *Host) WalkIn() bool { return len(h.Open) > 0 }

// Hours returns what Open says. What Validate would refuse is left out.
func (h *Host) Hours() Hours {
	hours, err := parseHours(h.Open)
	if err != nil {
		return Hours{}
	}
	return hours
}

// parseHours reads lines such as "mo-fr 08:00-12:00 14:00-17:00" and "always".
func parseHours(lines []string) (Hours, error) {
	var h Hours
	if len(lines) > maxHoursLines {
		return h, invalid("open", fmt.Sprintf("there are more than %d lines; write days that are alike on one line", maxHoursLines))
	}
	for _, line := range lines {
		if line == Always {
			h.Always = true
			continue
		}
		if err := h.add(line); err != nil {
			return Hours{}, err
		}
	}
	if h.Always && len(lines) > 1 {
		return Hours{}, invalid("open", "always leaves nothing to say about single days; keep one of the two")
	}
	for day := range h.Days {
		h.Days[day] = joined(h.Days[day])
		if len(h.Days[day]) > maxSpans {
			return Hours{}, invalid("open", fmt.Sprintf("a day has more than %d times", maxSpans))
		}
	}
	return h, nil
}

func (h *Hours) add(line string) error {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return invalid("open", fmt.Sprintf("%q names no times; write for example open mo-fr 08:00-12:00 14:00-17:00, or open always", line))
	}
	days, ok := parseDays(fields[0])
	if !ok {
		return invalid("open", fmt.Sprintf("%q names no days; write mo di mi do fr sa so (or mo tu we th fr sa su) as in mo-fr or mo,mi,fr", fields[0]))
	}
	for _, text := range fields[1:] {
		span, ok := parseSpan(text)
		if !ok {
			return invalid("open", fmt.Sprintf("%q is no time of a day; write for example 08:00-12:00, and hours after midnight on a line of the next day", text))
		}
		for _, day := range days {
			h.Days[day] = append(h.Days[day], span)
		}
	}
	return nil
}

// parseDays reads "mo-fr", "mo,mi,fr" and mixtures; a range may run over Sunday.
func parseDays(text string) (days []time.Weekday, ok bool) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, known := weekdays[first]
		to, knownLast := weekdays[last]
		if !isRange {
			to, knownLast = from, true
		}
		if !known || !knownLast {
			return nil, false
		}
		for day := from; ; day = (day + 1) % 7 {
			days = append(days, day)
			if day == to {
				break
			}
		}
	}
	slices.Sort(days)
	return slices.Compact(days), true
}

func parseSpan(text string) (Span, bool) {
	first, last, ok := strings.Cut(text, "-")
	from, okFrom := parseClock(first)
	to, okTo := parseClock(last)
	return Span{from, to}, ok && okFrom && okTo && from < to
}

func parseClock(text string) (minutes int, ok bool) {
	if text == "24:00" {
		return wholeDay, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// joined sorts the spans of a day and makes one of those that touch.
func joined(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// At tells whether a moment is within the hours, by the wall clock of its
// location, and when that changes next: the moment of closing or of opening. The
// zero time: never.
func (h *Hours) At(now time.Time) (open bool, changes time.Time) {
	open = h.within(now)
	if h.Always {
		return true, time.Time{}
	}
	for ahead := range lookDays {
		day := time.Date(now.Year(), now.Month(), now.Day()+ahead, 12, 0, 0, 0, now.Location())
		for _, span := range h.Days[day.Weekday()] {
			for _, minute := range []int{span.From, span.To} {
				if at := firstAt(day, minute); at.After(now) && h.within(at) != open {
					return open, at
				}
			}
		}
	}
	return open, time.Time{}
}

func (h *Hours) within(now time.Time) bool {
	minute := now.Hour()*60 + now.Minute()
	return h.Always || slices.ContainsFunc(h.Days[now.Weekday()], func(s Span) bool { return s.From <= minute && minute < s.To })
}

// firstAt returns the first moment at which the clocks of a day show this minute
// or, where they skip it, the moment at which they are set.
func firstAt(day time.Time, minute int) time.Time {
	y, m, d := day.Date()
	wall := time.Date(y, m, d, 0, minute, 0, 0, time.UTC)
	_, before := day.AddDate(0, 0, -1).Zone()
	_, after := day.AddDate(0, 0, 1).Zone()
	first := wall.Add(-time.Duration(max(before, after)) * time.Second).In(day.Location())
	second := wall.Add(-time.Duration(min(before, after)) * time.Second).In(day.Location())
	for _, t := range []time.Time{first, second} {
		if t.Hour() == wall.Hour() && t.Minute() == wall.Minute() {
			return t
		}
	}
	set, _ := second.ZoneBounds()
	return set
}
