// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"time"

	"github.com/caddy-videoroom/videoroom/token"
)

// result answers a host's command.
type result struct {
	Type     string     `json:"type"`
	ID       int64      `json:"id"`
	OK       bool       `json:"ok"`
	Room     string     `json:"room,omitempty"`
	Token    string     `json:"token,omitempty"`
	URL      *string    `json:"url,omitempty"`
	Identity string     `json:"identity,omitempty"`
	Error    *errorBody `json:"error,omitempty"`
}

// commands is what hosts may do. Every command but open_room begins with
// owned, which knows only the host's own open rooms.
var commands = map[string]func(*hostSession, hostFrame) (result, error){
	"open_room": (*hostSession).openRoom,
	"admit":     (*hostSession).admit,
	"decline":   (*hostSession).decline,
	"enter":     (*hostSession).enter,
	"mute":      (*hostSession).mute,
	"remove":    (*hostSession).remove,
	"message":   (*hostSession).message,
	"back":      (*hostSession).back,
	"hand":      (*hostSession).hand,
	"lock":      (*hostSession).lock,
	"unlock":    (*hostSession).unlock,
	"key_link":  (*hostSession).keyLink,
	"end":       (*hostSession).end,
}

// command runs one command. Its failure is the command's, not the session's.
func (h *hostSession) command(f hostFrame) result {
	r, err := result{}, error(fail(CodeBadRequest))
	if run := commands[f.Do]; run != nil {
		r, err = run(h, f)
	}
	if err != nil {
		e := coded(err)
		if e.Code == CodeInternal {
			h.d.log.Error("host command failed", "do", f.Do, "error", err)
		}
		body := e.body()
		r = result{Error: &body}
	}
	r.Type, r.ID, r.OK = "result", f.ID, err == nil
	return r
}

// ownedLocked finds an open room of this host. Rooms of others and rooms that do not
// exist are the same to a host. The caller holds the desk's mutex.
func (h *hostSession) ownedLocked(room string) (*record, error) {
	r := h.d.records[roomKey{h.key.site, room}]
	if h.dismissed {
		return nil, fail(CodeNotHost)
	}
	if r == nil || !r.open() {
		if revived := h.d.reviveLocked(roomKey{h.key.site, room}); revived != nil {
			r = revived
		}
	}
	if r == nil || r.host != h.key.id || !r.open() {
		return nil, fail(CodeNotFound)
	}
	return r, nil
}

func (h *hostSession) openRoom(f hostFrame) (result, error) {
	if f.Appointment != "" {
		return h.openAppointment(f.Appointment)
	}
	if f.Standing != "" {
		return h.openStanding(f.Standing)
	}
	now := time.Now()
	g := token.Grant{Room: token.NewID(), Host: h.key.id, Opened: now, Expires: now.Add(h.d.limits.LinkLife)}
	grant, err := h.d.keys.Grant(h.key.site, g)
	if err != nil {
		return result{}, err
	}
	link, err := h.d.keys.Visit(h.key.site, g.Room, token.Visit{Host: g.Host, Expires: g.Expires, E2EE: h.site.E2EERequired()})
	if err != nil {
		return result{}, err
	}
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.mayOpenLocked(); err != nil {
		return result{}, err
	}
	h.d.openLocked(roomKey{h.key.site, g.Room}, h.site, g, grant, link)
	return result{Room: g.Room}, nil
}

// mayOpenLocked checks the numbers of open rooms. The caller holds the desk's
// mutex.
func (h *hostSession) mayOpenLocked() error {
	own, all := h.d.openCountsLocked(h.key)
	switch {
	case h.dismissed:
		return fail(CodeNotHost)
	case own >= h.d.limits.RoomsPerHost:
		return fail(CodeTooMany)
	case all >= h.d.limits.Rooms:
		return retry(CodeUnavailable, 60)
	case h.d.fullLocked(h.key.site, h.site):
		return fail(CodeTooMany)
	}
	return nil
}

// space checks that a room has a place left for somebody who is not in it yet.
func (h *hostSession) space(room, identity string) error {
	h.d.mu.Lock()
	err := h.openStandingLocked(room)
	var r *record
	if err == nil {
		r, err = h.ownedLocked(room)
	}
	most := 0
	if err == nil {
		most = r.size()
	}
	h.d.mu.Unlock()
	if err != nil {
		return err
	}
	people := h.d.rooms.Participants(h.key.site, room)
	for _, p := range people {
		if p.Identity == identity {
			return nil
		}
	}
	if len(people) >= most {
		return fail(CodeRoomFull)
	}
	return nil
}

func (h *hostSession) admit(f hostFrame) (result, error) {
	if f.Room == lobbyOf(h.key.id) {
		return h.receive(f)
	}
	if err := h.space(f.Room, ""); err != nil {
		return result{}, err
	}
	return result{}, h.settle(f, admitted)
}

