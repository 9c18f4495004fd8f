// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/token"
)

// freshTime bounds how long a visitor waits for the storage to say whether
// something has changed since.
const freshTime = 2 * time.Second

// visitor is somebody with a good link.
type visitor struct {
	token.Visit
	// appointment is nil where the link is not one of an appointment's guest.
	appointment *appointment.Appointment
	guest       appointment.Guest
	window      appointment.Window
	kind        config.Kind
	// lobby tells that the visitor has no link.
	lobby bool
	// standing is the room that a host keeps.
	standing *standing
}

// visitedBody is what the holder of a guest's link learns of the appointment.
type visitedBody struct {
	Start           string            `json:"start"`
	DurationMinutes int               `json:"duration_minutes"`
	Timezone        string            `json:"timezone"`
	OpensAt         string            `json:"opens_at"`
	ClosesAt        string            `json:"closes_at"`
	Kind            string            `json:"kind"`
	State           appointment.State `json:"state"`
	Name            string            `json:"name,omitempty"`
}

// nobody stands in for appointments that do not exist, so that a wrong room costs
// what a wrong secret costs.
var nobody = &appointment.Appointment{Guests: []appointment.Guest{{SecretHash: appointment.HashSecret("")}}}

// guestVisit verifies the secret of an appointment's guest. Wrong ones are told
// from memory, whatever they are wrong about; the storage is asked for right ones
// alone, whether another process has changed the appointment meanwhile.
func (d *Desk) guestVisit(c Call, room, secret string) (visitor, error) {
	if !d.agenda.known(c.SiteID) {
		return visitor{}, retry(CodeUnavailable, storageRetry)
	}
	a := d.agenda.inRoom(c.SiteID, room)
	candidate := a
	if a == nil || a.Room != room {
		candidate = nobody
	}
	if candidate.Holder(secret) == nil || candidate == nobody {
		return visitor{}, token.ErrBadCapability
	}
	ctx, cancel := context.WithTimeout(d.work, freshTime)
	defer cancel()
	if fresh, err := d.agenda.fresh(ctx, c.SiteID, a.ID); err == nil {
		a = fresh
	} else if coded(err).Code == CodeNotFound {
		return visitor{}, token.ErrBadCapability
	} // otherwise what is in memory holds: the storage must keep nobody out
	g := a.Holder(secret)
	if g == nil {
		return visitor{}, token.ErrBadCapability
	}
	kind, _ := c.Site.Kind(a.Kind)
	w := window(c.Site, a)
	return visitor{
		Visit: token.Visit{Host: a.Host, Expires: w.Closes}, appointment: a, guest: *g, window: w, kind: kind,
	}, nil
}

func window(c *config.Site, a *appointment.Appointment) appointment.Window {
	return a.Window(time.Duration(c.OpensBefore), time.Duration(c.ClosesAfter))
}

func isUnavailable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == CodeUnavailable
}

// mayKnock refuses whoever comes at the wrong time.
func (v *visitor) mayKnock(now time.Time) error {
	if v.appointment == nil {
		return nil
	}
	switch v.appointment.State(v.window, now) {
	case appointment.Early:
		return retry(CodeTooEarly, seconds(v.window.Opens.Sub(now)))
	case appointment.Off:
		return fail(CodeCancelled)
	case appointment.Over:
		return fail(CodeLinkExpired)
	}
	return nil
}

// called is the name that the host sees: the one on the list where a kind has
// one.
func (v *visitor) called(name string) string {
	if v.kind.NamedList && v.guest.Name != "" {
		return v.guest.Name
	}
	return name
}

// most is how many people the room takes.
func (v *visitor) most(c *config.Site) int {
	if v.kind.MaxParticipants > 0 {
		return min(v.kind.MaxParticipants, c.MaxParticipants)
	}
	return c.MaxParticipants
}

// body is what the visitor learns; nil without appointment.
func (v *visitor) body(now time.Time) *visitedBody {
	a := v.appointment
	if a == nil {
		return nil
	}
	return &visitedBody{
		Start: inZone(a.Start, a.Zone), DurationMinutes: a.Minutes, Timezone: a.Zone,
		OpensAt: inZone(v.window.Opens, a.Zone), ClosesAt: inZone(v.window.Closes, a.Zone),
		Kind: a.Kind, State: a.State(v.window, now), Name: v.guest.Name,
	}
}

