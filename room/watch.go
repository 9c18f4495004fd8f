// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"sync"
	"sync/atomic"
)

// EventKind tells what happened.
type EventKind uint8

// The kinds of events.
const (
	EventRoomStarted EventKind = iota + 1
	EventRoomEnded
	EventParticipantJoined
	// EventParticipantLeft comes with the reason in ParticipantInfo.
	EventParticipantLeft
	// EventParticipantChanged tells changed state, permission or description.
	EventParticipantChanged
	EventTrackPublished
	EventTrackUnpublished
	// EventTrackMuted tells a change in either direction; see TrackInfo.Muted.
	EventTrackMuted
	// EventTrackStarted tells that the first media of a track has come in.
	EventTrackStarted
)

// Event is something that happened in a room. It is shared by all who watch:
// do not change what it points to.
type Event struct {
	Kind EventKind
	Room Key
	// RoomSID tells rooms of the same key apart that follow one another.
	RoomSID string
	// Participant is the one concerned, after the event; zero for room events.
	Participant ParticipantInfo
	// Track is the one concerned; nil for other events.
	Track *TrackInfo
}

// watchers is a copy-on-write list, so that no function is called under the
// lock.
type watchers struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*func(Event)]
}

func (w *watchers) all() []*func(Event) {
	if l := w.list.Load(); l != nil {
		return *l
	}
	return nil
}

func (w *watchers) change(f func([]*func(Event)) []*func(Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := f(slices.Clone(w.all()))
	w.list.Store(&l)
}

// Watch has f told what happens from now on, until cancel is called; one event
// may still be on its way then. f is called from the room's goroutine, after
// Participants has caught up; it must not block, and must not call a method of
// the room that returns an error.
func (r *Room) Watch(f func(Event)) (cancel func()) {
	entry := &f
	r.watchers.change(func(l []*func(Event)) []*func(Event) { return append(l, entry) })
	return func() {
		r.watchers.change(func(l []*func(Event)) []*func(Event) {
			return slices.DeleteFunc(l, func(e *func(Event)) bool { return e == entry })
		})
	}
}

// emit notes an event for the end of the turn.
func (r *Room) emit(e Event) {
	e.Room, e.RoomSID = r.key, r.sid
	r.events = append(r.events, e)
}

func (r *Room) deliverEvents() {
	events := r.events
	r.events = nil
	for _, e := range events {
		if f := r.dir.options.Watch; f != nil {
			f(e)
		}
		for _, f := range r.watchers.all() {
			(*f)(e)
		}
	}
}
