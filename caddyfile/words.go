// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-videoroom/videoroom/config"
)

// Places where words stand, as they appear in messages.
const (
	inSite   = "the site's directive: videoroom { … }"
	inHost   = "a host: videoroom { host <id> { … } }"
	inRoom   = "a room of a host: videoroom { host <id> { room <id> { … } } }"
	inKind   = "a kind of conversation: videoroom { kind <id> { … } }"
	inTenant = "a house: videoroom { tenant <host name> { … } }"
	inSMTP   = "the mail server: videoroom { smtp <host:port> { … } }"
	inGlobal = "the global options at the top of the file: { videoroom { … } }"
)

var siteWords = &vocabulary[config.Site]{
	place: inSite,
	words: map[string]word[config.Site]{
		"site":             text("site praxis-muster", func(s *config.Site) *string { return &s.Name }),
		"practice":         text(`practice "Praxis Dr. Muster"`, func(s *config.Site) *string { return &s.Practice }),
		"phone":            text(`phone "+49 69 123456"`, func(s *config.Site) *string { return &s.Phone }),
		"language":         text("language de", func(s *config.Site) *string { return &s.Language }),
		"address":          text("address sie", func(s *config.Site) *string { return &s.Address }),
		"e2ee":             text("e2ee off", func(s *config.Site) *string { return &s.E2EE }),
		"waiting_room":     text("waiting_room on", func(s *config.Site) *string { return &s.WaitingRoom }),
		"max_participants": number("max_participants 10", func(s *config.Site) *int { return &s.MaxParticipants }),
		"max_rooms":        number("max_rooms 20", func(s *config.Site) *int { return &s.MaxRooms }),
		"max_people":       number("max_people 60", func(s *config.Site) *int { return &s.MaxPeople }),
		"profile":          text("profile praxis", func(s *config.Site) *string { return &s.Profile }),
		"timezone":         text("timezone Europe/Berlin", func(s *config.Site) *string { return &s.Timezone }),
		"opens_before":     duration("opens_before 30m", func(s *config.Site) *caddy.Duration { return &s.OpensBefore }),
		"closes_after":     duration("closes_after 2h", func(s *config.Site) *caddy.Duration { return &s.ClosesAfter }),
		"reminder":         orOff(duration("reminder 30m", func(s *config.Site) *caddy.Duration { return &s.Reminder })),
		"retention":        duration("retention 24h", func(s *config.Site) *caddy.Duration { return &s.Retention }),
		"logo":             text("logo /logo.svg", func(s *config.Site) *string { return &s.Logo }),
		"color":            text(`color "#1f6f5c"`, func(s *config.Site) *string { return &s.Color }),
		"in_person_url":    text("in_person_url /kontakt", func(s *config.Site) *string { return &s.InPersonURL }),
		"checklist": {
			usage: `checklist "Türklingel aus" "Telefon stumm"`, min: 1, max: 12,
			set: func(_ *caddyfile.Dispenser, s *config.Site, args []string, _ func() error) error {
				s.Checklist = args
				return nil
			},
		},
		"host":        {usage: "host muster { … }", min: 1, max: 1, repeat: true, block: true, set: readHost},
		"kind":        {usage: "kind beratung { … }", min: 1, max: 2, repeat: true, block: true, set: readKind},
		"smtp":        {usage: "smtp mail.example.de:587 { … }", min: 1, max: 1, block: true, set: readSMTP},
		"tenants":     text("tenants verband", func(s *config.Site) *string { return &s.TenantTable }),
		"api_key":     pair("api_key <key> {env.VIDEO_SECRET}", func(s *config.Site) *[]config.APIKey { return &s.APIKeys }),
		"booking_key": pair("booking_key <key> {env.BOOKING_SECRET}", func(s *config.Site) *[]config.APIKey { return &s.Booking }),
	},
	later: map[string]string{
		"recording": "nothing is recorded; leave the line out",
		"engine":    "media runs in this server; leave the line out",
	},
	elsewhere: map[string]string{},
}

// tenantWords are those of a site that a house may have of its own.
var tenantWords = &vocabulary[config.Site]{
	place:     inTenant,
	words:     make(map[string]word[config.Site]),
	elsewhere: make(map[string]string),
}

// notOfTenants are the words of a site that a house does not have.
var notOfTenants = []string{"site", "tenants", "tenant"}