// inZone writes a time with the offset that applies in a zone then.
func inZone(t time.Time, zone string) string {
	if z, err := time.LoadLocation(zone); err == nil {
		t = t.In(z)
	}
	return t.Format(time.RFC3339)
}

// openAppointmentLocked opens the room of an appointment, for as long as its links
// are good: guests who knock make it appear on the host's dashboard.
func (d *Desk) openAppointmentLocked(r *record, a *appointment.Appointment, host bool) {
	if r.ended && !r.lapsed {
		return
	}
	if _, all := d.openCountsLocked(hostKey{r.key.site, r.host}); !r.open() && all >= d.limits.Rooms {
		return // whoever knocks waits
	}
	kind, _ := r.site.Kind(a.Kind)
	if r.lapsed {
		r.opened, r.ended, r.lapsed = time.Time{}, false, false
	}
	r.expires, r.appointment, r.most = window(r.site, a).Closes, a.ID, kind.MaxParticipants
	if r.opened.IsZero() {
		r.opened = d.now()
		r.held, r.locked = kind.HostFirst && !host, a.Locked
	}
	if host {
		d.hostComesLocked(hostKey{r.key.site, r.host}, r.key.id)
	}
	d.wakeHostLocked(hostKey{r.key.site, r.host})
	r.wakeVisitors()
}

// hostComesLocked lets in those who wait for nothing but the host.
func (d *Desk) hostComesLocked(k hostKey, room string) {
	r := d.records[roomKey{k.site, room}]
	if r == nil || r.host != k.id || !r.open() {
		return
	}
	r.held = false
	if r.appointment == "" && r.standing == "" || !r.unguarded() || r.locked {
		return
	}
	for _, w := range r.knocks {
		d.settleLocked(w, admitted, "", time.Now())
	}
}

// reviveLocked opens the room of an appointment that the desk does not know, after
// a restart of the server or before anybody has knocked. It returns nil where
// there is no such appointment or its time is over.
func (d *Desk) reviveLocked(key roomKey) *record {
	if d.agenda == nil {
		return nil
	}
	a := d.agenda.inRoom(key.site, key.id)
	if a == nil || a.Room != key.id || a.Status != appointment.Planned {
		return nil
	}
	c := d.siteFor(key.site, a.Host)
	if c == nil || !d.now().Before(window(c, a).Closes) {
		return nil
	}
	r := d.recordLocked(key, a.Host, c, window(c, a).Closes)
	d.openAppointmentLocked(r, a, false)
	return r
}

// openAppointment opens the room of an appointment for its host, at any time
// before its end.
func (h *hostSession) openAppointment(id string) (result, error) {
	if h.d.agenda == nil {
		return result{}, fail(CodeNotFound)
	}
	a := h.d.agenda.find(h.key.site, id)
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	switch {
	case h.dismissed:
		return result{}, fail(CodeNotHost)
	case a == nil || a.Host != h.key.id:
		return result{}, fail(CodeNotFound)
	case a.Status == appointment.Cancelled:
		return result{}, fail(CodeCancelled)
	case !h.d.now().Before(window(h.site, a).Closes):
		return result{}, fail(CodeConflict)
	}
	r := h.d.recordLocked(roomKey{h.key.site, a.Room}, a.Host, h.site, window(h.site, a).Closes)
	h.d.openAppointmentLocked(r, a, true)
	if !r.open() {
		return result{}, fail(CodeRoomClosed)
	}
	return result{Room: a.Room}, nil
}

// size is how many people the room takes.
func (r *record) size() int {
	if r.most > 0 {
		return min(r.most, r.site.MaxParticipants)
	}
	return r.site.MaxParticipants
}

// rearrange applies a changed appointment to its room: a moved one moves the
// room's end, whoever lost their link and all guests of a cancelled one are sent
// away while they wait. Nobody who has been let in is.
func (d *Desk) rearrange(site string, c *config.Site, a *appointment.Appointment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.records[roomKey{site, a.Room}]
	if r == nil || r.appointment != a.ID {
		return
	}
	r.expires = window(c, a).Closes
	for _, k := range r.knocks {
		// Who was put back or handed over is no guest of this appointment.
		lost := slices.ContainsFunc(a.Guests, func(g appointment.Guest) bool { return g.ID == k.guest && (g.Revoked || g.Removed) })
		if a.Status == appointment.Cancelled || lost {
			d.settleLocked(k, closed, reasonEnded, time.Now())
		}
	}
	d.wakeHostLocked(hostKey{site, r.host})
}
