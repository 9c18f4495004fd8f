// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// walkInSite is testSite with opening hours of its first host.
func walkInSite(change func(*config.Site), open ...string) *config.Site {
	s := testSite()
	s.Hosts[0].Open = open
	if change != nil {
		change(s)
	}
	return s
}

func (b *bench) use(s *config.Site) {
	b.mu.Lock()
	b.site = s
	b.mu.Unlock()
	b.desk.Install(func(string) []*config.Site { return []*config.Site{s} })
}

func (b *bench) walkIn(name string, who as) *wire {
	b.t.Helper()
	return b.dial("api/v1/knock", who, message{"type": "knock", "host": "muster", "name": name})
}

// wallClock is a clock that stands until it is set.
type wallClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *wallClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *wallClock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

const lobby = "open/muster"

func TestWalkIn(t *testing.T) {
	b := newBench(t, Options{})
	b.use(walkInSite(func(s *config.Site) { s.WaitingRoom = config.Off }, config.Always))
	host := b.host("muster")
	first := host.next("state")
	if w, _ := first["walk_in"].(map[string]any); w["address"] != "muster" || w["open"] != true || len(first.list("rooms")) != 0 {
		t.Fatalf("state %v", first)
	}

	anna, boris := b.walkIn("Anna", client(1)), b.walkIn("Boris", client(2))
	anna.present(true)
	boris.present(true)
	queue := host.waiting(lobby, 2)
	for _, g := range queue {
		if g["unlinked"] != true {
			t.Errorf("guest %v does not say that they came without a link", g)
		}
	}
	byName := map[string]string{queue[0].text("name"): queue[0].text("id"), queue[1].text("name"): queue[1].text("id")}

	// One is let in, to a room of their own; the other waits on.
	room := host.mustCmd("admit", message{"room": lobby, "knock": byName["Anna"]}).text("room")
	in := anna.next("admitted")
	claims := b.mediaClaims(in)
	moved, _ := in["moved"].(map[string]any)
	if !token.ValidID(room) || claims.Video.Room != room || moved["room"] != room || claims.Video.RoomAdmin {
		t.Fatalf("room %q, admitted %v", room, in)
	}
	if left := host.waiting(lobby, 1); left[0].text("name") != "Boris" {
		t.Errorf("at the door: %v", left)
	}
	host.mustCmd("message", message{"room": lobby, "knock": byName["Boris"], "text": "Gleich."})
	boris.until("waiting", func(m message) bool { l, _ := m["messages"].([]any); return len(l) == 1 })

	// A reload leads to the same room, where nobody enters unasked either.
	again := b.dial("api/v1/knock", client(3), message{"type": "knock", "room": room, "cap": moved["cap"], "name": "Anna"})
	again.present(true)
	host.waiting(room, 1)
	host.mustCmd("unlock", message{"room": room})
	if left := host.waiting(room, 1); len(left) != 1 {
		t.Error("unlocking let somebody in")
	}
	host.mustCmd("decline", message{"room": lobby, "knock": byName["Boris"]})
	boris.next("declined")
	host.until("state", func(m message) bool { return m.room(lobby) == nil })
	for _, do := range []string{"enter", "lock", "end", "mute", "remove", "back"} {
		host.failCmd(CodeNotFound, do, message{"room": lobby, "identity": "x", "kind": "audio"})
	}
}

