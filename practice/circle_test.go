// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/internal/e2eetest"
	"github.com/caddy-videoroom/videoroom/practice/internal/circle"
	"github.com/caddy-videoroom/videoroom/token"
)

// keyed is a page with its key.
type keyed struct {
	public  string
	private ed25519.PrivateKey
}

func newKeyed() keyed {
	pub, key, _ := ed25519.GenerateKey(nil)
	return keyed{toText(pub), key}
}

// holder is a page that holds keys with others in a circle.
type holder struct {
	*wire
	b        *bench
	page     keyed
	token    string
	identity string
	id       ed25519.PrivateKey
	knock    []byte
	pid      string
	call     []byte
	resume   string
	told     string
	n, got   int
}

func signedBy(key ed25519.PrivateKey, call, message []byte) []byte {
	return append(message, ed25519.Sign(key, bytes.Join([][]byte{[]byte("vr1 sign"), call, message}, nil))...)
}

// holder makes a page with a token of a room, which has not said hello.
func (b *bench) holder(room, identity string, host bool) *holder {
	b.t.Helper()
	h := &holder{b: b, page: newKeyed(), identity: identity, call: bytes.Repeat([]byte{5}, 32)}
	h.token = b.mint(token.Admission{Site: siteA, Room: room, Identity: identity, Name: "N", Host: host, Key: h.page.public})
	pub, id, _ := ed25519.GenerateKey(nil)
	kem := make([]byte, 1216)
	_, _ = rand.Read(kem)
	h.id, h.knock = id, signedBy(id, make([]byte, 32), bytes.Join([][]byte{{1, 1}, pub, kem}, nil))
	h.pid = fmt.Sprintf("%x", e2eetest.PID(pub))
	return h
}

