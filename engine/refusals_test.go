// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/caddy-videoroom/videoroom/config"
)

// Who has been removed, and whoever was in a room that has been ended, stays
// out when the process is replaced by another one.
func TestRemovedStayOutAfterRestart(t *testing.T) {
	store := newMemoryStore()
	b := newBench(t, Options{Store: store}, testSite())
	host := b.host()
	o, other := b.open(host), b.open(host)
	ann, bob, eve := b.admit(host, o, "Annegret"), b.admit(host, o, "Bob"), b.admit(host, other, "Evelyn")
	removed, stays, ended := b.enter(ann.text("token")), b.enter(bob.text("token")), b.enter(eve.text("token"))
	tokens := []string{ann.text("token"), removed.refreshed()}
	host.cmd("remove", message{"room": o.id, "identity": ann.text("identity")})
	removed.leave()
	host.cmd("end", message{"room": other.id})
	ended.leave()
	back := stays.refreshed()
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}
	for key, value := range store.values {
		for _, secret := range []string{"Annegret", "Evelyn", o.id, other.id, ann.text("identity")} {
			if key != masterKey && strings.Contains(string(value), secret) {
				t.Errorf("%s holds %q", key, secret)
			}
		}
	}

	n := startBench(t, Options{Store: store, Media: newFakeMedia()}, testSite())
	for _, jwt := range tokens {
		if _, status := n.connect(jwt, n.own()); status != http.StatusForbidden {
			t.Errorf("removed, and back after a restart: %d", status)
		}
	}
	if _, status := n.connect(eve.text("token"), n.own()); status != http.StatusNotFound {
		t.Errorf("back in an ended room: %d", status)
	}
	n.enter(back)
}

// A standing room is open again when its host says so, to those who are admitted
// then: what led in before its end does not, also after a restart.
func TestEndedStandingRoomOpensAgain(t *testing.T) {
	store := newMemoryStore()
	site := testSite()
	site.Hosts[0].Rooms = []config.StandingRoom{{ID: "team"}}
	site.SetDefaults()
	team := message{"standing": "team"}
	b := newBench(t, Options{Store: store}, site)
	host := b.host()
	o := b.opened(host, team)
	ann := b.admit(host, o, "Ann")
	b.enter(ann.text("token"))
	host.cmd("end", message{"room": o.id})
	if _, status := b.connect(ann.text("token"), b.own()); status != http.StatusNotFound {
		t.Errorf("back in a closed room: %d", status)
	}
	if again := b.opened(host, team); again.id != o.id || again.cap != o.cap {
		t.Errorf("opened again it is %v, was %v", again, o)
	}
	if _, status := b.connect(ann.text("token"), b.own()); status != http.StatusForbidden {
		t.Errorf("back with what was held before: %d", status)
	}
	bob := b.admit(host, o, "Bob")
	b.enter(bob.text("token"))
	b.enter(host.cmd("enter", message{"room": o.id}).text("token"))
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}

	n := startBench(t, Options{Store: store, Media: newFakeMedia()}, site)
	n.opened(n.host(), team)
	if _, status := n.connect(ann.text("token"), n.own()); status != http.StatusForbidden {
		t.Errorf("back after a restart with what was held before: %d", status)
	}
	n.enter(bob.text("token"))
}

func TestDamagedRefusals(t *testing.T) {
	store := newMemoryStore()
	b := newBench(t, Options{Store: store}, testSite())
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}
	// By its method: what the engine has begun to read may end after it.
	if err := store.Store(context.Background(), refusalsKey, []byte("{")); err != nil {
		t.Fatal(err)
	}
	e, err := New(context.Background(), Options{Store: store, Media: newFakeMedia()})
	if err == nil {
		_ = e.Close()
		t.Fatal("a damaged record let everybody back in")
	}
	if !strings.Contains(err.Error(), refusalsKey) {
		t.Errorf("error does not name the record: %v", err)
	}
}
