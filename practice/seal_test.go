// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
	"github.com/caddy-videoroom/videoroom/token"
)

// announcement is what a host's page says so that names are sealed for it.
func (k keyed) announcement(kem byte) message {
	raw := bytes.Repeat([]byte{kem}, doorKEMSize)
	sig := ed25519.Sign(k.private, append([]byte("vr1 door"), raw...))
	return message{"type": "door", "key": k.public, "kem": toText(raw), "sig": toText(sig)}
}

func sealedFor(k keyed, what byte) message {
	return message{"type": "sealed", "for": k.public, "data": sealText(what)}
}

func sealText(what byte) string { return toText(bytes.Repeat([]byte{what}, sealSize)) }

func letterOf(k keyed, n int, octets int) message {
	return message{"key": k.public, "n": n, "data": toText(bytes.Repeat([]byte{byte(n)}, octets))}
}

// sealing is a bench whose site requires encryption.
func sealing(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, Options{})
	b.site.E2EE = config.Required
	return b
}

// arrives knocks with a page and without a name.
func (b *bench) arrives(o opened, page keyed, who as) *wire {
	b.t.Helper()
	m := o.knock("")
	m["key"] = page.public
	return b.dial("api/v1/knock", who, m)
}

// doors reads up to the list with exactly these pages, in this order.
func (w *wire) doors(pages ...keyed) message {
	w.t.Helper()
	return w.until("doors", func(m message) bool {
		list := m.list("pages")
		if len(list) != len(pages) {
			return false
		}
		for i, p := range pages {
			if list[i].text("key") != p.public {
				return false
			}
		}
		return true
	})
}

// sealed reads states until somebody who waits has this seal, and returns the entry.
func (w *wire) sealed(room string, what byte) (found message) {
	w.t.Helper()
	w.until("state", func(m message) bool {
		if m.room(room) == nil {
			return false
		}
		for _, k := range m.room(room).list("waiting") {
			if k.text("sealed") == sealText(what) {
				found = k
			}
		}
		return found != nil
	})
	return found
}

func TestNameIsRefusedInTheClear(t *testing.T) {
	b := sealing(t)
	host := b.host("muster")
	room := b.open(host)
	page := newKeyed()
	m := room.knock("Ann")
	m["key"] = page.public
	w := b.dial("api/v1/knock", as{}, m)
	if f := w.next("error"); f.text("code") != string(CodeBadRequest) || !strings.Contains(f.text("message"), "leave name out") {
		t.Errorf("%v", f)
	}
	host.failCmd(CodeBadRequest, "enter", message{"room": room.id, "key": page.public, "name": "Anna"})

	v := b.arrives(room, page, as{})
	v.next("waiting")
	k := host.waiting(room.id, 1)[0]
	if k["name"] != nil || k.text("key") != page.public {
		t.Errorf("%v", k)
	}
	host.failCmd(CodeBadRequest, "message", message{"room": room.id, "knock": k.text("id"), "text": "Hallo"})
	host.mustCmd("admit", message{"room": room.id, "knock": k.text("id")})
	if c := b.mediaClaims(v.next("admitted")); c.Name != "" {
		t.Errorf("the token says %q", c.Name)
	}
}