func (b *bench) mint(a token.Admission) string {
	b.t.Helper()
	text, err := b.keys.Media(a, time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

func (h *holder) first() message {
	digest := sha256.Sum256(h.knock)
	proof := ed25519.Sign(h.page.private, append([]byte("vr1 page"), digest[:]...))
	return message{"type": "hello", "token": h.token, "knock": toText(h.knock), "proof": toText(proof)}
}

// hello says it and reads the welcome.
func (h *holder) hello() *holder {
	h.b.t.Helper()
	h.wire = h.b.dial("api/v1/circle", as{}, h.first())
	w := h.next("welcome")
	if w.text("pid") != h.pid || w.text("identity") != h.identity || len(w.text("resume")) < 22 || w.text("circle") == "" {
		h.b.t.Fatalf("%v", w)
	}
	h.resume, h.told = w.text("resume"), w.text("host")
	return h
}

// told returns the next numbered frame of a type that fulfils ok.
func (h *holder) numbered(kind string, ok func(message) bool) message {
	h.t.Helper()
	m := h.until(kind, func(m message) bool {
		h.got = max(h.got, int(m["n"].(float64)))
		return ok(m)
	})
	return m
}

// roster reads up to the roster with exactly these members.
func (h *holder) roster(members ...*holder) message {
	h.t.Helper()
	m := h.numbered("roster", func(m message) bool {
		people := m.list("people")
		if len(people) != len(members) {
			return false
		}
		for _, want := range members {
			if !strings.Contains(fmt.Sprint(people), "pid:"+want.pid) {
				return false
			}
		}
		return true
	})
	raw, err := octets(m.text("data"))
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := e2eetest.DecodeRoster(raw)
	if err != nil || len(r.Entries) != len(members) {
		h.t.Fatal(err)
	}
	return m
}

func (h *holder) asked(about *holder) message {
	h.t.Helper()
	var found message
	h.numbered("asking", func(m message) bool {
		for _, c := range m.list("list") {
			if c["pid"] == about.pid {
				found = c
			}
		}
		return found != nil
	})
	return found
}

func (h *holder) admit(about *holder, role byte) {
	h.t.Helper()
	m, err := e2eetest.Decode(about.knock)
	if err != nil {
		h.t.Fatal(err)
	}
	word := signedBy(h.id, h.call, bytes.Join([][]byte{
		{1, 2}, h.call, e2eetest.PID(m.ID), {role}, e2eetest.Hash([]byte("vr1 knock"), m.ID, m.KEM),
		h.id.Public().(ed25519.PublicKey),
	}, nil))
	h.n++
	h.send(message{"type": "admit", "n": h.n, "pid": about.pid, "data": toText(word)})
}

func (h *holder) say(to *holder, text string) {
	h.t.Helper()
	h.n++
	m := message{"type": "send", "n": h.n, "data": toText([]byte(text)), "got": h.got}
	if to != nil {
		m["to"] = to.pid
	}
	h.send(m)
}

func (h *holder) hears(text string) {
	h.t.Helper()
	h.numbered("message", func(m message) bool { return m["data"] == toText([]byte(text)) })
}

// ring is a circle with a host and guests.
func (b *bench) ring(room string, guests ...string) (host *holder, others []*holder) {
	b.t.Helper()
	host = b.holder(room, "host", true).hello()
	host.admit(host, 1)
	all := []*holder{host}
	for _, name := range guests {
		g := b.holder(room, name, false).hello()
		host.asked(g)
		host.admit(g, 0)
		all = append(all, g)
	}
	for _, h := range all {
		h.roster(all...)
	}
	return host, all[1:]
}

func TestCircle(t *testing.T) {
	b := newBench(t, Options{})
	room := token.NewID()
	early := b.holder(room, "early", false).hello()
	host := b.holder(room, "host", true).hello()
	if early.told != "" || host.told != "" {
		t.Error("a host before there is one")
	}
	if w := early.next("welcome"); w.text("host") != host.pid || w.text("resume") != early.resume {
		t.Errorf("%v", w)
	}
	host.admit(host, 1)
	if m := host.roster(host); m.text("host") != host.pid || m.list("people")[0]["host"] != true || m["n"] != 1.0 {
		t.Errorf("%v", m["people"])
	}
	c := host.asked(early)
	if c.text("identity") != "early" || c.text("key") != early.page.public || c.text("knock") != toText(early.knock) ||
		c["host"] != false || c["proof"] != early.first()["proof"] {
		t.Errorf("%v", c)
	}
	host.admit(early, 0)
	host.roster(host, early)
	if m := early.roster(host, early); m.text("host") != host.pid {
		t.Errorf("%v", m["host"])
	}
	early.say(nil, "to all")
	if a := early.next("ack"); a["n"] != 1.0 {
		t.Errorf("%v", a)
	}
	host.hears("to all")
	host.say(early, "to one")
	early.hears("to one")
	early.send(message{"type": "ping", "got": early.got})
	early.next("pong")
	early.send(message{"type": "bye"})
	if code := early.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %v", code)
	}
	host.roster(host)
	host.send(message{"type": "bye"})
	host.closed()
	eventually(t, "an empty circle is gone", func() bool {
		b.desk.hall.mu.Lock()
		defer b.desk.hall.mu.Unlock()
		return len(b.desk.hall.circles) == 0
	})
}

func TestCircleResumes(t *testing.T) {
	b := newBench(t, Options{})
	host, guests := b.ring(token.NewID(), "a")
	a := guests[0]
	_ = a.ws.CloseNow()
	for i := range 20 {
		host.say(a, fmt.Sprint("message ", i))
	}
	host.until("ack", func(m message) bool { return m["n"] == float64(host.n) })
	back := message{"type": "hello", "token": a.token, "resume": a.resume, "got": a.got}
	a.wire = b.dial("api/v1/circle", as{}, back)
	if w := a.next("welcome"); w.text("resume") != a.resume || w.text("host") != host.pid {
		t.Errorf("%v", w)
	}
	for i := range 20 {
		a.hears(fmt.Sprint("message ", i))
	}
	// Another socket with the secret takes over; a wrong one begins anew.
	before := a.wire
	a.wire = b.dial("api/v1/circle", as{}, back)
	if code := before.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %v", code)
	}
	a.hears("message 0") // nothing has been confirmed
	back["resume"] = token.NewSecret()
	w := b.dial("api/v1/circle", as{}, back)
	w.next("restart")
	if code := w.closed(); code != websocket.StatusNormalClosure {
		t.Errorf("closed with %v", code)
	}
}

