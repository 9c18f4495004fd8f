// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"crypto/sha256"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// visitorFrame is what visitors say.
type visitorFrame struct {
	Type   string `json:"type"`
	Room   string `json:"room"`
	Cap    string `json:"cap"`
	Name   string `json:"name"`
	Resume string `json:"resume"`
	// Key is the public key of the page.
	Key string `json:"key"`
	// Back is the media token of somebody who was put back.
	Back string `json:"back"`
	// Host is who a visitor without a link wants to see; with Accept it answers a
	// handover.
	Host   string `json:"host"`
	Accept bool   `json:"accept"`
	// For is the key of the host's page that can open Data, a sealed name.
	For  string `json:"for"`
	Data string `json:"data"`
}

// What visitors are told.
type (
	// waitingFrame is all that a waiting visitor may know.
	waitingFrame struct {
		Type        string `json:"type"`
		Resume      string `json:"resume"`
		HostPresent bool   `json:"host_present"`
		// Locked: the host lets nobody in at present. Back: was put back.
		Locked   bool     `json:"locked,omitempty"`
		Back     bool     `json:"back,omitempty"`
		Messages []string `json:"messages,omitempty"`
		// Letters are Messages where the server cannot read them.
		Letters []letter `json:"letters,omitempty"`
		// Offer is the colleague to whom the guest may go; they answer.
		Offer *person `json:"offer,omitempty"`
		Moved *moved  `json:"moved,omitempty"`
	}
	admittedFrame struct {
		Type     string `json:"type"`
		Token    string `json:"token"`
		URL      string `json:"url"`
		Identity string `json:"identity"`
		// Moved is the room that was opened for somebody without a link.
		Moved *moved `json:"moved,omitempty"`
	}
	closedFrame struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	}
	plainFrame struct {
		Type string `json:"type"`
	}
)

// visitorSession is a visitor's socket while they wait.
type visitorSession struct {
	signal
	*socket
	d      *Desk
	k      *knock
	secret string
	base   string
}

// visit verifies a visitor's link to a room of the call's site: a capability, or
// the secret of an appointment's guest. All wrong ones get the same answer.
func (d *Desk) visit(c Call, from *source, room, secret string) (visitor, error) {
	now := time.Now()
	var v visitor
	var err error
	if s := d.standingIn(c.SiteID, c.Site, room); s != nil {
		v, err = d.standingVisit(c, s, secret)
	} else if token.IsGuestSecret(secret) && d.agenda != nil {
		v, err = d.guestVisit(c, room, secret)
	} else {
		v.Visit, err = d.keys.VerifyVisit(c.SiteID, room, secret, now)
	}
	if err == nil && !knowsHost(c.Site, v.Host) {
		err = token.ErrBadCapability
	}
	if isUnavailable(err) {
		return visitor{}, err // nobody knows whether it is wrong
	}
	if err != nil {
		return visitor{}, d.crowd.wrong(from, now, err)
	}
	d.crowd.right(from)
	return v, nil
}

// knowsHost accepts links without host on sites without hosts.
func knowsHost(s *config.Site, host string) bool {
	if host == "" {
		return len(s.Hosts) == 0
	}
	_, ok := s.Host(host)
	return ok
}

func (d *Desk) serveKnock(w http.ResponseWriter, r *http.Request, c Call) {
	d.serveSocket(w, r, c, func(ctx context.Context, s *socket, from *source) error {
		var f visitorFrame
		if err := d.first(s, &f); err != nil {
			return err
		}
		if f.Type != "knock" {
			return fail(CodeBadRequest)
		}
		session := &visitorSession{signal: newSignal(), socket: s, d: d, secret: f.Resume, base: c.Base}
		if f.Back != "" {
			return d.serveReturn(ctx, session, c, from, f)
		}
		v, err := d.arrive(c, from, &f)
		if err != nil {
			return err
		}
		if err := checkKey(c.Site, f.Key); err != nil {
			return err
		}
		if f.Name, err = nameOf(c.Site, f.Name); err != nil {
			return err
		}
		if err := v.mayKnock(d.now()); err != nil {
			return err
		}
		if err := d.knock(session, c, from, f, v); err != nil {
			return err
		}
		defer d.hangUp(session)
		return session.loop(ctx)
	})
}

