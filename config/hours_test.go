// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHoursAreRead(t *testing.T) {
	office := []Span{{480, 720}, {840, 1020}}
	for _, tc := range []struct {
		name  string
		lines []string
		want  map[time.Weekday][]Span
	}{
		{"week", []string{"mo-fr 08:00-12:00 14:00-17:00"}, map[time.Weekday][]Span{
			time.Monday: office, time.Tuesday: office, time.Wednesday: office, time.Thursday: office, time.Friday: office,
		}},
		{"english days", []string{"tu,th 08:00-12:00"}, map[time.Weekday][]Span{
			time.Tuesday: {{480, 720}}, time.Thursday: {{480, 720}},
		}},
		{"over Sunday", []string{"sa-mo 10:00-11:00"}, map[time.Weekday][]Span{
			time.Saturday: {{600, 660}}, time.Sunday: {{600, 660}}, time.Monday: {{600, 660}},
		}},
		{"joined", []string{"mi 10:00-11:00 09:00-10:00", "mi 10:30-24:00"}, map[time.Weekday][]Span{
			time.Wednesday: {{540, 1440}},
		}},
	} {
		h := Host{Open: tc.lines}
		if !h.WalkIn() {
			t.Errorf("%s: WalkIn is false", tc.name)
		}
		for day, got := range h.Hours().Days {
			if !slices.Equal(got, tc.want[time.Weekday(day)]) {
				t.Errorf("%s: %v is %v, want %v", tc.name, time.Weekday(day), got, tc.want[time.Weekday(day)])
			}
		}
	}
	if h := (&Host{Open: []string{Always}}); !h.Hours().Always || !h.WalkIn() {
		t.Error("always is not always")
	}
	if (&Host{}).WalkIn() {
		t.Error("a host who says nothing takes walk-ins")
	}
}

func TestHoursAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		"mo-fr":             "names no times",
		"never":             "names no times",
		"werktags 8:00-9":   "names no days",
		"mo-xx 08:00-09:00": "names no days",
		"mo 8:00-09:00":     "no time of a day",
		"mo 12:00-08:00":    "no time of a day",
		"mo 22:00-02:00":    "line of the next day",
		"mo 08:00-24:01":    "no time of a day",
		"mo 08:00":          "no time of a day",
	} {
		s := Site{Hosts: []Host{{ID: "a", Open: []string{line}}}}
		s.SetDefaults()
		checkError(t, s.Validate(), want)
	}
	s := Site{Hosts: []Host{{ID: "a", Open: []string{Always, "mo 08:00-09:00"}}}}
	s.SetDefaults()
	checkError(t, s.Validate(), "keep one of the two")
}

func TestHoursAtAMoment(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const layout = "2006-01-02 15:04:05 -0700"
	for _, tc := range []struct {
		name, line, at string
		open           bool
		changes        string
	}{
		{"within", "mo-fr 08:00-12:00 14:00-17:00", "2026-11-30 09:30:00 +0100", true, "2026-11-30 12:00:00 +0100"},
		{"first moment", "mo-fr 08:00-12:00", "2026-11-30 08:00:00 +0100", true, "2026-11-30 12:00:00 +0100"},
		{"last moment is outside", "mo-fr 08:00-12:00 14:00-17:00", "2026-11-30 12:00:00 +0100", false, "2026-11-30 14:00:00 +0100"},
		{"over the weekend", "mo-fr 08:00-12:00", "2026-11-27 12:00:01 +0100", false, "2026-11-30 08:00:00 +0100"},
		{"once a week", "mo 08:00-09:00", "2026-11-30 09:00:00 +0100", false, "2026-12-07 08:00:00 +0100"},
		{"through midnight", "mo 20:00-24:00\ndi 00:00-02:00", "2026-11-30 23:00:00 +0100", true, "2026-12-01 02:00:00 +0100"},
		// 29 March 2026: 02:00 becomes 03:00.
		{"before clocks go forward", "so 02:30-04:00", "2026-03-29 01:59:00 +0100", false, "2026-03-29 03:00:00 +0200"},
		{"skipped altogether", "so 02:10-02:50", "2026-03-29 01:00:00 +0100", false, "2026-04-05 02:10:00 +0200"},
		{"the day after the change", "mo 08:00-09:00", "2026-03-28 12:00:00 +0100", false, "2026-03-30 08:00:00 +0200"},
		// 25 October 2026: 03:00 becomes 02:00, so that 02:30 comes twice.
		{"clocks go back", "so 02:30-03:00", "2026-10-25 01:00:00 +0200", false, "2026-10-25 02:30:00 +0200"},
		{"seven days a week", "mo-so 00:00-24:00", "2026-11-30 09:30:00 +0100", true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := Host{Open: strings.Split(tc.line, "\n")}
			hours := h.Hours()
			at, err := time.Parse(layout, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			open, changes := hours.At(at.In(berlin))
			got := ""
			if !changes.IsZero() {
				got = changes.Format(layout)
			}
			if open != tc.open || got != tc.changes {
				t.Errorf("open %v until %q, want %v until %q", open, got, tc.open, tc.changes)
			}
		})
	}
	always := Hours{Always: true}
	if open, changes := always.At(time.Now()); !open || !changes.IsZero() {
		t.Error("always closes")
	}
}
