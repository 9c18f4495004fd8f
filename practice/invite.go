// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"errors"
	"maps"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/token"
)

// Limits of appointments.
const (
	minMinutes       = 5
	maxMinutes       = 12 * 60
	maxDates         = 60
	maxLabelRunes    = 200
	maxEmailBytes    = 254
	maxAhead         = 2 * 365 * 24 * time.Hour
	maxAppointments  = 2000 // planned ones of a host
	maxRemindersSent = 5
	maxNotices       = 60
	storageTime      = 20 * time.Second
)

// What hosts say of appointments.
type (
	createBody struct {
		Kind            string      `json:"kind"`
		Start           string      `json:"start"`
		DurationMinutes *int        `json:"duration_minutes"`
		Timezone        string      `json:"timezone"`
		Label           string      `json:"label"`
		InPerson        bool        `json:"in_person"`
		Guests          []guestBody `json:"guests"`
		Repeat          *repeatBody `json:"repeat"`
		Dates           []string    `json:"dates"`
		Notify          *bool       `json:"notify"`
	}
	repeatBody struct {
		Every appointment.Step `json:"every"`
		Count int              `json:"count"`
	}
	guestBody struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Email    string `json:"email"`
		Language string `json:"language"`
		Address  string `json:"address"`
	}
	changeBody struct {
		Start           *string      `json:"start"`
		DurationMinutes *int         `json:"duration_minutes"`
		Label           *string      `json:"label"`
		Guests          *[]guestBody `json:"guests"`
		Notify          *bool        `json:"notify"`
	}
)

// complaints says what is wrong with which field.
type complaints map[string]string

func (c complaints) err() error {
	if len(c) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Fields: maps.Clone(c)}
}

// form checks what a host says against the rules of a site.
type form struct {
	site  *config.Site
	now   time.Time
	mails bool
	wrong complaints
}

func (f *form) kind(id string, inPerson bool) config.Kind {
	kind, ok := f.site.Kind(id)
	switch {
	case id == "":
		f.wrong["kind"] = "required"
	case !ok:
		f.wrong["kind"] = "unknown"
	case kind.InPerson && !inPerson:
		f.wrong["in_person"] = "required"
	}
	return kind
}

func (f *form) minutes(given *int, otherwise time.Duration) int {
	if given == nil {
		return int(otherwise / time.Minute)
	}
	if *given < minMinutes || *given > maxMinutes {
		f.wrong["duration_minutes"] = "range"
	}
	return *given
}

func (f *form) zone(name string) *time.Location {
	name = or(name, f.site.Timezone)
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" || name == "" {
		f.wrong["timezone"] = "unknown"
		return time.UTC
	}
	return zone
}

// start reads a time at which an appointment may begin.
func (f *form) start(field, text string, zone *time.Location, minutes int) time.Time {
	at, err := appointment.ParseTime(text, zone)
	switch {
	case text == "":
		f.wrong[field] = "required"
	case errors.Is(err, appointment.ErrNoSuchTime):
		f.wrong[field] = "skipped"
	case err != nil:
		f.wrong[field] = "malformed"
	case !f.now.Before(at.Add(time.Duration(minutes) * time.Minute)):
		f.wrong[field] = "past"
	case at.After(f.now.Add(maxAhead)):
		f.wrong[field] = "far"
	}
	return at
}

