// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package booking

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/mail"
	"strings"
	"time"
)

// CalHeader carries the HMAC-SHA-256 of a Cal.com notice's body, in hexadecimal
// digits.
const CalHeader = "X-Cal-Signature-256"

// ErrNotice says that a notice cannot be understood.
var ErrNotice = errors.New("booking: not a notice of a booking")

// Trigger is what a notice is about.
type Trigger string

// The triggers that matter to appointments.
const (
	Created     Trigger = "BOOKING_CREATED"
	Rescheduled Trigger = "BOOKING_RESCHEDULED"
	Called      Trigger = "BOOKING_CANCELLED"
)

// Notice is what booking software tells of one booking.
type Notice struct {
	Trigger Trigger
	// UID names the booking, Before the one that a rescheduled booking replaces;
	// they may be equal.
	UID, Before string
	// At is when the notice was made; the zero time where it does not say.
	At         time.Time
	Start, End time.Time
	Zone       string // of the host; may be empty
	Guests     []Guest
}

// Guest is somebody who booked.
type Guest struct {
	Name, Email string
	Language    string // "de", "en", or empty
}

const (
	maxGuests = 20
	maxUID    = 200
)

// CheckNotice tells whether a notice's body was signed with the secret.
func CheckNotice(secret, header string, body []byte) bool {
	got, err := hex.DecodeString(header)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return err == nil && hmac.Equal(got, mac.Sum(nil))
}

// ParseNotice reads the body of a notice. Unknown fields are ignored: they are
// others' and change. A trigger that does not matter comes back with nothing but
// itself. The error is [ErrNotice].
func ParseNotice(body []byte) (Notice, error) {
	//nolint:tagliatelle // the names are Cal.com's
	var in struct {
		Trigger Trigger   `json:"triggerEvent"`
		At      time.Time `json:"createdAt"`
		Payload struct {
			UID       string    `json:"uid"`
			Before    string    `json:"rescheduleUid"`
			Start     time.Time `json:"startTime"`
			End       time.Time `json:"endTime"`
			Organizer struct {
				Email string `json:"email"`
				Zone  string `json:"timeZone"`
			} `json:"organizer"`
			Attendees []struct {
				Name     string `json:"name"`
				Email    string `json:"email"`
				Language struct {
					Locale string `json:"locale"`
				} `json:"language"`
			} `json:"attendees"`
		} `json:"payload"`
	}
	//nolint:tagliatelle // as above
	var kind struct {
		Trigger Trigger `json:"triggerEvent"`
	}
	if err := json.Unmarshal(body, &kind); err != nil || kind.Trigger == "" {
		return Notice{}, ErrNotice
	}
	if kind.Trigger != Created && kind.Trigger != Rescheduled && kind.Trigger != Called {
		return Notice{Trigger: kind.Trigger}, nil
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return Notice{}, ErrNotice
	}
	p := in.Payload
	n := Notice{Trigger: in.Trigger, At: in.At, UID: p.UID, Before: p.Before, Start: p.Start, End: p.End, Zone: p.Organizer.Zone}
	if n.UID == "" || len(n.UID) > maxUID || len(n.Before) > maxUID || len(p.Attendees) > maxGuests ||
		n.Trigger != Called && (!n.End.After(n.Start) || len(p.Attendees) == 0) {
		return Notice{}, ErrNotice
	}
	for _, a := range p.Attendees {
		address, err := mail.ParseAddress(a.Email)
		if err != nil || address.Address != a.Email {
			return Notice{}, ErrNotice
		}
		if strings.EqualFold(a.Email, p.Organizer.Email) {
			continue
		}
		g := Guest{Name: strings.TrimSpace(a.Name), Email: a.Email}
		for _, l := range []string{"de", "en"} {
			if strings.HasPrefix(strings.ToLower(a.Language.Locale), l) {
				g.Language = l
			}
		}
		n.Guests = append(n.Guests, g)
	}
	if n.Trigger != Called && len(n.Guests) == 0 {
		return Notice{}, ErrNotice
	}
	return n, nil
}
