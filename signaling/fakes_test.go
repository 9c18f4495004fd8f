// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/room"
)

var _ Rooms = (*room.Directory)(nil)

// fakeRooms takes everybody unless err is set, and hands its sessions out over
// a channel.
type fakeRooms struct {
	mu      sync.Mutex
	err     error
	block   chan struct{} // not nil: Join waits for it or for its context
	joins   []room.Join
	resumes []room.Resume
	arrived chan *fakeSession
	greet   func(c room.Conn)
	asked   []room.Resume // for their connection
	media   room.Connection
}

func newFakeRooms() *fakeRooms {
	return &fakeRooms{
		arrived: make(chan *fakeSession, 16),
		greet: func(c room.Conn) {
			c.Send(room.Joined{
				Room:        room.Info{SID: "RM_1", Name: "consultation", MaxParticipants: 10, NumParticipants: 1},
				Participant: room.ParticipantInfo{SID: "PA_1", Identity: "host", Name: "Dr. Muster", Version: 1},
			})
		},
	}
}

func (f *fakeRooms) Join(ctx context.Context, j room.Join, c room.Conn) (room.Session, error) {
	if f.block != nil {
		select {
		case <-f.block:
		case <-ctx.Done():
			return nil, room.ErrClosing
		}
	}
	f.mu.Lock()
	f.joins = append(f.joins, j)
	f.mu.Unlock()
	return f.take(c, f.greet)
}

func (f *fakeRooms) Resume(_ context.Context, r room.Resume, c room.Conn) (room.Session, error) {
	f.mu.Lock()
	f.resumes = append(f.resumes, r)
	f.mu.Unlock()
	return f.take(c, func(c room.Conn) { c.Send(room.Reconnected{LastReliable: 41}) })
}

func (f *fakeRooms) Connection(_ context.Context, r room.Resume) (room.Connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r)
	return f.media, f.err
}

func (f *fakeRooms) take(c room.Conn, greet func(room.Conn)) (room.Session, error) {
	if f.err != nil {
		return nil, f.err
	}
	s := &fakeSession{conn: c, requests: make(chan room.Request, 512), detached: make(chan struct{})}
	greet(c)
	f.arrived <- s
	return s, nil
}

type fakeSession struct {
	conn     room.Conn
	requests chan room.Request
	detached chan struct{}
	mu       sync.Mutex
	busy     bool
	panics   bool
}

func (s *fakeSession) Handle(r room.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("private words")
	}
	if s.busy {
		return false
	}
	select {
	case s.requests <- r:
		return true
	default:
		return false
	}
}

func (s *fakeSession) Detach()     { close(s.detached) } // twice would panic
func (s *fakeSession) SID() string { return "PA_1" }

func (s *fakeSession) setBusy(b bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = b
}

// next returns the next request of the client.
func (s *fakeSession) next(t *testing.T) room.Request {
	t.Helper()
	select {
	case r := <-s.requests:
		return r
	case <-time.After(patience):
		t.Fatal("no request reached the room")
		return nil
	}
}

func (s *fakeSession) waitDetached(t *testing.T) {
	t.Helper()
	select {
	case <-s.detached:
	case <-time.After(patience):
		t.Fatal("the room was not told of the end")
	}
}

// fakeTokens knows one token of our own admission and one of an API key.
type fakeTokens struct{ permission room.Permission }

func (f fakeTokens) Verify(raw string) (Grant, error) {
	g := Grant{
		Key:        room.Key{Site: "praxis.example", Name: "consultation"},
		Identity:   "host",
		Name:       "Dr. Muster",
		Metadata:   "from token",
		Attributes: map[string]string{"role": "host"},
		Permission: f.permission,
		TokenID:    "jti-1",
		IssuedAt:   time.Unix(1_700_000_000, 0),
	}
	switch raw {
	case ownToken:
	case keyToken:
		g.Key.Realm = "devkey"
	case "incomplete":
		return Grant{}, errors.Join(ErrIncomplete, errors.New("no sub"))
	case "nameless":
		g.Identity = ""
	case "no-room":
		return Grant{}, ErrNoRoom
	default:
		return Grant{}, errors.New("signature does not match: " + raw)
	}
	return g, nil
}