// knock finds the knock that a socket continues or makes a new one.
func (d *Desk) knock(s *visitorSession, c Call, from *source, f visitorFrame, v visitor) error {
	key := roomKey{c.SiteID, f.Room}
	full := !c.Site.WaitingRoomOn() && len(d.rooms.Participants(key.site, key.id)) >= v.most(c.Site)
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if k := d.secrets[sha256.Sum256([]byte(f.Resume))]; k != nil && (k.record.key == key || k.origin == key) {
		k.wake() // the socket before this one, if it lives, sees itself replaced
		s.k, k.session = k, s
		d.rekeyLocked(k, f.Key)
		return nil
	}
	if err := v.openNow(c.Site, d.now()); err != nil {
		return err
	}
	r := d.recordLocked(key, v.Host, c.Site, v.Expires)
	if v.lobby {
		r.lobby, r.kept, r.expires = true, true, v.Expires
	}
	if v.standing != nil {
		r.keep(v.standing, v.kind, v.Expires)
	}
	if v.appointment != nil {
		d.openAppointmentLocked(r, v.appointment, false)
	}
	if r.ended {
		return fail(CodeRoomClosed)
	}
	atOnce := d.entersAtOnceLocked(r, c.Site)
	if atOnce && full {
		return fail(CodeRoomFull)
	}
	if err := d.queueLocked(r, from, now); err != nil {
		return err
	}
	k := &knock{
		id: token.NewID(), identity: token.NewID(), key: f.Key, guest: v.guest.ID, since: now, record: r, source: from,
		unlinked: v.lobby,
	}
	if name := v.called(f.Name); c.Site.E2EERequired() {
		k.listed = name
	} else {
		k.name = name
	}
	s.adopt(k)
	r.knocks[s.k.id], d.secrets[s.k.secret] = s.k, s.k
	if atOnce {
		d.settleLocked(s.k, admitted, "", now)
	}
	d.wakeHostLocked(hostKey{key.site, r.host})
	return nil
}

// adopt makes the session the one that hears the answer, under a new secret.
// The caller holds the desk's mutex.
func (s *visitorSession) adopt(k *knock) {
	k.wake() // the socket before this one, if it lives, sees itself replaced
	s.secret = token.NewSecret()
	s.k, k.session, k.secret = k, s, sha256.Sum256([]byte(s.secret))
}

// entersAtOnceLocked tells whether nobody needs to open the door. On a site
// without hosts the first visitor opens the room.
func (d *Desk) entersAtOnceLocked(r *record, site *config.Site) bool {
	if site.WaitingRoomOn() || r.kept || r.locked {
		return false
	}
	if len(site.Hosts) == 0 && !r.open() {
		r.opened = time.Now()
	}
	return r.open() && !r.held
}

// queueLocked checks the limits of the queue and takes a place in it.
func (d *Desk) queueLocked(r *record, from *source, now time.Time) error {
	if len(d.secrets) >= d.limits.Knocks {
		return retry(CodeUnavailable, 60)
	}
	if r.waiting() >= r.atLeast(d.limits.WaitingPerRoom) {
		return retry(CodeTooMany, 60)
	}
	if wait := r.arrivals.take(now, r.atLeast(d.limits.KnocksPerMinute), time.Minute); wait > 0 {
		return retry(CodeTooMany, seconds(wait))
	}
	if !d.crowd.wait(from) {
		return retry(CodeTooMany, 60)
	}
	return nil
}

// atLeast raises a limit to the number of people that the room takes: a large
// meeting begins for all of them in the same minute. Where no link is asked for the
// limit holds.
func (r *record) atLeast(limit int) int {
	if r.lobby {
		return limit
	}
	return max(limit, r.site.MaxParticipants)
}

