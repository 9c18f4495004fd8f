// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/token"
)

// Fifty people who come at the same moment get as many places as there are.
func TestPlacesAreExact(t *testing.T) {
	const crowd = 50
	for name, tc := range map[string]struct {
		people, participants, rooms int // of the site; the rooms that they come into
		kind                        string
		want                        int
	}{
		"people of the site":           {people: 10, participants: 50, rooms: 3, want: 10},
		"participants of a room":       {participants: 7, rooms: 1, want: 7},
		"participants of each room":    {participants: 7, rooms: 2, want: 14},
		"participants of a short talk": {participants: 50, rooms: 1, kind: "kurz", want: 4},
	} {
		t.Run(name, func(t *testing.T) {
			site := testSite()
			site.MaxPeople, site.MaxParticipants = tc.people, tc.participants
			b := newBench(t, Options{}, site)
			var rooms []string
			for range tc.rooms {
				if tc.kind == "" {
					rooms = append(rooms, token.NewID())
					continue
				}
				made := b.asHost(http.MethodPost, "", fmt.Sprintf(`{"kind":%q,"start":%q,"guests":[{"name":"Anna"}]}`,
					tc.kind, time.Now().Add(time.Minute).Format(time.RFC3339)))
				a, _ := made["appointments"].([]any)[0].(map[string]any)
				rooms = append(rooms, fmt.Sprint(a["room"]))
			}
			if joined := b.stampede(rooms, crowd); joined != tc.want {
				t.Errorf("%d of %d have joined, want %d", joined, crowd, tc.want)
			}
			if n := b.engine.Stats().Participants; n != tc.want {
				t.Errorf("%d participants, want %d", n, tc.want)
			}
			b.leaveAll()
			if joined := b.stampede(rooms, crowd); joined != tc.want {
				t.Errorf("afterwards %d have joined, want %d", joined, tc.want)
			}
		})
	}
}

// stampede has a crowd join rooms at the same moment; it returns how many have
// been taken in.
func (b *bench) stampede(rooms []string, crowd int) int {
	b.t.Helper()
	var joined atomic.Int64
	var running sync.WaitGroup
	gate := make(chan struct{})
	for i := range crowd {
		jwt, err := b.engine.keys.Media(token.Admission{
			Site: siteID, Room: rooms[i%len(rooms)], Identity: fmt.Sprintf("p%d", i), Name: "P",
		}, time.Now())
		if err != nil {
			b.t.Fatal(err)
		}
		running.Go(func() { // ends with the answer
			<-gate
			c, status := b.connect(jwt, b.own())
			if c == nil {
				if status != http.StatusForbidden {
					b.t.Errorf("joining: %d", status)
				}
				return
			}
			r, err := c.read()
			switch {
			case err != nil:
				b.t.Error(err)
			case r.GetJoin() != nil:
				joined.Add(1)
				b.mu.Lock()
				b.inside = append(b.inside, c.ws)
				b.mu.Unlock()
			case r.GetLeave() == nil:
				b.t.Errorf("the first message is %v", r)
			}
		})
	}
	close(gate)
	running.Wait()
	return int(joined.Load())
}

// leaveAll ends all rooms, whose places are free then.
func (b *bench) leaveAll() {
	b.t.Helper()
	b.mu.Lock()
	inside := slices.Clone(b.inside)
	b.inside = nil
	b.mu.Unlock()
	for _, r := range b.engine.rooms.Rooms() {
		r.End(room.ReasonRoomDeleted)
	}
	for _, ws := range inside {
		_ = ws.Close(websocket.StatusNormalClosure, "")
	}
	for range 500 {
		if b.engine.Stats().Rooms == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if n := b.engine.rooms.People(siteID); n != 0 {
		b.t.Errorf("%d people are counted in no room", n)
	}
}
