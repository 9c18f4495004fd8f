// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"crypto/subtle"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// standing is a room that a host keeps, with what its link is made of.
type standing struct {
	config.StandingRoom
	host, id, secret string
}

// standingState is what a dashboard says of such a room beside what it says of
// every room.
type standingState struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind,omitempty"`
}

func (d *Desk) standingOf(siteID string, c *config.Site, host string, room config.StandingRoom) *standing {
	id, secret := d.keys.Standing(siteID, host, room.ID, uint32(room.LinkGeneration), c.E2EERequired())
	return &standing{room, host, id, secret}
}

// standingIn finds the room of an id among those that the hosts of a site keep;
// nil: it is none of them.
func (d *Desk) standingIn(siteID string, c *config.Site, id string) *standing {
	for _, host := range c.Hosts {
		for _, room := range host.Rooms {
			if s := d.standingOf(siteID, c, host.ID, room); s.id == id {
				return s
			}
		}
	}
	return nil
}

// standingVisit verifies the secret of a standing room's link.
func (d *Desk) standingVisit(c Call, s *standing, secret string) (visitor, error) {
	// A link from before the site began to encrypt leads to a call that is encrypted.
	_, older := d.keys.Standing(c.SiteID, s.host, s.ID, uint32(s.LinkGeneration), false)
	if subtle.ConstantTimeCompare([]byte(s.secret), []byte(secret))|subtle.ConstantTimeCompare([]byte(older), []byte(secret)) != 1 {
		return visitor{}, token.ErrBadCapability
	}
	kind, _ := c.Site.Kind(s.Kind)
	return visitor{
		Visit: token.Visit{Host: s.host, Expires: time.Now().Add(d.limits.LinkLife)}, standing: s, kind: kind,
	}, nil
}

// keep marks a record as that of a standing room.
func (r *record) keep(s *standing, kind config.Kind, expires time.Time) {
	r.standing, r.most, r.expires = s.ID, kind.MaxParticipants, expires
}

// close ends what goes on in a standing room, not the room: whoever was inside
// needs to knock again.
func (r *record) close(now time.Time) {
	r.opened, r.emptied, r.held, r.locked = time.Time{}, time.Time{}, false, false
	r.shut, r.inside = now, make(map[string]struct{})
}

// letIn remembers who may come in since a standing room was closed.
func (r *record) letIn(identity string) {
	if r.inside != nil {
		r.inside[identity] = struct{}{}
	}
}

func (r *record) shutOut(identity string) bool {
	_, in := r.inside[identity]
	return r.inside != nil && !in
}

// lapses tells that a room's time is over. A standing room has none while it is
// closed.
func (r *record) lapses(now time.Time) bool {
	return !r.ended && !now.Before(r.expires) && (r.standing == "" || r.open())
}

// openKeptLocked opens a standing room and lets in who waits, where nobody has to.
func (d *Desk) openKeptLocked(siteID string, c *config.Site, s *standing) {
	now := time.Now()
	kind, _ := c.Kind(s.Kind)
	r := d.recordLocked(roomKey{siteID, s.id}, s.host, c, now)
	r.keep(s, kind, now.Add(d.limits.LinkLife))
	r.site, r.opened, r.emptied, r.held = c, now, time.Time{}, kind.HostFirst
	if r.unguarded() && !r.held {
		for _, k := range r.knocks {
			d.settleLocked(k, admitted, "", now)
		}
	}
	d.wakeHostLocked(hostKey{siteID, s.host})
	r.wakeVisitors()
}

// openStandingLocked opens a room if it is one that this host keeps and is closed.
// The caller holds the desk's mutex.
func (h *hostSession) openStandingLocked(id string) error {
	s := h.d.standingIn(h.key.site, h.site, id)
	if r := h.d.records[roomKey{h.key.site, id}]; s == nil || s.host != h.key.id || h.dismissed || r != nil && r.open() {
		return nil
	}
	_, all := h.d.openCountsLocked(h.key)
	switch {
	case all >= h.d.limits.Rooms:
		return retry(CodeUnavailable, 60)
	case h.d.fullLocked(h.key.site, h.site):
		return fail(CodeTooMany)
	}
	h.d.openKeptLocked(h.key.site, h.site, s)
	return nil
}

// openStanding opens a room that the host keeps, by its id in the configuration.
func (h *hostSession) openStanding(id string) (result, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	host, _ := h.site.Host(h.key.id)
	for _, room := range host.Rooms {
		if room.ID != id {
			continue
		}
		s := h.d.standingOf(h.key.site, h.site, h.key.id, room)
		if err := h.openStandingLocked(s.id); err != nil {
			return result{}, err
		}
		if _, err := h.ownedLocked(s.id); err != nil {
			return result{}, err
		}
		return result{Room: s.id}, nil
	}
	return result{}, fail(CodeNotFound)
}

// reviveStandingLocked opens a standing room that the desk does not know and that
// somebody is in: after a restart people come back before their host does.
func (d *Desk) reviveStandingLocked(key roomKey) *record {
	find := d.find.Load()
	if find == nil {
		return nil
	}
	for _, c := range (*find)(key.site) {
		if s := d.standingIn(key.site, c, key.id); s != nil {
			d.openKeptLocked(key.site, c, s)
			return d.records[key]
		}
	}
	return nil
}

// standingStatesLocked lists the rooms that a host keeps, open or not, as they are
// configured. The caller holds the desk's mutex.
func (d *Desk) standingStatesLocked(site string, c *config.Site, host config.Host, to doorKey) []roomState {
	all := make([]roomState, 0, len(host.Rooms))
	for _, room := range host.Rooms {
		s := d.standingOf(site, c, host.ID, room)
		r := d.records[roomKey{site, s.id}]
		if r == nil {
			r = &record{key: roomKey{site, s.id}}
		}
		state := r.state(to)
		state.Link = "r/" + s.id + "#s=" + s.secret
		state.Standing = &standingState{room.ID, room.Name, room.Kind}
		all = append(all, state)
	}
	return all
}
