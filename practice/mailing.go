// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/mail"
	"github.com/caddy-videoroom/videoroom/practice/internal/outbox"
	"github.com/caddy-videoroom/videoroom/token"
)

// Mailer sends letters by a site's mail server. Its errors wrap
// [ErrMailTemporary], [ErrMailPermanent] or [ErrMailUnclear]; others count as
// unclear: such a letter is never sent twice.
type Mailer interface {
	Send(ctx context.Context, l Letter) error
}

// Letter is everything that a mail to a guest says.
type Letter = mail.Letter

// How failures of a [Mailer] are classified.
var (
	ErrMailTemporary = outbox.ErrTemporary
	ErrMailPermanent = outbox.ErrPermanent
	ErrMailUnclear   = outbox.ErrUnclear
)

// server is the mail server of a site's settings.
type server struct{ sender *mail.Sender }

// Send composes a letter and hands it over.
func (s server) Send(ctx context.Context, l Letter) error {
	m, err := mail.Compose(l)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMailPermanent, err)
	}
	return classified(s.sender.Send(ctx, m))
}

// classified translates a sender's failure.
func classified(err error) error {
	if err == nil {
		return nil
	}
	f := &outbox.FailureError{Class: ErrMailUnclear}
	switch mail.ClassOf(err) {
	case mail.Temporary:
		f.Class = ErrMailTemporary
	case mail.Permanent:
		f.Class = ErrMailPermanent
	}
	if e, ok := errors.AsType[*mail.SendError](err); ok {
		f.Reason = outbox.Reason(e.Reason)
	}
	return f
}

// mails tells whether a site sends mail.
func (d *Desk) mails(c *config.Site) bool {
	if d.mail != nil {
		return d.mail(c) != nil
	}
	return c.SMTP != nil
}

// mailer returns who sends a site's letters.
func (d *Desk) mailer(c *config.Site) (Mailer, error) {
	switch {
	case !d.mails(c):
		return nil, errNoMailer
	case d.mail != nil:
		return d.mail(c), nil
	}
	sender, err := mail.NewSender(mail.Server{
		Address: c.SMTP.Server, User: c.SMTP.User, Password: c.SMTP.Password, TLS: c.SMTP.TLS,
	})
	if err != nil {
		return nil, err
	}
	return server{sender}, nil
}

// prepare makes the next attempt at a letter, from what the storage says of the
// appointment at this moment.
func (d *Desk) prepare(site string, l *appointment.Letter) outbox.Prepare {
	return func(ctx context.Context) (outbox.Attempt, error) {
		a, err := d.agenda.fresh(ctx, site, l.Appointment)
		if err != nil {
			return nil, err
		}
		c := d.siteFor(site, a.Host)
		if c == nil {
			return nil, errNotServed
		}
		mailer, err := d.mailer(c)
		if err != nil {
			return nil, err
		}
		if !owed(a, c, l.ID, func(id string) appointment.Outcome { return d.agenda.box.Outcome(site, id) }) {
			return nil, nil
		}
		letter, err := d.compose(site, c, a, l)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return mailer.Send(ctx, letter) }, nil
	}
}

// owed tells whether a letter is still one of the appointment's.
func owed(a *appointment.Appointment, c *config.Site, id string, outcome func(string) appointment.Outcome) bool {
	for _, l := range a.Letters(reminder(c), outcome) {
		if l.ID == id {
			return true
		}
	}
	return false
}

func reminder(c *config.Site) time.Duration {
	before, on := c.Reminds()
	if !on {
		return 0
	}
	return before
}

// siteFor returns the settings in force for a host of a site, or nil.
func (d *Desk) siteFor(site, host string) *config.Site {
	find := d.find.Load()
	if find == nil {
		return nil
	}
	return siteOf((*find)(site), token.HostSession{Host: host})
}

// compose collects what a letter says.
func (d *Desk) compose(site string, c *config.Site, a *appointment.Appointment, l *appointment.Letter) (Letter, error) {
	var guest *appointment.Guest
	for i := range a.Guests {
		if a.Guests[i].ID == l.Guest {
			guest = &a.Guests[i]
		}
	}
	if guest == nil {
		return Letter{}, fmt.Errorf("%w: the guest is gone", ErrMailPermanent)
	}
	secret := d.keys.Guest(site, a.Room, guest.ID, guest.Generation, guest.E2EE)
	if appointment.HashSecret(secret) != guest.SecretHash && l.What != appointment.Cancellation {
		// The master key is another one than when the link was made.
		return Letter{}, fmt.Errorf("%w: the link cannot be made again", ErrMailPermanent)
	}
	zone, err := time.LoadLocation(a.Zone)
	if err != nil {
		return Letter{}, fmt.Errorf("%w: time zone", ErrMailPermanent)
	}
	host, _ := c.Host(a.Host)
	base, now := d.baseOf(site, a), d.now()
	letter := Letter{
		What: mail.What(l.What), ID: l.ID, To: guest.Email, Written: now,
		Language: or(guest.Language, c.Language), Address: or(guest.Address, c.Address),
		Practice: c.Practice, Phone: c.Phone, HostName: host.Name,
		Start: a.Start.In(zone), Duration: a.Duration(), Zone: a.Zone, UID: a.UID, Sequence: a.Sequence,
		TestLink: base + "/test", InPersonURL: c.InPersonURL, Checklist: c.Checklist, Color: c.Color,
	}
	if a.Reminds(reminder(c), now) {
		letter.LinkBefore = reminder(c)
	}
	if before := time.Duration(c.OpensBefore); now.Before(a.Start.Add(-before)) {
		letter.OpensBefore = before
	}
	if c.SMTP != nil {
		letter.From = c.SMTP.From
	}
	if l.What == appointment.Change {
		letter.Was = a.Was(l.Told).In(zone)
		if a.Was(l.Told).IsZero() || letter.Was.Equal(letter.Start) {
			letter.Was = time.Time{} // it lasts longer or shorter
		}
	}
	if u, err := url.Parse(base); err == nil && strings.HasPrefix(c.InPersonURL, "/") {
		letter.InPersonURL = u.Scheme + "://" + u.Host + c.InPersonURL
	}
	if l.What != appointment.Cancellation {
		letter.Link = guestLink(base, a, secret)
	}
	return letter, nil
}

func guestLink(base string, a *appointment.Appointment, secret string) string {
	return base + "/r/" + a.Room + "#s=" + secret
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
