// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// hostFrame is what hosts say.
type hostFrame struct {
	Type     string   `json:"type"`
	Token    string   `json:"token"`
	Rooms    []string `json:"rooms"`
	ID       int64    `json:"id"`
	Do       string   `json:"do"`
	Room     string   `json:"room"`
	Knock    string   `json:"knock"`
	Identity string   `json:"identity"`
	Kind     Kind     `json:"kind"`
	Name     string   `json:"name"`
	Text     string   `json:"text"`
	Host     string   `json:"host"`
	// Key is the public key of the page, with enter.
	Key string `json:"key"`
	// KEM and Sig announce the page's key for names, N and Data are a message that
	// the server cannot read.
	KEM  string `json:"kem"`
	Sig  string `json:"sig"`
	N    uint64 `json:"n"`
	Data string `json:"data"`

	Appointment string `json:"appointment"`
	Standing    string `json:"standing"`
}

// What hosts are told.
type (
	person struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	stateFrame struct {
		Type  string      `json:"type"`
		Host  person      `json:"host"`
		Rooms []roomState `json:"rooms"`
		// Colleagues are the site's other hosts.
		Colleagues []colleague `json:"colleagues"`
		Office     officeBody  `json:"office"`
		// Appointments are those of today and the next two weeks, MailTrouble the
		// letters that a host should know of.
		Appointments json.RawMessage `json:"appointments"`
		MailTrouble  int             `json:"mail_trouble"`
		// CalendarTrouble is since when the host's own calendar cannot be read.
		CalendarTrouble time.Time `json:"calendar_trouble,omitzero"`
		// WalkIn is there where people may come to the host without a link.
		WalkIn *walkInState `json:"walk_in,omitempty"`
	}
	roomState struct {
		ID       string    `json:"id"`
		Grant    string    `json:"grant"`
		Link     string    `json:"link"`
		OpenedAt time.Time `json:"opened_at,omitzero"`
		Locked   bool      `json:"locked"`
		// Keyed: the link has a key. Keyable: it may get one.
		Keyed        bool          `json:"keyed,omitempty"`
		Keyable      bool          `json:"keyable,omitempty"`
		Participants []Participant `json:"participants"`
		Waiting      []guest       `json:"waiting"`
		Appointment  string        `json:"appointment,omitempty"`
		// Lobby is no room: who waits there came without a link.
		Lobby bool `json:"lobby,omitempty"`
		// Standing is there for rooms that the host keeps, also while they are closed.
		Standing *standingState `json:"standing,omitempty"`
	}
	guest struct {
		ID    string    `json:"id"`
		Name  string    `json:"name,omitempty"`
		Since time.Time `json:"since"`
		// Key is the public key of the guest's page.
		Key string `json:"key,omitempty"`
		// Back: was put back from the room. From: the colleague who handed
		// the guest over. Hand: the colleague whom the guest was offered.
		Back bool       `json:"back,omitempty"`
		From string     `json:"from,omitempty"`
		Hand *handState `json:"hand,omitempty"`
		// Messages are what the guest was told.
		Messages []string `json:"messages,omitempty"`
		// Sealed is the name where Name is not told, for this page alone; it comes once
		// on each connection. Letters are messages that the server cannot read.
		Sealed  string   `json:"sealed,omitempty"`
		Letters []letter `json:"letters,omitempty"`
		// Unlinked: came without a link.
		Unlinked bool `json:"unlinked,omitempty"`
	}
	sessionFrame struct {
		Type      string `json:"type"`
		Token     string `json:"token"`
		ExpiresIn int    `json:"expires_in"`
	}
)

// hostSession is one dashboard of a host. site, dismissed, openTold, door and
// announced belong to the desk's mutex, the rest to the session's goroutine.
type hostSession struct {
	signal
	*socket
	d     *Desk
	key   hostKey
	proof token.HostSession
	base  string
	// plan is the appointments as they were told last; of the session's goroutine.
	plan plan
	// toldSeals are the sealed names that this connection has been told, by knock and
	// identity.
	toldSeals map[string]string

	site      *config.Site
	dismissed bool
	// openTold is whether the dashboard shows an open consultation as open.
	openTold bool
	// door is this page's key for names, empty without; announced orders doors.
	door      doorKey
	announced uint64
}

