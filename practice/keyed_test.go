// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
	"github.com/caddy-videoroom/videoroom/token"
)

func keyedBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := newBench(t, o)
	b.site.E2EE = config.Required
	return b
}

// withKey is a knock of a page that can encrypt, and keeps its name from the server.
func (o opened) withKey() message {
	return message{"type": "knock", "room": o.id, "cap": o.cap, "key": strings.Repeat("A", 43)}
}

func (b *bench) keyedAt(o opened) bool {
	b.t.Helper()
	status, body := b.post("api/v1/room", message{"room": o.id, "cap": o.cap}, as{})
	if status != http.StatusOK {
		b.t.Fatalf("%d %s", status, body)
	}
	return strings.Contains(body, `"keyed":true`)
}

// TestLinkWithKey: the host's page says so once, before anybody has come; whoever
// has the link and every page of the host learn of it, and it outlives a restart.
func TestLinkWithKey(t *testing.T) {
	b := keyedBench(t, Options{})
	host, other := b.host("muster"), b.host("muster")
	room := b.open(host)
	if r := other.until("state", func(m message) bool { return m.room(room.id) != nil }).room(room.id); r["keyed"] != nil || r["keyable"] != true {
		t.Errorf("a room has a key by itself: %v", r)
	}
	if b.keyedAt(room) {
		t.Error("a link has a key by itself")
	}
	b.host("zweit").failCmd(CodeNotFound, "key_link", message{"room": room.id})
	host.mustCmd("key_link", message{"room": room.id})
	host.mustCmd("key_link", message{"room": room.id}) // a lost answer is asked for again
	grant := ""
	for _, h := range []*wire{host, other} {
		r := h.until("state", func(m message) bool { return m.room(room.id)["keyed"] == true }).room(room.id)
		if r["keyable"] != nil || r.text("link") != "r/"+room.id+"#s="+room.cap {
			t.Errorf("%v", r)
		}
		grant = r.text("grant")
	}
	if !b.keyedAt(room) {
		t.Error("whoever has the link is not told")
	}
	ann := b.dial("api/v1/knock", as{}, room.withKey())
	if f := ann.next("waiting"); f["keyed"] != true {
		t.Errorf("whoever waits is not told: %v", f)
	}
	// No colleague has the key.
	b.host("zweit").next("state")
	knock := host.waiting(room.id, 1)[0].text("id")
	host.failCmd(CodeNotAllowed, "hand", message{"room": room.id, "knock": knock, "host": "zweit"})

	// What a lock changes is the lock.
	host.mustCmd("lock", message{"room": room.id})
	grant = host.until("state", func(m message) bool { return m.room(room.id).text("grant") != grant }).room(room.id).text("grant")
	c := keyedBench(t, Options{Keys: b.keys})
	s := c.host("muster", grant).until("state", func(m message) bool { return m.room(room.id) != nil })
	if r := s.room(room.id); r["keyed"] != true || r["locked"] != true || !c.keyedAt(room) {
		t.Errorf("after a restart: %v", r)
	}
}

// TestLinkThatGetsNoKey: where others come by links without one nothing offers it.
func TestLinkThatGetsNoKey(t *testing.T) {
	refused := func(b *bench, host *wire, room, why string) {
		t.Helper()
		host.failCmd(CodeConflict, "key_link", message{"room": room})
		host.mustCmd("lock", message{"room": room})
		s := host.until("state", func(m message) bool { return m.room(room) != nil && m.room(room)["locked"] == true })
		host.mustCmd("unlock", message{"room": room})
		host.until("state", func(m message) bool { return m.room(room)["locked"] == false })
		if r := s.room(room); r["keyable"] != nil || r["keyed"] != nil {
			t.Errorf("%s: %v", why, r)
		}
	}
	b := keyedBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	ann := b.dial("api/v1/knock", as{}, room.withKey())
	ann.next("waiting")
	knock := host.waiting(room.id, 1)[0].text("id")
	refused(b, host, room.id, "somebody waits")
	host.mustCmd("admit", message{"room": room.id, "knock": knock})
	ann.next("admitted")
	eventually(t, "the knock is forgotten", func() bool {
		b.desk.mu.Lock()
		defer b.desk.mu.Unlock()
		r := b.desk.records[roomKey{siteA, room.id}]
		for _, k := range r.knocks {
			b.desk.dropLocked(k)
		}
		return len(r.knocks) == 0
	})
	refused(b, host, room.id, "somebody has come")

	b.site.E2EE = config.Off
	plain := b.open(host)
	refused(b, host, plain.id, "nothing is encrypted")

	b = keyedBench(t, Options{})
	b.site.Hosts[0].Rooms = []config.StandingRoom{{ID: "team", Name: "Team"}}
	host = b.host("muster")
	id := host.next("state").list("rooms")[0].text("id")
	host.failCmd(CodeNotFound, "key_link", message{"room": id})
	host.mustCmd("open_room", message{"standing": "team"})
	refused(b, host, id, "a standing room")

	keys := token.NewKeys()
	b = newBench(t, Options{Keys: keys})
	site := walkInSite(func(s *config.Site) { s.E2EE = config.Required }, config.Always)
	b.use(site)
	host = b.host("muster")
	bert := b.dial("api/v1/knock", client(1), message{"type": "knock", "host": "muster", "key": strings.Repeat("A", 43)})
	bert.present(true)
	id = host.mustCmd("admit", message{"room": lobby, "knock": host.waiting(lobby, 1)[0].text("id")}).text("room")
	grant := host.until("state", func(m message) bool { return m.room(id) != nil }).room(id).text("grant")
	refused(b, host, id, "opened for somebody without a link")
	// Also when nobody knows any more that somebody came.
	b = newBench(t, Options{Keys: keys})
	b.use(site)
	refused(b, b.host("muster", grant), id, "the same after a restart")
}

// TestLinksTellOfEncryption: that a call is encrypted from end to end stands in
// its link, in each kind of them, and no link leads to less when the site changes.
func TestLinksTellOfEncryption(t *testing.T) {
	for _, mode := range []string{config.Off, config.Required} {
		marked := func(secret string) bool { return strings.HasPrefix(secret, token.Confidential) }
		b := house(t, storagetest.NewDisk(), nil, func(s *config.Site) {
			s.E2EE = mode
			s.Hosts[0].Rooms = []config.StandingRoom{{ID: "team", Name: "Team"}}
			s.SetDefaults()
		})
		host := b.host("muster")
		want := mode == config.Required
		kept := b.kept(host, func(message) bool { return true })
		guest := door(b.plan(10*time.Minute, "beratung", message{"name": "Anna"}), 0)
		for _, link := range []opened{b.open(host), kept, guest} {
			if marked(link.cap) != want {
				t.Errorf("%s: the link's secret is %q", mode, link.cap)
			}
		}
		b.site.E2EE = map[string]string{config.Off: config.Required, config.Required: config.Off}[mode]
		// Nobody's link is lost when a site begins to encrypt. Where it no longer does, the pages
		// stop at marked links (VR-48), and a standing room gets another one.
		for _, link := range []opened{guest, kept} {
			status, body := b.post("api/v1/room", message{"room": link.id, "cap": link.cap}, as{})
			if valid := link.id == guest.id || !want; valid != (status == http.StatusOK) {
				t.Errorf("%s: a link after a change: %d %s", mode, status, body)
			}
		}
	}
}