// hangUp leaves a knock without socket; the grace begins.
func (d *Desk) hangUp(s *visitorSession) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.k.session != s {
		return
	}
	s.k.session = nil
	if s.k.state == waiting {
		s.k.idle = time.Now()
	}
}

func (d *Desk) withdraw(k *knock) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dropLocked(k)
	d.wakeHostLocked(hostKey{k.record.key.site, k.record.host})
}

// view is what a visitor may know of the own knock.
type view struct {
	state  knockState
	reason string
	told   waitingFrame
	// replaced tells that another socket hears the answer, or nobody.
	replaced bool
	unlinked bool
	entry    token.Admission
	// doors are the pages of the host that names are sealed for.
	doors doorsFrame
}

func (d *Desk) look(s *visitorSession) view {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, r := s.k, s.k.record
	told := waitingFrame{
		Type: "waiting", Resume: s.secret, HostPresent: (r.open() || r.lobby) && d.presentLocked(hostKey{r.key.site, r.host}),
		Locked: r.locked, Back: k.former != "", Messages: k.messages, Letters: k.letters, Moved: k.moved,
	}
	if k.handover != nil && !k.handover.refused {
		told.Offer = &k.handover.to
	}
	doors := doorsFrame{Type: "doors", Knock: k.id}
	if r.site.E2EERequired() {
		doors.Pages = d.doorsLocked(hostKey{r.key.site, r.host})
	}
	return view{
		doors: doors, state: k.state, reason: k.reason, replaced: k.session != s || k.dropped, told: told, unlinked: k.unlinked,
		entry: token.Admission{Site: r.key.site, Room: r.key.id, Identity: k.identity, Name: k.name, Key: k.key},
	}
}

// loop tells the visitor every change until the knock is answered, the visitor
// leaves or the desk closes.
func (s *visitorSession) loop(ctx context.Context) error {
	var told waitingFrame
	var doors []doorKey
	for {
		v := s.d.look(s)
		switch {
		case v.replaced:
			return nil
		case v.state != waiting:
			return s.answer(ctx, v)
		case !reflect.DeepEqual(told, v.told):
			told = v.told
			if err := s.write(ctx, told); err != nil {
				return err
			}
		}
		if !slices.Equal(doors, v.doors.Pages) {
			doors = v.doors.Pages
			if err := s.write(ctx, v.doors); err != nil {
				return err
			}
		}
		select {
		case <-s.signal:
		case <-s.d.leave:
			return errLeave
		case frame, ok := <-s.frames:
			if !ok {
				return errGone
			}
			if done, err := s.hear(ctx, frame); done || err != nil {
				return err
			}
		}
	}
}

// hear takes what a waiting visitor says.
func (s *visitorSession) hear(ctx context.Context, frame []byte) (done bool, err error) {
	var f visitorFrame
	if err := s.accept(frame, &f); err != nil {
		return false, err
	}
	switch f.Type {
	case "ping":
		return false, s.write(ctx, plainFrame{"pong"})
	case "answer":
		return false, s.decide(f)
	case "sealed":
		return false, s.putSeal(f)
	case "leave":
		s.d.withdraw(s.k)
		return true, nil
	}
	return false, fail(CodeBadRequest)
}

// answer tells the outcome. The token is minted only now, after admission.
func (s *visitorSession) answer(ctx context.Context, v view) error {
	switch v.state {
	case declined:
		return s.write(ctx, plainFrame{"declined"})
	case closed:
		return s.write(ctx, closedFrame{"closed", v.reason})
	}
	media, err := s.d.keys.Media(v.entry, time.Now())
	if err != nil {
		return err
	}
	f := admittedFrame{Type: "admitted", Token: media, URL: s.base, Identity: v.entry.Identity}
	if v.unlinked {
		f.Moved = v.told.Moved
	}
	return s.write(ctx, f)
}