func TestCircleOfTwoHosts(t *testing.T) {
	b := newBench(t, Options{})
	room := token.NewID()
	host, guests := b.ring(room, "a")
	a := guests[0]
	second := b.holder(room, "second", true).hello()
	if second.told != host.pid {
		t.Error("the second host does not learn of the first")
	}
	if c := host.asked(second); c["host"] != true {
		t.Errorf("%v", c)
	}
	host.admit(second, 1)
	second.roster(host, a, second)
	c := b.holder(room, "c", false).hello()
	second.asked(c)
	second.admit(c, 0)
	a.roster(host, a, second, c)

	host.send(message{"type": "bye"})
	second.send(message{"type": "bye"})
	a.roster(a, c)
	host = b.holder(room, "host", true).hello()
	if host.told != "" {
		t.Error("the new circle has another host")
	}
	for _, h := range []*holder{a, c} {
		h.next("restart")
		if code := h.closed(); code != websocket.StatusNormalClosure {
			t.Errorf("closed with %v", code)
		}
	}
	// A second hello of the same person takes the first one's place.
	again := b.holder(room, "host", true).hello()
	if code := host.closed(); code != websocket.StatusNormalClosure || again.told != "" {
		t.Errorf("closed with %v", code)
	}
}

func TestCircleRefuses(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{OpensPerIP: 100, BadLinksPerMinute: 100}})
	room := token.NewID()
	host, guests := b.ring(room, "a")
	thief := b.holder(room, "thief", false)
	for name, c := range map[string]struct {
		change func(m message)
		want   Code
	}{
		"no hello":           {func(m message) { m["type"] = "ping" }, CodeBadRequest},
		"no token":           {func(m message) { m["token"] = "" }, CodeBadLink},
		"another site's":     {func(m message) { m["token"] = other(b, room) }, CodeBadLink},
		"a stolen token":     {func(m message) { m["token"] = guests[0].token }, CodeNotAllowed},
		"no proof":           {func(m message) { delete(m, "proof") }, CodeNotAllowed},
		"another's proof":    {func(m message) { m["proof"] = guests[0].first()["proof"] }, CodeNotAllowed},
		"no knock":           {func(m message) { delete(m, "knock") }, CodeBadRequest},
		"a broken knock":     {func(m message) { m["knock"] = "AA" + m.text("knock")[2:] }, CodeBadRequest},
		"padded":             {func(m message) { m["knock"] = m.text("knock") + "=" }, CodeBadRequest},
		"with a line break":  {func(m message) { m["knock"] = m.text("knock") + "\n" }, CodeBadRequest},
		"a page without key": {func(m message) { m["token"] = b.mint(token.Admission{Site: siteA, Room: room, Identity: "x"}) }, CodeNoEncryption},
		"of the test": {func(m message) {
			m["token"] = b.mint(token.Admission{Site: siteA, Room: room, Identity: "x", Test: true})
		}, CodeNotAllowed},
		"a knock of a member": {func(m message) { m["knock"] = toText(guests[0].knock) }, CodeNotAllowed},
	} {
		m := thief.first()
		c.change(m)
		t.Run(name, func(t *testing.T) {
			w := b.dial("api/v1/circle", as{}, m)
			w.t = t
			w.refused(c.want)
		})
	}
	// A pid that is known begins anew, whoever comes with it.
	b.dial("api/v1/circle", as{}, guests[0].first()).next("restart")
	status, _, _ := b.do(http.MethodGet, "api/v1/circle", "", b.headers(as{origin: "https://evil.example"}))
	if status != http.StatusForbidden {
		t.Errorf("another page's socket: %d", status)
	}

	for name, m := range map[string]message{
		"unknown type":     {"type": "shout"},
		"out of order":     {"type": "send", "n": 7, "data": "AA"},
		"too much":         {"type": "send", "n": 1, "data": strings.Repeat("AAAA", 3100)},
		"not sent":         {"type": "ping", "got": 1000},
		"no pid":           {"type": "send", "n": 1, "to": "x", "data": "AA"},
		"strange missing":  {"type": "missing", "pids": []string{"x"}},
		"too many missing": {"type": "missing", "pids": make([]string, 51)},
		"no admit":         {"type": "admit", "n": 1, "pid": host.pid, "data": "AA"},
	} {
		t.Run(name, func(t *testing.T) {
			g := b.holder(token.NewID(), "g", true).hello()
			g.t = t
			g.send(m)
			g.refused(CodeBadRequest)
		})
	}
	g := b.holder(room, "g", false).hello()
	g.say(nil, "x")
	g.refused(CodeNotAllowed)
	host.say(guests[0], "still there")
	guests[0].hears("still there")
}