func (d *Desk) serveHost(w http.ResponseWriter, r *http.Request, c Call) {
	d.serveSocket(w, r, c, func(ctx context.Context, s *socket, from *source) error {
		var f hostFrame
		if err := d.first(s, &f); err != nil {
			return err
		}
		if f.Type != "hello" {
			return fail(CodeBadRequest)
		}
		now := time.Now()
		proof, err := d.proven(c, f.Token, now)
		switch {
		case errors.Is(err, token.ErrBadToken):
			return d.crowd.wrong(from, now, err)
		case err != nil:
			return err
		}
		d.crowd.right(from)
		h := &hostSession{
			signal: newSignal(), socket: s, d: d, key: hostKey{c.SiteID, proof.Host}, proof: proof,
			base: c.Base, site: c.Site,
		}
		if err := d.signIn(h); err != nil {
			return err
		}
		defer d.signOut(h)
		d.reopen(h, f.Rooms)
		return h.loop(ctx)
	})
}

// signIn registers a dashboard; visitors of the host's rooms see the host come.
func (d *Desk) signIn(h *hostSession) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	sessions := d.hosts[h.key]
	if len(sessions) >= d.limits.SocketsPerHost {
		return retry(CodeTooMany, 60)
	}
	if sessions == nil {
		sessions = make(map[*hostSession]struct{})
		d.hosts[h.key] = sessions
	}
	sessions[h] = struct{}{}
	if len(sessions) == 1 {
		d.presenceLocked(h.key)
	}
	return nil
}

func (d *Desk) signOut(h *hostSession) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.hosts[h.key], h)
	if h.door.Key != "" {
		d.doorsChangedLocked(h.key)
	}
	if len(d.hosts[h.key]) == 0 {
		delete(d.hosts, h.key)
		d.presenceLocked(h.key)
	}
}

// reopen opens the rooms that a host holds grants for and the desk does not
// know: those of before a restart. Grants that do not fit are passed over,
// since the dashboard shows what is open anyway.
func (d *Desk) reopen(h *hostSession, grants []string) {
	now := time.Now()
	for _, text := range grants[:min(len(grants), d.limits.RoomsPerHost)] {
		g, err := d.keys.VerifyGrant(h.key.site, text, now)
		if err != nil || g.Host != h.key.id {
			continue
		}
		link, err := d.keys.Visit(h.key.site, g.Room, token.Visit{Host: g.Host, Expires: g.Expires, E2EE: h.site.E2EERequired()})
		if err != nil {
			continue
		}
		d.mu.Lock()
		r := d.records[roomKey{h.key.site, g.Room}]
		if own, all := d.openCountsLocked(h.key); (r == nil || r.opened.IsZero() && !r.ended) &&
			own < d.limits.RoomsPerHost && all < d.limits.Rooms && !d.fullLocked(h.key.site, h.site) {
			d.openLocked(roomKey{h.key.site, g.Room}, h.site, g, text, link)
		}
		d.mu.Unlock()
	}
}

// loop serves a dashboard until it leaves, its sign-in ends or the desk closes.
func (h *hostSession) loop(ctx context.Context) error {
	refresh := time.NewTicker(h.d.limits.Refresh)
	defer refresh.Stop()
	pause := time.NewTimer(0) // runs while no state may be told
	defer pause.Stop()
	dirty, ready := true, false
	for {
		if dirty && ready {
			if err := h.tell(ctx); err != nil {
				return err
			}
			dirty, ready = false, false
			pause.Reset(h.d.limits.Coalesce)
		}
		select {
		case <-h.signal:
			dirty = true
		case <-pause.C:
			ready = true
		case <-refresh.C:
			if err := h.renew(ctx); err != nil {
				return err
			}
		case <-h.d.leave:
			return errLeave
		case frame, ok := <-h.frames:
			if !ok {
				return errGone
			}
			if err := h.hear(ctx, frame); err != nil {
				return err
			}
		}
	}
}

