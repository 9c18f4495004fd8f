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

// house is a bench with appointments and nobody to send mail.
func house(t *testing.T, disk *storagetest.Disk, keys *token.Keys, change func(*config.Site)) *bench {
	t.Helper()
	b := newBench(t, Options{Keys: keys, Storage: disk.Process()})
	if change != nil {
		change(b.site)
	}
	b.desk.Install(func(string) []*config.Site { return []*config.Site{b.site} })
	eventually(t, "the agenda is ready", func() bool { return b.desk.agenda.known(siteA) })
	return b
}

// ask runs a host's request about appointments.
func (b *bench) ask(host, method, path string, in message) message {
	b.t.Helper()
	session, err := b.keys.HostSession(siteA, token.HostSession{Host: host, Since: time.Now()}, time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	h := b.headers(as{})
	h.Set("Authorization", "Bearer "+session)
	status, _, text := b.do(method, path, encode(in), h)
	if status/100 != 2 {
		b.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return decoded(b.t, text)
}

// plan makes an appointment that begins at a distance from now.
func (b *bench) plan(in time.Duration, kind string, guests ...message) message {
	b.t.Helper()
	m := message{"kind": kind, "start": time.Now().Add(in).Format(time.RFC3339), "guests": guests, "label": "L"}
	return b.ask("muster", http.MethodPost, "api/v1/appointments", m).list("appointments")[0]
}

// door is a link of the i-th guest as somebody who knocks has it.
func door(a message, i int) opened {
	_, secret, _ := strings.Cut(a.list("guests")[i].text("link"), "#s=")
	return opened{id: a.text("room"), cap: secret}
}

func (w *wire) planned(id string) message {
	w.t.Helper()
	var found message
	w.until("state", func(m message) bool {
		for _, a := range m.list("appointments") {
			if a.text("id") == id {
				found = a
			}
		}
		return found != nil
	})
	return found
}

// A guest knocks at the time of the appointment; the host sees it without having
// opened anything, lets the guest in and enters.
func TestGuestAndHostMeet(t *testing.T) {
	b := house(t, storagetest.NewDisk(), nil, nil)
	host, other := b.host("muster"), b.host("zweit")
	a := b.plan(10*time.Minute, "beratung", message{"name": "Anna"})
	if p := host.planned(a.text("id")); p.text("label") != "L" || p.list("guests")[0].text("link") != "" {
		t.Errorf("the dashboard shows %v", p)
	}
	guest := b.knock(door(a, 0), "Anna B.", as{})
	guest.present(true)
	waiting := host.waiting(a.text("room"), 1)
	if waiting[0].text("name") != "Anna B." {
		t.Errorf("waiting %v", waiting)
	}
	other.failCmd(CodeNotFound, "admit", message{"room": a.text("room"), "knock": waiting[0].text("id")})
	other.failCmd(CodeNotFound, "open_room", message{"appointment": a.text("id")})
	host.mustCmd("admit", message{"room": a.text("room"), "knock": waiting[0].text("id")})
	if c := b.mediaClaims(guest.next("admitted")); c.Video.Room != a.text("room") || c.Video.RoomAdmin {
		t.Errorf("claims %+v", c)
	}
	if c := b.mediaClaims(host.mustCmd("enter", message{"room": a.text("room")})); !c.Video.RoomAdmin {
		t.Errorf("claims %+v", c)
	}
	host.mustCmd("end", message{"room": a.text("room")})
	b.knock(door(a, 0), "Anna", as{}).refused(CodeRoomClosed)
	for _, m := range b.host("zweit").next("state").list("appointments") {
		t.Errorf("the other host is told %v", m)
	}
}

func TestKnockingAtTheWrongTime(t *testing.T) {
	b := house(t, storagetest.NewDisk(), nil, nil)
	early := b.plan(2*time.Hour, "beratung", message{})
	w := b.dial("api/v1/knock", as{}, door(early, 0).knock("A"))
	if m := w.next("error"); m.text("code") != "too_early" || m["retry_after"].(float64) < 5000 {
		t.Errorf("early: %v", m)
	}
	off := b.plan(10*time.Minute, "beratung", message{}, message{})
	waiting := b.knock(door(off, 0), "A", as{})
	waiting.next("waiting")
	path := "api/v1/appointments/" + off.text("id")
	b.ask("muster", http.MethodPost, path+"/guests/"+off.list("guests")[1].text("id")+"/revoke", nil)
	b.knock(door(off, 1), "B", as{}).refused(CodeBadLink)
	b.ask("muster", http.MethodPatch, path, message{"label": "x"}) // sends nobody away
	waiting.send(message{"type": "ping"})
	waiting.next("pong")
	b.ask("muster", http.MethodDelete, path, nil)
	if m := waiting.next("closed"); m.text("reason") != reasonEnded {
		t.Errorf("who waited is told %v", m)
	}
	b.knock(door(off, 0), "A", as{}).refused(CodeCancelled)
	// Moved to now, the same link opens.
	b.ask("muster", http.MethodPatch, "api/v1/appointments/"+early.text("id"), message{"start": time.Now().Format(time.RFC3339)})
	b.knock(door(early, 0), "A", as{}).next("waiting")
	over := b.plan(-10*time.Minute, "beratung", message{})
	b.ask("muster", http.MethodPatch, "api/v1/appointments/"+over.text("id"), message{"duration_minutes": 11})
	b.site.ClosesAfter = 1 // a nanosecond
	b.ask("muster", http.MethodPatch, "api/v1/appointments/"+over.text("id"), message{"duration_minutes": 60})
	b.knock(door(over, 0), "A", as{}).next("waiting")
}

// After a restart the room is there again: for the guest who knocks, for the host
// who gives a command, and where people are in it.
func TestRoomsOfAppointmentsAfterARestart(t *testing.T) {
	disk, keys := storagetest.NewDisk(), token.NewKeys()
	first := house(t, disk, keys, nil)
	a := first.plan(5*time.Minute, "beratung", message{})
	c := first.plan(5*time.Minute, "beratung", message{})
	first.close()
	b := house(t, disk, keys, nil)
	host := b.host("muster")
	host.next("state")
	b.mediaClaims(host.mustCmd("enter", message{"room": a.text("room")}))
	b.knock(door(a, 0), "A", as{}).next("waiting")
	host.waiting(a.text("room"), 1)
	b.rooms.set(siteA, c.text("room"), Participant{Identity: "x"})
	host.until("state", func(m message) bool { return m.room(c.text("room")) != nil })
	host.mustCmd("mute", message{"room": c.text("room"), "identity": "x", "kind": "audio"})
}

// Without waiting room, kinds that say so let nobody in before the host.
func TestHostFirst(t *testing.T) {
	b := house(t, storagetest.NewDisk(), nil, func(s *config.Site) { s.WaitingRoom = config.Off })
	host := b.host("muster")
	group, talk := b.plan(time.Minute, "gruppe", message{}), b.plan(time.Minute, "kurz", message{})
	b.knock(door(talk, 0), "A", as{}).next("admitted")
	guest := b.knock(door(group, 0), "A", as{})
	guest.next("waiting")
	host.mustCmd("enter", message{"room": group.text("room")})
	guest.next("admitted")
	b.knock(door(group, 0), "B", as{}).next("admitted")
}

// A named list shows the host the names on the list, and a kind bounds its rooms.
func TestRulesOfKinds(t *testing.T) {
	b := house(t, storagetest.NewDisk(), nil, func(s *config.Site) {
		s.Kinds = []config.KindSetting{{ID: "sitzung", MaxParticipants: 2}}
	})
	host := b.host("muster")
	a := b.plan(time.Minute, "sitzung", message{"name": "Dr. Klein"})
	b.knock(door(a, 0), "Somebody", as{}).next("waiting")
	w := host.waiting(a.text("room"), 1)
	if w[0].text("name") != "Dr. Klein" {
		t.Errorf("waiting %v", w)
	}
	b.rooms.set(siteA, a.text("room"), Participant{Identity: "x"}, Participant{Identity: "y"})
	host.failCmd(CodeRoomFull, "admit", message{"room": a.text("room"), "knock": w[0].text("id")})
}

// A room whose time is over closes when it is empty, and opens again when the
// appointment is moved.
func TestLapsedRoomOpensAgain(t *testing.T) {
	b := house(t, storagetest.NewDisk(), nil, nil)
	a := b.plan(time.Minute, "beratung", message{})
	b.knock(door(a, 0), "A", as{}).next("waiting")
	b.desk.sweep(time.Now().Add(4 * time.Hour))
	if s := b.desk.Stats(); s.OpenRooms != 0 {
		t.Errorf("stats %+v", s)
	}
	b.ask("muster", http.MethodPatch, "api/v1/appointments/"+a.text("id"), message{"start": time.Now().Add(2 * time.Minute).Format(time.RFC3339)})
	b.knock(door(a, 0), "A", as{}).next("waiting")
}

// The host opens the room of an appointment early, and never one that is off.
func TestHostOpensAppointment(t *testing.T) {
	b := house(t, storagetest.NewDisk(), nil, nil)
	host := b.host("muster")
	a := b.plan(3*time.Hour, "beratung", message{})
	if got := host.mustCmd("open_room", message{"appointment": a.text("id")}); got.text("room") != a.text("room") {
		t.Errorf("opened %v", got)
	}
	host.until("state", func(m message) bool {
		r := m.room(a.text("room"))
		return r != nil && r.text("appointment") == a.text("id") && r.text("link") == "" && r.text("grant") == ""
	})
	b.ask("muster", http.MethodDelete, "api/v1/appointments/"+a.text("id"), nil)
	host.failCmd(CodeCancelled, "open_room", message{"appointment": a.text("id")})
	host.failCmd(CodeNotFound, "open_room", message{"appointment": token.NewID()})
	host.failCmd(CodeNotFound, "enter", message{"room": token.NewID()})
}