// starts reads the dates of a series, or the one date.
func (f *form) starts(in *createBody, zone *time.Location, minutes int) []time.Time {
	if in.Repeat != nil && len(in.Dates) > 0 {
		f.wrong["dates"] = "conflict"
		return nil
	}
	var all []time.Time
	if in.Start != "" || len(in.Dates) == 0 {
		all = append(all, f.start("start", in.Start, zone, minutes))
	}
	if len(in.Dates)+len(all) > maxDates {
		f.wrong["dates"] = "too_many"
		return nil
	}
	for i, text := range in.Dates {
		all = append(all, f.start("dates."+strconv.Itoa(i), text, zone, minutes))
	}
	if in.Repeat != nil {
		switch {
		case !in.Repeat.Every.Known():
			f.wrong["repeat.every"] = "unknown"
			return nil
		case in.Repeat.Count < 1 || in.Repeat.Count > maxDates:
			f.wrong["repeat.count"] = "range"
			return nil
		}
		all = appointment.Repeat(all[0], in.Repeat.Every, in.Repeat.Count, zone)
		if all[len(all)-1].After(f.now.Add(maxAhead)) {
			f.wrong["repeat.count"] = "far"
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

func (f *form) label(text string) string {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxLabelRunes || strings.ContainsFunc(text, refused) {
		f.wrong["label"] = "malformed"
	}
	return text
}

// guests checks a list of guests; most is how many people a room of the kind
// takes, the host included.
func (f *form) guests(list []guestBody, most int) []guestBody {
	switch {
	case len(list) == 0:
		f.wrong["guests"] = "required"
	case len(list) > most-1:
		f.wrong["guests"] = "too_many"
		return nil
	}
	seen := make(map[string]bool)
	out := slices.Clone(list)
	for i := range out {
		g, at := &out[i], "guests."+strconv.Itoa(i)
		if g.Name = strings.TrimSpace(g.Name); g.Name != "" {
			clean, err := CleanName(g.Name)
			if err != nil {
				f.wrong[at+".name"] = "malformed"
			}
			g.Name = clean
		}
		if g.Email = strings.TrimSpace(g.Email); g.Email != "" && !isEmail(g.Email) {
			f.wrong[at+".email"] = "malformed"
		}
		if g.Language != "" && g.Language != config.German && g.Language != config.English {
			f.wrong[at+".language"] = "unknown"
		}
		if g.Address != "" && g.Address != config.Formal && g.Address != config.Informal {
			f.wrong[at+".address"] = "unknown"
		}
		if g.ID != "" && seen[g.ID] {
			f.wrong[at+".id"] = "twice"
		}
		seen[g.ID] = true
	}
	return out
}

// isEmail accepts bare addresses that go into a mail's header as they are.
func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Name == "" && a.Address == text && len(text) <= maxEmailBytes &&
		!strings.ContainsFunc(text, func(r rune) bool { return refused(r) || blank(r) || r == ',' || r == ';' })
}

// notify decides whether guests get mail.
func (f *form) notify(wanted *bool, otherwise bool) bool {
	if wanted == nil {
		return otherwise
	}
	if *wanted && !f.mails {
		f.wrong["notify"] = string(noMailServer)
	}
	return *wanted
}

const noMailServer = "no_mail_server"

// invitation makes the appointments that a host asks for.
func (f *form) invitation(in *createBody, by creator) []*appointment.Appointment {
	kind := f.kind(in.Kind, in.InPerson)
	minutes := f.minutes(in.DurationMinutes, time.Duration(kind.Duration))
	zone := f.zone(in.Timezone)
	starts := f.starts(in, zone, minutes)
	label, guests := f.label(in.Label), f.guests(in.Guests, kind.MaxParticipants)
	notify := f.notify(in.Notify, f.mails)
	for i := range guests {
		if guests[i].ID != "" {
			f.wrong["guests."+strconv.Itoa(i)+".id"] = "unknown"
		}
	}
	if len(f.wrong) > 0 {
		return nil
	}
	series := ""
	if len(starts) > 1 {
		series = token.NewID()
	}
	var all []*appointment.Appointment
	for _, start := range starts {
		room := token.NewID()
		a := &appointment.Appointment{
			ID: appointment.IDOf(room), Room: room, Host: by.host, Kind: kind.ID, Start: start, Minutes: minutes,
			Zone: zone.String(), Label: label, Series: series, InPerson: in.InPerson, Notify: notify,
			Status: appointment.Planned, Created: f.now.UTC(), UID: token.NewID() + "@videoroom", Base: by.base,
			Source: by.source, Revision: 1,
		}
		for _, g := range guests {
			a.Guests = append(a.Guests, by.guest(a, g, f.now))
		}
		all = append(all, a)
	}
	return all
}

// creator is who makes appointments, and how links are made.
type creator struct {
	keys                     Keys
	site, host, base, source string
	e2ee                     bool
}

// guest makes a new guest with a link of their own.
func (by creator) guest(a *appointment.Appointment, g guestBody, now time.Time) appointment.Guest {
	guest := appointment.Guest{
		ID: token.NewID(), Name: g.Name, Email: g.Email, Language: g.Language, Address: g.Address,
	}
	by.renew(a, &guest)
	if a.Notify {
		guest.Notices = []appointment.Notice{{What: appointment.Invitation, Sequence: a.Sequence, At: now.UTC()}}
	}
	return guest
}

// renew gives a guest another link and voids the one before.
func (by creator) renew(a *appointment.Appointment, g *appointment.Guest) {
	g.Generation++
	g.E2EE = by.e2ee
	g.SecretHash = appointment.HashSecret(by.secret(a, g))
	g.Revoked = false
}

func (by creator) secret(a *appointment.Appointment, g *appointment.Guest) string {
	return by.keys.Guest(by.site, a.Room, g.ID, g.Generation, g.E2EE)
}
