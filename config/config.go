// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package config holds the settings of videoroom as plain values: what may be
// configured, which value applies when nothing is said, and which values are
// refused. It reads no file, opens no socket and expands no placeholder; the
// Caddy module fills these structs, every other package only reads them.
package config

import (
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Defaults that apply where a setting is absent.
const (
	DefaultBasePath        = "/video"
	DefaultMediaPort       = SitePort
	DefaultLanguage        = German
	DefaultAddress         = Formal
	DefaultE2EE            = Required
	DefaultWaitingRoom     = On
	DefaultMaxParticipants = 10
	// DefaultHostID is the id of the one host of a site that names none.
	DefaultHostID = "praxis"
	// FirstLinkGeneration is the generation of host links where none is set.
	FirstLinkGeneration = 1

	DefaultOpensBefore = caddy.Duration(30 * time.Minute)
	DefaultClosesAfter = caddy.Duration(2 * time.Hour)
	DefaultReminder    = caddy.Duration(30 * time.Minute)
	DefaultRetention   = caddy.Duration(24 * time.Hour)
	// ReminderOff as Reminder sends none.
	ReminderOff = caddy.Duration(-1)
)

// SitePort as MediaPort means that calls share the sites' own ports, whatever
// their numbers are, and that no other is opened.
const SitePort = 443

// Values of the settings that choose between words.
const (
	German   = "de"
	English  = "en"
	Formal   = "sie"
	Informal = "du"
	On       = "on"
	Off      = "off"
	Required = "required"
	Consent  = "consent"
	StartTLS = "starttls"
	TLS      = "tls"
)

// Limits of the settings.
const (
	MinParticipants = 2
	MaxParticipants = 100
	// MaxEncrypted is the largest MaxParticipants with end-to-end encryption.
	MaxEncrypted    = 50
	maxNameRunes    = 64
	maxPracticeRune = 100
	maxPhoneBytes   = 40
	minSecretBytes  = 32
	maxSecretBytes  = 512

	// MaxRetention is the longest time that anything about an appointment is
	// kept after its end.
	MaxRetention = caddy.Duration(2160 * time.Hour)

	minRetention      = caddy.Duration(time.Hour)
	minWindow         = caddy.Duration(time.Minute)
	maxWindow         = caddy.Duration(24 * time.Hour)
	maxReminder       = caddy.Duration(7 * 24 * time.Hour)
	minKindDuration   = caddy.Duration(5 * time.Minute)
	maxKindDuration   = caddy.Duration(12 * time.Hour)
	maxLinkGeneration = 1_000_000
	maxChecklist      = 12
	maxChecklistRunes = 120
	maxURLBytes       = 1024
	maxRooms          = 1000
	maxPeople         = 10_000
)

// App holds the settings of the one engine that all sites of a server share.
type App struct {
	// MediaPort is a port for sound and pictures beside those of the sites, in
	// UDP and TCP; the firewall must let it through. Clients try it first.
	// Default: 443, which stands for the sites' own ports, whatever their
	// numbers are, and opens no other.
	//
	// On its own port a site with HTTPS takes calls in UDP beside HTTP/3, or,
	// where HTTP/3 is off, in a UDP socket that is opened for them, and in TCP
	// beside HTTPS. A site without HTTPS takes them in UDP on the number of its
	// port and on the addresses that it listens on; unless this is set.
	//
	// Set it, for example to 8443, where another proxy stands before Caddy,
	// because that passes on neither UDP nor calls in TCP; where people reach the
	// server under a private address, because Chromium uses neither port 443 nor
	// 80 there and takes the detour of TLS; and where a site listens on a loopback
	// address alone, because Firefox does not use those for calls. Changing it
	// takes effect when the server process is restarted, because running calls
	// keep their sockets across a configuration reload.
	MediaPort int `json:"media_port,omitempty"`

	// PublicIP lists the addresses (IPv4 and IPv6, without port) under which
	// clients reach this machine. Default: the machine's own addresses. Needed
	// only behind address translation, for example on cloud machines that see
	// just a private address; without it, calls from outside get no sound and
	// no picture there. Changing it takes effect at a restart of the process.
	PublicIP []string `json:"public_ip,omitempty"`
}

// OwnPort returns the port that is to be opened beside those of the sites; ok is
// false where there is none.
func (a *App) OwnPort() (port int, ok bool) {
	if a.MediaPort == SitePort {
		return 0, false
	}
	return a.MediaPort, true
}

// SetDefaults fills what is absent.
func (a *App) SetDefaults() {
	if a.MediaPort == 0 {
		a.MediaPort = DefaultMediaPort
	}
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// orDefault sets a field that is zero to the first value that is not.
func orDefault[T comparable](field *T, values ...T) {
	var zero T
	for _, v := range values {
		if *field == zero {
			*field = v
		}
	}
}
