// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"time"
	_ "time/tzdata" // small systems have no time zones of their own

	"github.com/caddyserver/caddy/v2"
)

func (s *Site) validateTimes() error {
	if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "" || s.Timezone == "Local" {
		return invalid("timezone", fmt.Sprintf("%q is no time zone; write its IANA name, for example Europe/Berlin", s.Timezone))
	}
	if err := within("opens_before", s.OpensBefore, minWindow, maxWindow); err != nil {
		return err
	}
	if err := within("closes_after", s.ClosesAfter, minWindow, maxWindow); err != nil {
		return err
	}
	if s.Reminder >= 0 {
		if err := within("reminder", s.Reminder, minWindow, maxReminder); err != nil {
			return err
		}
	}
	return within("retention", s.Retention, minRetention, MaxRetention)
}

// within checks a duration that is not absent.
func within(field string, d, least, most caddy.Duration) error {
	if d == 0 || d >= least && d <= most {
		return nil
	}
	return invalid(field, fmt.Sprintf("must be a time from %s to %s, for example %s", spell(least), spell(most), spell(max(least, min(most, minutes(60))))))
}

// spell writes a duration as it is written in a Caddyfile.
func spell(d caddy.Duration) string {
	whole := time.Duration(d)
	if whole%time.Hour == 0 {
		return fmt.Sprintf("%dh", whole/time.Hour)
	}
	return fmt.Sprintf("%dm", whole/time.Minute)
}
