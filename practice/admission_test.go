// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

func TestAdmission(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	first := host.next("state")
	if h := first["host"].(map[string]any); h["id"] != "muster" || h["name"] != "Dr. Muster" || len(first.list("rooms")) != 0 {
		t.Fatalf("%v", first)
	}
	room := b.open(host)
	status, body := b.post("api/v1/room", message{"room": room.id, "cap": room.cap}, as{})
	if status != 200 || body != `{"host":{"id":"muster","name":"Dr. Muster"},"open":true}` {
		t.Errorf("%d %s", status, body)
	}
	visitor := b.knock(room, "  Ann   Bee ", as{})
	w := visitor.next("waiting")
	if w["host_present"] != true || len(w.text("resume")) < 22 {
		t.Errorf("%v", w)
	}
	guest := host.waiting(room.id, 1)[0]
	if guest.text("name") != "Ann Bee" || !token.ValidID(guest.text("id")) {
		t.Errorf("%v", guest)
	}
	if _, err := time.Parse(time.RFC3339, guest.text("since")); err != nil {
		t.Error(err)
	}
	host.mustCmd("admit", message{"room": room.id, "knock": guest.text("id")})
	in := visitor.next("admitted")
	c := b.mediaClaims(in)
	if in.text("url") != "/video" || c.Video.Room != room.id || c.Name != "Ann Bee" || c.Video.RoomAdmin || c.Subject == guest.text("id") {
		t.Errorf("%v %+v", in, c)
	}
	if code := visitor.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %v", code)
	}
	host.waiting(room.id, 0)
	host.failCmd(CodeNotFound, "admit", message{"room": room.id, "knock": guest.text("id")})

	b.rooms.set(siteA, room.id, Participant{Identity: c.Subject, Name: c.Name, Audio: On, Video: Muted})
	people := host.until("state", func(m message) bool { return len(m.room(room.id).list("participants")) == 1 }).room(room.id).list("participants")
	if p := people[0]; p["identity"] != c.Subject || p["audio"] != "on" || p["video"] != "muted" || p["host"] != false || p["screen"] != false {
		t.Errorf("%v", p)
	}
}

func TestHostEnters(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	in := host.mustCmd("enter", message{"room": room.id})
	c := b.mediaClaims(in)
	if !c.Video.RoomAdmin || c.Name != "Dr. Muster" || in.text("url") != "/video" {
		t.Errorf("%+v", c)
	}
	again := host.mustCmd("enter", message{"room": room.id, "name": "Anna Muster"})
	if again["identity"] != in["identity"] || again["token"] == in["token"] || b.mediaClaims(again).Name != "Anna Muster" {
		t.Errorf("%v", again)
	}
	host.failCmd(CodeBadRequest, "enter", message{"room": room.id, "name": "a\u202eb"})
	host.failCmd(CodeNotAllowed, "remove", message{"room": room.id, "identity": in["identity"]})

	// The host's own place does not count against the room's size twice.
	full := []Participant{{Identity: in.text("identity"), Host: true}}
	for i := range config.DefaultMaxParticipants - 1 {
		full = append(full, Participant{Identity: string(rune('a' + i))})
	}
	b.rooms.set(siteA, room.id, full...)
	host.mustCmd("enter", message{"room": room.id})
	visitor := b.knock(room, "Ann", as{})
	knock := host.waiting(room.id, 1)[0].text("id")
	host.failCmd(CodeRoomFull, "admit", message{"room": room.id, "knock": knock})
	b.rooms.set(siteA, room.id, full[1:]...)
	host.mustCmd("admit", message{"room": room.id, "knock": knock})
	visitor.next("admitted")
}

func TestDeclineAndLeave(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	ann := b.knock(room, "Ann", as{})
	host.mustCmd("decline", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
	ann.next("declined")
	if code := ann.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %v", code)
	}
	bob := b.knock(room, "Bob", as{})
	resume := bob.next("waiting").text("resume")
	host.waiting(room.id, 1)
	bob.send(message{"type": "ping"})
	bob.next("pong")
	bob.send(message{"type": "leave"})
	if code := bob.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %v", code)
	}
	host.waiting(room.id, 0)
	m := room.knock("Bob")
	m["resume"] = resume
	if got := b.dial("api/v1/knock", as{}, m).next("waiting").text("resume"); got == resume {
		t.Error("a withdrawn knock is continued")
	}
}