func TestWalkInRoomStaysGuardedAfterRestart(t *testing.T) {
	keys := token.NewKeys()
	site := walkInSite(func(s *config.Site) { s.WaitingRoom = config.Off }, config.Always)
	b := newBench(t, Options{Keys: keys})
	b.use(site)
	host := b.host("muster")
	anna := b.walkIn("Anna", client(1))
	anna.present(true)
	knock := host.waiting(lobby, 1)[0].text("id")
	room := host.mustCmd("admit", message{"room": lobby, "knock": knock}).text("room")
	moved, _ := anna.next("admitted")["moved"].(map[string]any)
	grant := host.until("state", func(m message) bool { return m.room(room) != nil }).room(room).text("grant")

	b = newBench(t, Options{Keys: keys})
	b.use(site)
	host = b.host("muster", grant)
	host.until("state", func(m message) bool { return m.room(room) != nil })
	again := b.dial("api/v1/knock", client(1), message{"type": "knock", "room": room, "cap": moved["cap"], "name": "Anna"})
	again.present(true)
	host.waiting(room, 1)
}

func TestWalkInIsOffUnlessSwitchedOn(t *testing.T) {
	b := newBench(t, Options{})
	b.use(walkInSite(nil, config.Always))
	ask := func(host string) (int, string) { return b.post("api/v1/room", message{"host": host}, client(1)) }
	if status, body := ask("muster"); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	_, unknown := ask("niemand")
	for _, id := range []string{"zweit", "", "Muster", "open/muster"} {
		if status, body := ask(id); status != http.StatusNotFound || body != unknown {
			t.Errorf("%q: %d %s, want %s", id, status, body, unknown)
		}
		b.dial("api/v1/knock", client(2), message{"type": "knock", "host": id, "name": "A"}).refused(CodeBadLink)
	}
	b.dial("api/v1/knock", client(3), message{"type": "knock", "room": lobby, "cap": "x", "name": "A"}).refused(CodeBadLink)
	if status, _ := b.post("api/v1/room", message{"host": "muster", "room": lobby}, client(3)); status != http.StatusNotFound {
		t.Errorf("a lobby is no room: %d", status)
	}
	var last int
	for range b.desk.limits.BadLinksPerMinute {
		last, _ = ask("niemand")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("looking for hosts is answered with %d", last)
	}
}

func TestWalkInFollowsTheHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := &wallClock{at: time.Date(2026, 11, 30, 11, 59, 0, 0, berlin)}
	b := newBench(t, Options{Now: now.now})
	b.use(walkInSite(nil, "mo-fr 08:00-12:00 14:00-17:00"))
	ask := func() (out struct {
		Open  bool
		Host  person
		Hours hoursBody
	}) {
		_, body := b.post("api/v1/room", message{"host": "muster"}, client(1))
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		return out
	}
	host := b.host("muster")
	if in := ask(); !in.Open || in.Hours.Changes != "2026-11-30T12:00:00+01:00" || in.Hours.Zone != "Europe/Berlin" ||
		in.Host.Name != "Dr. Muster" || len(in.Hours.Week) != 7 || in.Hours.Week[0][1] != [2]string{"14:00", "17:00"} || len(in.Hours.Week[6]) != 0 {
		t.Errorf("within the hours: %+v", in)
	}
	anna := b.walkIn("Anna", client(1))
	resume := anna.present(true).text("resume")
	knock := host.waiting(lobby, 1)[0].text("id")

	now.set(time.Date(2026, 11, 30, 12, 0, 0, 0, berlin))
	b.desk.minutely(time.Now())
	host.until("state", func(m message) bool { w, _ := m["walk_in"].(map[string]any); return w["open"] == false })
	if in := ask(); in.Open || in.Hours.Changes != "2026-11-30T14:00:00+01:00" {
		t.Errorf("outside the hours: %+v", in)
	}
	late := b.walkIn("Boris", client(2))
	if m := late.next("error"); m.text("code") != string(CodeTooEarly) || m["retry_after"] != 7200.0 {
		t.Errorf("after the hours: %v", m)
	}
	// Who waits already keeps the place, also over a cut.
	_ = anna.ws.CloseNow()
	back := b.dial("api/v1/knock", client(1), message{"type": "knock", "host": "muster", "name": "Anna", "resume": resume})
	back.present(true)
	host.mustCmd("admit", message{"room": lobby, "knock": knock})
	back.next("admitted")
}

