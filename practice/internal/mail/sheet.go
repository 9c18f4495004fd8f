// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"fmt"
	"strings"
	"time"
)

// sheet is a letter in words, in the order in which it is read. Text and HTML
// are two ways to show the same sheet.
type sheet struct {
	Language, Color   string
	Subject, Title    string
	Hello, Lead       string
	Facts             []fact
	Moved             string
	Struck            bool // the facts no longer hold
	Notes             []string
	Room              *button
	RoomNotes         []string
	ShownAs           string
	Sections          []section
	Closing           []string
	Phone             *phone
	InPerson          *button
	InPersonText      string
	Regards, Practice string
	Small             []string
}

type (
	fact   struct{ Name, Value, More string }
	button struct{ Label, URL string }
	// section is a heading with text, a list or a button below it.
	section struct {
		Head, Text string
		List       []string
		Button     *button
		Plan       bool // plan B: stands out
	}
	phone struct{ Shown, Dialled string }
)

// frame says which parts a letter has.
type frame struct{ link, announce, prepare, test, plan, cancel, inPerson, again bool }

var frames = map[What]frame{
	Invitation:   {link: true, announce: true, prepare: true, test: true, plan: true, cancel: true, inPerson: true},
	Reminder:     {link: true, prepare: true, test: true, plan: true},
	Change:       {link: true, announce: true, test: true, plan: true, cancel: true, inPerson: true},
	Cancellation: {again: true},
}

const defaultColor = "#0f6b5f"

func (l Letter) sheet(zone *time.Location) sheet {
	w, f := texts(l.Language, l.Address), frames[l.What]
	s := sheet{
		Language: l.Language, Color: l.Color, Title: w.title[l.What], Hello: w.hello, Lead: w.lead[l.What],
		Subject: l.subject(w, zone), Struck: l.What == Cancellation, Regards: w.regards, Practice: l.Practice,
	}
	if s.Color == "" {
		s.Color = defaultColor
	}
	if l.Phone != "" {
		s.Phone = &phone{l.Phone, dialled(l.Phone)}
	}
	s.Facts = l.facts(w, zone)
	if l.What == Change && !l.Was.IsZero() {
		was := l.Was.In(zone)
		s.Moved = fmt.Sprintf(w.movedFrom, w.day(was)+", "+w.clock(was))
	}
	if f.link {
		l.way(&s, w, f)
	}
	if f.test && l.TestLink != "" {
		s.Sections = append(s.Sections, section{Head: w.testHead, Text: w.testText, Button: &button{w.testButton, l.TestLink}})
	}
	if f.prepare {
		list := l.Checklist
		if len(list) == 0 {
			list = w.checklist
		}
		s.Sections = append(s.Sections, section{Head: w.prepareHead, List: list})
	}
	if f.plan {
		s.Sections = append(s.Sections, section{Head: w.planHead, Text: choose(l.Phone, w.planText, w.planNone), Plan: true})
	}
	if f.cancel {
		note := l.CancelNote
		if note == "" {
			note = choose(l.Phone, w.cancelText, w.cancelNone)
		}
		s.Closing = append(s.Closing, note)
	}
	if f.again {
		s.Closing = append(s.Closing, choose(l.Phone, w.again, w.noReply))
	}
	if f.inPerson && l.InPersonURL != "" {
		s.InPersonText, s.InPerson = w.inPersonText, &button{w.inPersonButton, l.InPersonURL}
	}
	if l.UID != "" && w.calendar[l.What] != "" {
		s.Small = append(s.Small, w.calendar[l.What])
	}
	return s
}

// way tells how people get into the room.
func (l Letter) way(s *sheet, w *words, f frame) {
	host := l.HostName
	if host == "" {
		host = w.someHost
	}
	if l.Link == "" {
		if f.announce && l.LinkBefore > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf(w.linkComes, w.length(l.LinkBefore)))
		}
		s.Notes = append(s.Notes, fmt.Sprintf(w.enter, host))
		return
	}
	if l.What != Reminder { // whose first sentence says it already
		s.Notes = append(s.Notes, w.linkHere)
	}
	s.Room, s.ShownAs = &button{w.roomButton, l.Link}, w.shownAs
	s.RoomNotes = append(s.RoomNotes, fmt.Sprintf(w.enter, host), w.linkOnly)
	if l.OpensBefore > 0 && l.What != Reminder {
		s.RoomNotes = append([]string{fmt.Sprintf(w.linkOpens, w.length(l.OpensBefore))}, s.RoomNotes...)
	}
}

