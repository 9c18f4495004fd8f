// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

func TestAgenda(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a agenda
		var done string
		note := func(s string) func() { return func() { done += s } }
		a.after(3*time.Second, note("c"))
		b := a.after(2*time.Second, note("b"))
		a.after(time.Second, func() { done += "a"; a.after(0, note("x")) })
		if d, ok := a.next(time.Now()); !ok || d != time.Second {
			t.Errorf("next in %v", d)
		}
		a.cancel(b)
		a.cancel(b)
		a.cancel(nil)
		time.Sleep(2 * time.Second)
		a.run(time.Now())
		if _, ok := a.next(time.Now()); done != "ax" || !ok {
			t.Errorf("done %q", done)
		}
		time.Sleep(time.Second)
		a.run(time.Now())
		if _, ok := a.next(time.Now()); done != "axc" || ok {
			t.Errorf("done %q", done)
		}
	})
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

func TestMailboxOverflow(t *testing.T) {
	m := newMailbox()
	p := &participant{}
	p.in = &inbox{p: p}
	e := peerEvents{m, p.in}
	for i := range maxRequests + 1 {
		if got, want := m.request(func() {}), i < maxRequests; got != want {
			t.Fatalf("request %d: %v", i, got)
		}
	}
	for i := range maxCommands + 1 {
		if err := m.command(func() {}); (err != nil) != (i == maxCommands) || (err != nil && !errors.Is(err, ErrBusy)) {
			t.Fatalf("command %d: %v", i, err)
		}
	}
	// What must not be lost still finds its slot.
	s := &session{}
	m.detach(s)
	m.end(Leave{Reason: ReasonRemoved})
	m.end(Leave{Reason: ReasonRoomClosed})
	m.drain()
	for i := range 1000 {
		e.PeerState(sfu.PeerState(1 + i%3))
		e.PeerTrackStarted("TR_" + strconv.Itoa(i))
		roomEvents{m}.RoomSpeakers([]sfu.Speaker{{PeerID: "a", Level: float32(i)}, {PeerID: "b"}})
		roomEvents{m}.RoomQuality([]sfu.Quality{{PeerID: "a", Grade: i}})
	}
	e.PeerState(sfu.PeerClosed)
	b, n := m.take()
	if len(b.queue) != maxRequests+maxCommands || len(b.detached) != 1 || b.end.Reason != ReasonRemoved || !b.drain {
		t.Errorf("batch of %d, %v, %v, %v", len(b.queue), b.detached, b.end, b.drain)
	}
	if len(n) != 1 || n[0].p != p || n[0].state != sfu.PeerClosed || len(n[0].started) != maxPublished+maxPending {
		t.Errorf("news %+v", n)
	}
	if len(b.speakers) != 2 || b.speakers["a"].Level != 999 || b.quality["a"].Grade != 999 {
		t.Errorf("speakers %v, quality %v", b.speakers, b.quality)
	}
	if b, n := m.take(); !b.empty() || len(n) != 0 {
		t.Error("taken twice")
	}
	if !m.close(true) || m.request(func() {}) || !errors.Is(m.command(func() {}), ErrEnded) || e.PeerData(sfu.Lossy, []byte("x")) {
		t.Error("closed, yet open")
	}
	if p.in.messages.Load() != 0 || p.in.bytes.Load() != 0 {
		t.Error("a refused message is counted")
	}
}

func TestMailboxWakes(t *testing.T) {
	m := newMailbox()
	m.request(func() {})
	m.request(func() {})
	<-m.wake
	select {
	case <-m.wake:
		t.Error("woken twice")
	default:
	}
	if m.close(true) {
		t.Error("closed although something waits")
	}
}

// TestSessionBound holds the room's goroutine while one participant floods.
func TestSessionBound(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		a, b := h.join("ada", nil), h.join("bob", nil)
		settle()
		hold := make(chan struct{})
		if err := h.dir.Find(testKey).mail.command(func() { <-hold }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		taken := 0
		for range 10 * maxSessionRequests {
			if a.session.Handle(Trickle{}) {
				taken++
			}
		}
		if taken != maxSessionRequests || !b.session.Handle(UpdateSelf{Name: "B"}) {
			t.Errorf("%d of ada's were taken", taken)
		}
		close(hold)
		settle()
		if !a.session.Handle(Trickle{}) {
			t.Error("the bound was not lifted")
		}
		h.agree(a, b)
	})
}

