// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package ics

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Methods of calendar objects that are sent by mail.
const (
	Request = "REQUEST"
	Cancel  = "CANCEL"
)

// ErrInvite says that an invitation cannot be written from what was given.
var ErrInvite = errors.New("ics: the invitation is incomplete")

// Invite is one appointment for one guest.
type Invite struct {
	Method string // Request or Cancel
	// UID stays the same for all letters about an appointment; Sequence rises
	// with each change and with the cancellation.
	UID      string
	Sequence int
	// Stamp is when this was written.
	Stamp    time.Time
	Start    time.Time
	Duration time.Duration // 0: no end
	Summary  string
	// Organizer and Attendee are bare mail addresses.
	Organizer, Attendee string
	Language            string // of Summary
}

const product = "-//videoroom//videoroom//EN"

// maxLine is the longest line in bytes, without its CRLF.
const maxLine = 75

// Write returns the calendar object. Times are in UTC, which every program
// shows in its user's own zone and which needs no definition of a zone that may
// differ from the reader's. The error is [ErrInvite].
func Write(v Invite) ([]byte, error) {
	switch {
	case v.Method != Request && v.Method != Cancel:
		return nil, fmt.Errorf("%w: method", ErrInvite)
	case v.UID == "" || v.Sequence < 0:
		return nil, fmt.Errorf("%w: identity", ErrInvite)
	case v.Start.IsZero() || v.Stamp.IsZero() || v.Duration < 0:
		return nil, fmt.Errorf("%w: time", ErrInvite)
	case v.Summary == "" || !tag(v.Language):
		return nil, fmt.Errorf("%w: summary", ErrInvite)
	case !plainAddress(v.Organizer) || !plainAddress(v.Attendee):
		return nil, fmt.Errorf("%w: address", ErrInvite)
	}
	var w writer
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", product)
	w.line("CALSCALE", "GREGORIAN")
	w.line("METHOD", v.Method)
	w.line("BEGIN", "VEVENT")
	w.line("UID", escape(v.UID))
	w.line("SEQUENCE", strconv.Itoa(v.Sequence))
	w.line("DTSTAMP", utc(v.Stamp))
	w.line("DTSTART", utc(v.Start))
	if v.Duration > 0 {
		w.line("DTEND", utc(v.Start.Add(v.Duration)))
	}
	summary := "SUMMARY"
	if v.Language != "" {
		summary += ";LANGUAGE=" + v.Language
	}
	w.line(summary, escape(v.Summary))
	w.line("STATUS", map[string]string{Request: "CONFIRMED", Cancel: "CANCELLED"}[v.Method])
	w.line("CLASS", "PRIVATE")
	w.line("TRANSP", "OPAQUE")
	w.line("ORGANIZER", "mailto:"+v.Organizer)
	// No answer is wanted: it would tell the guest's provider once more.
	w.line("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE", "mailto:"+v.Attendee)
	w.line("END", "VEVENT")
	w.line("END", "VCALENDAR")
	return []byte(w.String()), nil
}

func utc(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

func plainAddress(s string) bool {
	return s != "" && strings.IndexByte(s, '@') > 0 &&
		strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }) < 0
}

// tag tells whether s may stand as a language: letters, digits, hyphens.
func tag(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// escape writes a text value: what would end it or its line is marked, control
// characters are left out.
func escape(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, escapes.Replace(strings.ToValidUTF8(s, "\uFFFD")))
}

var escapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

type writer struct{ strings.Builder }

// line writes one content line, folded before its 76th byte and never within a
// character.
func (w *writer) line(name, value string) {
	rest, room := name+":"+value, maxLine
	for len(rest) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(rest[cut]) {
			cut--
		}
		w.WriteString(rest[:cut] + "\r\n ")
		rest, room = rest[cut:], maxLine-1
	}
	w.WriteString(rest + "\r\n")
}
