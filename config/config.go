// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package config holds the settings of videoroom as plain values: what may be
// configured, which value applies when nothing is said, and which values are
// refused. It reads no file, opens no socket and expands no placeholder; the
// Caddy module fills these structs, every other package only reads them.
package config

import (
	"strings"
	"unicode/utf8"
)

// Defaults that apply where a setting is absent.
const (
	DefaultBasePath        = "/video"
	DefaultMediaPort       = SitePort
	DefaultLanguage        = German
	DefaultAddress         = Formal
	DefaultE2EE            = Off
	DefaultWaitingRoom     = On
	DefaultMaxParticipants = 10
	// DefaultHostID is the id of the one host of a site that names none.
	DefaultHostID = "praxis"
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
)

// Limits of the settings.
const (
	MinParticipants = 2
	MaxParticipants = 100
	maxNameRunes    = 64
	maxPracticeRune = 100
	maxPhoneBytes   = 40
	minSecretBytes  = 32
	maxSecretBytes  = 512
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
	// that this server cannot read. Default and at present the only accepted
	// value: `off`; media is then encrypted between each browser and this
	// server.
	E2EE string `json:"e2ee,omitempty"`

	// WaitingRoom says whether visitors wait until the host admits them: `on`
	// or `off`. Default: `on`. With `off` everybody who holds a valid link
	// enters at once when the host has opened the room.
	WaitingRoom string `json:"waiting_room,omitempty"`

	// MaxParticipants is the number of people in one room, hosts included,
	// from 2 to 100. Default: 10. Further people are told that the room is
	// full.
	MaxParticipants int `json:"max_participants,omitempty"`

	// APIKeys admit other software that speaks the LiveKit server API or
	// mints its own room tokens. Default: none, and then there is no such
	// interface. Whoever holds a secret can enter every room of the site
	// without waiting.
	APIKeys []APIKey `json:"api_keys,omitempty"`
}

// Host is a person or a reception desk that opens rooms and admits visitors.
type Host struct {
	// ID identifies the host in links, in sign-in names and in stored keys:
	// lower-case letters, digits and hyphens, at most 32 characters. A new id
	// makes the host's private link invalid. Required.
	ID string `json:"id"`

	// Name is what visitors see, at most 64 characters. Default: the name of
	// the practice if there is one, otherwise the id.
	Name string `json:"name,omitempty"`

	// Email is the address for messages to this host. Default: none.
	Email string `json:"email,omitempty"`

	// Identity is a placeholder that yields the sign-in name of the person
	// behind a request, such as `{http.auth.user.id}`. Whoever is signed in
	// under this host's id is this host. `{env.…}` and `{file.…}` are replaced
	// when the configuration is loaded, everything else for each request. A
	// placeholder that is not set yields no identity. Default: none, and then
	// only the private host link signs the host in.
	Identity string `json:"identity,omitempty"`
}

// APIKey is a pair as LiveKit software uses it.
type APIKey struct {
	// Key names the pair; it appears as the issuer of tokens. Letters,
	// digits, `_` and `-`. May be a placeholder such as `{env.VIDEO_KEY}`.
	Key string `json:"key"`

	// Secret signs and verifies tokens (HMAC-SHA-256), at least 32 bytes. Use
	// a placeholder such as `{env.VIDEO_SECRET}` or `{file./run/secret}`, so
	// that it does not stand in the configuration.
	Secret string `json:"secret"`
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

// SetDefaults fills what is absent and brings the base path into its one
// written form: a leading slash and none at the end.
func (s *Site) SetDefaults() {
	setDefault(&s.BasePath, DefaultBasePath)
	if s.BasePath != "/" {
		s.BasePath = strings.TrimSuffix(s.BasePath, "/")
	}
	setDefault(&s.Language, DefaultLanguage)
	setDefault(&s.Address, DefaultAddress)
	setDefault(&s.E2EE, DefaultE2EE)
	setDefault(&s.WaitingRoom, DefaultWaitingRoom)
	if s.MaxParticipants == 0 {
		s.MaxParticipants = DefaultMaxParticipants
	}
	if len(s.Hosts) == 0 {
		s.Hosts = []Host{{ID: DefaultHostID, Name: s.defaultHostName()}}
	}
	for i := range s.Hosts {
		if utf8.RuneCountInString(s.Practice) <= maxNameRunes {
			setDefault(&s.Hosts[i].Name, s.Practice)
		}
		setDefault(&s.Hosts[i].Name, s.Hosts[i].ID)
	}
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

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