func TestNamesAreRelayedSealed(t *testing.T) {
	b := sealing(t)
	one := b.host("muster")
	room := b.open(one)
	desk, phone, page := newKeyed(), newKeyed(), newKeyed()
	v := b.arrives(room, page, client(1))
	if f := v.next("waiting"); f["host_present"] != true {
		t.Errorf("%v", f)
	}
	one.send(desk.announcement(1))
	f := v.doors(desk)
	id := one.waiting(room.id, 1)[0].text("id")
	if p := f.list("pages")[0]; f.text("knock") != id || p.text("kem") != desk.announcement(1)["kem"] ||
		p.text("sig") != desk.announcement(1)["sig"] {
		t.Errorf("%v", f)
	}
	v.send(sealedFor(desk, 7))
	if k := one.sealed(room.id, 7); k.text("id") != id {
		t.Errorf("%v", k)
	}
	// It comes once on each connection, and for the page that it is for.
	two := b.host("muster")
	two.send(phone.announcement(2))
	v.doors(phone, desk)
	v.send(sealedFor(phone, 8))
	two.sealed(room.id, 8)
	one.mustCmd("lock", message{"room": room.id})
	one.until("state", func(m message) bool {
		k := m.room(room.id).list("waiting")[0]
		if k["sealed"] != nil {
			t.Error("a page is told twice, or what another can open")
		}
		return m.room(room.id)["locked"] == true
	})
	// A page that comes back with its key finds the name without the visitor's doing.
	_ = one.ws.CloseNow()
	v.doors(phone)
	one = b.host("muster")
	one.send(desk.announcement(1))
	one.sealed(room.id, 7)
	v.doors(desk, phone)
	// With another key behind the page key what was sealed is of no use.
	one.send(desk.announcement(3))
	v.until("doors", func(m message) bool { return m.list("pages")[0]["kem"] == desk.announcement(3)["kem"] })
	v.send(sealedFor(desk, 9))
	one.sealed(room.id, 9)
	// Who is not there gets nothing, and nobody is sent away for it.
	v.send(sealedFor(newKeyed(), 5))
	v.send(message{"type": "ping"})
	v.next("pong")
}

func TestDoorsAreHeldAgainstTheirSignatures(t *testing.T) {
	good, other := newKeyed(), newKeyed()
	for name, change := range map[string]func(message){
		"no key":             func(m message) { delete(m, "key") },
		"another's key":      func(m message) { m["key"] = other.public },
		"no signature":       func(m message) { delete(m, "sig") },
		"another signature":  func(m message) { m["sig"] = good.announcement(2)["sig"] },
		"a short kem":        func(m message) { m["kem"] = toText(make([]byte, doorKEMSize-1)) },
		"a long kem":         func(m message) { m["kem"] = toText(make([]byte, doorKEMSize+1)) },
		"a changed kem":      func(m message) { m["kem"] = "B" + m.text("kem")[1:] },
		"padded":             func(m message) { m["kem"] = m.text("kem") + "=" },
		"with a line break":  func(m message) { m["kem"] = m.text("kem") + "\n" },
		"standard alphabet":  func(m message) { m["kem"] = strings.Repeat("+", len(m.text("kem"))) },
		"a number":           func(m message) { m["kem"] = 1 },
		"nothing but a type": func(m message) { clear(m); m["type"] = "door" },
	} {
		t.Run(name, func(t *testing.T) {
			b := sealing(t)
			host := b.host("muster")
			m := good.announcement(1)
			change(m)
			host.send(m)
			host.refused(CodeBadRequest)
		})
	}
	t.Run("where names are not sealed", func(t *testing.T) {
		b := newBench(t, Options{})
		host := b.host("muster")
		host.send(good.announcement(1))
		host.refused(CodeBadRequest)
		host = b.host("muster")
		v := b.knock(b.open(host), "Ann", as{})
		v.next("waiting")
		v.send(sealedFor(good, 1))
		v.refused(CodeBadRequest)
	})
}

