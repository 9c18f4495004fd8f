// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"net/netip"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// Rooms is what the desk needs of the media rooms. Methods are safe for
// concurrent use and never wait for a client. They must not call the desk back
// before they return.
type Rooms interface {
	// Participants lists who is in a room now, in the order of joining, in a list
	// of the caller's own; nil where there is no such room.
	Participants(site, room string) []Participant
	// Mute mutes all of a participant's tracks of a kind. It returns
	// [ErrNoParticipant].
	Mute(site, room, identity string, k Kind) error
	// Remove makes a participant leave for good. It returns [ErrNoParticipant].
	Remove(site, room, identity string) error
	// End makes everybody leave. Without such a room nothing happens.
	End(site, room string)
	// Barred returns [ErrEnded] and [ErrRemoved] where a room was ended, or somebody
	// removed from it, while a former process ran and their tokens are still good.
	Barred(site, room, identity string) error
	// Watch calls changed whenever a room's participants or their tracks have
	// changed, from any goroutine; changed does not block. Cancelling waits for
	// nothing.
	Watch(changed func(site, room string)) (cancel func())
}

// Keys is what the desk needs of token minting. *token.Keys satisfies it.
type Keys interface {
	Visit(site, room string, v token.Visit) (string, error)
	VerifyVisit(site, room, capability string, now time.Time) (token.Visit, error)
	VerifyHostKey(site, capability string) (token.HostKey, error)
	HostSession(site string, s token.HostSession, now time.Time) (string, error)
	VerifyHostSession(site, session string, now time.Time) (token.HostSession, error)
	Grant(site string, g token.Grant) (string, error)
	VerifyGrant(site, capability string, now time.Time) (token.Grant, error)
	Pseudonym(site, room, host string) string
	Guest(site, room, guest string, generation uint32, e2ee bool) string
	Standing(site, host, room string, generation uint32, e2ee bool) (id, secret string)
	Media(a token.Admission, now time.Time) (string, error)
	VerifyMedia(site, media string, now time.Time) (token.Claims, error)
}

// Kind is a kind of media, as the wire of this package spells it.
type Kind string

// The kinds.
const (
	Audio Kind = "audio"
	Video Kind = "video"
)

// Presence is the state of a participant's sound or picture.
type Presence string

// The presences.
const (
	On    Presence = "on"
	Muted Presence = "muted"
	None  Presence = "none"
)

// Participant is somebody in a room, as hosts see it.
type Participant struct {
	Identity string   `json:"identity"`
	Name     string   `json:"name"`
	Host     bool     `json:"host"`
	Audio    Presence `json:"audio"`
	Video    Presence `json:"video"`
	Screen   bool     `json:"screen"`
	// Key is the public key of the participant's page, where the desk knows it;
	// rooms leave it empty.
	Key string `json:"key,omitempty"`
	// Sealed is the name for one host's page, where the server does not know it;
	// rooms leave it empty.
	Sealed string `json:"sealed,omitempty"`
}

// Call is one HTTP request beneath a site's base path.
type Call struct {
	// Site is the settings of the site, validated and with defaults.
	Site *config.Site
	// SiteID names the site for keys and rooms.
	SiteID string
	// Path is below the base path without leading slash: "api/v1/site".
	Path string
	// Base is the base path as the browser sees it, "" for the root.
	Base string
	// Origin is the site's own origin: "https://host[:port]".
	Origin string
	// Client counts against limits and is neither logged nor stored.
	Client netip.Addr
	// Identity is what a host's identity placeholder says for this request;
	// false where it says nothing. nil: nobody signs in that way.
	Identity func(h config.Host) (string, bool)
}
