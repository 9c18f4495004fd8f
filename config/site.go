// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
)

// Site holds the settings of one place where consultations happen, usually
// one practice on one host name.
type Site struct {
	// Name identifies the site: stored keys and all links belong to it.
	// Default: the host name of the request. Set it when one practice is
	// reachable under several host names, or before renaming a host, so that
	// existing links stay valid. Lower-case letters, digits, dots and hyphens.
	Name string `json:"site,omitempty"`

	// BasePath is the path beneath which all pages and interfaces lie.
	// Default: `/video`. `/` gives the whole site to videoroom; requests it
	// does not know still go to the next handler.
	BasePath string `json:"base_path,omitempty"`

	// Practice is the name shown to visitors, at most 100 characters.
	// Default: none, the pages then use neutral words.
	Practice string `json:"practice,omitempty"`

	// Phone is the number shown on every screen and with every failure as
	// the way out. Default: none, and then no way out is offered.
	Phone string `json:"phone,omitempty"`

	// Language of the pages and messages: `de` or `en`. Default: `de`.
	Language string `json:"language,omitempty"`

	// Address chooses how German texts address people: `sie` or `du`.
	// Default: `sie`. Only with language `de`.
	Address string `json:"address,omitempty"`

	// Hosts are the people who open rooms and admit visitors. Default: one
	// host with the id `praxis` who signs in with the private host link.
	Hosts []Host `json:"hosts,omitempty"`

	// E2EE says whether media is encrypted from browser to browser in a way
	// that this server cannot read: `required` or `off`. Default: `required`:
	// rooms take at most 50 people, nothing that is not encrypted so, and no
	// tokens of APIKeys. With `off` media is encrypted between each browser and
	// this server, and the pages say so.
	E2EE string `json:"e2ee,omitempty"`

	// WaitingRoom says whether visitors wait until the host admits them: `on`
	// or `off`. Default: `on`. With `off` everybody who holds a valid link
	// enters at once when the host has opened the room.
	WaitingRoom string `json:"waiting_room,omitempty"`

	// MaxParticipants is the number of people in one room, hosts included,
	// from 2 to 100, to 50 with end-to-end encryption. Default: 10. Further people
	// are told that the room is full.
	MaxParticipants int `json:"max_participants,omitempty"`

	// MaxRooms bounds how many rooms of the site are open at the same time, from
	// 1 to 1000. Default: 0, and then only the server's own bounds apply. Further
	// rooms cannot be opened until one has ended.
	MaxRooms int `json:"max_rooms,omitempty"`

	// MaxPeople bounds how many people are in all rooms of the site together,
	// from 2 to 10000. Default: 0, and then only MaxParticipants of each room
	// applies. Further people are told that the room is full.
	MaxPeople int `json:"max_people,omitempty"`

	// Profile presets values for a field of work: `praxis`, `beratung`, `mpu`,
	// `verband` or `anlage31b`. Whatever is written beside it applies instead.
	// Default: none. `anlage31b` presets what the German agreement on video
	// consultation demands of the technology as far as this version can; it is
	// no certificate and claims none.
	Profile string `json:"profile,omitempty"`

	// Timezone is the IANA name of the zone in which appointments are written,
	// such as `Europe/Vienna`. Default: `Europe/Berlin` with language `de`,
	// otherwise `UTC`.
	Timezone string `json:"timezone,omitempty"`

	// SMTP is the mail server that invitations and reminders leave by. Default:
	// none, and then this server sends no mail; hosts hand links over
	// themselves.
	SMTP *SMTP `json:"smtp,omitempty"`

	// Kinds are deviations from the table of kinds of conversation, and further
	// kinds. What a line does not say stays as the table has it. Default: none;
	// the kinds are then `kurz`, `beratung`, `therapie`, `supervision`, `gruppe`
	// and `sitzung`, or those of the profile.
	Kinds []KindSetting `json:"kinds,omitempty"`

	// OpensBefore is how long before the start of an appointment its link opens
	// the waiting room, from one minute to 24 hours. Default: 30 minutes.
	OpensBefore caddy.Duration `json:"opens_before,omitempty"`

	// ClosesAfter is how long after the planned end of an appointment its link
	// still lets people in, from one minute to 24 hours. Default: 2 hours.
	ClosesAfter caddy.Duration `json:"closes_after,omitempty"`

	// Reminder is how long before the start of an appointment its link is mailed
	// again, from one minute to 7 days; negative: never (`reminder off` in a
	// Caddyfile). Default: 30 minutes.
	Reminder caddy.Duration `json:"reminder,omitempty"`

	// Retention is how long after the end of an appointment everything about it
	// is deleted, from one hour to 90 days (2160 hours). Default: 24 hours.
	Retention caddy.Duration `json:"retention,omitempty"`

	// Booking are the keys with which booking software signs its calls to the
	// appointment interface. Default: none, and then there is no such interface
	// for other software.
	Booking []APIKey `json:"booking_keys,omitempty"`

	// Logo is the path of an image on the same site, shown on the pages, such as
	// `/logo.svg`. Default: none.
	Logo string `json:"logo,omitempty"`

	// Color is the colour of buttons and marks, as `#rrggbb`. White text on it
	// must be readable (contrast of 4.5 at least). Default: the colour of the
	// user interface.
	Color string `json:"color,omitempty"`

	// InPersonURL is where "rather in person?" leads: an https address, or a
	// path on the same site. Default: none, and then it is not offered.
	InPersonURL string `json:"in_person_url,omitempty"`

	// Checklist replaces the list with which mails and the waiting room help
	// people to prepare: up to 12 lines of at most 120 characters. Default: none,
	// and then the list of the user interface applies.
	Checklist []string `json:"checklist,omitempty"`

	// Tenants are houses that this site serves under host names of their own,
	// with the site's settings as their defaults. With tenants, the site itself
	// answers under the host names that its route is for, and to no other name.
	// Default: none.
	Tenants []Tenant `json:"tenants,omitempty"`

	// TenantTable names a table of further houses in Caddy's storage, which the
	// administration endpoint adds to and takes from without a reload:
	// `POST /videoroom/tenants`. Lower-case letters, digits and hyphens. Default:
	// none.
	TenantTable string `json:"tenant_table,omitempty"`

	// APIKeys admit other software that speaks the LiveKit server API or
	// mints its own room tokens. Default: none, and then there is no such
	// interface. Whoever holds a secret can enter every room of the site
	// without waiting.
	APIKeys []APIKey `json:"api_keys,omitempty"`
}

