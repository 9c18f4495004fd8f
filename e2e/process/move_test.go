// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestMoveByCopy: a site moves to another machine by a copy of its storage's
// directory. Links, the host's link and appointments go on there, and what still
// had to be sent is.
func TestMoveByCopy(t *testing.T) {
	t.Parallel()
	post := newPostOffice(t)
	var moved atomic.Bool
	post.refuses = func(to string) bool { return !moved.Load() && strings.HasPrefix(to, "later") }
	sites := practice("localhost", post.address, "")
	a := newServer(t)
	a.env = post.trust
	a.start(sites)
	o := a.office("localhost")
	made, err := o.invite("first", time.Now().Add(20*time.Minute), "now@example.org", "later@example.org")
	if err != nil {
		t.Fatal(err)
	}
	host := o.dashboard()
	open := host.do("open_room", nil).text("room")
	shown := host.state(open, func(frame) bool { return true })
	o.awaitMail(30*time.Second, map[string]string{"now@example.org": "sent", "later@example.org": "queued recipient"})
	a.stop()

	b := newServer(t)
	b.env = post.trust
	if err := os.CopyFS(b.storage, os.DirFS(a.storage)); err != nil {
		t.Fatal(err)
	}
	moved.Store(true)
	b.start(sites)
	there := &office{s: b, base: b.base("localhost"), key: o.key}
	if err := there.signIn(); err != nil {
		t.Fatalf("the host's link: %v", err)
	}
	all := there.appointments()
	if len(all) != 1 || all[0].ID != made.ID || all[0].Label != "first" || all[0].Start != made.Start || len(all[0].Guests) != 2 {
		t.Errorf("the appointments are %+v, want %+v", all, made)
	}
	for _, g := range made.Guests {
		room, secret := secretOf(g.Link)
		there.opens(room, secret)
		if got := there.knock(room, secret).answer(); got != "waiting" {
			t.Errorf("a guest is told %s", got)
		}
	}
	room, secret := secretOf(shown.text("link"))
	there.opens(room, secret)
	again := there.dashboard(shown.text("grant"))
	both := again.until("both rooms", func(f frame) bool {
		waiting, _ := f.room(made.Room)["waiting"].([]any)
		return f.room(open) != nil && len(waiting) == 2
	})
	if now := both.room(open); now.text("link") != shown.text("link") || now.text("opened_at") != shown.text("opened_at") {
		t.Errorf("the room is %v, want %v", now, shown)
	}
	there.awaitMail(100*time.Second, map[string]string{"now@example.org": "sent", "later@example.org": "sent"})
	count := make(map[string]int)
	for _, d := range post.deliveries() {
		count[d.to]++
	}
	if len(count) != 2 || count["now@example.org"] != 1 || count["later@example.org"] != 1 {
		t.Errorf("letters: %v", count)
	}
}

// opens checks that a visitor's link leads to a room.
func (o *office) opens(room, secret string) {
	o.s.t.Helper()
	var answer struct{ Host struct{ ID string } }
	if err := o.call(http.MethodPost, "api/v1/room", map[string]string{"room": room, "cap": secret}, &answer); err != nil || answer.Host.ID != "muster" {
		o.s.t.Errorf("a link leads to %+v, %v", answer, err)
	}
}

// awaitMail waits until the guests' letters stand as wanted: state and reason.
func (o *office) awaitMail(patience time.Duration, want map[string]string) {
	o.s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		right, told := 0, make(map[string]string)
		for _, a := range o.appointments() {
			for _, g := range a.Guests {
				for _, m := range g.Mail {
					told[g.Email] = strings.TrimSpace(m.State + " " + m.Reason)
				}
				if told[g.Email] == want[g.Email] {
					right++
				}
			}
		}
		if right == len(want) {
			return
		}
		if time.Now().After(deadline) {
			o.s.t.Fatalf("the letters are %v, want %v", told, want)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