func TestEnd(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	bob := b.knock(room, "Bob", as{})
	resume := bob.next("waiting").text("resume")
	host.mustCmd("admit", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
	bob.next("admitted")
	ann := b.knock(room, "Ann", as{})
	host.until("state", func(m message) bool {
		w := m.room(room.id).list("waiting")
		return len(w) == 1 && w[0]["name"] == "Ann"
	})
	host.mustCmd("end", message{"room": room.id})
	if m := ann.next("closed"); m.text("reason") != "ended" {
		t.Errorf("%v", m)
	}
	if code := ann.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %v", code)
	}
	if log := b.rooms.log(); len(log) != 1 || log[0] != "end "+room.id {
		t.Errorf("%v", log)
	}
	if err := b.desk.Admitted(siteA, room.id, "x"); !errors.Is(err, ErrEnded) {
		t.Errorf("%v", err)
	}
	b.knock(room, "Ann", as{}).refused(CodeRoomClosed)
	if status, body := b.post("api/v1/room", message{"room": room.id, "cap": room.cap}, as{}); status != http.StatusConflict {
		t.Errorf("%d %s", status, body)
	}
	for _, do := range []string{"end", "enter", "admit", "decline", "mute", "remove"} {
		host.failCmd(CodeNotFound, do, message{"room": room.id, "kind": "audio", "identity": "x", "knock": "x"})
	}
	// Nor does an answer that was given before the end.
	m := room.knock("Bob")
	m["resume"] = resume
	b.dial("api/v1/knock", as{}, m).refused(CodeRoomClosed)
	// Nor does a grant bring it back.
	if s := b.host("muster", room.grant).next("state"); len(s.list("rooms")) != 0 {
		t.Errorf("%v", s)
	}
}

func TestRemoveAndMute(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	visitor := b.knock(room, "Ann", as{})
	resume := visitor.next("waiting").text("resume")
	host.mustCmd("admit", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
	identity := visitor.next("admitted").text("identity")
	b.rooms.set(siteA, room.id, Participant{Identity: identity, Audio: On})

	host.mustCmd("mute", message{"room": room.id, "identity": identity, "kind": "audio"})
	host.mustCmd("mute", message{"room": room.id, "identity": identity, "kind": "video"})
	host.failCmd(CodeBadRequest, "mute", message{"room": room.id, "identity": identity, "kind": "data"})
	host.failCmd(CodeNotFound, "mute", message{"room": room.id, "identity": "nobody", "kind": "audio"})
	host.failCmd(CodeNotFound, "remove", message{"room": room.id, "identity": "nobody"})
	if err := b.desk.Admitted(siteA, room.id, "nobody"); err != nil {
		t.Errorf("%v", err)
	}
	if err := b.desk.Admitted(siteA, room.id, identity); err != nil {
		t.Errorf("before removal: %v", err)
	}
	host.mustCmd("remove", message{"room": room.id, "identity": identity})
	if got, want := strings.Join(b.rooms.log(), "|"), "mute audio "+identity+"|mute video "+identity+"|remove "+identity; got != want {
		t.Errorf("%s", got)
	}
	if err := b.desk.Admitted(siteA, room.id, identity); !errors.Is(err, ErrRemoved) {
		t.Errorf("after removal: %v", err)
	}
	// What the visitor kept leads to a new knock, not back in.
	m := room.knock("Ann")
	m["resume"] = resume
	back := b.dial("api/v1/knock", as{}, m)
	if got := back.next("waiting").text("resume"); got == resume {
		t.Error("the old admission is repeated")
	}
	host.mustCmd("admit", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
	if got := back.next("admitted").text("identity"); got == identity {
		t.Error("the old identity is given again")
	}
}

// TestRemoveBeforeArrival: somebody admitted a moment ago, not yet in the room.
func TestRemoveBeforeArrival(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	visitor := b.knock(room, "Ann", as{})
	host.mustCmd("admit", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
	identity := visitor.next("admitted").text("identity")
	host.mustCmd("remove", message{"room": room.id, "identity": identity})
	if err := b.desk.Admitted(siteA, room.id, identity); !errors.Is(err, ErrRemoved) {
		t.Errorf("%v", err)
	}
}

func TestResume(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	ann := b.knock(room, "Ann", as{})
	resume := ann.next("waiting").text("resume")
	before := host.waiting(room.id, 1)[0]
	_ = ann.ws.CloseNow()

	m := room.knock("Ann")
	m["resume"] = resume
	back := b.dial("api/v1/knock", as{}, m)
	if got := back.next("waiting").text("resume"); got != resume {
		t.Errorf("another knock: %s", got)
	}
	// A third socket replaces the second one.
	third := b.dial("api/v1/knock", as{}, m)
	third.next("waiting")
	if code := back.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("replaced socket closed with %v", code)
	}
	_ = third.ws.CloseNow()
	eventually(t, "the cut", func() bool { return b.attached(room.id) == 0 })

	// The answer that falls into the gap is heard after it, twice if need be.
	host.mustCmd("admit", message{"room": room.id, "knock": before.text("id")})
	first := b.dial("api/v1/knock", as{}, m).next("admitted")
	again := b.dial("api/v1/knock", as{}, m).next("admitted")
	if first["identity"] != again["identity"] || b.mediaClaims(first).Subject != b.mediaClaims(again).Subject {
		t.Errorf("%v %v", first, again)
	}
	// The secret is good for its own room alone.
	other := b.open(host)
	m = other.knock("Ann")
	m["resume"] = resume
	if got := b.dial("api/v1/knock", as{}, m).next("waiting").text("resume"); got == resume {
		t.Error("the secret of one room continues a knock at another")
	}
}

// attached counts the sockets at a room's knocks.
func (b *bench) attached(room string) (n int) {
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	for _, k := range b.desk.records[roomKey{siteA, room}].knocks {
		if k.session != nil {
			n++
		}
	}
	return n
}

func TestGraceEnds(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{Grace: 50 * time.Millisecond}})
	host := b.host("muster")
	room := b.open(host)
	ann := b.knock(room, "Ann", as{})
	resume := ann.next("waiting").text("resume")
	host.waiting(room.id, 1)
	_ = ann.ws.CloseNow()
	host.waiting(room.id, 0)
	m := room.knock("Ann")
	m["resume"] = resume
	if got := b.dial("api/v1/knock", as{}, m).next("waiting").text("resume"); got == resume {
		t.Error("the knock outlives its grace")
	}
}