func TestCapacity(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		const places, want = 30, 200
		clients := make([]*client, want)
		errs := make([]error, want)
		var wg sync.WaitGroup
		for i := range clients {
			clients[i] = newClient(h, "p"+strconv.Itoa(i))
			wg.Go(func() { // ends with Join
				errs[i] = h.tryJoin(clients[i], func(j *Join) {
					j.Policy.MaxParticipants = places
					j.Permission.Hidden = i%3 == 0
				})
			})
		}
		wg.Wait()
		var in []*client
		for i, c := range clients {
			switch {
			case errs[i] == nil:
				in = append(in, c)
			case !errors.Is(errs[i], ErrFull):
				t.Errorf("join %d: %v", i, errs[i])
			case len(c.types()) != 0:
				t.Errorf("a refused one was told %v", c.types())
			}
		}
		settle()
		if len(in) != places || len(h.dir.Find(testKey).Participants()) != places {
			t.Errorf("%d are in", len(in))
		}
		h.agree(in...)
		// A place is one of a participant, not of a connection.
		in[0].cut()
		settle()
		if err := h.tryJoin(newClient(h, "one more"), nil); !errors.Is(err, ErrFull) {
			t.Errorf("a cut connection freed its place: %v", err)
		}
		back := h.join(in[0].identity, nil)
		in[1].do(Bye{})
		settle()
		more := h.join("one more", nil)
		settle()
		h.agree(append(in[2:], back, more)...)
	})
}

func TestSameIdentityManyTimesAtOnce(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, h *host) {
		b := h.join("bob", nil)
		clients := make([]*client, 50)
		var wg sync.WaitGroup
		for i := range clients {
			clients[i] = newClient(h, "ada")
			wg.Go(func() { // ends with Join
				if err := h.tryJoin(clients[i], nil); err != nil {
					t.Errorf("join %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		settle()
		var in []*client
		for _, c := range clients {
			if l := c.leave(); l == nil {
				in = append(in, c)
			} else if *l != (Leave{ReasonDuplicateIdentity, ActionDisconnect}) || !c.hasEnded() || !c.peer().isClosed() {
				t.Errorf("told %+v", l)
			}
			c.sound()
		}
		if len(in) != 1 || len(h.dir.Find(testKey).Participants()) != 2 {
			t.Fatalf("%d are in", len(in))
		}
		h.agree(in[0], b)
	})
}

// TestJoinWhileRoomsEnd joins again and again while the room keeps ending.
func TestJoinWhileRoomsEnd(t *testing.T) {
	h := newHost(t, Options{})
	defer h.dir.Close()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { // ends after its joins
			for n := range 50 {
				c := newClient(h, strconv.Itoa(i)+"-"+strconv.Itoa(n))
				if err := h.tryJoin(c, func(j *Join) { j.Policy.EmptyGrace = time.Microsecond }); err != nil {
					t.Errorf("join: %v", err)
					return
				}
				if n%3 == 0 {
					if r := h.dir.Find(testKey); r != nil {
						r.End(ReasonRoomDeleted)
					}
				}
				c.session.Handle(Bye{})
			}
		})
	}
	wg.Wait()
}

// explosive is a codec with a defect.
type explosive struct{ fakeCodec }

func (e explosive) Stamp(payload []byte, identity, sid string) ([]byte, []string, uint32, error) {
	if string(payload) == "boom" {
		panic(payload)
	}
	return e.fakeCodec.Stamp(payload, identity, sid)
}

// TestDefectEndsOneRoom has a room panic: its people join anew, nobody else
// notices.
func TestDefectEndsOneRoom(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	bubble(t, Options{Codec: explosive{}, Log: log}, func(t *testing.T, h *host) {
		a, b := h.join("otto", nil), h.join("bob", nil)
		c := h.join("cyd", func(j *Join) { j.Key.Name = "other" })
		d := newClient(h, "dan")
		room := h.dir.Find(testKey)
		a.sendData(sfu.Lossy, "boom")
		err := h.tryJoin(d, nil)
		settle()
		for _, q := range []*client{a, b} {
			if l := q.leave(); l == nil || l.Action != ActionReconnect || !q.hasEnded() || !q.peer().isClosed() {
				t.Errorf("%s was told %+v", q.identity, l)
			}
			q.sound()
		}
		if err != nil || h.dir.Find(testKey) == room {
			t.Errorf("the room goes on, %v", err)
		}
		c.do(UpdateSelf{Name: "C"})
		settle()
		if c.me().Name != "C" || c.leave() != nil {
			t.Error("the other room was hit")
		}
		h.join("otto", nil)
		// The stack in the log is full of hexadecimal numbers: neither word may be one.
		if !strings.Contains(out.String(), "panicked") || strings.Contains(out.String(), "otto") || strings.Contains(out.String(), "boom") {
			t.Errorf("the log says %s", out.String())
		}
	})
}
