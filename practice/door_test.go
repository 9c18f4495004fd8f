// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestMessageToOneWaitingPerson(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	ann := b.knock(room, "Ann", client(1))
	resume := ann.next("waiting").text("resume")
	// Only who waits already is surely the first: two sockets are served side by side.
	bob := b.knock(room, "Bob", client(2))
	bob.next("waiting")
	at := message{"room": room.id, "knock": host.waiting(room.id, 2)[0].text("id")}
	say := func(text string) message { return message{"room": at["room"], "knock": at["knock"], "text": text} }

	host.mustCmd("message", say("  Noch fünf Minuten.\r\nBitte warten Sie.  "))
	got := ann.until("waiting", func(m message) bool { return m["messages"] != nil })
	if m := got["messages"].([]any); len(m) != 1 || m[0] != "Noch fünf Minuten.\nBitte warten Sie." {
		t.Errorf("%q", m)
	}
	for _, bad := range []string{"", " \n ", "a\u202eb", "a\x00b", strings.Repeat("ä", 501)} {
		host.failCmd(CodeBadRequest, "message", say(bad))
	}
	for _, text := range []string{"2", "3", "4", "5", "6"} {
		host.mustCmd("message", say(text))
	}
	// A new socket hears the newest ones again, the host sees them, nobody else does.
	_ = ann.ws.CloseNow()
	m := room.knock("Ann")
	m["resume"] = resume
	kept := b.dial("api/v1/knock", client(1), m).next("waiting")["messages"].([]any)
	if len(kept) != keptMessages || kept[0] != "2" || kept[4] != "6" {
		t.Errorf("%q", kept)
	}
	shown := host.until("state", func(m message) bool {
		l := m.room(room.id).list("waiting")
		k, _ := l[0]["messages"].([]any)
		return len(k) == keptMessages && k[4] == "6"
	})
	if other := shown.room(room.id).list("waiting")[1]; other.text("name") != "Bob" || other["messages"] != nil {
		t.Errorf("%v", other)
	}
	bob.send(message{"type": "ping"})
	if f, err := bob.read(); err != nil || f["type"] != "pong" {
		t.Errorf("the other one was told %v %v", f, err)
	}
	host.mustCmd("admit", at)
	host.failCmd(CodeNotFound, "message", say("late"))
}

