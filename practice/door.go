// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/caddy-videoroom/videoroom/token"
)

const (
	maxMessageRunes = 500
	// keptMessages bounds what one waiting visitor is told; the oldest goes first.
	keptMessages = 5
)

// cleanMessage brings a host's message into the form that a visitor sees: NFC,
// trimmed, at most 500 runes, line breaks and no other controls.
func cleanMessage(text string) (string, error) {
	if len(text) > 16*maxMessageRunes || !utf8.ValidString(text) {
		return "", fail(CodeBadRequest)
	}
	text = strings.TrimSpace(norm.NFC.String(strings.ReplaceAll(text, "\r\n", "\n")))
	for _, r := range text {
		if r != '\n' && refused(r) {
			return "", fail(CodeBadRequest)
		}
	}
	if text == "" || utf8.RuneCountInString(text) > maxMessageRunes {
		return "", fail(CodeBadRequest)
	}
	return text, nil
}

// waitingLocked finds somebody who waits at one of the host's open rooms. The
// caller holds the desk's mutex.
func (h *hostSession) waitingLocked(room, id string) (*knock, error) {
	r, err := h.doorLocked(room)
	if err != nil {
		return nil, err
	}
	k := r.knocks[id]
	if k == nil || k.state != waiting {
		return nil, fail(CodeNotFound)
	}
	return k, nil
}

// message tells one waiting visitor a line. It lives as long as the knock.
func (h *hostSession) message(f hostFrame) (result, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	k, err := h.waitingLocked(f.Room, f.Knock)
	if err != nil {
		return result{}, err
	}
	if h.site.E2EERequired() {
		return result{}, h.letterLocked(k, f)
	}
	text, err := cleanMessage(f.Text)
	if err != nil {
		return result{}, err
	}
	// A new slice: sessions read the old one outside the mutex.
	kept := k.messages[max(0, len(k.messages)+1-keptMessages):]
	k.messages = append(append(make([]string, 0, keptMessages), kept...), text)
	k.wake()
	h.d.wakeHostLocked(h.key)
	return result{}, nil
}

// letterLocked tells one waiting visitor a line that the server cannot read.
func (h *hostSession) letterLocked(k *knock, f hostFrame) error {
	if f.Text != "" {
		return &Error{Code: CodeBadRequest, hint: "messages are not told to this site's server: leave text out and send key, n and data"}
	}
	l := letter{f.Key, f.N, f.Data}
	if err := l.check(); err != nil {
		return err
	}
	if h.door.Key == "" || f.Key != h.door.Key {
		return fail(CodeBadRequest) // nobody could open it
	}
	kept := k.letters[max(0, len(k.letters)+1-keptMessages):]
	k.letters = append(append(make([]letter, 0, keptMessages), kept...), l)
	k.wake()
	h.d.wakeHostLocked(h.key)
	return nil
}

// back puts a participant into the waiting room.
func (h *hostSession) back(f hostFrame) (result, error) {
	if f.Identity == h.d.keys.Pseudonym(h.key.site, f.Room, h.key.id) {
		return result{}, fail(CodeNotAllowed)
	}
	if err := h.own(f.Room); err != nil {
		return result{}, err
	}
	people := h.d.rooms.Participants(h.key.site, f.Room)
	i := slices.IndexFunc(people, func(p Participant) bool { return p.Identity == f.Identity })
	if i < 0 {
		return result{}, fail(CodeNotFound)
	}
	k, err := h.place(f, people[i].Name)
	if err != nil {
		return result{}, err
	}
	// A page whose keys were taken leaves the room by itself, and may be the first.
	err = h.d.rooms.Remove(h.key.site, f.Room, f.Identity)
	if err != nil && !errors.Is(err, ErrNoParticipant) {
		h.unbar(f.Room, f.Identity)
		h.d.withdraw(k)
		return result{}, err
	}
	return result{}, nil
}

// place keeps a participant out of the room and makes the knock with which they
// come back to the door. The two are one step: the page hears of the first at once
// and then asks for its place. The knock waits for the page with the old media
// token, as long as the grace.
func (h *hostSession) place(f hostFrame, name string) (*knock, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	r, err := h.ownedLocked(f.Room)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	k := &knock{
		id: token.NewID(), identity: token.NewID(), name: name, listed: r.listed[f.Identity], since: now, idle: now,
		record: r, former: f.Identity, key: h.d.pageKeyLocked(r.key, f.Identity),
	}
	h.barLocked(r, f.Identity)
	r.knocks[k.id] = k
	h.d.wakeHostLocked(h.key)
	return k, nil
}

// serveReturn continues at the door what ended in the room: the media token
// proves who the page was.
func (d *Desk) serveReturn(ctx context.Context, s *visitorSession, c Call, from *source, f visitorFrame) error {
	now := time.Now()
	claims, err := d.keys.VerifyMedia(c.SiteID, f.Back, now)
	if err != nil {
		return d.crowd.wrong(from, now, fail(CodeBadLink))
	}
	d.crowd.right(from)
	key := cmp.Or(f.Key, claims.Key)
	if err := checkKey(c.Site, key); err != nil {
		return err
	}
	if err := d.claim(s, roomKey{c.SiteID, claims.Video.Room}, claims.Subject, key, from); err != nil {
		return err
	}
	defer d.hangUp(s)
	return s.loop(ctx)
}

// claim gives a place at the door to the page that was put back.
func (d *Desk) claim(s *visitorSession, key roomKey, identity, pageKey string, from *source) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.records[key]
	if r == nil {
		return fail(CodeNotAllowed)
	}
	for _, k := range r.knocks {
		// The host may have answered before the page came; the answer is for the key
		// that they were shown.
		early := k.source == nil && k.key == pageKey
		if k.former != identity || k.state != waiting && !early {
			continue
		}
		if k.source == nil {
			k.source = from
			if k.state == waiting {
				d.crowd.waitAgain(from)
			}
		}
		delete(d.secrets, k.secret)
		s.adopt(k)
		k.key = pageKey
		d.secrets[k.secret] = k
		d.wakeHostLocked(hostKey{key.site, r.host})
		return nil
	}
	return fail(CodeNotAllowed)
}
