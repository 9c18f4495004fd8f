// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package appointment

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/caddy-videoroom/videoroom/token"
)

// Status is whether an appointment takes place.
type Status string

// The statuses.
const (
	Planned   Status = "planned"
	Cancelled Status = "cancelled"
)

// Appointment is one date of a host with guests, in a room of its own.
type Appointment struct {
	// ID names the record; it follows from Room, see [IDOf].
	ID string `json:"id"`
	// Room is the room's id, 128 random bits.
	Room string `json:"room"`
	// Host is the id of the host whose appointment it is.
	Host string `json:"host"`
	// Kind is the id of the kind of conversation.
	Kind string `json:"kind"`
	// Start is when it begins.
	Start time.Time `json:"start"`
	// Minutes is how long it is planned to last.
	Minutes int `json:"minutes"`
	// Zone is the IANA name of the time zone in which Start is told.
	Zone string `json:"zone"`
	// Label is the host's own note; no guest ever sees it.
	Label string `json:"label,omitempty"`
	// Series is shared by the dates of a series.
	Series string `json:"series,omitempty"`
	// InPerson is the host's word that first meetings took place in person.
	InPerson bool `json:"in_person,omitempty"`
	// Guests are the people invited.
	Guests []Guest `json:"guests"`
	// Notify says whether guests with an address get mail.
	Notify bool `json:"notify,omitempty"`
	// Sequence counts changes of time, as calendars do.
	Sequence int `json:"sequence"`
	// Starts are the starts of earlier sequences.
	Starts []time.Time `json:"starts,omitempty"`
	// Status says whether it takes place.
	Status Status `json:"status"`
	// Created is when it was made, Changed when it was cancelled.
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed,omitzero"`
	// UID names the event in calendars and stays the same.
	UID string `json:"uid"`
	// Base is the site's address when it was made: "https://host/video".
	Base string `json:"base"`
	// Source finds again what other software has made: a word for the way it came
	// and a digest of its name there. "" for what hosts make.
	Source string `json:"source,omitempty"`
	// Former are the sources it had before, Told is when the other software last
	// spoke of it: what is older counts no more.
	Former []string  `json:"former,omitempty"`
	Told   time.Time `json:"told,omitzero"`
	// Locked keeps newcomers waiting, also where nobody has to wait.
	Locked bool `json:"locked,omitempty"`
	// Revision is raised by every write.
	Revision int `json:"revision"`
}

// Guest is somebody invited, with a link of their own.
type Guest struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	// Language and Address choose the texts: "de" or "en", "sie" or "du".
	Language string `json:"language,omitempty"`
	Address  string `json:"address,omitempty"`
	// SecretHash is the SHA-256 of the link's secret, in hexadecimal digits.
	SecretHash string `json:"secret_hash"`
	// Generation counts the links this guest has had.
	Generation uint32 `json:"generation"`
	// E2EE: the newest link is for a call that is encrypted from end to end.
	E2EE bool `json:"e2ee,omitempty"`
	// Revoked makes the link invalid.
	Revoked bool `json:"revoked,omitempty"`
	// Removed takes the guest off the list; the record stays for the mail that
	// says so.
	Removed bool `json:"removed,omitempty"`
	// Notices are the messages the host has decided on, oldest first.
	Notices []Notice `json:"notices,omitempty"`
}

// Notice is a decision to tell a guest something.
type Notice struct {
	What What `json:"what"`
	// Sequence is the appointment's at the time of the decision.
	Sequence int `json:"sequence"`
	// At is when it was decided.
	At time.Time `json:"at"`
}

// IDOf returns the id of the appointment in a room. It can be computed from the
// room, but the room not from it: names of records betray no room.
func IDOf(room string) string { return digest("appointment", room) }

// digest makes an id of texts, none of which contains a NUL.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return token.IDFrom([16]byte(sum[:16]))
}

// Duration is how long the appointment is planned to last.
func (a *Appointment) Duration() time.Duration { return time.Duration(a.Minutes) * time.Minute }

// End is when it is planned to end.
func (a *Appointment) End() time.Time { return a.Start.Add(a.Duration()) }

// Clone returns a copy that shares nothing.
func (a *Appointment) Clone() *Appointment {
	c := *a
	c.Starts = slices.Clone(a.Starts)
	c.Guests = slices.Clone(a.Guests)
	for i := range c.Guests {
		c.Guests[i].Notices = slices.Clone(a.Guests[i].Notices)
	}
	return &c
}

// Next begins another sequence; start is when it begins in that.
func (a *Appointment) Next(start time.Time) {
	a.Starts = append(a.Starts, a.Start)
	a.Start = start
	a.Sequence++
}

// Was returns when the appointment began in an earlier sequence, the zero time
// for others.
func (a *Appointment) Was(sequence int) time.Time {
	if sequence < 0 || sequence >= len(a.Starts) {
		return time.Time{}
	}
	return a.Starts[sequence]
}

// Guest returns the guest of that id who has not been removed, or nil.
func (a *Appointment) Guest(id string) *Guest {
	for i := range a.Guests {
		if a.Guests[i].ID == id && !a.Guests[i].Removed {
			return &a.Guests[i]
		}
	}
	return nil
}

// Holder returns the guest whose link has this secret, or nil. Links that are
// revoked have no holder. It takes as long for a wrong secret as for a right one.
func (a *Appointment) Holder(secret string) *Guest {
	hash := []byte(HashSecret(secret))
	var holder *Guest
	for i := range a.Guests {
		g := &a.Guests[i]
		if subtle.ConstantTimeCompare(hash, []byte(g.SecretHash)) == 1 && !g.Revoked && !g.Removed {
			holder = g
		}
	}
	return holder
}

// HashSecret returns what is stored of a link's secret.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Valid tells whether a record is one that this package could have written.
func (a *Appointment) Valid() bool {
	if !token.ValidID(a.Room) || a.ID != IDOf(a.Room) || a.Host == "" || a.Minutes <= 0 || a.Start.IsZero() ||
		(a.Status != Planned && a.Status != Cancelled) {
		return false
	}
	if _, err := time.LoadLocation(a.Zone); err != nil {
		return false
	}
	for i := range a.Guests {
		if !token.ValidID(a.Guests[i].ID) || len(a.Guests[i].SecretHash) != 2*sha256.Size {
			return false
		}
	}
	return true
}