// inside brings a visitor into the room and returns the media token and identity.
func (b *bench) inside(host *wire, room opened, name string) (media, identity string) {
	b.t.Helper()
	v := b.knock(room, name, as{})
	host.mustCmd("admit", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
	in := v.next("admitted")
	b.rooms.set(siteA, room.id, append(b.rooms.Participants(siteA, room.id), Participant{Identity: in.text("identity"), Name: name})...)
	host.waiting(room.id, 0)
	return in.text("token"), in.text("identity")
}

func TestBackToTheWaitingRoom(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	media, identity := b.inside(host, room, "Ann")
	own := host.mustCmd("enter", message{"room": room.id}).text("identity")
	host.failCmd(CodeNotAllowed, "back", message{"room": room.id, "identity": own})
	host.failCmd(CodeNotFound, "back", message{"room": room.id, "identity": "nobody"})
	if err := b.desk.Admitted(siteA, room.id, "nobody"); err != nil {
		t.Errorf("a failed attempt bars: %v", err)
	}

	host.mustCmd("back", message{"room": room.id, "identity": identity})
	if err := b.desk.Admitted(siteA, room.id, identity); !errors.Is(err, ErrRemoved) {
		t.Errorf("the old token still leads in: %v", err)
	}
	if log := b.rooms.log(); log[len(log)-1] != "remove "+identity {
		t.Errorf("%v", log)
	}
	w := host.waiting(room.id, 1)[0]
	if w.text("name") != "Ann" || w["back"] != true {
		t.Errorf("%v", w)
	}
	// Only the page that was in the room gets the place.
	b.dial("api/v1/knock", client(7), message{"type": "knock", "back": "x.y.z"}).refused(CodeBadLink)
	other, _ := b.inside2(host, room)
	b.dial("api/v1/knock", client(7), message{"type": "knock", "back": other}).refused(CodeNotAllowed)
	ann := b.dial("api/v1/knock", as{}, message{"type": "knock", "back": media})
	f := ann.next("waiting")
	if f["back"] != true || f["host_present"] != true {
		t.Errorf("%v", f)
	}
	// And comes back to it after a cut as any other.
	_ = ann.ws.CloseNow()
	m := room.knock("Ann")
	m["resume"] = f.text("resume")
	ann = b.dial("api/v1/knock", as{}, m)
	ann.next("waiting")
	host.mustCmd("admit", message{"room": room.id, "knock": w.text("id")})
	if in := ann.next("admitted"); in.text("identity") == identity || b.mediaClaims(in).Name != "Ann" {
		t.Errorf("%v", in)
	}
}

// A page whose keys are taken leaves the room and asks for its place at the door at
// once: there is no moment in which it is kept out and has none. The moment that is
// looked for is short, and so it is looked for often.
func TestPutBackIsOneStep(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	for i := range 30 {
		identity := fmt.Sprint("guest", i)
		b.rooms.set(siteA, room.id, Participant{Identity: identity, Name: "Ann"})
		placed := make(chan bool)
		go func() { placed <- b.placed(room, identity) }()
		host.mustCmd("back", message{"room": room.id, "identity": identity})
		if !<-placed {
			t.Fatalf("%d: kept out of the room before there is a place at the door", i)
		}
	}
}

// placed tells, as soon as somebody is kept out of a room, whether there is a place
// for them at the door.
func (b *bench) placed(room opened, identity string) bool {
	for {
		for !b.desk.mu.TryLock() {
		}
		r := b.desk.records[roomKey{siteA, room.id}]
		_, out := r.removed[identity]
		placed := false
		for _, k := range r.knocks {
			placed = placed || k.former == identity
		}
		b.desk.mu.Unlock()
		if out {
			return placed
		}
	}
}

// The page may be out of the room and back at the door before it is removed.
func TestPutBackWhileLeaving(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	media, identity := b.inside(host, room, "Ann")
	var ann *wire
	b.rooms.removing = func() {
		b.rooms.set(siteA, room.id)
		ann = b.dial("api/v1/knock", as{}, message{"type": "knock", "back": media})
		ann.next("waiting")
	}
	host.mustCmd("back", message{"room": room.id, "identity": identity})
	w := host.waiting(room.id, 1)[0]
	host.mustCmd("admit", message{"room": room.id, "knock": w.text("id")})
	ann.next("admitted")
}

// inside2 brings another visitor in while somebody waits.
func (b *bench) inside2(host *wire, room opened) (media, identity string) {
	b.t.Helper()
	v := b.knock(room, "Zoe", client(5))
	list := host.waiting(room.id, 2)
	host.mustCmd("admit", message{"room": room.id, "knock": list[1].text("id")})
	in := v.next("admitted")
	return in.text("token"), in.text("identity")
}

// The host may let in again, or turn away, who was put back before their page has
// come to the door.
func TestPutBackAndAnsweredAtOnce(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	for answer, frame := range map[string]string{"admit": "admitted", "decline": "declined"} {
		media, identity := b.inside(host, room, "Ann")
		host.mustCmd("back", message{"room": room.id, "identity": identity})
		host.mustCmd(answer, message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id")})
		b.dial("api/v1/knock", as{}, message{"type": "knock", "back": media}).next(frame)
		// The answer is given once.
		b.dial("api/v1/knock", as{}, message{"type": "knock", "back": media}).refused(CodeNotAllowed)
	}
}

func TestBackOfSomebodyWhoHasGone(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{Grace: 10 * time.Millisecond}})
	host := b.host("muster")
	room := b.open(host)
	media, identity := b.inside(host, room, "Ann")
	host.mustCmd("back", message{"room": room.id, "identity": identity})
	// The page is not there to take the place: nobody waits for ever.
	host.waiting(room.id, 0)
	b.dial("api/v1/knock", as{}, message{"type": "knock", "back": media}).refused(CodeNotAllowed)
}

func TestHandOver(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	ann := b.knock(room, "Ann", as{})
	resume := ann.next("waiting").text("resume")
	knock := host.waiting(room.id, 1)[0].text("id")
	to := func(id string) message { return message{"room": room.id, "knock": knock, "host": id} }
	host.failCmd(CodeNotFound, "hand", to("zweit")) // is not there
	host.failCmd(CodeBadRequest, "hand", to("muster"))
	host.failCmd(CodeBadRequest, "hand", to("nobody"))
	second := b.host("zweit")
	second.next("state")
	c := host.until("state", func(m message) bool { return m.list("colleagues")[0]["present"] == true }).list("colleagues")
	if len(c) != 1 || c[0].text("id") != "zweit" || c[0].text("name") != "Dr. Zweit" {
		t.Errorf("%v", c)
	}

	host.mustCmd("hand", to("zweit"))
	offered := func(m message) bool { return m["offer"] != nil }
	if o := ann.until("waiting", offered)["offer"].(map[string]any); o["id"] != "zweit" || o["name"] != "Dr. Zweit" {
		t.Errorf("%v", o)
	}
	ann.send(message{"type": "answer", "host": "zweit", "accept": false})
	ann.until("waiting", func(m message) bool { return m["offer"] == nil })
	host.until("state", func(m message) bool {
		l := m.room(room.id).list("waiting")
		h, _ := l[0]["hand"].(map[string]any)
		return h != nil && h["refused"] == true && h["id"] == "zweit"
	})
	// An answer to what is not asked moves nobody.
	ann.send(message{"type": "answer", "host": "zweit", "accept": true})
	ann.send(message{"type": "ping"})
	ann.next("pong") // it has been heard before the next question
	host.mustCmd("hand", to("zweit"))
	ann.until("waiting", offered)
	ann.send(message{"type": "answer", "host": "zweit", "accept": true})
	m := ann.until("waiting", func(m message) bool { return m["moved"] != nil })["moved"].(map[string]any)
	host.waiting(room.id, 0)
	id, _ := m["room"].(string)
	list := second.waiting(id, 1)
	if list[0].text("name") != "Ann" || list[0].text("from") != "Dr. Muster" || id == room.id {
		t.Errorf("%v", list)
	}
	host.failCmd(CodeNotFound, "admit", message{"room": id, "knock": knock})

	// The page stays connected, and finds its place under both rooms after a cut.
	_ = ann.ws.CloseNow()
	for _, at := range []message{room.knock("Ann"), {"type": "knock", "room": id, "cap": m["cap"], "name": "Ann"}} {
		at["resume"] = resume
		v := b.dial("api/v1/knock", as{}, at)
		if got := v.next("waiting"); got["moved"] == nil || got["host_present"] != true {
			t.Errorf("%v", got)
		}
		ann = v
	}
	second.mustCmd("admit", message{"room": id, "knock": knock})
	if in := b.mediaClaims(ann.next("admitted")); in.Video.Room != id || in.Name != "Ann" {
		t.Errorf("%+v", in)
	}
}

