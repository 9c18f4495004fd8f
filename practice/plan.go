// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"encoding/json"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/outbox"
)

// planDays is how many days after today's a dashboard shows.
const planDays = 14

// What hosts learn of appointments.
type (
	appointmentBody struct {
		ID              string             `json:"id"`
		Room            string             `json:"room"`
		Host            string             `json:"host"`
		Kind            string             `json:"kind"`
		Start           string             `json:"start"`
		DurationMinutes int                `json:"duration_minutes"`
		Timezone        string             `json:"timezone"`
		Label           string             `json:"label"`
		Series          string             `json:"series,omitempty"`
		InPerson        bool               `json:"in_person"`
		Status          appointment.Status `json:"status"`
		Guests          []invitedBody      `json:"guests"`
		OpensAt         string             `json:"opens_at"`
		ClosesAt        string             `json:"closes_at"`
	}
	invitedBody struct {
		ID       string     `json:"id"`
		Name     string     `json:"name"`
		Email    string     `json:"email"`
		Language string     `json:"language,omitempty"`
		Address  string     `json:"address,omitempty"`
		Revoked  bool       `json:"revoked"`
		Link     string     `json:"link,omitempty"`
		Mail     []mailBody `json:"mail"`
	}
	mailBody struct {
		What   appointment.What `json:"what"`
		State  outbox.State     `json:"state"`
		At     string           `json:"at"`
		Reason outbox.Reason    `json:"reason,omitempty"`
	}
)

// describe writes an appointment as its host sees it. links are the secrets to be
// shown, by guest.
func (d *Desk) describe(site string, c *config.Site, a *appointment.Appointment, links map[string]string) appointmentBody {
	w := window(c, a)
	body := appointmentBody{
		ID: a.ID, Room: a.Room, Host: a.Host, Kind: a.Kind, Start: inZone(a.Start, a.Zone), DurationMinutes: a.Minutes,
		Timezone: a.Zone, Label: a.Label, Series: a.Series, InPerson: a.InPerson, Status: a.Status,
		Guests: []invitedBody{}, OpensAt: inZone(w.Opens, a.Zone), ClosesAt: inZone(w.Closes, a.Zone),
	}
	mail := d.mailOf(site, c, a)
	for i := range a.Guests {
		g := &a.Guests[i]
		if g.Removed {
			continue
		}
		guest := invitedBody{
			ID: g.ID, Name: g.Name, Email: g.Email, Language: g.Language, Address: g.Address, Revoked: g.Revoked, Mail: mail[g.ID],
		}
		if guest.Mail == nil {
			guest.Mail = []mailBody{}
		}
		if secret, ok := links[g.ID]; ok {
			guest.Link = guestLink(d.baseOf(site, a), a, secret)
		}
		body.Guests = append(body.Guests, guest)
	}
	return body
}

// mailOf returns where the letters of an appointment stand, by guest.
func (d *Desk) mailOf(site string, c *config.Site, a *appointment.Appointment) map[string][]mailBody {
	box := d.agenda.box
	mail := make(map[string][]mailBody)
	for _, l := range a.Letters(reminder(c), func(id string) appointment.Outcome { return box.Outcome(site, id) }) {
		e := box.Entry(site, l.ID)
		m := mailBody{What: l.What, State: e.State, Reason: e.Reason, At: inZone(e.At, a.Zone)}
		switch {
		case e.State == "":
			m.State, m.At = outbox.Queued, inZone(l.Due, a.Zone)
			if !d.mails(c) {
				m.Reason = outbox.NoServer
			}
		case e.State == outbox.Sending:
			m.State = outbox.Queued // a moment later it is something else
		}
		mail[l.Guest] = append(mail[l.Guest], m)
	}
	return mail
}

// trouble counts the letters of a host's appointments that the host should know
// of.
func (d *Desk) trouble(site string, c *config.Site, all []*appointment.Appointment) (n int) {
	box := d.agenda.box
	for _, a := range all {
		for _, l := range a.Letters(reminder(c), func(id string) appointment.Outcome { return box.Outcome(site, id) }) {
			if e := box.Entry(site, l.ID); e.Trouble() {
				n++
			}
		}
	}
	return n
}

// plan is what a dashboard was told of the appointments last.
type plan struct {
	version uint64
	minute  int64
	site    *config.Site
	text    json.RawMessage
	trouble int
}

// of returns the appointments of today and the next two weeks as JSON, and how
// many letters are in trouble. It is written anew when something has changed, and
// every minute, because days end.
func (p *plan) of(h *hostSession) (json.RawMessage, int) {
	d := h.d
	if d.agenda == nil {
		return json.RawMessage("[]"), 0
	}
	version, now := d.agenda.version.Load(), d.now()
	d.mu.Lock()
	c := h.site
	d.mu.Unlock()
	if p.text != nil && p.version == version && p.minute == now.Unix()/60 && p.site == c {
		return p.text, p.trouble
	}
	today := now.In(c.Location())
	from := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, today.Location())
	to := from.AddDate(0, 0, planDays+1)
	own := d.agenda.choose(h.key.site, func(a *appointment.Appointment) bool { return a.Host == h.key.id })
	bodies := []appointmentBody{}
	for _, a := range own {
		if a.End().After(from) && a.Start.Before(to) {
			bodies = append(bodies, d.describe(h.key.site, c, a, nil))
		}
	}
	text, err := json.Marshal(bodies)
	if err != nil { // plain values; cannot happen
		d.log.Error("encoding the appointments failed", "error", err)
		text = []byte("[]")
	}
	*p = plan{version: version, minute: now.Unix() / 60, site: c, text: text, trouble: d.trouble(h.key.site, c, own)}
	return p.text, p.trouble
}
