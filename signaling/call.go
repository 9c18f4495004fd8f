// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"context"
	"net/netip"
	"time"

	"github.com/caddy-videoroom/videoroom/room"
)

// Rooms is what this package needs of the rooms. *room.Directory satisfies it.
type Rooms interface {
	// Join brings a participant into a room. The first message to the
	// connection is room.Joined. Errors wrap room.ErrFull, room.ErrClosing,
	// room.ErrRevoked or room.ErrBadJoin.
	Join(ctx context.Context, j room.Join, c room.Conn) (room.Session, error)
	// Resume hands a participant a new connection. The first message to it is
	// room.Reconnected. Errors wrap room.ErrUnknownParticipant or those of Join.
	Resume(ctx context.Context, r room.Resume, c room.Conn) (room.Session, error)
	// Connection describes the media path of the participant that r names, whose
	// SID it does not look at. Errors wrap room.ErrUnknownParticipant,
	// room.ErrRevoked, room.ErrBusy or ctx's error.
	Connection(ctx context.Context, r room.Resume) (room.Connection, error)
}

// Tokens verifies access tokens of one site.
type Tokens interface {
	// Verify checks signature, lifetime and grants of a token. Errors may wrap
	// ErrToken, ErrIncomplete or ErrNoRoom; they are never logged or shown.
	Verify(raw string) (Grant, error)
}

// Grant is what a verified token allows.
type Grant struct {
	// Key is the room. Key.Realm is "" for tokens of our own admission, which
	// are bound to the site's origin; tokens of an API key may come from
	// anywhere.
	Key room.Key
	// Policy applies when the join brings the room into being.
	Policy room.Policy
	// Identity, Name, Metadata, Attributes and Permission are the participant's.
	Identity, Name, Metadata string
	Attributes               map[string]string
	Permission               room.Permission
	// TokenID (jti) and IssuedAt (iat) let a removal revoke the token.
	TokenID  string
	IssuedAt time.Time
	// Relays are servers that carry media where the client's network lets
	// nothing else through. Empty: the media plane is reached directly.
	Relays []Relay
	// Refresh mints the participant's next token; nil: no refresh. It outlives
	// the call and must hold nothing of it.
	Refresh func(room.ParticipantInfo) (string, error)
}

// Relay is a TURN server and the credential for it (RFC 8656), in the form that
// browsers take.
type Relay struct {
	// URL, for example "turns:praxis.example:443?transport=tcp".
	URL string
	// Username and Credential are good for one participant.
	Username, Credential string
}

// Call is one HTTP request beneath a site's base path.
type Call struct {
	// Path is below the base path, without leading slash: "rtc/v1".
	Path string
	// Origin is the site's origin as its pages carry it: "https://host[:port]".
	Origin string
	// Tokens verifies this site's tokens.
	Tokens Tokens
	// Reached is the server address the connection came in on; it becomes a
	// media candidate.
	Reached netip.Addr
	// Client is the client's address, for limits only; the invalid Addr exempts
	// from them. It is not kept.
	Client netip.Addr
	// Admit, when not nil, may refuse a verified grant before the upgrade: a
	// room that must exist (ErrNoRoom), is full (room.ErrFull), a revoked token
	// (room.ErrRevoked). It is asked by validation as well, which is the only
	// way for a browser to learn the reason.
	Admit func(Grant) error
}
