// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// standingSite is testSite whose first host keeps a room.
func standingSite(change func(*config.Site), room config.StandingRoom) *config.Site {
	s := testSite()
	s.Hosts[0].Rooms = []config.StandingRoom{room}
	if change != nil {
		change(s)
	}
	s.SetDefaults()
	return s
}

// kept finds the standing room in the first state that has it so.
func (b *bench) kept(host *wire, ok func(message) bool) opened {
	b.t.Helper()
	var found message
	host.until("state", func(m message) bool {
		for _, r := range m.list("rooms") {
			if r["standing"] != nil && ok(r) {
				found = r
			}
		}
		return found != nil
	})
	id := found.text("id")
	secret, ok2 := strings.CutPrefix(found.text("link"), "r/"+id+"#s=")
	if !token.ValidID(id) || !ok2 {
		b.t.Fatalf("standing room %v", found)
	}
	return opened{id, secret, ""}
}

func isOpen(r message) bool   { return r["opened_at"] != nil }
func isClosed(r message) bool { return r["opened_at"] == nil }

func TestStandingRoom(t *testing.T) {
	b := newBench(t, Options{})
	b.use(standingSite(nil, config.StandingRoom{ID: "team", Name: "Teamsitzung", Kind: "supervision"}))
	host, other := b.host("muster"), b.host("zweit")
	first := host.next("state")
	if r := first.list("rooms"); len(r) != 1 || r[0]["standing"].(map[string]any)["name"] != "Teamsitzung" {
		t.Fatalf("state %v", first)
	}
	if len(other.next("state").list("rooms")) != 0 {
		t.Error("a colleague sees the room")
	}
	host2 := b.host("muster")
	room := b.kept(host2, isClosed)

	// Who comes before the host waits, and the host sees it.
	anna := b.knock(room, "Anna", client(1))
	anna.present(false)
	waits := host.waiting(room.id, 1)
	host.failCmd(CodeNotFound, "lock", message{"room": room.id})
	host.failCmd(CodeNotFound, "end", message{"room": room.id})
	host.mustCmd("message", message{"room": room.id, "knock": waits[0].text("id"), "text": "Gleich."})
	anna.until("waiting", func(m message) bool { l, _ := m["messages"].([]any); return len(l) == 1 && m["host_present"] == false })
	other.failCmd(CodeNotFound, "enter", message{"room": room.id})
	other.failCmd(CodeNotFound, "open_room", message{"standing": "team"})
	if got := b.desk.Stats().OpenRooms; got != 0 {
		t.Errorf("%d rooms are open", got)
	}

	// The host enters, which opens it.
	in := host.mustCmd("enter", message{"room": room.id})
	anna.present(true)
	host.mustCmd("admit", message{"room": room.id, "knock": waits[0].text("id")})
	claims := b.mediaClaims(anna.next("admitted"))
	if claims.Video.Room != room.id || b.mediaClaims(in).Video.Room != room.id {
		t.Errorf("admitted to %v", claims.Video.Room)
	}
	if err := b.desk.Admitted(siteA, room.id, claims.Subject); err != nil {
		t.Errorf("before the end: %v", err)
	}

	// Ended, its link leads to the door again; what was held before leads nowhere.
	b.kept(host2, isOpen)
	host.mustCmd("end", message{"room": room.id})
	if err := b.desk.Admitted(siteA, room.id, claims.Subject); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
	if b.desk.Reopened(siteA, room.id) {
		t.Error("it is open after its end")
	}
	if again := b.kept(host2, isClosed); again != room {
		t.Errorf("the room has become %v", again)
	}
	back := b.knock(room, "Anna", client(1))
	back.present(false)
	host.mustCmd("open_room", message{"standing": "team"})
	back.present(true)
	if !b.desk.Reopened(siteA, room.id) {
		t.Error("it is not open again")
	}
	host.mustCmd("admit", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
	fresh := b.mediaClaims(back.next("admitted"))
	if err := b.desk.Admitted(siteA, room.id, fresh.Subject); err != nil {
		t.Errorf("after opening again: %v", err)
	}
	if err := b.desk.Admitted(siteA, room.id, claims.Subject); !errors.Is(err, ErrRemoved) {
		t.Errorf("what was held before the end: %v", err)
	}
	if err := b.desk.Admitted(siteA, room.id, in.text("identity")); !errors.Is(err, ErrRemoved) {
		t.Errorf("the host without entering again: %v", err)
	}
	host.mustCmd("enter", message{"room": room.id})
	if err := b.desk.Admitted(siteA, room.id, in.text("identity")); err != nil {
		t.Errorf("the host: %v", err)
	}
}

func TestStandingRoomKeepsItsLink(t *testing.T) {
	keys := token.NewKeys()
	b := newBench(t, Options{Keys: keys})
	b.use(standingSite(nil, config.StandingRoom{ID: "team"}))
	room := b.kept(b.host("muster"), isClosed)
	ask := func(b *bench, o opened) int {
		status, _ := b.post("api/v1/room", message{"room": o.id, "cap": o.cap}, client(1))
		return status
	}

	// A restart, and two weeks.
	b = newBench(t, Options{Keys: keys, Now: func() time.Time { return time.Now().Add(14 * 24 * time.Hour) }})
	b.use(standingSite(nil, config.StandingRoom{ID: "team"}))
	if again := b.kept(b.host("muster"), isClosed); again != room || ask(b, room) != http.StatusOK {
		t.Errorf("after a restart the room is %v, was %v", again, room)
	}
	// Another generation: the same room, and the old link is void.
	b.use(standingSite(nil, config.StandingRoom{ID: "team", LinkGeneration: 2}))
	renewed := b.kept(b.host("muster"), isClosed)
	if renewed.id != room.id || renewed.cap == room.cap || ask(b, room) != http.StatusNotFound || ask(b, renewed) != http.StatusOK {
		t.Errorf("renewed %v, was %v", renewed, room)
	}
	b.knock(room, "Anna", client(2)).refused(CodeBadLink)
	// Another site and another host have another room.
	if id, _ := keys.Standing(siteB, "muster", "team", 1, false); id == room.id {
		t.Error("two sites share a room")
	}
	if id, _ := keys.Standing(siteA, "zweit", "team", 1, false); id == room.id {
		t.Error("two hosts share a room")
	}
	// The line is gone: so is the link.
	b.use(testSite())
	if got := ask(b, renewed); got != http.StatusNotFound {
		t.Errorf("without its line the link is answered with %d", got)
	}
}

func TestStandingRoomWithoutWaitingRoom(t *testing.T) {
	off := func(s *config.Site) { s.WaitingRoom = config.Off }
	t.Run("opened", func(t *testing.T) {
		b := newBench(t, Options{})
		b.use(standingSite(off, config.StandingRoom{ID: "team"}))
		host := b.host("muster")
		room := b.kept(host, isClosed)
		early := b.knock(room, "Anna", client(1))
		early.present(false)
		host.mustCmd("open_room", message{"standing": "team"})
		early.next("admitted")
		b.knock(room, "Boris", client(2)).next("admitted")
	})
	t.Run("host first", func(t *testing.T) {
		b := newBench(t, Options{})
		b.use(standingSite(off, config.StandingRoom{ID: "gruppe", Kind: "gruppe"}))
		host := b.host("muster")
		room := b.kept(host, isClosed)
		host.mustCmd("open_room", message{"standing": "gruppe"})
		early := b.knock(room, "Anna", client(1))
		early.present(true)
		host.mustCmd("enter", message{"room": room.id})
		early.next("admitted")
	})
}

// After a restart people come back into the room before their host does: it is
// open, as it was.
func TestStandingRoomAfterRestart(t *testing.T) {
	b := newBench(t, Options{})
	b.use(standingSite(nil, config.StandingRoom{ID: "team"}))
	host := b.host("muster")
	room := b.kept(host, isClosed)
	b.rooms.set(siteA, room.id, Participant{Identity: "a", Name: "Anna"})
	host.until("state", func(m message) bool {
		r := m.room(room.id)
		return isOpen(r) && len(r.list("participants")) == 1
	})
	// Half an hour after everybody has left it closes by itself.
	b.rooms.set(siteA, room.id)
	now := time.Now()
	b.desk.minutely(now)
	b.desk.minutely(now.Add(vacantTime))
	b.kept(host, isClosed)
	b.rooms.set(siteA, room.id)
	b.kept(b.host("muster"), isClosed)
	// What is remembered of it is forgotten when no token of before is good.
	b.desk.sweep(now.Add(time.Hour))
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	if len(b.desk.records) != 0 {
		t.Error("a closed standing room is remembered for ever")
	}
}

func TestStandingRoomTakesAsManyAsItsKind(t *testing.T) {
	b := newBench(t, Options{})
	b.use(standingSite(func(s *config.Site) {
		s.Kinds = []config.KindSetting{{ID: "paar", Name: "Paar", MaxParticipants: 2}}
	}, config.StandingRoom{ID: "paar", Kind: "paar"}))
	host := b.host("muster")
	room := b.kept(host, isClosed)
	host.mustCmd("enter", message{"room": room.id})
	b.rooms.set(siteA, room.id, Participant{Identity: "h", Host: true}, Participant{Identity: "a"})
	b.knock(room, "Boris", client(1)).present(true)
	host.failCmd(CodeRoomFull, "admit", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
}

// The end of a talk bars nobody from the keys of the next one in the same room;
// whoever was removed stays out.
func TestCircleInARoomThatWasOpenedAgain(t *testing.T) {
	b := newBench(t, Options{})
	b.use(standingSite(nil, config.StandingRoom{ID: "team"}))
	host := b.host("muster")
	room := b.kept(b.host("muster"), isClosed)
	anna := b.knock(room, "Anna", client(1))
	anna.present(false)
	b.rooms.mu.Lock()
	b.rooms.barred = ErrEnded // of the talk before
	b.rooms.mu.Unlock()
	host.mustCmd("open_room", message{"standing": "team"})
	host.mustCmd("admit", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
	identity := b.mediaClaims(anna.next("admitted")).Subject
	b.holder(room.id, identity, false).hello()

	b.rooms.mu.Lock()
	b.rooms.barred = ErrRemoved
	b.rooms.mu.Unlock()
	b.dial("api/v1/circle", as{}, b.holder(room.id, identity, false).first()).refused(CodeNotAllowed)
	b.rooms.mu.Lock()
	b.rooms.barred = ErrEnded
	b.rooms.mu.Unlock()
	host.mustCmd("end", message{"room": room.id})
	b.dial("api/v1/circle", as{}, b.holder(room.id, identity, false).first()).refused(CodeRoomClosed)
}
