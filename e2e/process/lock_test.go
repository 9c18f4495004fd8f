// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLockOutlivesRestart: who comes after a restart to a room that was locked
// before waits, on a site where nobody has to; whether or not the host is back.
func TestLockOutlivesRestart(t *testing.T) {
	t.Parallel()
	post := newPostOffice(t)
	s := newServer(t)
	s.env = post.trust
	sites := practice("localhost", post.address, "waiting_room off")
	s.start(sites)
	o := s.office("localhost")
	a, err := o.invite("A", time.Now().Add(10*time.Minute), "anna@example.org")
	if err != nil {
		t.Fatal(err)
	}
	planned, guest := secretOf(a.Guests[0].Link)
	host := o.dashboard()
	open := host.do("open_room", nil).text("room")
	shown := host.state(open, func(frame) bool { return true })
	_, visitor := secretOf(shown.text("link"))
	host.do("open_room", frame{"appointment": a.ID})
	host.do("enter", frame{"room": planned}) // a meeting waits for its host
	for _, door := range []struct{ room, secret string }{{open, visitor}, {planned, guest}} {
		if got := o.knock(door.room, door.secret).answer(); got != "admitted" {
			t.Fatalf("before the lock the answer is %s", got)
		}
		host.do("lock", frame{"room": door.room})
	}
	locked := host.state(open, func(r frame) bool { return r["locked"] == true })
	s.awaitRecord("appointments", a.ID, `"locked":true`)

	s.signal(syscall.SIGKILL)
	<-s.ended
	s.start(sites)
	if err := o.signIn(); err != nil {
		t.Fatal(err)
	}
	// Nobody is there yet.
	early := o.knock(planned, guest)
	if got := early.answer(); got != "waiting" {
		t.Errorf("a guest who comes before the host is told %s", got)
	}
	waits := o.knock(open, visitor)
	if got := waits.answer(); got != "waiting" {
		t.Errorf("a visitor who comes before the host is told %s", got)
	}
	host = o.dashboard(locked.text("grant"))
	// Not "do": the state that is waited for may come before the result.
	host.say(frame{"type": "cmd", "id": 1, "do": "enter", "room": planned})
	one := func(r frame) bool {
		waiting, _ := r["waiting"].([]any)
		return r["locked"] == true && len(waiting) == 1
	}
	host.until("somebody waiting at both rooms", func(f frame) bool { return one(f.room(open)) && one(f.room(planned)) })
	if got := o.knock(open, visitor).answer(); got != "waiting" {
		t.Errorf("a visitor who comes after the host is told %s", got)
	}
	host.do("unlock", frame{"room": open})
	host.do("unlock", frame{"room": planned})
	for _, d := range []*doorSocket{early, waits} {
		d.until("the admission", func(f frame) bool { return f.text("type") == "admitted" })
	}
	s.awaitRecord("appointments", a.ID, "")
}

// awaitRecord waits until a record of the site says something; "": until it does
// not speak of a lock.
func (s *server) awaitRecord(kind, id, says string) {
	s.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		raw, err := os.ReadFile(filepath.Join(s.storage, "videoroom", "localhost", kind, id))
		if err == nil && (says != "" && strings.Contains(string(raw), says) || says == "" && !strings.Contains(string(raw), `"locked"`)) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the record does not say %q: %v", says, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