func (l Letter) subject(w *words, zone *time.Location) string {
	start, form := l.Start.In(zone), w.subject[l.What]
	if l.What == Reminder {
		return fmt.Sprintf(form, w.clock(start))
	}
	return fmt.Sprintf(form, w.shortDay(start))
}

func (l Letter) facts(w *words, zone *time.Location) []fact {
	start := l.Start.In(zone)
	at := w.clock(start)
	if l.Duration > 0 {
		end := start.Add(l.Duration)
		at = fmt.Sprintf(w.span, start.Format("15:04"), end.Format("15:04"))
	}
	facts := []fact{{w.when, w.day(start), at + " (" + l.place(w) + ")"}}
	if l.HostName != "" {
		facts = append(facts, fact{w.who, l.HostName, ""})
	}
	if l.What != Cancellation {
		facts = append(facts, fact{w.where, w.inBrowser, ""})
	}
	return facts
}

// place says whose clock the times go by.
func (l Letter) place(w *words) string {
	_, city, ok := strings.Cut(l.Zone, "/")
	if !ok || strings.HasPrefix(l.Zone, "Etc/") {
		return strings.TrimPrefix(l.Zone, "Etc/") // UTC
	}
	if german, ok := germanCities[l.Zone]; ok && l.Language == German {
		return fmt.Sprintf(w.localTime, german)
	}
	city = city[strings.LastIndexByte(city, '/')+1:]
	return fmt.Sprintf(w.localTime, strings.ReplaceAll(city, "_", " "))
}

func (w *words) day(t time.Time) string {
	return fmt.Sprintf(w.date, w.weekdays[t.Weekday()], t.Day(), w.months[t.Month()-1], t.Year())
}

// shortDay is the day without its year, for subjects.
func (w *words) shortDay(t time.Time) string {
	return strings.TrimSuffix(w.day(t), fmt.Sprintf(" %d", t.Year()))
}

func (w *words) clock(t time.Time) string {
	if w == &english {
		return t.Format("15:04")
	}
	return t.Format("15:04") + " Uhr"
}

// length tells a length of time in whole minutes or hours.
func (w *words) length(d time.Duration) string {
	switch {
	case d == time.Minute:
		return w.minute
	case d == time.Hour:
		return w.hour
	case d >= 2*time.Hour && d%time.Hour == 0:
		return fmt.Sprintf(w.hours, d/time.Hour)
	}
	return fmt.Sprintf(w.minutes, d/time.Minute)
}

func choose(phone, with, without string) string {
	if phone == "" {
		return without
	}
	return fmt.Sprintf(with, phone)
}

// dialled is what a telephone dials for a number as it is written.
func dialled(shown string) string {
	shown = strings.ReplaceAll(shown, "(0)", "")
	var b strings.Builder
	for i, r := range shown {
		if r >= '0' && r <= '9' || r == '+' && i == 0 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// text shows a sheet as plain text. Links stand on lines of their own, so that
// every program makes them open.
func (s sheet) text() string {
	var b strings.Builder
	para := func(lines ...string) {
		for _, l := range lines {
			b.WriteString(l + "\r\n")
		}
		b.WriteString("\r\n")
	}
	para(s.Hello)
	para(s.Lead)
	for _, f := range s.Facts {
		value := f.Value
		if f.More != "" {
			value += ", " + f.More
		}
		b.WriteString(f.Name + ": " + value + "\r\n")
	}
	b.WriteString("\r\n")
	if s.Moved != "" {
		para(s.Moved)
	}
	for _, n := range s.Notes {
		para(n)
	}
	if s.Room != nil {
		para(s.Room.URL)
		para(strings.Join(s.RoomNotes, " "))
	}
	for _, sec := range s.Sections {
		para(sec.lines()...)
	}
	for _, c := range s.Closing {
		para(c)
	}
	if s.InPerson != nil {
		para(s.InPersonText, s.InPerson.URL)
	}
	for _, n := range s.Small {
		para(n)
	}
	b.WriteString(s.Regards + "\r\n")
	if s.Practice != "" {
		b.WriteString(s.Practice + "\r\n")
	}
	return b.String()
}

func (s section) lines() []string {
	lines := []string{s.Head + ":"}
	if s.Text != "" {
		lines = append(lines, s.Text)
	}
	for _, item := range s.List {
		lines = append(lines, "- "+item)
	}
	if s.Button != nil {
		lines = append(lines, s.Button.URL)
	}
	return lines
}
