// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
	"github.com/caddy-videoroom/videoroom/token"
)

// Every route × every role: only the host whose appointment it is gets through,
// and to everybody else who is a host it does not exist.
func TestAuthorizationMatrixOfHosts(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		mine := o.create(meet("2026-03-05T14:30"))[0]
		_, secret := o.guestLink(mine, 0)
		path := "api/v1/appointments/" + mine.text("id")
		guest := path + "/guests/" + mine.list("guests")[0].text("id")
		routes := []struct{ method, path, body string }{
			{http.MethodGet, "api/v1/appointments?from=2026-01-01", ""},
			{http.MethodPost, "api/v1/appointments", encode(meet("2026-03-06T14:30"))},
			{http.MethodPatch, path, `{"label":"x"}`},
			{http.MethodPost, guest + "/remind", ""},
			{http.MethodPost, guest + "/revoke", ""},
			{http.MethodPost, guest + "/link", ""},
			{http.MethodDelete, path + "?series=all", ""},
			{http.MethodDelete, path, ""},
		}
		session := func(site, host string, since time.Time, generation uint32) string {
			s, err := o.keys.HostSession(site, token.HostSession{Host: host, Since: since, Generation: generation}, since)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		now := time.Now()
		media, err := o.keys.Media(token.Admission{Site: siteA, Room: mine.text("room"), Identity: "x", Name: "x", Host: true}, now)
		if err != nil {
			t.Fatal(err)
		}
		key, err := o.keys.HostKey(siteA, token.HostKey{Host: "muster", Generation: 1})
		if err != nil {
			t.Fatal(err)
		}
		foreign, err := token.NewKeys().HostSession(siteA, token.HostSession{Host: "muster", Since: now}, now)
		if err != nil {
			t.Fatal(err)
		}
		good := session(siteA, "muster", now, 1)
		for _, role := range []struct {
			name, bearer string
			own, other   int // the status of lists and creations, and of what is somebody else's
		}{
			{"nobody", "", 401, 401},
			{"guest", secret, 401, 401},
			{"participant", media, 401, 401},
			{"host key", key, 401, 401},
			{"nonsense", "a.b.c", 401, 401},
			{"signed by another server", foreign, 401, 401},
			{"tampered", good[:len(good)-2] + "AA", 401, 401},
			{"expired", session(siteA, "muster", now.Add(-time.Hour), 0), 401, 401},
			{"revoked link", session(siteA, "muster", now, 7), 401, 401},
			{"dismissed host", session(siteA, "gone", now, 0), 401, 401},
			{"same host of another site", session(siteB, "muster", now, 0), 401, 401},
			{"another host of the site", session(siteA, "zweit", now, 0), 0, 404},
			{"host", good, 0, 0},
		} {
			for i, r := range routes {
				o.desk.crowd.renew(time.Now()) // no limit answers
				status, body := o.request(role.bearer, r.method, r.path, r.body)
				want := role.other
				if i < 2 {
					want = role.own
				}
				if want == 0 && status/100 != 2 || want != 0 && status != want {
					t.Errorf("%s: %s %s: %d %s", role.name, r.method, r.path, status, body)
				}
				if role.name != "host" && strings.Contains(body, "K. 17") && strings.Contains(body, mine.text("id")) {
					t.Errorf("%s reads %s", role.name, body)
				}
			}
		}
		// The other host has seen and changed nothing of ours.
		for _, a := range o.list("zweit") {
			if a.text("host") != "zweit" {
				t.Errorf("the other host sees %v", a)
			}
		}
		if a := o.desk.agenda.find(siteA, mine.text("id")); a.Label != "x" || len(o.list("muster")) != 2 {
			t.Errorf("ours is %+v", a)
		}
	})
}

// What other hosts' ids, ids of nothing and nonsense answer cannot be told apart.
func TestForeignAppointmentsDoNotExist(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		mine := o.create(meet("2026-03-05T14:30"))[0]
		o.createAt(siteB, meet("2026-03-05T14:30"))
		var theirs string
		for _, k := range o.disk.Keys() {
			if id, ok := strings.CutPrefix(k, "videoroom/"+siteB+"/appointments/"); ok {
				theirs = id
			}
		}
		answers := map[string]bool{}
		for _, id := range []string{mine.text("id"), theirs, token.NewID(), "x", "..", "%2e%2e", mine.text("room"), strings.Repeat("a", 4096)} {
			for _, r := range []struct{ method, path string }{
				{http.MethodPatch, id}, {http.MethodDelete, id}, {http.MethodDelete, id + "?series=following"},
				{http.MethodPost, id + "/guests/" + mine.list("guests")[0].text("id") + "/link"},
			} {
				o.desk.crowd.renew(time.Now())
				status, body := o.request(o.session(siteA, "zweit"), r.method, "api/v1/appointments/"+r.path, "{}")
				answers[fmt.Sprint(status, body)] = true
			}
		}
		if len(answers) != 1 {
			t.Errorf("answers %v", answers)
		}
	})
}