func TestSealsAreBounded(t *testing.T) {
	b := sealing(t)
	host := b.host("muster")
	room := b.open(host)
	desk, page := newKeyed(), newKeyed()
	host.send(desk.announcement(1))
	n := 10
	for name, m := range map[string]message{
		"empty":       {"type": "sealed", "for": desk.public},
		"short":       {"type": "sealed", "for": desk.public, "data": toText(make([]byte, sealSize-1))},
		"long":        {"type": "sealed", "for": desk.public, "data": toText(make([]byte, sealSize+1))},
		"no base64":   {"type": "sealed", "for": desk.public, "data": strings.Repeat("!", len(sealText(1)))},
		"for nobody":  {"type": "sealed", "for": "", "data": sealText(1)},
		"for no page": {"type": "sealed", "for": "AAAA", "data": sealText(1)},
	} {
		t.Run(name, func(t *testing.T) {
			n++
			v := b.arrives(room, page, client(n))
			v.doors(desk)
			v.send(m)
			v.refused(CodeBadRequest)
		})
	}

	// The newest eight pages of a host are told, the newest first.
	pages := []keyed{desk}
	for range maxDoors {
		p := newKeyed()
		w := b.host("muster")
		w.send(p.announcement(1))
		w.next("state")
		pages = append(pages, p)
		eventually(t, "the door is known", func() bool {
			b.desk.mu.Lock()
			defer b.desk.mu.Unlock()
			l := b.desk.doorsLocked(hostKey{siteA, "muster"})
			return len(l) > 0 && l[0].Key == p.public
		})
	}
	slices.Reverse(pages)
	v := b.arrives(room, page, client(2))
	f := v.doors(pages[:maxDoors]...)
	for _, p := range pages {
		v.send(sealedFor(p, 1))
	}
	v.send(message{"type": "ping"})
	v.next("pong")
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	k := b.desk.records[roomKey{siteA, room.id}].knocks[f.text("knock")]
	if len(k.seals) != maxDoors || k.seals[desk.public] != (seal{}) {
		t.Errorf("%d seals", len(k.seals))
	}
	// Seals for pages that have gone make room for those for new ones.
	for i := range 20 {
		clear(b.desk.hosts[hostKey{siteA, "muster"}])
		p := newKeyed()
		b.desk.hosts[hostKey{siteA, "muster"}][&hostSession{signal: newSignal(), door: doorKey{Key: p.public}}] = struct{}{}
		if !b.desk.putSealLocked(hostKey{siteA, "muster"}, k.seals, p.public, "x") || len(k.seals) > maxDoors {
			t.Fatalf("%d: %d seals", i, len(k.seals))
		}
	}
	clear(b.desk.hosts[hostKey{siteA, "muster"}])
}

func TestOtherHostsDoorsStayApart(t *testing.T) {
	b := sealing(t)
	muster, zweit := b.host("muster"), b.host("zweit")
	room, other := b.open(muster), b.open(zweit)
	m, z, page := newKeyed(), newKeyed(), newKeyed()
	muster.send(m.announcement(1))
	zweit.send(z.announcement(1))
	v := b.arrives(room, page, client(1))
	v.doors(m)
	w := b.arrives(other, newKeyed(), client(2))
	w.doors(z)
	// A seal for a page of another host reaches nobody.
	v.send(sealedFor(z, 5))
	v.send(sealedFor(m, 6))
	k := muster.sealed(room.id, 6)

	// Handed over, the visitor sees the colleague's pages and no others.
	muster.mustCmd("hand", message{"room": room.id, "knock": k.text("id"), "host": "zweit"})
	v.until("waiting", func(m message) bool { return m["offer"] != nil })
	v.send(message{"type": "answer", "host": "zweit", "accept": true})
	moved := v.until("waiting", func(m message) bool { return m["moved"] != nil })
	if f := v.doors(z); f.text("knock") != k.text("id") {
		t.Errorf("%v", f)
	}
	at := moved["moved"].(map[string]any)["room"].(string)
	v.send(sealedFor(m, 6))
	v.send(sealedFor(z, 7))
	if got := zweit.sealed(at, 7); got.text("from") != "Dr. Muster" || got["name"] != nil {
		t.Errorf("%v", got)
	}
}