// other is a token of another site's room.
func other(b *bench, room string) string {
	return b.mint(token.Admission{Site: siteB, Room: room, Identity: "x", Key: newKeyed().public})
}

func TestCircleAndTheDoor(t *testing.T) {
	b := newBench(t, Options{})
	dashboard := b.host("muster")
	room := b.open(dashboard)
	host, guests := b.ring(room.id, "a", "b", "c")
	a, other, third := guests[0], guests[1], guests[2]
	people := []Participant{{Identity: "a", Name: "A"}, {Identity: "b", Name: "B"}, {Identity: "z", Name: "Z"}}
	b.rooms.set(siteA, room.id, people...)
	dashboard.until("state", func(m message) bool {
		p := m.room(room.id).list("participants")
		return len(p) == 3 && p[0].text("key") == a.page.public && p[1].text("key") == other.page.public && p[2]["key"] == nil
	})
	// Removed: the others hold keys without them at once, and they do not return.
	dashboard.mustCmd("remove", message{"room": room.id, "identity": "a"})
	a.refused(CodeNotAllowed)
	host.roster(host, other, third)
	b.dial("api/v1/circle", as{}, message{"type": "hello", "token": a.token, "resume": a.resume}).refused(CodeNotAllowed)
	b.dial("api/v1/circle", as{}, a.first()).refused(CodeNotAllowed)
	// Who holds keys and has not arrived in the room is removed as well.
	dashboard.mustCmd("remove", message{"room": room.id, "identity": "c"})
	third.refused(CodeNotAllowed)

	// Put back, with the same page and key.
	dashboard.mustCmd("back", message{"room": room.id, "identity": "b"})
	other.refused(CodeNotAllowed)
	host.roster(host)
	dashboard.until("state", func(m message) bool { // whose page it was is known
		g := m.room(room.id).list("waiting")
		return len(g) == 1 && g[0].text("key") == other.page.public
	})
	door := b.dial("api/v1/knock", as{}, message{"type": "knock", "back": other.token})
	door.next("waiting")
	guest := dashboard.until("state", func(m message) bool {
		g := m.room(room.id).list("waiting")
		return len(g) == 1 && g[0].text("key") == other.page.public
	}).room(room.id).list("waiting")[0]
	dashboard.mustCmd("admit", message{"room": room.id, "knock": guest.text("id")})
	if c := b.mediaClaims(door.next("admitted")); c.Key != other.page.public {
		t.Errorf("%+v", c)
	}

	late := b.holder(room.id, "late", false).hello()
	dashboard.mustCmd("end", message{"room": room.id})
	host.refused(CodeRoomClosed)
	late.refused(CodeRoomClosed)
	b.dial("api/v1/circle", as{}, late.first()).refused(CodeRoomClosed)
}

func TestKeysGoWithPeople(t *testing.T) {
	b := newBench(t, Options{})
	dashboard := b.host("muster")
	room := b.open(dashboard)
	page, mine := newKeyed(), newKeyed()
	m := room.knock("Ann")
	m["key"] = page.public
	ann := b.dial("api/v1/knock", as{}, m)
	m["resume"] = ann.next("waiting").text("resume")
	guest := dashboard.waiting(room.id, 1)[0]
	if guest.text("key") != page.public {
		t.Errorf("%v", guest)
	}
	// A page that continues the knock brings its own key, and the host sees that.
	page = newKeyed()
	m["key"] = page.public
	ann = b.dial("api/v1/knock", as{}, m)
	dashboard.until("state", func(m message) bool {
		return m.room(room.id).list("waiting")[0].text("key") == page.public
	})
	dashboard.mustCmd("admit", message{"room": room.id, "knock": guest.text("id")})
	in := ann.next("admitted")
	if c := b.mediaClaims(in); c.Key != page.public {
		t.Errorf("%+v", c)
	}
	b.rooms.set(siteA, room.id, Participant{Identity: in.text("identity"), Name: "Ann"})
	dashboard.until("state", func(m message) bool {
		p := m.room(room.id).list("participants")
		return len(p) == 1 && p[0].text("key") == page.public
	})
	if c := b.mediaClaims(dashboard.mustCmd("enter", message{"room": room.id, "key": mine.public})); c.Key != mine.public {
		t.Errorf("%+v", c)
	}
	dashboard.failCmd(CodeBadRequest, "enter", message{"room": room.id, "key": mine.public + "A"})
	m = room.knock("Bob")
	m["key"] = "AAAA"
	b.dial("api/v1/knock", as{}, m).refused(CodeBadRequest)
}