func TestLock(t *testing.T) {
	b := newBench(t, Options{})
	b.site.WaitingRoom = "off"
	host := b.host("muster")
	room := b.open(host)
	b.knock(room, "Ann", as{}).next("admitted")
	host.mustCmd("lock", message{"room": room.id})
	host.until("state", func(m message) bool { return m.room(room.id)["locked"] == true })
	late := b.knock(room, "Bob", as{})
	if w := late.next("waiting"); w["locked"] != true {
		t.Errorf("%v", w)
	}
	// The host may let one in, and opens for all with unlock.
	guest := host.waiting(room.id, 1)[0].text("id")
	other := b.knock(room, "Cid", client(3))
	other.next("waiting")
	host.mustCmd("admit", message{"room": room.id, "knock": guest})
	late.next("admitted")
	host.mustCmd("unlock", message{"room": room.id})
	other.next("admitted")
	b.knock(room, "Dee", client(4)).next("admitted")
}

func TestUnlockKeepsTheWaitingRoom(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	ann := b.knock(room, "Ann", as{})
	ann.next("waiting")
	host.mustCmd("lock", message{"room": room.id})
	ann.until("waiting", func(m message) bool { return m["locked"] == true })
	host.mustCmd("unlock", message{"room": room.id})
	ann.until("waiting", func(m message) bool { return m["locked"] == nil })
	host.waiting(room.id, 1)
}

func TestSomebodyPutBackCountsOnceAtTheirAddress(t *testing.T) {
	c := newCrowd(&Limits{WaitingPerIP: 1}, time.Now())
	s := new(source)
	if !c.wait(s) || c.wait(s) {
		t.Fatal("the limit does not hold")
	}
	c.waitAgain(s)
	c.unwait(s)
	if c.wait(s) {
		t.Error("counted out twice")
	}
	c.unwait(s)
	c.unwait(nil)
	if !c.wait(s) {
		t.Error("not counted out")
	}
}

func TestHandOverToAFullColleague(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{RoomsPerHost: 1}})
	host, second := b.host("muster"), b.host("zweit")
	room := b.open(host)
	b.open(second)
	ann := b.knock(room, "Ann", as{})
	host.mustCmd("hand", message{"room": room.id, "knock": host.waiting(room.id, 1)[0].text("id"), "host": "zweit"})
	ann.until("waiting", func(m message) bool { return m["offer"] != nil })
	ann.send(message{"type": "answer", "host": "zweit", "accept": true})
	w := ann.until("waiting", func(m message) bool { return m["offer"] == nil })
	if w["moved"] != nil {
		t.Errorf("%v", w)
	}
	host.waiting(room.id, 1)
}

// TestOfficeInTheState: the page that makes appointments learns the site's kinds.
func TestOfficeInTheState(t *testing.T) {
	b := newBench(t, Options{})
	office, _ := b.host("muster").next("state")["office"].(map[string]any)
	kinds := message(office).list("kinds")
	if office["timezone"] != "Europe/Berlin" || office["mail"] != false || len(kinds) == 0 {
		t.Fatalf("%v", office)
	}
	for _, k := range kinds {
		if k.text("name") == "" || k["duration_minutes"].(float64) < 5 || k["max_participants"].(float64) < 2 {
			t.Errorf("%v", k)
		}
		if k["in_person"] != (k.text("id") == "therapie") {
			t.Errorf("%v", k)
		}
	}
}