// tell writes the whole state.
func (h *hostSession) tell(ctx context.Context) error {
	s, ok := h.d.state(h)
	if !ok {
		return fail(CodeNotHost)
	}
	for i := range s.Rooms {
		// Asked outside the lock: rooms answer from goroutines of their own.
		people := h.d.rooms.Participants(h.key.site, s.Rooms[i].ID)
		h.d.showKeys(roomKey{h.key.site, s.Rooms[i].ID}, people, h)
		s.Rooms[i].Participants = append(s.Rooms[i].Participants, people...)
	}
	h.news(s.Rooms)
	s.Appointments, s.MailTrouble = h.plan.of(h)
	if u := h.d.subscriber; u != nil {
		s.CalendarTrouble = u.trouble(h.key).UTC().Truncate(time.Second)
	}
	return h.write(ctx, s)
}

// state collects a host's open rooms; false: the host has been signed out.
func (d *Desk) state(h *hostSession) (stateFrame, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	host, _ := h.site.Host(h.key.id)
	s := stateFrame{Type: "state", Host: person{host.ID, host.Name}, Rooms: []roomState{}}
	s.Colleagues, s.Office = d.colleaguesLocked(h.site, h.key), d.office(h.site)
	s.WalkIn = walkInOf(h.site, host, d.now())
	h.openTold = s.WalkIn.opened()
	kept := d.standingStatesLocked(h.key.site, h.site, host, h.door)
	for key, r := range d.records {
		if slices.ContainsFunc(kept, func(s roomState) bool { return s.ID == key.id }) {
			continue
		}
		if key.site == h.key.site && r.host == h.key.id && (r.open() || r.lobby && r.waiting() > 0) {
			s.Rooms = append(s.Rooms, r.state(h.door))
		}
	}
	slices.SortFunc(s.Rooms, func(a, b roomState) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	s.Rooms = append(s.Rooms, kept...)
	return s, !h.dismissed
}

// state is a room as a page with this door sees it.
func (r *record) state(to doorKey) roomState {
	s := roomState{
		ID: r.key.id, Grant: r.grant, Appointment: r.appointment,
		OpenedAt: r.opened.UTC().Truncate(time.Second), Participants: []Participant{}, Waiting: []guest{}, Locked: r.locked,
		Lobby: r.lobby, Keyed: r.keyed, Keyable: r.keyable(),
	}
	if r.link != "" {
		s.Link = "r/" + r.key.id + "#s=" + r.link
	}
	for _, k := range r.knocks {
		if k.state == waiting {
			s.Waiting = append(s.Waiting, k.shown(to))
		}
	}
	slices.SortFunc(s.Waiting, func(a, b guest) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	for i := range s.Waiting {
		s.Waiting[i].Since = s.Waiting[i].Since.Truncate(time.Second)
	}
	return s
}

func (k *knock) shown(to doorKey) guest {
	g := guest{
		ID: k.id, Name: cmp.Or(k.name, k.listed), Sealed: sealFor(k.seals, to), Letters: k.letters, Since: k.since.UTC(), Key: k.key, Back: k.former != "", From: k.from, Messages: k.messages,
		Unlinked: k.unlinked,
	}
	if k.handover != nil {
		g.Hand = &handState{k.handover.to, k.handover.refused}
	}
	return g
}

// renew hands the dashboard its next token. It fails when the sign-in is too
// old; the page then signs in anew.
func (h *hostSession) renew(ctx context.Context) error {
	session, err := h.d.keys.HostSession(h.key.site, h.proof, time.Now())
	if err != nil {
		return err
	}
	return h.write(ctx, sessionFrame{"session", session, seconds(token.HostSessionLife)})
}

// hear takes what a host says.
func (h *hostSession) hear(ctx context.Context, frame []byte) error {
	var f hostFrame
	if err := h.accept(frame, &f); err != nil {
		return err
	}
	switch f.Type {
	case "ping":
		return h.write(ctx, plainFrame{"pong"})
	case "door":
		return h.announce(f)
	case "cmd":
		return h.write(ctx, h.command(f))
	}
	return fail(CodeBadRequest)
}