func TestCircleIsBounded(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{Rooms: 2, Circle: circle.Limits{Seats: 4}}})
	room := token.NewID()
	_, guests := b.ring(room, "a", "b")
	a, other := guests[0], guests[1]
	for range 4 * circleSharesPer10s { // some of them are given back meanwhile
		if other.n++; other.ws.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"type":"send","n":%d,"data":"AA"}`, other.n)) != nil {
			break
		}
	}
	if m := other.until("error", func(message) bool { return true }); m.text("code") != string(CodeTooMany) {
		t.Errorf("%v", m)
	}
	// The flood cannot go on on another socket.
	b.dial("api/v1/circle", as{}, message{"type": "hello", "token": other.token, "resume": other.resume}).next("restart")
	a.say(nil, "goes on")
	a.until("ack", func(m message) bool { return m["n"] == 1.0 })
	b.holder(room, "c", false).hello()
	b.holder(room, "d", false).hello()
	b.dial("api/v1/circle", as{}, b.holder(room, "e", false).first()).refused(CodeRoomFull)
	b.holder(token.NewID(), "x", true).hello()
	b.dial("api/v1/circle", as{}, b.holder(token.NewID(), "x", true).first()).refused(CodeUnavailable)
}

func TestCircleAfterARestart(t *testing.T) {
	b := newBench(t, Options{})
	b.rooms.barred = ErrRemoved
	room := token.NewID()
	b.dial("api/v1/circle", as{}, b.holder(room, "a", false).first()).refused(CodeNotAllowed)
	b.rooms.barred = ErrEnded
	b.dial("api/v1/circle", as{}, b.holder(room, "a", false).first()).refused(CodeRoomClosed)
}

func TestCircleWhenTheDeskCloses(t *testing.T) {
	b := newBench(t, Options{})
	host, _ := b.ring(token.NewID(), "a")
	b.close()
	if code := host.closed(); code != websocket.StatusServiceRestart {
		t.Errorf("closed with %v", code)
	}
}

// A site with encryption from end to end takes nobody without a page's key.
func TestKeysAreRequired(t *testing.T) {
	b := newBench(t, Options{})
	b.site.E2EE = config.Required
	dashboard := b.host("muster")
	room := b.open(dashboard)
	b.knock(room, "Ann", as{}).refused(CodeNoEncryption)
	m := room.knock("")
	m["key"] = "AAAA"
	b.dial("api/v1/knock", as{}, m).refused(CodeBadRequest)
	dashboard.failCmd(CodeNoEncryption, "enter", message{"room": room.id})

	page := newKeyed()
	m["key"] = page.public
	ann := b.dial("api/v1/knock", as{}, m)
	dashboard.mustCmd("admit", message{"room": room.id, "knock": dashboard.waiting(room.id, 1)[0].text("id")})
	if c := b.mediaClaims(ann.next("admitted")); c.Key != page.public {
		t.Errorf("%+v", c)
	}
	// Who was let in before the setting comes back with a key or not at all.
	b.rooms.set(siteA, room.id, Participant{Identity: "old", Name: "Old"})
	old := b.mint(token.Admission{Site: siteA, Room: room.id, Identity: "old", Name: "Old"})
	dashboard.mustCmd("back", message{"room": room.id, "identity": "old"})
	b.dial("api/v1/knock", as{}, message{"type": "knock", "back": old}).refused(CodeNoEncryption)
	b.dial("api/v1/knock", as{}, message{"type": "knock", "back": old, "key": page.public}).next("waiting")
	status, _, body := b.do(http.MethodGet, "api/v1/site", "", b.headers(as{}))
	if status != http.StatusOK || !strings.Contains(body, `"e2ee":"required"`) {
		t.Errorf("%d %s", status, body)
	}
}
