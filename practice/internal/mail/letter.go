// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/ics"
)

// What a letter is for.
type What string

// The letters.
const (
	Invitation   What = "invitation"   // a new appointment
	Reminder     What = "reminder"     // shortly before, with the link
	Change       What = "change"       // another time
	Cancellation What = "cancellation" // it does not take place
)

// The languages and, in German, the ways to address people.
const (
	German   = "de"
	English  = "en"
	Formal   = "sie"
	Informal = "du"
)

// Letter is what [Compose] needs to know.
type Letter struct {
	What              What
	Language, Address string
	// From is the practice's sender, with or without a display name; To is the
	// guest's address.
	From, To string
	// ID names this letter among all that are ever sent: random letters and
	// digits, the same at every attempt. It becomes the Message-ID.
	ID string
	// Written is when the letter is written: the date of the mail and the
	// DTSTAMP of its calendar object.
	Written time.Time

	// Practice, Phone and HostName may be empty; the words fit then too.
	Practice, Phone, HostName string

	Start time.Time
	// Was is the time before a change; zero: not mentioned.
	Was time.Time
	// Duration of the appointment; 0: no end is mentioned.
	Duration time.Duration
	// Zone is the IANA name of the time zone in which times are told.
	Zone string

	// Link leads to the room. A reminder needs it; an invitation or a change
	// without it announces that the link comes LinkBefore the start.
	Link       string
	LinkBefore time.Duration
	// OpensBefore says how early the link opens the door; 0: not mentioned.
	OpensBefore time.Duration
	// TestLink leads to the equipment test; empty: not offered.
	TestLink string
	// CancelNote replaces the sentence on how to call off or move.
	CancelNote string
	// Checklist replaces the list of what to prepare.
	Checklist []string
	// InPersonURL offers to come to the practice instead; empty: not offered.
	InPersonURL string
	// Color of buttons and headings, #rrggbb, readable on white; empty: a calm
	// green.
	Color string

	// UID and Sequence identify the appointment's calendar object for this
	// guest. Without UID no calendar object is attached. Reminders have none.
	UID      string
	Sequence int
}

// Compose writes a letter. It fails with [ErrLetter] when something is missing
// or malformed.
func Compose(l Letter) (Message, error) {
	zone, err := l.check()
	if err != nil {
		return Message{}, err
	}
	from, err := parseAddress(l.From)
	if err != nil {
		return Message{}, fmt.Errorf("%w: from", err)
	}
	if err := CheckAddress(l.To); err != nil {
		return Message{}, fmt.Errorf("%w: to", err)
	}
	s := l.sheet(zone)
	html, err := s.html()
	if err != nil {
		return Message{}, err
	}
	m := Message{
		From: l.From, To: l.To, Subject: s.Subject, Text: s.text(), HTML: html,
		MessageID: l.ID + "@" + domainOf(from), Date: l.Written, Language: l.Language,
	}
	if l.UID != "" && l.What != Reminder {
		m.Method, m.ICS, err = l.calendar(zone, domainless(l.From), domainless(l.To))
		if err != nil {
			return Message{}, fmt.Errorf("%w: calendar", ErrLetter)
		}
	}
	return m, m.check()
}

// domainless is the bare address of one that has been checked.
func domainless(s string) string {
	a, err := parseAddress(s)
	if err != nil {
		return ""
	}
	return a.Address
}

// calendar writes the appointment for calendars. People's calendars are seen by
// others and copied to other firms: it says when, and nothing else.
func (l Letter) calendar(zone *time.Location, from, to string) (method string, object []byte, err error) {
	method = ics.Request
	if l.What == Cancellation {
		method = ics.Cancel
	}
	object, err = ics.Write(ics.Invite{
		Method: method, UID: l.UID, Sequence: l.Sequence, Stamp: l.Written,
		Start: l.Start.In(zone), Duration: l.Duration,
		Summary: texts(l.Language, l.Address).summary, Organizer: from, Attendee: to, Language: l.Language,
	})
	return method, object, err
}

func (l Letter) check() (*time.Location, error) {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrLetter, what) }
	zone, err := time.LoadLocation(l.Zone)
	_, known := frames[l.What]
	switch {
	case err != nil || l.Zone == "" || l.Zone == "Local":
		return nil, bad("time zone")
	case !known:
		return nil, bad("kind of letter")
	case l.Language != German && l.Language != English:
		return nil, bad("language")
	case l.Language == German && l.Address != Formal && l.Address != Informal:
		return nil, bad("form of address")
	case l.ID == "" || !ascii(l.ID) || strings.ContainsAny(l.ID, "<>@"):
		return nil, bad("id")
	case l.Start.IsZero() || l.Written.IsZero():
		return nil, bad("time")
	case l.Duration < 0 || l.LinkBefore < 0 || l.OpensBefore < 0:
		return nil, bad("duration")
	case l.What == Reminder && l.Link == "":
		return nil, bad("link")
	case l.Color != "" && !isColor(l.Color):
		return nil, bad("colour")
	}
	for _, link := range []string{l.Link, l.TestLink, l.InPersonURL} {
		if link != "" && !isLink(link) {
			return nil, bad("link")
		}
	}
	return zone, nil
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && ascii(s)
}

func isColor(s string) bool {
	return len(s) == 7 && s[0] == '#' && strings.Trim(s[1:], "0123456789abcdefABCDEF") == ""
}
