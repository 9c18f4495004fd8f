// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package appointment

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrTime says that a text is no time.
	ErrTime = errors.New("not a time")
	// ErrNoSuchTime says that clocks skip a wall-clock time, as in the night
	// when daylight saving begins.
	ErrNoSuchTime = errors.New("clocks skip this time")
)

// Step is the distance of the dates of a series.
type Step string

// The steps, and how many days they are.
var steps = map[Step]int{"day": 1, "week": 7, "2weeks": 14}

// Known tells whether there is such a step.
func (s Step) Known() bool { return steps[s] > 0 }

// wallFormats are the spellings of a time of day without an offset.
var wallFormats = []string{"2006-01-02T15:04", "2006-01-02T15:04:05"}

// ParseTime reads a time: RFC 3339 with an offset, or a wall-clock time in the
// zone. It returns [ErrTime], or [ErrNoSuchTime] for a wall-clock time that the
// zone skips. Of a time that a zone has twice, the first is taken.
func ParseTime(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC().Truncate(time.Second), nil
	}
	for _, format := range wallFormats {
		t, err := time.Parse(format, text)
		if err != nil {
			continue
		}
		at, exists := wall(t, zone)
		if !exists {
			return time.Time{}, ErrNoSuchTime
		}
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%w: %d bytes", ErrTime, len(text))
}

// Repeat returns the starts of a series: the first and count−1 more, at the same
// wall-clock time in the zone whatever daylight saving does. Where clocks skip
// the time, the date begins as much later as they skip.
func Repeat(first time.Time, step Step, count int, zone *time.Location) []time.Time {
	local := first.In(zone)
	starts := []time.Time{first.UTC()}
	for n := 1; n < count; n++ {
		// Fields alone are counted on: a zone could settle a skipped time its own way.
		fields := time.Date(local.Year(), local.Month(), local.Day()+n*steps[step],
			local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
		at, _ := wall(fields, zone)
		starts = append(starts, at)
	}
	return starts
}

// wall returns when the clocks of a zone show the fields of t, the first time.
// exists is false where they skip it; the time is then as far behind the skip as
// t is into it.
func wall(t time.Time, zone *time.Location) (at time.Time, exists bool) {
	fields := t.Unix() // as if it were UTC
	// The offsets that could apply are those of a day before and a day after.
	_, before := time.Unix(fields-24*3600, 0).In(zone).Zone()
	_, after := time.Unix(fields+24*3600, 0).In(zone).Zone()
	for _, offset := range []int{max(before, after), min(before, after)} { // the earlier moment first
		at := time.Unix(fields-int64(offset), 0).In(zone)
		if _, applies := at.Zone(); applies == offset {
			return at.UTC(), true
		}
	}
	return time.Unix(fields-int64(before), 0).UTC(), false
}