func TestAppointmentRoutes(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		bearer := o.session(siteA, "muster")
		for _, tc := range []struct {
			method, path, origin string
			want                 int
			allow                string
		}{
			{http.MethodGet, "api/v1/appointments", "", 200, ""},
			{http.MethodGet, "api/v1/appointments", "https://evil.example", 403, ""},
			{http.MethodPut, "api/v1/appointments", "", 405, "GET POST"},
			{http.MethodGet, "api/v1/appointments/x", "", 405, "PATCH DELETE"},
			{http.MethodGet, "api/v1/appointments/x/guests/y/link", "", 405, "POST"},
			{http.MethodPost, "api/v1/appointments/x/guests/y/id", "", 404, ""},
			{http.MethodPost, "api/v1/appointments/x/guests/y/steal", "", 404, ""},
			{http.MethodPost, "api/v1/appointments/x/guests", "", 404, ""},
			{http.MethodGet, "api/v1/appointmentsx", "", 404, ""},
			{http.MethodGet, "api/v1/appointments?from=x", "", 422, ""},
		} {
			path, query, _ := strings.Cut(tc.path, "?")
			r := httptest.NewRequest(tc.method, "https://"+siteA+"/video/"+path+"?"+query, nil)
			r.Header.Set("Authorization", "Bearer "+bearer)
			if tc.origin != "" {
				r.Header.Set("Origin", tc.origin)
			} else if path == "api/v1/appointmentsx" {
				r.Header.Set("Origin", "https://"+siteA)
			}
			w := httptest.NewRecorder()
			o.desk.Serve(w, r, o.callAs(siteA, path))
			if w.Code != tc.want {
				t.Errorf("%s %s: %d %s", tc.method, tc.path, w.Code, w.Body)
			}
			for m := range strings.FieldsSeq(tc.allow) {
				if !strings.Contains(strings.Join(w.Header().Values("Allow"), " "), m) {
					t.Errorf("%s %s allows %v", tc.method, tc.path, w.Header().Values("Allow"))
				}
			}
		}
		o.desk.agenda = nil
		if status, body := o.request(bearer, http.MethodGet, "api/v1/appointments", ""); status != 503 {
			t.Errorf("without storage: %d %s", status, body)
		}
	})
}

// Rooms of other sites, of closed appointments and of nothing are one answer, and
// asking changes nothing.
func TestGuessingRooms(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		now := o.create(meet("2026-03-02T13:15"))[0]
		room, secret := o.guestLink(now, 0)
		gone := o.create(meet("2026-03-02T13:15"))[0]
		goneRoom, goneSecret := o.guestLink(gone, 0)
		revoked := o.create(meet("2026-03-02T13:15"))[0]
		revokedRoom, revokedSecret := o.guestLink(revoked, 0)
		o.do("muster", http.MethodPost, "api/v1/appointments/"+revoked.text("id")+"/guests/"+revoked.list("guests")[0].text("id")+"/revoke", nil, 200)
		o.desk.agenda.forget(siteA, gone.text("id"))
		o.createAt(siteB, meet("2026-03-02T13:15"))
		theirs := o.desk.agenda.choose(siteB, always)[0]
		theirSecret := o.keys.Guest(siteB, theirs.Room, theirs.Guests[0].ID, 1, false)
		before, reads := len(o.disk.Keys()), 0
		o.storage.Before(o.counting(&reads))
		answers := map[string]int{}
		client := 0
		ask := func(room, secret string) {
			client++ // each from another address, so that no limit answers
			if client%10_000 == 0 {
				o.desk.crowd.renew(time.Now())
			}
			c := o.callAs(siteA, "api/v1/room")
			c.Client = netip.AddrFrom4([4]byte{10, byte(client >> 16), byte(client >> 8), byte(client)})
			r := httptest.NewRequest(http.MethodPost, "https://"+siteA+"/video/api/v1/room", strings.NewReader(encode(message{"room": room, "cap": secret})))
			r.Header.Set("Origin", "https://"+siteA)
			w := httptest.NewRecorder()
			o.desk.Serve(w, r, c)
			answers[fmt.Sprint(w.Code, w.Body, w.Header())]++
		}
		for range 100_000 / 3 {
			ask(token.NewID(), token.NewSecret())
			ask(token.NewID(), secret)
			ask(room, token.NewSecret())
		}
		ask(theirs.Room, theirSecret)
		ask(revokedRoom, revokedSecret)
		ask(goneRoom, goneSecret)
		ask(room, "")
		ask(room, theirSecret)
		ask("../"+room, secret)
		if len(answers) != 1 || reads != 0 || len(o.disk.Keys()) != before {
			t.Errorf("%d answers, %d calls of the storage: %v", len(answers), reads, answers)
		}
		if got := o.state(room, secret); got != "open" {
			t.Errorf("the right link: %s", got)
		}
	})
}

// Programs that look into mails open links again and again: nothing changes.
func TestLinkScannersChangeNothing(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-02T13:15"))[0]
		room, secret := o.guestLink(a, 0)
		state := func() string { return fmt.Sprint(o.disk.Keys(), o.desk.Stats(), o.list("muster")) }
		before := state()
		for range 20 {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				o.desk.crowd.renew(time.Now())
				if status, _ := o.request("", method, "api/v1/room?room="+room+"&cap="+secret, ""); status != http.StatusMethodNotAllowed {
					t.Errorf("%s: %d", method, status)
				}
			}
			if got := o.state(room, secret); got != "open" {
				t.Errorf("visit: %s", got)
			}
		}
		if after := state(); after != before {
			t.Errorf("%s became %s", before, after)
		}
	})
}