func (h *hostSession) decline(f hostFrame) (result, error) {
	return result{}, h.settle(f, declined)
}

// settle answers a waiting visitor. Two dashboards may answer the same knock;
// the first counts and the second learns that nobody waits.
func (h *hostSession) settle(f hostFrame, s knockState) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	k, err := h.waitingLocked(f.Room, f.Knock)
	if err != nil {
		return err
	}
	h.d.settleLocked(k, s, "", time.Now())
	h.d.wakeHostLocked(h.key)
	return nil
}

// enter mints the host's own way in. The identity stays the same per room, so
// that coming back replaces a lost connection.
func (h *hostSession) enter(f hostFrame) (result, error) {
	identity := h.d.keys.Pseudonym(h.key.site, f.Room, h.key.id)
	if err := h.space(f.Room, identity); err != nil {
		return result{}, err
	}
	h.d.mu.Lock()
	site := h.site
	host, _ := site.Host(h.key.id)
	if err := checkKey(site, f.Key); err != nil {
		h.d.mu.Unlock()
		return result{}, err
	}
	h.d.hostComesLocked(h.key, f.Room)
	if r := h.d.records[roomKey{h.key.site, f.Room}]; r != nil {
		r.letIn(identity)
	}
	h.d.mu.Unlock()
	if err := checkNoName(site, f.Name); err != nil {
		return result{}, err
	}
	name := host.Name
	if f.Name != "" {
		clean, err := CleanName(f.Name)
		if err != nil {
			return result{}, err
		}
		name = clean
	}
	media, err := h.d.keys.Media(token.Admission{
		Site: h.key.site, Room: f.Room, Identity: identity, Name: name, Host: true, Key: f.Key,
	}, time.Now())
	if err != nil {
		return result{}, err
	}
	h.d.mu.Lock()
	if r := h.d.records[roomKey{h.key.site, f.Room}]; r != nil {
		r.remember(identity, f.Key)
	}
	h.d.mu.Unlock()
	return result{Token: media, URL: &h.base, Identity: identity}, nil
}

func (h *hostSession) own(room string) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	_, err := h.ownedLocked(room)
	return err
}

func (h *hostSession) mute(f hostFrame) (result, error) {
	if err := h.own(f.Room); err != nil {
		return result{}, err
	}
	if f.Kind != Audio && f.Kind != Video {
		return result{}, fail(CodeBadRequest)
	}
	return result{}, h.d.rooms.Mute(h.key.site, f.Room, f.Identity, f.Kind)
}

// remove shuts the door first and sends away second, so that nobody slips back
// in between.
func (h *hostSession) remove(f hostFrame) (result, error) {
	if f.Identity == h.d.keys.Pseudonym(h.key.site, f.Room, h.key.id) {
		return result{}, fail(CodeNotAllowed) // the host would be shut out of the own room
	}
	admittedOnly, err := h.bar(f.Room, f.Identity)
	if err != nil {
		return result{}, err
	}
	err = h.d.rooms.Remove(h.key.site, f.Room, f.Identity)
	if err != nil && !admittedOnly {
		h.unbar(f.Room, f.Identity)
		return result{}, err
	}
	return result{}, nil
}

// bar keeps an identity out, and makes those who hold keys together do without
// it at once. It tells whether the identity belongs to somebody who has been
// admitted a moment ago or holds keys, and may not have arrived in the room.
func (h *hostSession) bar(room, identity string) (admittedOnly bool, err error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	r, err := h.ownedLocked(room)
	if err != nil {
		return false, err
	}
	return h.barLocked(r, identity), nil
}

func (h *hostSession) barLocked(r *record, identity string) (admittedOnly bool) {
	r.removed[identity] = struct{}{}
	delete(r.keys, identity)
	admittedOnly = h.d.hall.remove(r.key, identity)
	for _, k := range r.knocks {
		if k.identity == identity && k.state == admitted {
			h.d.dropLocked(k) // a lost answer must not be repeated
			k.wake()
			admittedOnly = true
		}
	}
	return admittedOnly
}

func (h *hostSession) unbar(room, identity string) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if r := h.d.records[roomKey{h.key.site, room}]; r != nil {
		delete(r.removed, identity)
	}
}

func (h *hostSession) end(f hostFrame) (result, error) {
	h.d.mu.Lock()
	r, err := h.ownedLocked(f.Room)
	if err == nil {
		h.d.endLocked(r, reasonEnded)
	}
	h.d.mu.Unlock()
	if err != nil {
		return result{}, err
	}
	h.d.rooms.End(h.key.site, f.Room)
	return result{}, nil
}