func TestHostPresence(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	_ = host.ws.Close(websocket.StatusNormalClosure, "")
	eventually(t, "the host's leaving", func() bool { return b.desk.Stats().Hosts == 0 })
	ann := b.knock(room, "Ann", as{})
	ann.present(false)
	zweit := b.host("zweit") // another host's presence is none of Ann's business
	zweit.next("state")
	host = b.host("muster")
	second := b.host("muster")
	ann.present(true)
	second.next("state")
	_ = host.ws.Close(websocket.StatusNormalClosure, "")
	_ = second.ws.CloseNow()
	ann.present(false)
}

// TestRestart: a new desk with the same keys knows nothing, until the host
// shows the grants.
func TestRestart(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	zweit := b.host("zweit")
	other := b.open(zweit)
	host.mustCmd("enter", message{"room": room.id})
	identity := host.mustCmd("enter", message{"room": room.id}).text("identity")

	c := newBench(t, Options{Keys: b.keys})
	if err := c.desk.Admitted(siteA, room.id, identity); err != nil {
		t.Errorf("people cannot come back before the host: %v", err)
	}
	ann := c.knock(room, "Ann", as{})
	ann.present(false)
	if status, body := c.post("api/v1/room", message{"room": room.id, "cap": room.cap}, as{}); status != 200 || !strings.Contains(body, `"open":false`) {
		t.Errorf("%d %s", status, body)
	}
	host = c.host("muster", "nonsense", other.grant, room.grant, room.grant[:len(room.grant)-1], room.grant)
	s := host.until("state", func(m message) bool { return len(m.list("rooms")) > 0 })
	if len(s.list("rooms")) != 1 || s.room(room.id) == nil {
		t.Fatalf("%v", s)
	}
	if r := s.room(room.id); r.text("grant") != room.grant || r.text("link") != "r/"+room.id+"#s="+room.cap {
		t.Errorf("%v", r)
	}
	ann.present(true)
	host.mustCmd("admit", message{"room": room.id, "knock": s.room(room.id).list("waiting")[0].text("id")})
	ann.next("admitted")
	if got := host.mustCmd("enter", message{"room": room.id}).text("identity"); got != identity {
		t.Error("the host is another participant after the restart")
	}
}

