// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/token"
)

// A lock outlives a restart where the room does: in the grant that the host's page
// brings back, or in the record of the appointment, whose guests may come before
// the host.

// lock keeps newcomers waiting even where nobody has to wait, and tells them.
func (h *hostSession) lock(f hostFrame) (result, error) { return result{}, h.setLocked(f.Room, true) }

func (h *hostSession) unlock(f hostFrame) (result, error) {
	return result{}, h.setLocked(f.Room, false)
}

func (h *hostSession) setLocked(room string, locked bool) error {
	id, err := h.turnLock(room, locked)
	if err == nil && id != "" {
		h.d.spawn(func() { h.d.keepLock(roomKey{h.key.site, room}, h.key.id, id) }) // ends within storageTime
	}
	return err
}

// turnLock returns the id of the appointment in whose record the lock is to be
// kept; "": nowhere.
func (h *hostSession) turnLock(room string, locked bool) (id string, err error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	r, err := h.ownedLocked(room)
	if err != nil {
		return "", err
	}
	if r.grant != "" {
		if r.grant, err = h.d.keys.Grant(h.key.site, r.granted(locked, r.keyed)); err != nil {
			return "", err
		}
	}
	r.locked = locked
	for _, k := range r.knocks {
		if !locked && r.unguarded() && k.state == waiting {
			h.d.settleLocked(k, admitted, "", time.Now())
		}
	}
	r.wakeVisitors()
	h.d.wakeHostLocked(h.key)
	return r.appointment, nil
}

// granted is what the grant of a room says.
func (r *record) granted(locked, keyed bool) token.Grant {
	return token.Grant{
		Room: r.key.id, Host: r.host, Opened: r.opened, Expires: r.expires, Locked: locked, Kept: r.kept, Keyed: keyed,
	}
}

var errSameLock = errors.New("the record says so already")

// keepLock notes in an appointment's record whether its room is locked now. The
// lock holds whatever the storage does; without the note it ends with the process.
func (d *Desk) keepLock(key roomKey, host, id string) {
	ctx, cancel := context.WithTimeout(d.ctx, storageTime)
	defer cancel()
	_, err := d.agenda.change(ctx, key.site, host, id, func(a *appointment.Appointment) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		r := d.records[key]
		if r == nil || r.locked == a.Locked {
			return errSameLock
		}
		a.Locked = r.locked
		return nil
	})
	if err != nil && !errors.Is(err, errSameLock) {
		d.log.Warn("a room's lock could not be noted and would not outlive a restart", "error", err)
	}
}
