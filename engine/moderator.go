// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/caddy-videoroom/videoroom/practice"
	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/sfu"
)

// roomWatch passes the rooms' events on to the desk, which comes into being
// after the rooms.
type roomWatch struct {
	changed atomic.Pointer[func(site, room string)]
}

func (w *roomWatch) tell(e room.Event) {
	if f := w.changed.Load(); f != nil && e.Room.Realm == "" {
		(*f)(e.Room.Site, e.Room.Name)
	}
}

// moderator is the media rooms as the desk sees them: those of our own
// admission, realm "".
type moderator struct {
	rooms    *room.Directory
	watch    *roomWatch
	refusals *refusals
	// listening is nil where nothing is relayed.
	listening *listening
}

var _ practice.Rooms = (*moderator)(nil)

func ownKey(site, name string) room.Key { return room.Key{Site: site, Name: name} }

// Participants implements practice.Rooms.
func (m *moderator) Participants(site, name string) []practice.Participant {
	r := m.rooms.Find(ownKey(site, name))
	if r == nil {
		return nil
	}
	infos := r.Participants()
	people := make([]practice.Participant, 0, len(infos))
	for i := range infos {
		people = append(people, participant(&infos[i]))
	}
	return people
}

func participant(p *room.ParticipantInfo) practice.Participant {
	out := practice.Participant{
		Identity: p.Identity, Name: p.Name, Host: p.Permission.Admin, Audio: practice.None, Video: practice.None,
	}
	for i := range p.Tracks {
		switch t := &p.Tracks[i]; {
		case t.Source == room.SourceScreen:
			out.Screen = out.Screen || !t.Muted
		case t.Source == room.SourceScreenAudio:
		case t.Kind == sfu.Audio:
			out.Audio = better(out.Audio, t.Muted)
		default:
			out.Video = better(out.Video, t.Muted)
		}
	}
	return out
}

// better is the presence of a kind after one more track of it.
func better(p practice.Presence, muted bool) practice.Presence {
	if !muted || p == practice.On {
		return practice.On
	}
	return practice.Muted
}

// Mute implements practice.Rooms.
func (m *moderator) Mute(site, name, identity string, k practice.Kind) error {
	r := m.rooms.Find(ownKey(site, name))
	if r == nil {
		return practice.ErrNoParticipant
	}
	kind := sfu.Audio
	if k == practice.Video {
		kind = sfu.Video
	}
	return deskError(r.MuteKind(identity, kind))
}

// Remove implements practice.Rooms.
func (m *moderator) Remove(site, name, identity string) error {
	r := m.rooms.Find(ownKey(site, name))
	if r == nil {
		return practice.ErrNoParticipant
	}
	m.refusals.add(site, name, identity)
	if m.listening != nil {
		m.listening.revoke(site, name, identity)
	}
	return deskError(r.Remove(identity))
}

// End implements practice.Rooms.
func (m *moderator) End(site, name string) {
	m.refusals.add(site, name, "")
	if r := m.rooms.Find(ownKey(site, name)); r != nil {
		// A standing room may be open again soon; who is in it now shall not then come
		// in unasked. A host keeps one identity.
		for _, p := range m.Participants(site, name) {
			if !p.Host {
				m.refusals.add(site, name, p.Identity)
			}
		}
		r.End(room.ReasonRoomDeleted)
	}
}

// Barred implements practice.Rooms.
func (m *moderator) Barred(site, name, identity string) error {
	switch {
	case m.refusals.has(site, name, identity):
		return practice.ErrRemoved // also where the room was opened again after its end
	case m.refusals.has(site, name, ""):
		return practice.ErrEnded
	}
	return nil
}

// Watch implements practice.Rooms.
func (m *moderator) Watch(changed func(site, room string)) (cancel func()) {
	m.watch.changed.Store(&changed)
	return func() { m.watch.changed.Store(nil) }
}

// deskError translates the rooms' errors.
func deskError(err error) error {
	switch {
	case errors.Is(err, room.ErrUnknownParticipant), errors.Is(err, room.ErrEnded):
		return practice.ErrNoParticipant
	case errors.Is(err, room.ErrBusy), errors.Is(err, room.ErrClosing):
		return &practice.Error{Code: practice.CodeUnavailable, RetryAfter: 1}
	}
	return err
}

// entrance is the rooms as signaling sees them. It closes the gap between the
// check of a token and the arrival in the room: whoever slips in while a host
// ends the room or removes them is sent away.
type entrance struct {
	rooms *room.Directory
	desk  *practice.Desk
	// siteMost and roomMost bound the people of a site and of a room; 0: nothing does.
	siteMost func(site string) int
	roomMost func(room.Key) int
}

var _ signalingRooms = (*entrance)(nil)

// Join implements signaling.Rooms.
func (e *entrance) Join(ctx context.Context, j room.Join, c room.Conn) (room.Session, error) {
	j.SiteMost, j.RoomMost = e.siteMost(j.Key.Site), e.roomMost(j.Key)
	s, err := e.rooms.Join(ctx, j, c)
	if err != nil {
		return nil, err
	}
	if j.Key.Realm != "" {
		return s, nil
	}
	switch err := e.desk.Admitted(j.Key.Site, j.Key.Name, j.Identity); {
	case errors.Is(err, practice.ErrEnded):
		if r := e.rooms.Find(j.Key); r != nil {
			r.End(room.ReasonRoomDeleted)
		}
	case errors.Is(err, practice.ErrRemoved):
		if r := e.rooms.Find(j.Key); r != nil {
			// Whoever has gone in the meantime needs no removal.
			_ = r.Remove(j.Identity)
		}
	}
	return s, nil
}

// Resume implements signaling.Rooms.
func (e *entrance) Resume(ctx context.Context, r room.Resume, c room.Conn) (room.Session, error) {
	return e.rooms.Resume(ctx, r, c)
}

// Connection implements signaling.Rooms.
func (e *entrance) Connection(ctx context.Context, r room.Resume) (room.Connection, error) {
	return e.rooms.Connection(ctx, r)
}
