// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// Options are what a Directory works with.
type Options struct {
	Media Media
	// Codec stamps data packets; nil: data packets are dropped.
	Codec DataCodec
	// Log gets technical events without names; nil: none.
	Log *slog.Logger
	// MaxRooms bounds the rooms there are at a time; 0 means 200.
	MaxRooms int
	// Watch is told the events of every room, under the terms of Room.Watch, and
	// by several rooms at a time; nil for nobody.
	Watch func(Event)
}

// Directory holds the rooms of one engine. Its methods are safe for concurrent
// use.
type Directory struct {
	options Options
	revoked revocations
	census  census
	ctx     context.Context
	cancel  context.CancelFunc

	running sync.WaitGroup // the rooms' goroutines

	mu      sync.Mutex
	rooms   map[Key]*Room
	closing bool
}

// Stats counts what there is now.
type Stats struct {
	Rooms, Participants, Tracks int
	// DataLost counts data packets that rooms there are now did not deliver.
	DataLost uint64
}

// NewDirectory returns a Directory without rooms. Close ends it.
func NewDirectory(o Options) *Directory {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxRooms <= 0 {
		o.MaxRooms = defaultMaxRooms
	}
	d := &Directory{options: o, rooms: make(map[Key]*Room)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Join takes a participant into a room, which comes into being when there is
// none. Joined is the first message on c, sent before Join returns. Errors wrap
// ErrBadJoin, ErrFull, ErrRevoked, ErrClosing, ErrBusy, what the media plane
// says, or ctx's error; nobody has joined then and nothing was sent on c.
func (d *Directory) Join(ctx context.Context, j Join, c Conn) (Session, error) {
	if err := j.check(c); err != nil {
		return nil, fmt.Errorf("joining room: %w", err)
	}
	if d.revoked.covers(j.Key, j.Identity, j.TokenID, j.IssuedAt) {
		return nil, fmt.Errorf("joining room: %w", ErrRevoked)
	}
	for {
		r, err := d.open(j.Key, j.Policy)
		if err != nil {
			return nil, fmt.Errorf("joining room: %w", err)
		}
		s, err := r.join(ctx, j, c)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, ErrEnded) {
			return nil, fmt.Errorf("joining room: %w", err)
		}
		d.forget(r) // it ended as we came: the next one is a new room
	}
}

// Create brings a room into being without participants, or returns the one
// there is. Errors wrap ErrClosing, ErrBusy or ErrBadJoin.
func (d *Directory) Create(key Key, policy Policy) (*Room, error) {
	if key.Name == "" || len(key.Name) > maxIdentity || len(policy.Metadata) > maxMetadata {
		return nil, fmt.Errorf("creating room: %w", ErrBadJoin)
	}
	r, err := d.open(key, policy)
	if err != nil {
		return nil, fmt.Errorf("creating room: %w", err)
	}
	return r, nil
}

// Resume continues a participant on a new connection. Reconnected is the first
// message on c. Errors wrap ErrUnknownParticipant, after which the client must
// join anew, ErrRevoked, ErrClosing, ErrBusy or ctx's error.
func (d *Directory) Resume(ctx context.Context, q Resume, c Conn) (Session, error) {
	r := d.Find(q.Key)
	if r == nil || c == nil {
		return nil, fmt.Errorf("resuming: %w", ErrUnknownParticipant)
	}
	s, err := r.resume(ctx, q, c)
	if errors.Is(err, ErrEnded) {
		err = ErrUnknownParticipant
	}
	if err != nil {
		return nil, fmt.Errorf("resuming: %w", err)
	}
	return s, nil
}

// Revoke revokes all tokens of an identity for a room that were minted until
// now, whether or not the room exists. See Room.Remove.
func (d *Directory) Revoke(key Key, identity string) { d.revoked.add(key, identity, nil) }

// open finds or makes a room.
func (d *Directory) open(key Key, policy Policy) (*Room, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return nil, ErrClosing
	}
	if r := d.rooms[key]; r != nil {
		return r, nil
	}
	if len(d.rooms) >= d.options.MaxRooms {
		return nil, ErrBusy
	}
	r := newRoom(d, key, policy)
	d.rooms[key] = r
	d.running.Go(func() { r.run(d.ctx) }) // ends with d.ctx; Close waits for it
	return r, nil
}

// forget takes an ending room out, so that the next join makes a new one.
func (d *Directory) forget(r *Room) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rooms[r.key] == r {
		delete(d.rooms, r.key)
	}
}

// Find returns the room of that key, nil when there is none.
func (d *Directory) Find(key Key) *Room {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rooms[key]
}

// Rooms returns all rooms, in no order.
func (d *Directory) Rooms() []*Room {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]*Room, 0, len(d.rooms))
	for _, r := range d.rooms {
		out = append(out, r)
	}
	return out
}

// People counts those in all rooms of a site.
func (d *Directory) People(site string) int { return d.census.count(site) }

// Stats returns what there is now.
func (d *Directory) Stats() Stats {
	var s Stats
	for _, r := range d.Rooms() {
		s.Rooms++
		s.DataLost += r.lost.Load()
		for _, p := range r.Participants() {
			s.Participants++
			s.Tracks += len(p.Tracks)
		}
	}
	return s
}

// Drain takes nobody in any more and asks everybody to come back to the next
// instance. It returns when the connections of all have ended, which their
// Session.Detach tells, or with ctx. Media flows on until Close.
func (d *Directory) Drain(ctx context.Context) {
	d.mu.Lock()
	d.closing = true
	d.mu.Unlock()
	rooms := d.Rooms()
	for _, r := range rooms {
		r.mail.drain()
	}
	for _, r := range rooms {
		select {
		case <-r.drained:
		case <-r.ended:
		case <-ctx.Done():
			return
		}
	}
}

// Close ends all rooms and waits until their goroutines have. Whoever is still
// here is asked to come back to the next instance.
func (d *Directory) Close() {
	d.mu.Lock()
	d.closing = true
	d.mu.Unlock()
	d.cancel()
	d.running.Wait()
}
