// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-videoroom/videoroom/config"
)

// Places where words stand, as they appear in messages.
const (
	inSite   = "the site's directive: videoroom { … }"
	inHost   = "a host: videoroom { host <id> { … } }"
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
		"host":             {usage: "host muster { … }", min: 1, max: 1, repeat: true, block: true, set: readHost},
		"api_key": {
			usage: "api_key <key> {env.VIDEO_SECRET}", min: 2, max: 2, repeat: true,
			set: func(_ *caddyfile.Dispenser, s *config.Site, args []string, _ func() error) error {
				s.APIKeys = append(s.APIKeys, config.APIKey{Key: args[0], Secret: args[1]})
				return nil
			},
		},
	},
	later: map[string]string{
		"smtp":      "mail comes with a later version; send the link to the visitor yourself",
		"recording": "nothing is recorded; leave the line out",
		"profile":   "set the lines that a profile would set one by one",
		"engine":    "media runs in this server; leave the line out",
	},
	elsewhere: map[string]string{
		"media_port": inGlobal, "public_ip": inGlobal,
		"name": inHost, "email": inHost, "identity": inHost,
	},
}

var hostWords = &vocabulary[config.Host]{
	place: inHost,
	words: map[string]word[config.Host]{
		"name":     text(`name "Dr. Muster"`, func(h *config.Host) *string { return &h.Name }),
		"email":    text("email praxis@example.de", func(h *config.Host) *string { return &h.Email }),
		"identity": text("identity {http.auth.user.id}", func(h *config.Host) *string { return &h.Identity }),
	},
	elsewhere: map[string]string{"media_port": inGlobal, "public_ip": inGlobal},
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
	elsewhere: map[string]string{"name": inHost, "email": inHost, "identity": inHost},
}

func init() {
	for name := range siteWords.words {
		hostWords.elsewhere[name] = inSite
		appWords.elsewhere[name] = inSite
	}
	for name := range siteWords.later {
		hostWords.elsewhere[name] = inSite
		appWords.elsewhere[name] = inSite
	}
}

func readHost(d *caddyfile.Dispenser, s *config.Site, args []string, check func() error) error {
	s.Hosts = append(s.Hosts, config.Host{ID: args[0]})
	if err := checked(d, check); err != nil {
		return err
	}
	return hostWords.read(d, &s.Hosts[len(s.Hosts)-1], check)
}

func text[T any](usage string, field func(*T) *string) word[T] {
	return word[T]{usage: usage, min: 1, max: 1, set: func(_ *caddyfile.Dispenser, into *T, args []string, _ func() error) error {
		*field(into) = args[0]
		return nil
	}}
}

func number[T any](usage string, field func(*T) *int) word[T] {
	return word[T]{usage: usage, min: 1, max: 1, set: func(_ *caddyfile.Dispenser, into *T, args []string, _ func() error) error {
		n, err := strconv.Atoi(args[0])
		if err != nil || n <= 0 {
			return fmt.Errorf("%q is not a number above zero; write for example %s", args[0], usage)
		}
		*field(into) = n
		return nil
	}}
}
