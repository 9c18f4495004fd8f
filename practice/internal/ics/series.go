// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package ics

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Limits of the work that series may cause.
const (
	maxOccurrences = 5000
	maxSteps       = 40000 // of one rule, from its begin: a century of days
	maxRules       = 400   // running ones; the costliest takes a twentieth of a second
	maxTimesADay   = 24
	maxInterval    = 400
)

// ErrTooMany says that a span of a calendar holds more than is taken.
var ErrTooMany = errors.New("ics: too many appointments")

// Occurrence is one event at one time.
type Occurrence struct {
	UID string
	// Key stays the same when the event moves: its UID, and within a series
	// the time it had at first.
	Key       string
	Start     time.Time // in the event's zone
	Duration  time.Duration
	Summary   string
	Attendees []Attendee
}

// Between returns what begins within [from, to), in order. Cancelled events are
// left out as deleted ones are. The error is [ErrTooMany].
func (f Feed) Between(from, to time.Time) ([]Occurrence, error) {
	var all []Occurrence
	rules := 0
	for _, s := range f.series {
		if s.master != nil && s.master.rule != "" && !s.master.over(from) {
			if rules++; rules > maxRules {
				return nil, ErrTooMany
			}
		}
		found, err := s.between(from, to)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); len(all) > maxOccurrences {
			return nil, ErrTooMany
		}
	}
	slices.SortFunc(all, func(a, b Occurrence) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Key, b.Key))
	})
	return all, nil
}

func (s *series) between(from, to time.Time) ([]Occurrence, error) {
	var found []Occurrence
	take := func(e *event, key string, at time.Time) {
		if !e.cancelled && !at.Before(from) && at.Before(to) {
			found = append(found, Occurrence{e.uid, key, at, e.duration, e.summary, e.attendees})
		}
	}
	for id, e := range s.overrides {
		take(e, e.key(id), e.start)
	}
	if s.master == nil || s.master.cancelled {
		return found, nil
	}
	m := s.master
	if m.rule == "" && len(m.extra) == 0 {
		if s.overrides[m.start.UTC()] == nil {
			take(m, m.uid, m.start)
		}
		return found, nil
	}
	times, err := m.times(from, to)
	if err != nil {
		return nil, err
	}
	for _, at := range times {
		if u := at.UTC(); !m.except[u] && !m.daysOff[at.Format("20060102")] && s.overrides[u] == nil {
			take(m, m.key(u), at)
		}
	}
	return found, nil
}

// key names the occurrence of a series that was first meant for id.
func (e *event) key(id time.Time) string { return e.uid + "/" + utc(id) }

// times are when a series takes place in the span, exceptions included.
func (e *event) times(from, to time.Time) ([]time.Time, error) {
	within := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
	var times []time.Time
	seen := make(map[time.Time]bool)
	add := func(at time.Time) {
		if within(at) && !seen[at.UTC()] {
			seen[at.UTC()] = true
			times = append(times, at)
		}
	}
	add(e.start) // which counts even where the rule would not yield it
	for _, at := range e.extra {
		add(at)
	}
	if e.rule == "" {
		return times, nil
	}
	if e.over(from) {
		return times, nil
	}
	opt, err := parseRule(e.rule, e.start)
	if err != nil {
		return nil, err
	}
	if opt.Until.IsZero() || opt.Until.After(to) {
		opt.Until = to
	}
	rule, err := rrule.NewRRule(*opt)
	if err != nil {
		return nil, fmt.Errorf("%w: rule", ErrFeed)
	}
	next := rule.Iterator()
	for steps := 0; ; steps++ {
		at, ok := next()
		if !ok || !at.Before(to) {
			return times, nil
		}
		if steps > maxSteps || len(times) > maxOccurrences {
			return nil, ErrTooMany
		}
		add(at)
	}
}

// over tells whether the rule ended before that time.
func (e *event) over(at time.Time) bool {
	opt, err := parseRule(e.rule, e.start)
	return err == nil && !opt.Until.IsZero() && opt.Until.Before(at)
}

// allowed are the parts of a rule by how often it repeats. What is left out is
// written by no calendar program, and makes rules that never yield a day costly.
var allowed = map[rrule.Frequency]string{
	rrule.DAILY:   "FREQ INTERVAL COUNT UNTIL WKST BYDAY BYMONTH BYHOUR BYMINUTE BYSECOND",
	rrule.WEEKLY:  "FREQ INTERVAL COUNT UNTIL WKST BYDAY BYMONTH BYHOUR BYMINUTE BYSECOND",
	rrule.MONTHLY: "FREQ INTERVAL COUNT UNTIL WKST BYDAY BYMONTH BYMONTHDAY BYSETPOS BYHOUR BYMINUTE BYSECOND",
	rrule.YEARLY: "FREQ INTERVAL COUNT UNTIL WKST BYDAY BYMONTH BYMONTHDAY BYYEARDAY BYWEEKNO BYSETPOS " +
		"BYHOUR BYMINUTE BYSECOND",
}

// parseRule reads a rule of a series that begins at start.
func parseRule(s string, start time.Time) (*rrule.ROption, error) {
	bad := fmt.Errorf("%w: rule", ErrFeed)
	if len(s) > 2000 || strings.ContainsAny(s, "\r\n") {
		return nil, bad
	}
	s = strings.TrimSuffix(strings.ToUpper(s), ";")
	opt, err := rrule.StrToROptionInLocation(s, start.Location())
	if err != nil {
		return nil, bad
	}
	words, ok := allowed[opt.Freq]
	if !ok || opt.Interval > maxInterval || opt.Interval < 0 || opt.Count < 0 {
		return nil, bad
	}
	for part := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(part, "=")
		if !slices.Contains(strings.Fields(words), name) {
			return nil, bad
		}
		if name == "UNTIL" && len(value) == 8 { // a day: with all its hours
			opt.Until = opt.Until.AddDate(0, 0, 1).Add(-time.Second)
		}
	}
	if max(len(opt.Byhour), 1)*max(len(opt.Byminute), 1)*max(len(opt.Bysecond), 1) > maxTimesADay {
		return nil, bad
	}
	opt.Dtstart = start
	if _, err := rrule.NewRRule(*opt); err != nil {
		return nil, bad
	}
	return opt, nil
}