// Bodies from the network never make the server fail, and never make records of
// what does not fit.
func FuzzAppointmentBodies(f *testing.F) {
	f.Add("POST", "", encode(meet("2026-03-05T14:30")))
	f.Add("POST", "", `{"kind":"kurz","dates":["2026-03-05T14:30"],"guests":[{}]}`)
	f.Add("PATCH", "/x", `{"start":null,"guests":[{"id":"x"}]}`)
	f.Add("POST", "", `{"kind":"kurz","kind":"x"}`)
	f.Add("POST", "", `[]`)
	f.Add("POST", "", `null`)
	f.Add("POST", "", `{"duration_minutes":1e99}`)
	f.Add("DELETE", "/x?series=all", "")
	site := officeSite()
	keys := token.NewKeys()
	at := at("2026-03-02 12:00")
	f.Fuzz(func(t *testing.T, method, below, body string) {
		s := &secretary{d: &Desk{keys: keys, now: func() time.Time { return at }}, c: Call{Site: site, SiteID: siteA}, host: "muster", body: []byte(body)}
		var in createBody
		if err := s.read(&in); err == nil {
			form := s.form()
			all := form.invitation(&in, s.creator())
			if (len(all) == 0) != (form.wrong.err() != nil) {
				t.Fatalf("%d appointments and complaints %v", len(all), form.wrong)
			}
			for _, a := range all {
				if !a.Valid() || len(all) > maxDates {
					t.Fatalf("made %+v", a)
				}
			}
			for _, a := range all[:min(1, len(all))] {
				var change changeBody
				if s.read(&change) == nil {
					b := a.Clone()
					if _, err := s.form().change(b, &change, s.creator()); err == nil && !b.Valid() {
						t.Fatalf("changed to %+v", b)
					}
				}
			}
		} else if code := coded(err).Code; code != CodeBadRequest && code != CodeInvalid {
			t.Fatalf("%v", err)
		}
		var change changeBody
		if s.read(&change) == nil {
			_, _ = s.form().change(&appointmentSample, &change, s.creator())
		}
		if segments, ok := appointmentPath("api/v1/appointments" + below); ok {
			_ = shape(segments, s)[method]
		}
	})
}

// More than a thousand spoilt bodies: each is understood or refused, none makes the
// server fail.
func TestSpoiltBodiesOfHosts(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		good := encode(meet("2026-03-05T14:30"))
		// What is understood is not stored, so that nothing piles up.
		o.storage.Before(func(storagetest.Call) error { return errFull })
		n := 0
		for i := range len(good) {
			for _, c := range []string{"", "\x00", "{", "\"", "\xff", ",", "]", "0", "}", ":", "\\"} {
				bad := good[:i] + c + good[i+1:]
				if bad == good {
					continue
				}
				n++
				o.desk.crowd.renew(time.Now()) // no limit answers
				status, body := o.request(o.session(siteA, "muster"), http.MethodPost, "api/v1/appointments", bad)
				if status != http.StatusServiceUnavailable && status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
					t.Fatalf("%q: %d %s", bad, status, body)
				}
			}
		}
		if status, _ := o.request(o.session(siteA, "muster"), http.MethodPost, "api/v1/appointments", strings.Repeat(" ", maxBody+1)); status != http.StatusRequestEntityTooLarge {
			t.Errorf("large: %d", status)
		}
		if n < 1000 || len(o.disk.Keys()) > 0 {
			t.Errorf("%d bodies only", n)
		}
	})
}

func TestQuotaOfAppointments(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.site.SMTP = nil
		in := meet("2026-03-05T14:30")
		in["repeat"] = message{"every": "day", "count": maxDates}
		status := 0
		for range maxAppointments/maxDates + 1 {
			o.desk.crowd.renew(time.Now())
			status, _ = o.request(o.session(siteA, "muster"), http.MethodPost, "api/v1/appointments", encode(in))
		}
		if n := len(o.desk.agenda.choose(siteA, always)); status != http.StatusTooManyRequests || n > maxAppointments {
			t.Errorf("%d, %d appointments", status, n)
		}
	})
}

// Signing in by a link that was revoked since is over for requests as well.
func TestRevokedHostLink(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s, err := o.keys.HostSession(siteA, token.HostSession{Host: "muster", Since: time.Now(), Generation: 1}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := o.request(s, http.MethodGet, "api/v1/appointments", ""); status != 200 {
			t.Errorf("before: %d", status)
		}
		next := *o.site
		next.Hosts = []config.Host{{ID: "muster", Name: "Dr. Muster", LinkGeneration: 2}}
		o.site = &next
		if status, _ := o.request(s, http.MethodGet, "api/v1/appointments", ""); status != 401 {
			t.Errorf("after: %d", status)
		}
	})
}