func TestWalkInsAreBounded(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{KnocksPerMinute: 100}})
	b.use(walkInSite(func(s *config.Site) { s.MaxParticipants = 100 }, config.Always))
	host := b.host("muster")
	for i := range 20 {
		b.walkIn("A", client(i)).present(true)
	}
	host.waiting(lobby, 20)
	b.walkIn("A", client(20)).refused(CodeTooMany)
	// One address holds three places, and is not trusted for knowing the address.
	b2 := newBench(t, Options{})
	b2.use(walkInSite(nil, config.Always))
	for range 3 {
		b2.walkIn("A", client(1)).present(false)
	}
	b2.walkIn("A", client(1)).refused(CodeTooMany)
	if from := b2.desk.crowd.of(netip.MustParseAddr(client(1).client), time.Now()); from.trusted {
		t.Error("an address is trusted although it showed no link")
	}
}

// An answer that was lost on the way is repeated to whoever knocks again.
func TestWalkInHearsALostAnswer(t *testing.T) {
	b := newBench(t, Options{})
	b.use(walkInSite(nil, config.Always))
	host := b.host("muster")
	anna := b.walkIn("Anna", client(1))
	resume := anna.present(true).text("resume")
	_ = anna.ws.CloseNow()
	knock := host.waiting(lobby, 1)[0].text("id")
	room := host.mustCmd("admit", message{"room": lobby, "knock": knock}).text("room")
	in := b.dial("api/v1/knock", client(1), message{"type": "knock", "host": "muster", "name": "Anna", "resume": resume}).next("admitted")
	if moved, _ := in["moved"].(map[string]any); moved["room"] != room || b.mediaClaims(in).Video.Room != room {
		t.Errorf("admitted %v, want to room %s", in, room)
	}
}

func TestWalkInIsHandedOver(t *testing.T) {
	b := newBench(t, Options{})
	b.use(walkInSite(nil, config.Always))
	host, second := b.host("muster"), b.host("zweit")
	second.next("state")
	anna := b.walkIn("Anna", client(1))
	anna.present(true)
	host.mustCmd("hand", message{"room": lobby, "knock": host.waiting(lobby, 1)[0].text("id"), "host": "zweit"})
	anna.until("waiting", func(m message) bool { return m["offer"] != nil })
	anna.send(message{"type": "answer", "host": "zweit", "accept": true})
	anna.until("waiting", func(m message) bool { return m["moved"] != nil })
	rooms := second.until("state", func(m message) bool { return len(m.list("rooms")) == 1 }).list("rooms")
	if g := rooms[0].list("waiting"); len(g) != 1 || g[0]["unlinked"] != true || g[0].text("from") != "Dr. Muster" {
		t.Errorf("at the colleague's door: %v", g)
	}
}

// Rooms of the open consultation that nobody is in close by themselves.
func TestEmptyWalkInRoomsClose(t *testing.T) {
	b := newBench(t, Options{})
	b.use(walkInSite(nil, config.Always))
	host := b.host("muster")
	own := b.open(host)
	anna := b.walkIn("Anna", client(1))
	anna.present(true)
	room := host.mustCmd("admit", message{"room": lobby, "knock": host.waiting(lobby, 1)[0].text("id")}).text("room")
	anna.next("admitted")
	now := time.Now()
	b.rooms.set(siteA, room, Participant{Identity: "a", Name: "Anna"})
	b.desk.minutely(now)
	b.desk.minutely(now.Add(vacantTime))
	b.rooms.set(siteA, room)
	b.desk.minutely(now.Add(2 * vacantTime))
	host.until("state", func(m message) bool { return m.room(room) != nil })
	b.desk.minutely(now.Add(3 * vacantTime))
	last := host.until("state", func(m message) bool { return m.room(room) == nil })
	if last.room(own.id) == nil {
		t.Error("a room that the host opened has closed as well")
	}
}
