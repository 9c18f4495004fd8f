// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package ics

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func invite() Invite {
	return Invite{
		Method: Request, UID: "0d6f2c@praxis.example", Sequence: 2,
		Stamp: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		Start: time.Date(2026, 11, 24, 14, 0, 0, 0, time.FixedZone("", 3600)), Duration: 50 * time.Minute,
		Summary: "Termin", Organizer: "praxis@example.de", Attendee: "gast@example.net", Language: "de",
	}
}

func TestWrite(t *testing.T) {
	got, err := Write(invite())
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//videoroom//videoroom//EN
CALSCALE:GREGORIAN
METHOD:REQUEST
BEGIN:VEVENT
UID:0d6f2c@praxis.example
SEQUENCE:2
DTSTAMP:20261120T080000Z
DTSTART:20261124T130000Z
DTEND:20261124T135000Z
SUMMARY;LANGUAGE=de:Termin
STATUS:CONFIRMED
CLASS:PRIVATE
TRANSP:OPAQUE
ORGANIZER:mailto:praxis@example.de
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALS
 E:mailto:gast@example.net
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	v := invite()
	v.Method = Cancel
	got, err = Write(v)
	if err != nil || !strings.Contains(string(got), "METHOD:CANCEL\r\n") || !strings.Contains(string(got), "STATUS:CANCELLED\r\n") {
		t.Errorf("cancellation: %v\n%s", err, got)
	}
}

// Nothing that is put in leaves its line, and what goes out comes back.
func TestWriteEscapesAndFolds(t *testing.T) {
	v := invite()
	v.UID = strings.Repeat("ü", 100) + "@x\r\nATTENDEE:mailto:evil@example.com"
	v.Summary = "a;b,c\\d\r\nDTSTART:19990101T000000Z" + strings.Repeat(" ä€𝄞", 60)
	got, err := Write(v)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(got), "\r\n") {
		if len(line) > maxLine || !utf8.ValidString(line) {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	top, err := parse(strings.NewReader(string(got)))
	if err != nil {
		t.Fatal(err)
	}
	e := top.subs[0].subs[0]
	if back := unescapes.Replace(e.value("SUMMARY")); back != strings.ReplaceAll(v.Summary, "\r\n", "\n") {
		t.Errorf("summary came back as %q", back)
	}
	attendees := 0
	for _, p := range e.props {
		if p.name == "ATTENDEE" {
			attendees++
		}
	}
	if attendees != 1 || e.value("DTSTART") != "20261124T130000Z" {
		t.Errorf("%d attendees, start %s", attendees, e.value("DTSTART"))
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Invite){
		"method":     func(v *Invite) { v.Method = "PUBLISH" },
		"uid":        func(v *Invite) { v.UID = "" },
		"sequence":   func(v *Invite) { v.Sequence = -1 },
		"start":      func(v *Invite) { v.Start = time.Time{} },
		"stamp":      func(v *Invite) { v.Stamp = time.Time{} },
		"duration":   func(v *Invite) { v.Duration = -1 },
		"summary":    func(v *Invite) { v.Summary = "" },
		"language":   func(v *Invite) { v.Language = "de:x" },
		"organizer":  func(v *Invite) { v.Organizer = "praxis" },
		"attendee":   func(v *Invite) { v.Attendee = "a@b\r\nX:y" },
		"attendee 2": func(v *Invite) { v.Attendee = "a@b\xff" },
	} {
		v := invite()
		spoil(&v)
		if _, err := Write(v); !errors.Is(err, ErrInvite) {
			t.Errorf("%s: %v, want ErrInvite", name, err)
		}
	}
}