var hostWords = &vocabulary[config.Host]{
	place: inHost,
	words: map[string]word[config.Host]{
		"name":            text(`name "Dr. Muster"`, func(h *config.Host) *string { return &h.Name }),
		"email":           text("email praxis@example.de", func(h *config.Host) *string { return &h.Email }),
		"identity":        text("identity {http.auth.user.id}", func(h *config.Host) *string { return &h.Identity }),
		"calendar":        text("calendar {env.CALENDAR_URL}", func(h *config.Host) *string { return &h.Calendar }),
		"link_generation": number("link_generation 2", func(h *config.Host) *int { return &h.LinkGeneration }),
		"open": {
			usage: "open mo-fr 08:00-12:00 14:00-17:00", min: 1, max: 9, repeat: true,
			set: func(_ *caddyfile.Dispenser, h *config.Host, args []string, _ func() error) error {
				h.Open = append(h.Open, strings.Join(args, " "))
				return nil
			},
		},
		"room": {usage: `room team "Teamsitzung"`, min: 1, max: 2, repeat: true, block: true, set: readRoom},
	},
	elsewhere: map[string]string{},
}

var roomWords = &vocabulary[config.StandingRoom]{
	place: inRoom,
	words: map[string]word[config.StandingRoom]{
		"kind":            text("kind gruppe", func(r *config.StandingRoom) *string { return &r.Kind }),
		"link_generation": number("link_generation 2", func(r *config.StandingRoom) *int { return &r.LinkGeneration }),
	},
	elsewhere: map[string]string{},
}

var kindWords = &vocabulary[config.KindSetting]{
	place: inKind,
	words: map[string]word[config.KindSetting]{
		"name":             text("name Beratung", func(k *config.KindSetting) *string { return &k.Name }),
		"recording":        text("recording off", func(k *config.KindSetting) *string { return &k.Recording }),
		"in_person":        text("in_person on", func(k *config.KindSetting) *string { return &k.InPerson }),
		"named_list":       text("named_list on", func(k *config.KindSetting) *string { return &k.NamedList }),
		"host_first":       text("host_first on", func(k *config.KindSetting) *string { return &k.HostFirst }),
		"max_participants": number("max_participants 4", func(k *config.KindSetting) *int { return &k.MaxParticipants }),
		"duration":         duration("duration 50m", func(k *config.KindSetting) *caddy.Duration { return &k.Duration }),
	},
	elsewhere: map[string]string{},
}

var smtpWords = &vocabulary[config.SMTP]{
	place: inSMTP,
	words: map[string]word[config.SMTP]{
		"from":     text(`from "Praxis Muster <praxis@example.de>"`, func(m *config.SMTP) *string { return &m.From }),
		"user":     text("user praxis", func(m *config.SMTP) *string { return &m.User }),
		"password": text("password {env.SMTP_PASSWORD}", func(m *config.SMTP) *string { return &m.Password }),
		"tls":      text("tls starttls", func(m *config.SMTP) *string { return &m.TLS }),
	},
	elsewhere: map[string]string{},
}

var appWords = &vocabulary[config.App]{
	place: inGlobal,
	words: map[string]word[config.App]{
		"media_port": number("media_port 8443", func(a *config.App) *int { return &a.MediaPort }),
		"public_ip": {
			usage: "public_ip 203.0.113.7", min: 1, max: 16,
			set: func(_ *caddyfile.Dispenser, a *config.App, args []string, _ func() error) error {
				a.PublicIP = args
				return nil
			},
		},
	},
	elsewhere: map[string]string{},
}

func init() {
	for name, w := range siteWords.words {
		if !slices.Contains(notOfTenants, name) {
			tenantWords.words[name] = w
		}
	}
	tenantWords.later = siteWords.later
	// Here, because the words of a house are made from those of a site.
	siteWords.words["tenant"] = word[config.Site]{
		usage: "tenant haus1.verband.example { … }", min: 1, max: 1, repeat: true, block: true, set: readTenant,
	}
	// Of words that stand in several places the last one here is named.
	place(appWords, inGlobal)
	place(smtpWords, inSMTP)
	place(kindWords, inKind)
	place(roomWords, inRoom)
	place(hostWords, inHost)
	place(siteWords, inSite)
}

// place lets all tables say where the words of one belong.
func place[T any](v *vocabulary[T], where string) {
	for _, table := range []map[string]string{
		appWords.elsewhere, siteWords.elsewhere, hostWords.elsewhere, roomWords.elsewhere, kindWords.elsewhere, smtpWords.elsewhere, tenantWords.elsewhere,
	} {
		for name := range v.words {
			table[name] = where
		}
		for name := range v.later {
			table[name] = where
		}
	}
}