func TestSealsOfWhoIsPutBackOrContinues(t *testing.T) {
	b := sealing(t)
	host := b.host("muster")
	room := b.open(host)
	desk, page := newKeyed(), newKeyed()
	host.send(desk.announcement(1))
	v := b.arrives(room, page, as{})
	resume := v.next("waiting").text("resume")
	first := v.doors(desk).text("knock")
	v.send(sealedFor(desk, 1))
	host.sealed(room.id, 1)

	// The same page continues: nothing is lost. Another page has to seal anew.
	_ = v.ws.CloseNow()
	m := room.knock("")
	m["key"], m["resume"] = page.public, resume
	v = b.dial("api/v1/knock", as{}, m)
	if v.doors(desk).text("knock") != first {
		t.Error("another knock")
	}
	again := b.host("muster")
	again.send(desk.announcement(1))
	again.sealed(room.id, 1)
	second := newKeyed()
	m["key"] = second.public
	v = b.dial("api/v1/knock", as{}, m)
	v.doors(desk)
	again.until("state", func(m message) bool {
		l := m.room(room.id).list("waiting")
		return len(l) == 1 && l[0]["key"] == second.public && l[0]["sealed"] == nil
	})
	v.send(sealedFor(desk, 2))
	again.sealed(room.id, 2)

	again.mustCmd("admit", message{"room": room.id, "knock": first})
	in := v.next("admitted")
	b.rooms.set(siteA, room.id, Participant{Identity: in.text("identity")})
	again.mustCmd("back", message{"room": room.id, "identity": in.text("identity")})
	v = b.dial("api/v1/knock", as{}, message{"type": "knock", "back": in.text("token")})
	if f := v.next("waiting"); f["back"] != true {
		t.Errorf("%v", f)
	}
	if f := v.doors(desk); f.text("knock") == first {
		t.Error("what was sealed for the place before opens at this one")
	}
	v.send(sealedFor(desk, 3))
	if k := again.sealed(room.id, 3); k["back"] != true || k["name"] != nil {
		t.Errorf("%v", k)
	}
}

func TestLettersToWhoWaits(t *testing.T) {
	b := sealing(t)
	host, other := b.host("muster"), b.host("muster")
	room := b.open(host)
	desk, phone := newKeyed(), newKeyed()
	host.send(desk.announcement(1))
	v, w := b.arrives(room, newKeyed(), client(1)), b.arrives(room, newKeyed(), client(2))
	w.doors(desk)
	id := v.doors(desk).text("knock")
	write := func(m message) message {
		m["room"], m["knock"] = room.id, id
		return m
	}
	for _, bad := range []message{
		letterOf(desk, 1, 0), letterOf(desk, 1, 271), letterOf(desk, 1, 273), letterOf(desk, 1, 256*9+16),
		letterOf(phone, 1, 272), {"data": letterOf(desk, 1, 272)["data"]}, {"key": desk.public},
	} {
		host.failCmd(CodeBadRequest, "message", write(bad))
	}
	other.failCmd(CodeBadRequest, "message", write(letterOf(desk, 1, 272))) // another page's key
	for n := 1; n <= keptMessages+1; n++ {
		host.mustCmd("message", write(letterOf(desk, n, 256*n+16)))
	}
	f := v.until("waiting", func(m message) bool {
		l := m.list("letters")
		return len(l) == keptMessages && l[keptMessages-1]["n"] == float64(keptMessages+1)
	})
	if l := f.list("letters")[0]; l["n"] != 2.0 || l["key"] != desk.public || l["data"] != letterOf(desk, 2, 528)["data"] || f["messages"] != nil {
		t.Errorf("%v", l)
	}
	k := other.until("state", func(m message) bool {
		i := slices.IndexFunc(m.room(room.id).list("waiting"), func(k message) bool { return k["id"] == id })
		return i >= 0 && len(m.room(room.id).list("waiting")[i].list("letters")) == keptMessages
	})
	for _, g := range k.room(room.id).list("waiting") {
		if g["id"] != id && g["letters"] != nil {
			t.Errorf("%v", g)
		}
	}
	w.send(message{"type": "ping"})
	if f, err := w.read(); err != nil || f["type"] != "pong" {
		t.Errorf("the other one was told %v %v", f, err)
	}
}