// SetDefaults fills what is absent, from the profile where that says something,
// and brings the base path into its one written form: a leading slash and none
// at the end. It changes nothing that s shares with a copy of it.
func (s *Site) SetDefaults() {
	setDefault(&s.BasePath, DefaultBasePath)
	if s.BasePath != "/" {
		s.BasePath = strings.TrimSuffix(s.BasePath, "/")
	}
	setDefault(&s.Language, DefaultLanguage)
	setDefault(&s.Address, DefaultAddress)
	setDefault(&s.E2EE, DefaultE2EE)
	setDefault(&s.WaitingRoom, DefaultWaitingRoom)
	setDefault(&s.Timezone, s.defaultTimezone())
	preset := profiles[s.Profile]
	orDefault(&s.MaxParticipants, preset.maxParticipants, DefaultMaxParticipants)
	orDefault(&s.OpensBefore, preset.opensBefore, DefaultOpensBefore)
	orDefault(&s.ClosesAfter, preset.closesAfter, DefaultClosesAfter)
	orDefault(&s.Reminder, preset.reminder, DefaultReminder)
	orDefault(&s.Retention, preset.retention, DefaultRetention)
	s.SMTP = s.SMTP.withDefaults()
	if len(s.Hosts) == 0 {
		s.Hosts = []Host{{ID: DefaultHostID, Name: s.defaultHostName()}}
	}
	s.Hosts = slices.Clone(s.Hosts)
	for i := range s.Hosts {
		if utf8.RuneCountInString(s.Practice) <= maxNameRunes {
			setDefault(&s.Hosts[i].Name, s.Practice)
		}
		setDefault(&s.Hosts[i].Name, s.Hosts[i].ID)
		orDefault(&s.Hosts[i].LinkGeneration, FirstLinkGeneration)
		s.Hosts[i].Rooms = withDefaults(s.Hosts[i].Rooms)
	}
}

// Location returns the zone of Timezone, UTC where there is no such zone, which
// Validate refuses.
func (s *Site) Location() *time.Location {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Reminds reports how long before an appointment its link is mailed again;
// false: never.
func (s *Site) Reminds() (before time.Duration, ok bool) {
	return time.Duration(s.Reminder), s.Reminder > 0
}

func (s *Site) defaultTimezone() string {
	if s.Language == German {
		return "Europe/Berlin"
	}
	return "UTC"
}

func (s *Site) defaultHostName() string {
	switch {
	case s.Practice != "":
		return "" // the practice's name applies, as for every host
	case s.Language == English:
		return "Host"
	default:
		return "Praxis"
	}
}

// Base returns the base path as a prefix for addresses: "" for the root,
// otherwise without a slash at the end.
func (s *Site) Base() string {
	if s.BasePath == "/" {
		return ""
	}
	return s.BasePath
}

// WaitingRoomOn reports whether visitors wait for the host's admission.
func (s *Site) WaitingRoomOn() bool { return s.WaitingRoom != Off }

// E2EERequired reports whether media must be encrypted from browser to
// browser.
func (s *Site) E2EERequired() bool { return s.E2EE == Required }

// Host returns the host with this id.
func (s *Site) Host(id string) (Host, bool) {
	for _, h := range s.Hosts {
		if h.ID == id {
			return h, true
		}
	}
	return Host{}, false
}