func TestWithoutWaitingRoom(t *testing.T) {
	b := newBench(t, Options{})
	b.site.WaitingRoom = config.Off
	b.site.MaxParticipants = 2
	host := b.host("muster")
	room := b.open(host)
	in := b.knock(room, "Ann", as{}).next("admitted")
	b.mediaClaims(in)
	b.rooms.set(siteA, room.id, Participant{Identity: "a"}, Participant{Identity: "b"})
	b.knock(room, "Bob", as{}).refused(CodeRoomFull)

	// Before the host opens, people wait; then all enter.
	c := newBench(t, Options{Keys: b.keys})
	c.site.WaitingRoom = config.Off
	ann, bob := c.knock(room, "Ann", as{}), c.knock(room, "Bob", as{})
	ann.present(false)
	bob.present(false)
	c.host("muster", room.grant)
	ann.next("admitted")
	bob.next("admitted")

	// Without any host the first visitor opens the room.
	c.site.Hosts = nil
	link, err := c.keys.Visit(siteA, room.id, token.Visit{Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	free := opened{id: room.id, cap: link}
	c.knock(free, "Eve", as{}).next("admitted")
	c.site = testSite()
	c.knock(free, "Eve", as{}).refused(CodeBadLink)
}

// TestInvisible: one visitor's socket says nothing of others.
func TestInvisible(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	ann := b.knock(room, "Ann", as{})
	ann.next("waiting")
	host.waiting(room.id, 1)
	bob := b.knock(room, "Bob", client(1))
	bob.next("waiting")
	bobID := host.waiting(room.id, 2)[1].text("id")
	b.rooms.set(siteA, room.id, Participant{Identity: "x", Name: "Carl"})
	host.mustCmd("decline", message{"room": room.id, "knock": bobID})
	bob.next("declined")
	host.mustCmd("mute", message{"room": room.id, "identity": "x", "kind": "audio"})
	ann.send(message{"type": "ping"})
	if m, err := ann.read(); err != nil || m["type"] != "pong" {
		t.Errorf("Ann was told %v %v", m, err)
	}
	// Whatever else a waiting socket asks is refused.
	for _, ask := range []string{
		`{"type":"cmd","id":1,"do":"admit"}`, `{"type":"hello"}`, `{"type":"knock"}`, `{}`, `[]`, `null`, `x`, `{"type":"ping","type":"leave"}`,
	} {
		w := b.dial("api/v1/knock", client(2), room.knock("Eve"))
		w.next("waiting")
		w.raw(ask)
		w.refused(CodeBadRequest)
		b.desk.mu.Lock()
		for _, k := range b.desk.records[roomKey{siteA, room.id}].knocks {
			if k.name == "Eve" {
				b.desk.dropLocked(k)
			}
		}
		b.desk.records[roomKey{siteA, room.id}].arrivals = bucket{}
		b.desk.mu.Unlock()
	}
	binary := b.dial("api/v1/knock", client(3), room.knock("Eve"))
	binary.next("waiting")
	if err := binary.ws.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	binary.refused(CodeBadRequest)
}

// TestAuthorisation: every command, tried by everybody who must not.
func TestAuthorisation(t *testing.T) {
	b := newBench(t, Options{})
	owner := b.host("muster")
	room := b.open(owner)
	b.knock(room, "Ann", as{})
	knock := owner.waiting(room.id, 1)[0].text("id")
	b.rooms.set(siteA, room.id, Participant{Identity: "p", Audio: On})

	key, _ := b.keys.HostKey(siteB, token.HostKey{Host: "muster", Generation: config.FirstLinkGeneration})
	foreign, err := b.keys.HostSession(siteB, token.HostSession{Host: "muster", Since: time.Now()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if status, body := b.post("api/v1/host/session", message{"key": key}, as{}); status != 401 {
		t.Errorf("a key of another site: %d %s", status, body)
	}
	strangers := map[string]*wire{
		"other host of the site":       b.host("zweit"),
		"other host with the grant":    b.host("zweit", room.grant),
		"same host id of another site": b.dial("api/v1/host", as{site: siteB}, message{"type": "hello", "token": foreign, "rooms": []string{room.grant}}),
	}
	for name, w := range strangers {
		if s := w.next("state"); len(s.list("rooms")) != 0 {
			t.Errorf("%s sees %v", name, s)
		}
		for do := range commands {
			if do == "open_room" {
				continue
			}
			args := message{"room": room.id, "knock": knock, "identity": "p", "kind": "audio"}
			mine := w.cmd(do, args)
			args["room"] = token.NewID()
			none := w.cmd(do, args)
			delete(mine, "id")
			delete(none, "id")
			if e := mine["error"].(map[string]any); e["code"] != "not_found" || e["message"] != none["error"].(map[string]any)["message"] || mine["ok"] != false || len(mine) != len(none) {
				t.Errorf("%s, %s: %v and %v", name, do, mine, none)
			}
		}
	}
	if log := b.rooms.log(); len(log) != 0 {
		t.Errorf("strangers did %v", log)
	}
	for name, text := range map[string]string{
		"none": "", "nonsense": "x.y.z", "of another site": foreign, "a media token": owner.mustCmd("enter", message{"room": room.id}).text("token"),
	} {
		w := b.dial("api/v1/host", client(9), message{"type": "hello", "token": text})
		t.Log(name)
		w.refused(CodeNotHost)
	}
	gone, err := b.keys.HostSession(siteA, token.HostSession{Host: "former", Since: time.Now()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.dial("api/v1/host", client(9), message{"type": "hello", "token": gone}).refused(CodeNotHost)
	owner.mustCmd("admit", message{"room": room.id, "knock": knock})
	owner.failCmd(CodeBadRequest, "dance", message{"room": room.id})
	owner.failCmd(CodeBadRequest, "", nil)
}