func TestNamesInsideAreSealed(t *testing.T) {
	b := sealing(t)
	dashboard := b.host("muster")
	room := b.open(dashboard)
	desk := newKeyed()
	dashboard.send(desk.announcement(1))
	_, guests := b.ring(room.id, "ann")
	ann := guests[0]
	b.rooms.set(siteA, room.id, Participant{Identity: "ann"})
	ask := func(m message) (int, []message) {
		m["token"] = ann.token
		status, text := b.post("api/v1/door", m, as{})
		var in message
		_ = json.Unmarshal([]byte(text), &in)
		return status, in.list("pages")
	}
	eventually(t, "the door is known", func() bool {
		status, pages := ask(message{})
		return status == http.StatusOK && len(pages) == 1 && pages[0].text("key") == desk.public
	})
	if status, _ := ask(sealedFor(desk, 4)); status != http.StatusOK {
		t.Error(status)
	}
	dashboard.until("state", func(m message) bool {
		l := m.room(room.id).list("participants")
		return len(l) == 1 && l[0].text("sealed") == sealText(4) && l[0]["key"] == ann.page.public && l[0]["name"] == ""
	})
	short := sealedFor(desk, 4)
	short["data"] = short.text("data")[4:]
	if status, _ := ask(short); status != http.StatusBadRequest {
		t.Error(status)
	}
	// Only the page in the circle has a say, and as long as it is there.
	outside := b.mint(token.Admission{Site: siteA, Room: room.id, Identity: "ann", Key: newKeyed().public})
	for text, want := range map[string]int{outside: http.StatusForbidden, "x.y.z": http.StatusForbidden} {
		if status, _ := b.post("api/v1/door", message{"token": text, "for": desk.public, "data": sealText(1)}, as{}); status != want {
			t.Errorf("%d, want %d", status, want)
		}
	}
	ann.send(message{"type": "bye"})
	ann.closed()
	if status, _ := ask(sealedFor(desk, 4)); status != http.StatusForbidden {
		t.Error(status)
	}
	bob := b.holder(room.id, "bob", false).hello()
	if status, _ := b.post("api/v1/door", message{"token": bob.token, "for": desk.public, "data": sealText(6)}, as{}); status != http.StatusOK {
		t.Error(status)
	}
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	if seals := b.desk.records[roomKey{siteA, room.id}].seals; len(seals) != 1 || seals["bob"] == nil {
		t.Errorf("names of %d people", len(seals))
	}
}

// The list of guests is the practice's own: its names come from the record.
func TestNamesOnTheListOfGuests(t *testing.T) {
	b := house(t, storagetest.NewDisk(), nil, func(s *config.Site) { s.E2EE = config.Required })
	a := b.plan(time.Minute, "sitzung", message{"name": "Anna"})
	host := b.host("muster")
	host.mustCmd("open_room", message{"appointment": a.text("id")})
	v := b.arrives(door(a, 0), newKeyed(), as{})
	v.next("waiting")
	at := a.text("room")
	k := host.waiting(at, 1)[0]
	if k.text("name") != "Anna" {
		t.Errorf("%v", k)
	}
	host.mustCmd("admit", message{"room": at, "knock": k.text("id")})
	in := v.next("admitted")
	if c := b.mediaClaims(in); c.Name != "" {
		t.Errorf("the token says %q", c.Name)
	}
	b.rooms.set(siteA, at, Participant{Identity: in.text("identity")})
	host.until("state", func(m message) bool {
		l := m.room(at).list("participants")
		return len(l) == 1 && l[0]["name"] == "Anna"
	})
	host.mustCmd("back", message{"room": at, "identity": in.text("identity")})
	if k := host.waiting(at, 1)[0]; k.text("name") != "Anna" {
		t.Errorf("%v", k)
	}
}

// FuzzSealed holds what names, keys and messages are taken for against their sizes.
func FuzzSealed(f *testing.F) {
	page := newKeyed()
	f.Add(page.public, page.announcement(1).text("kem"), page.announcement(1).text("sig"))
	f.Add("", sealText(1), toText(make([]byte, 272)))
	f.Fuzz(func(t *testing.T, key, data, sig string) {
		for _, size := range []int{doorKEMSize, sealSize} {
			if got := unpack(data, size); got != nil && (len(got) != size || toText(got) != data) {
				t.Fatalf("%d octets of %q", len(got), data)
			}
		}
		if (doorKey{key, data, sig}).check() == nil && (!token.ValidKey(key) || unpack(data, doorKEMSize) == nil) {
			t.Fatal("a door that nobody can use")
		}
		if (letter{Key: key, Data: data}).check() == nil && (len(data) < 363 || len(data) > 2752) {
			t.Fatalf("a letter of %d", len(data))
		}
	})
}
