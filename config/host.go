// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

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

	// Calendar is the https address of an iCalendar feed of this host. Events
	// with an attendee become appointments. `{env.…}` and `{file.…}` are
	// replaced when the configuration is loaded, because such addresses are
	// usually secret. Default: none.
	Calendar string `json:"calendar,omitempty"`

	// LinkGeneration counts the private links of this host, from 1 to 1000000.
	// Raise it to make the link that was handed out invalid; `caddy videoroom
	// host-link` then prints the new one. Whoever is signed in with an old link
	// is signed out. Default: 1.
	LinkGeneration int `json:"link_generation,omitempty"`

	// Open are the hours at which people may come without a link, to the address
	// `<base path>/<host id>`, in the time zone of the site: lines such as
	// `mo-fr 08:00-12:00 14:00-17:00`, days in German or English (`mo di mi do fr
	// sa so`, `mo tu we th fr sa su`), or the one line `always`. Whoever comes
	// waits until the host admits them, also where waiting_room is off. Default:
	// none, and then the host has no such address.
	Open []string `json:"open,omitempty"`

	// Rooms are rooms that the host keeps, each with a link that stays the same.
	// Default: none; the host opens rooms as they are needed.
	Rooms []StandingRoom `json:"rooms,omitempty"`
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
