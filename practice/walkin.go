// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"net/http"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// What is told of an open consultation: visits without a link.
type (
	// hoursBody is what everybody may know who knows a host's address.
	hoursBody struct {
		Open bool `json:"open"`
		// Changes is when that is otherwise; missing: never.
		Changes string `json:"changes,omitempty"`
		Zone    string `json:"timezone"`
		// Week has the times of each day as [from, to], Monday first; missing: open
		// at any time.
		Week [][][2]string `json:"week,omitempty"`
	}
	// walkInState is the open consultation as its host sees it.
	walkInState struct {
		// Address is the last part of the address to be made known.
		Address string `json:"address"`
		hoursBody
	}
)

// lobbyOf names the place where visitors of a host wait who have no link. No
// room's id looks like it.
func lobbyOf(host string) string { return "open/" + host }

// arrive finds out where a visitor may knock: with a link at its room, without one
// at a host's who takes such visitors.
func (d *Desk) arrive(c Call, from *source, f *visitorFrame) (visitor, error) {
	if f.Room != "" || f.Cap != "" {
		return d.visit(c, from, f.Room, f.Cap)
	}
	host, err := d.walkIn(c, from, f.Host)
	if err != nil {
		return visitor{}, err
	}
	f.Room = lobbyOf(host.ID)
	return visitor{Visit: token.Visit{Host: host.ID, Expires: time.Now().Add(d.limits.LinkLife)}, lobby: true}, nil
}

// walkIn finds a host who takes visitors without a link. Hosts who do not and
// hosts who do not exist get the same answer. Nobody becomes trusted by an address
// that everybody may know.
func (d *Desk) walkIn(c Call, from *source, id string) (config.Host, error) {
	host, ok := c.Site.Host(id)
	if !ok || !host.WalkIn() {
		return config.Host{}, d.crowd.wrong(from, time.Now(), fail(CodeBadLink))
	}
	return host, nil
}

// serveWalkIn tells when a host may be visited without a link.
func (d *Desk) serveWalkIn(w http.ResponseWriter, c Call, from *source, id string) {
	host, err := d.walkIn(c, from, id)
	if err != nil {
		WriteError(w, err)
		return
	}
	hours := hoursOf(c.Site, host, d.now())
	d.reply(w, struct {
		Host  person    `json:"host"`
		Open  bool      `json:"open"`
		Hours hoursBody `json:"hours"`
	}{person{host.ID, host.Name}, hours.Open, hours})
}

// openNow refuses new knocks of visitors without a link outside the hours; who
// waits already may wait on.
func (v *visitor) openNow(site *config.Site, now time.Time) error {
	if !v.lobby {
		return nil
	}
	host, _ := site.Host(v.Host)
	hours := host.Hours()
	open, changes := hours.At(now.In(site.Location()))
	switch {
	case open:
		return nil
	case changes.IsZero():
		return fail(CodeTooEarly)
	}
	return retry(CodeTooEarly, seconds(changes.Sub(now)))
}

func hoursOf(site *config.Site, host config.Host, now time.Time) hoursBody {
	hours := host.Hours()
	open, changes := hours.At(now.In(site.Location()))
	body := hoursBody{Open: open, Zone: site.Timezone}
	if !changes.IsZero() {
		body.Changes = changes.Format(time.RFC3339)
	}
	if hours.Always {
		return body
	}
	body.Week = make([][][2]string, len(hours.Days))
	for i := range body.Week {
		spans := hours.Days[(i+int(time.Monday))%len(hours.Days)]
		body.Week[i] = make([][2]string, len(spans))
		for j, s := range spans {
			body.Week[i][j] = [2]string{clock(s.From), clock(s.To)}
		}
	}
	return body
}

func clock(minutes int) string {
	if minutes == int(24*time.Hour/time.Minute) {
		return "24:00"
	}
	return time.Time{}.Add(time.Duration(minutes) * time.Minute).Format("15:04")
}

func walkInOf(site *config.Site, host config.Host, now time.Time) *walkInState {
	if !host.WalkIn() {
		return nil
	}
	return &walkInState{host.ID, hoursOf(site, host, now)}
}

// doorLocked finds what a host may do something at the door of: an open room of
// their own, a standing one that is not open yet, or the place where people without
// a link wait. The caller holds the
// desk's mutex.
func (h *hostSession) doorLocked(room string) (*record, error) {
	r := h.d.records[roomKey{h.key.site, room}]
	if known := r != nil && r.host == h.key.id; room != lobbyOf(h.key.id) && !(known && r.standing != "") {
		return h.ownedLocked(room)
	}
	switch {
	case h.dismissed:
		return nil, fail(CodeNotHost)
	case r == nil:
		return nil, fail(CodeNotFound)
	}
	return r, nil
}

// receive admits somebody who has no link, to a room that is opened for them: the
// others go on waiting, and no talk is disturbed.
func (h *hostSession) receive(f hostFrame) (result, error) {
	d, now := h.d, time.Now()
	g := token.Grant{Room: token.NewID(), Host: h.key.id, Opened: now, Expires: now.Add(d.limits.LinkLife), Kept: true}
	grant, err := d.keys.Grant(h.key.site, g)
	if err != nil {
		return result{}, err
	}
	link, err := d.keys.Visit(h.key.site, g.Room, token.Visit{Host: g.Host, Expires: g.Expires, E2EE: h.site.E2EERequired()})
	if err != nil {
		return result{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	k, err := h.waitingLocked(f.Room, f.Knock)
	if err != nil {
		return result{}, err
	}
	if err := h.mayOpenLocked(); err != nil {
		return result{}, err
	}
	host, _ := h.site.Host(h.key.id)
	r := d.openLocked(roomKey{h.key.site, g.Room}, h.site, g, grant, link)
	delete(k.record.knocks, k.id)
	r.knocks[k.id] = k
	k.record, k.origin, k.handover = r, k.record.key, nil
	k.moved = &moved{g.Room, link, person{host.ID, host.Name}}
	d.settleLocked(k, admitted, "", now)
	return result{Room: g.Room}, nil
}

// vacantTime is how long a standing room or one of the open consultation may be
// empty before it closes by itself.
const vacantTime = 30 * time.Minute

// minutely does what need not be done more often: it has hosts told when their
// hours begin and end, and closes standing rooms and those of the open consultation
// that nobody is in.
func (d *Desk) minutely(now time.Time) {
	var kept []roomKey
	d.mu.Lock()
	for key, sessions := range d.hosts {
		for h := range sessions {
			host, _ := h.site.Host(key.id)
			if walkInOf(h.site, host, d.now()).opened() != h.openTold {
				h.wake()
			}
		}
	}
	for key, r := range d.records {
		if (r.kept || r.standing != "") && r.open() && r.waiting() == 0 {
			kept = append(kept, key)
		}
	}
	d.mu.Unlock()
	for _, key := range kept {
		empty := len(d.rooms.Participants(key.site, key.id)) == 0
		d.mu.Lock()
		if r := d.records[key]; r != nil && !r.ended {
			d.vacateLocked(r, empty, now)
		}
		d.mu.Unlock()
	}
}

func (d *Desk) vacateLocked(r *record, empty bool, now time.Time) {
	switch {
	case !empty:
		r.emptied = time.Time{}
	case r.emptied.IsZero():
		r.emptied = now
	case now.Sub(r.emptied) >= vacantTime:
		d.endLocked(r, reasonEnded)
	}
}

func (w *walkInState) opened() bool { return w != nil && w.Open }
