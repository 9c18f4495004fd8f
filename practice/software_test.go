// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/booking"
	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
)

const bookingSecretA = "booking-secret-of-at-least-32-bytes"

// inBooking is inOffice with a key for booking software.
func inBooking(t *testing.T, f func(t *testing.T, o *office)) {
	t.Helper()
	inOffice(t, func(t *testing.T, o *office) {
		o.site.Booking = []config.APIKey{{Key: "buchung", Secret: bookingSecretA}}
		o.install()
		f(t, o)
	})
}

// call is one request of booking software.
type call struct {
	method, path, body string
	header             http.Header
	site               string
}

// sign returns the request with its signature.
func (o *office) sign(method, path, body string) call {
	o.t.Helper()
	h := http.Header{"Authorization": {booking.Sign("buchung", bookingSecretA, method, "/video/"+path, []byte(body), o.now())}}
	return call{method: method, path: path, body: body, header: h, site: siteA}
}

func (o *office) send(c call) *httptest.ResponseRecorder {
	o.t.Helper()
	r := httptest.NewRequest(c.method, "https://"+c.site+"/video/"+c.path, strings.NewReader(c.body))
	for name, values := range c.header {
		r.Header[name] = values
	}
	path, _, _ := strings.Cut(c.path, "?")
	w := httptest.NewRecorder()
	o.desk.Serve(w, r, o.callAs(c.site, path))
	synctest.Wait()
	return w
}

// ask signs and sends with a time of its own, so that no two requests are alike.
func (o *office) ask(method, path, body string, status int, edit ...func(*call)) message {
	o.t.Helper()
	o.wait(time.Second)
	c := o.sign(method, path, body)
	for _, f := range edit {
		f(&c)
	}
	w := o.send(c)
	if w.Code != status {
		o.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	var m message
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		o.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
	}
	return m
}

func named(key string) func(*call) {
	return func(c *call) { c.header.Set(idempotencyHeader, key) }
}

func text(t testing.TB, m message) string {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// contents is all that lies on a disk.
func contents(d *storagetest.Disk) map[string]string {
	all := make(map[string]string)
	for _, k := range d.Keys() {
		all[k] = string(d.Read(k))
	}
	return all
}

// fields are the complaints of an answer.
func fields(m message) map[string]any {
	e, _ := m["error"].(map[string]any)
	f, _ := e["fields"].(map[string]any)
	return f
}

// Everything that hosts can do, booking software can, for each host of its site.
func TestBookingSoftwareDoesWhatHostsDo(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		const path = "api/v1/appointments"
		if f := fields(o.ask("POST", path, text(t, meet("2026-03-05T14:30")), 422)); f["host"] != "required" {
			t.Errorf("two hosts, none named: %v", f)
		}
		a := o.ask("POST", path+"?host=zweit", text(t, meet("2026-03-05T14:30")), 201).list("appointments")[0]
		if a.text("host") != "zweit" || a.list("guests")[0].text("link") == "" {
			t.Errorf("created %v", a)
		}
		o.ask("POST", path+"?host=muster", text(t, meet("2026-03-06T14:30")), 201)
		if all := o.ask("GET", path, "", 200).list("appointments"); len(all) != 2 {
			t.Errorf("list of all hosts: %v", all)
		}
		if one := o.ask("GET", path+"?host=muster&from=2026-03-01", "", 200).list("appointments"); len(one) != 1 {
			t.Errorf("list of one host: %v", one)
		}
		if f := fields(o.ask("GET", path+"?host=niemand", "", 422)); f["host"] != "unknown" {
			t.Errorf("unknown host: %v", f)
		}
		id, guest := a.text("id"), a.list("guests")[0].text("id")
		if m := o.ask("PATCH", path+"/"+id, `{"start":"2026-03-05T16:00"}`, 200); !strings.HasPrefix(m.text("start"), "2026-03-05T16:00") {
			t.Errorf("moved %v", m)
		}
		o.ask("PATCH", path+"/"+id+"?host=muster", `{"start":"2026-03-05T17:00"}`, 404)
		if m := o.ask("POST", path+"/"+id+"/guests/"+guest+"/link", "", 200); m.list("guests")[0].text("link") == "" {
			t.Errorf("link %v", m)
		}
		o.ask("POST", path+"/"+id+"/guests/"+guest+"/remind", "", 200)
		if m := o.ask("POST", path+"/"+id+"/guests/"+guest+"/revoke", "", 200); m.list("guests")[0]["revoked"] != true {
			t.Errorf("revoked %v", m)
		}
		if m := o.ask("DELETE", path+"/"+id, "", 200).list("appointments"); m[0].text("status") != "cancelled" {
			t.Errorf("cancelled %v", m)
		}
	})
}

// Every call, by everybody who is nobody here, is refused and changes nothing.
func TestAuthorizationMatrix(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-05T14:30"))[0]
		id, guest := a.text("id"), a.list("guests")[0].text("id")
		_, secret := o.guestLink(a, 0)
		const path = "api/v1/appointments"
		one := path + "/" + id
		routes := []call{
			{method: "GET", path: path}, {method: "POST", path: path + "?host=muster", body: text(t, meet("2026-03-07T14:30"))},
			{method: "PATCH", path: one, body: `{"label":"x"}`}, {method: "DELETE", path: one},
			{method: "POST", path: one + "/guests/" + guest + "/link"}, {method: "POST", path: one + "/guests/" + guest + "/revoke"},
			{method: "POST", path: one + "/guests/" + guest + "/remind"},
		}
		bearer := func(s string) func(*call) {
			return func(c *call) { c.header = http.Header{"Authorization": {"Bearer " + s}} }
		}
		host := func(site, id string) func(*call) { // signed in at the moment
			return func(c *call) { bearer(o.session(site, id))(c) }
		}
		as := func(key, secret string) func(*call) {
			return func(c *call) {
				c.header = http.Header{"Authorization": {booking.Sign(key, secret, c.method, "/video/"+c.path, []byte(c.body), o.now())}}
			}
		}
		roles := map[string]struct {
			edit func(*call)
			// list and touch are the statuses of what is read and written.
			list, touch int
		}{
			"nobody":                 {func(*call) {}, 401, 401},
			"guest":                  {bearer(secret), 401, 401},
			"another host":           {host(siteA, "zweit"), 200, 404},
			"a host who has gone":    {host(siteA, "weg"), 401, 401},
			"host of another site":   {host(siteB, "muster"), 401, 401},
			"software, wrong secret": {as("buchung", strings.Repeat("x", 40)), 401, 401},
			"software, unknown key":  {as("andere", bookingSecretA), 401, 401},
			"software, empty secret": {as("buchung", ""), 401, 401},
			"signature of elsewhere": {func(c *call) {
				x := call{method: c.method, path: "api/v1/x", body: c.body}
				as("buchung", bookingSecretA)(&x)
				c.header = x.header
			}, 401, 401},
			"host named by software": {func(c *call) { c.path += "?host=zweit"; as("buchung", bookingSecretA)(c) }, 200, 404},
			"foreign website's script": {func(c *call) {
				as("buchung", bookingSecretA)(c)
				c.header.Set("Origin", "https://evil.example")
			}, 403, 403},
		}
		before := contents(o.disk)
		for name, role := range roles {
			for i, r := range routes {
				r.site, r.header = siteA, http.Header{}
				if strings.Contains(r.path, "?") && strings.HasPrefix(name, "host named") {
					continue // it names its own
				}
				o.wait(11 * time.Second) // the limits are tested elsewhere
				role.edit(&r)
				want := role.touch
				if i == 0 {
					want = role.list
				}
				if i == 1 && name == "another host" {
					continue // a host may create own appointments
				}
				if w := o.send(r); w.Code != want {
					t.Errorf("%s: %s %s: %d %s, want %d", name, r.method, r.path, w.Code, w.Body, want)
				}
			}
		}
		for key, value := range contents(o.disk) {
			if strings.Contains(key, "/appointments/") && before[key] != value {
				t.Errorf("%s has changed", key)
			}
		}
		// A site without keys has no such interface.
		o.site.Booking = nil
		r := o.sign("GET", path, "")
		if w := o.send(r); w.Code != 401 {
			t.Errorf("without keys: %d", w.Code)
		}
	})
}

func TestTamperingAndReplay(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		const path = "api/v1/appointments?host=muster"
		body := text(t, meet("2026-03-05T14:30"))
		for name, edit := range map[string]func(*call){
			"body":   func(c *call) { c.body = strings.Replace(c.body, "anna@", "anne@", 1) },
			"query":  func(c *call) { c.path = "api/v1/appointments?host=zweit" },
			"method": func(c *call) { c.method = "GET" },
			"site": func(c *call) {
				c.header.Set("Authorization", strings.Replace(c.header.Get("Authorization"), "buchung", "Buchung", 1))
			},
			"twice": func(c *call) {
				c.header["Authorization"] = append(c.header["Authorization"], c.header["Authorization"][0])
			},
			"digit": func(c *call) {
				h := c.header.Get("Authorization")
				last := "0"
				if strings.HasSuffix(h, "0") {
					last = "1"
				}
				c.header.Set("Authorization", h[:len(h)-1]+last)
			},
		} {
			o.wait(11 * time.Second)
			c := o.sign("POST", path, body)
			edit(&c)
			w := o.send(c)
			if w.Code != 401 || !strings.Contains(w.Body.String(), `"signature":"wrong"`) {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
		o.wait(time.Minute)
		c := o.sign("POST", path, body)
		if w := o.send(c); w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		replayed := func(when string) {
			t.Helper()
			if w := o.send(c); w.Code != 401 || !strings.Contains(w.Body.String(), `"signature":"`) {
				t.Errorf("%s: %d %s", when, w.Code, w.Body)
			}
		}
		replayed("at once")
		o.wait(booking.Tolerance - time.Second)
		replayed("as late as could be")
		o.restart()
		replayed("after a restart")
		// Another process on the same storage knows what was carried out.
		fresh := o.sign("POST", path, strings.Replace(body, "14:30", "16:30", 1))
		other := newOffice(t, o.disk, o.keys)
		defer other.close()
		other.site.Booking = o.site.Booking
		other.wait(time.Second)
		fresh = other.sign("POST", path, fresh.body)
		if w := o.send(fresh); w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w := other.send(fresh); w.Code != 401 || !strings.Contains(w.Body.String(), "replayed") {
			t.Errorf("at another process: %d %s", w.Code, w.Body)
		}
		late := o.sign("GET", "api/v1/appointments", "")
		o.wait(booking.Tolerance + 2*time.Second)
		if w := o.send(late); w.Code != 401 || !strings.Contains(w.Body.String(), "clock") {
			t.Errorf("too late: %d %s", w.Code, w.Body)
		}
		if n := len(o.list("muster")); n != 2 {
			t.Errorf("%d appointments", n)
		}
	})
}

// The same request under the same name is carried out once, whatever happens in
// between.
func TestIdempotency(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		const path = "api/v1/appointments?host=muster"
		in := meet("2026-03-10T18:00")
		in["repeat"] = message{"every": "week", "count": 3}
		body := text(t, in)
		first := o.ask("POST", path, body, 201, named("a1"))
		if got := len(first.list("appointments")); got != 3 {
			t.Fatalf("%d created", got)
		}
		for _, key := range o.disk.Keys() {
			for _, a := range first.list("appointments") {
				_, secret := o.guestLink(a, 0)
				if strings.Contains(string(o.disk.Read(key)), secret) || strings.Contains(key, "a1") {
					t.Errorf("%s holds a secret or a name", key)
				}
			}
		}
		again := o.ask("POST", path, body, 201, named("a1"))
		same := func(when string) {
			t.Helper()
			for i, a := range again.list("appointments") {
				b := first.list("appointments")[i]
				if a.text("id") != b.text("id") || a.list("guests")[0].text("link") != b.list("guests")[0].text("link") {
					t.Errorf("%s: %v, want %v", when, a, b)
				}
			}
		}
		same("at once")
		o.restart()
		o.site.Booking = []config.APIKey{{Key: "buchung", Secret: bookingSecretA}}
		again = o.ask("POST", path, body, 201, named("a1"))
		same("after a restart")
		if f := fields(o.ask("POST", path, strings.Replace(body, "K. 17", "K. 18", 1), 409, named("a1"))); f[idempotencyHeader] != "used" {
			t.Errorf("another request under the same name: %v", f)
		}
		if f := fields(o.ask("POST", path, body, 422, named("a b"))); f[idempotencyHeader] != "malformed" {
			t.Errorf("a malformed name: %v", f)
		}
		// Where the note was lost, what was created is found, and what was not is made up for.
		for _, key := range o.disk.Keys() {
			if strings.Contains(key, "/calls/") {
				o.disk.Write(key, nil)
			}
		}
		second := first.list("appointments")[1].text("id")
		for _, key := range o.disk.Keys() {
			if strings.HasSuffix(key, "/"+second) && strings.Contains(key, "/appointments/") {
				o.disk.Write(key, nil)
			}
		}
		o.restart()
		o.site.Booking = []config.APIKey{{Key: "buchung", Secret: bookingSecretA}}
		again = o.ask("POST", path, body, 201, named("a1"))
		if all := again.list("appointments"); len(all) != 3 || all[0].text("id") != first.list("appointments")[0].text("id") || all[1].text("id") == second {
			t.Errorf("after a crash: %v", all)
		}
		if n := len(o.list("muster")); n != 3 {
			t.Errorf("%d appointments", n)
		}
		// Reminders leave once.
		o.mail.take()
		a := again.list("appointments")[0]
		remind := "api/v1/appointments/" + a.text("id") + "/guests/" + a.list("guests")[0].text("id") + "/remind"
		o.ask("POST", remind, "", 200, named("r1"))
		o.ask("POST", remind, "", 200, named("r1"))
		o.wait(time.Minute)
		if got := whats(o.mail.take()); got != "reminder" {
			t.Errorf("mails %s", got)
		}
		o.wait(callLife + 20*time.Minute)
		for _, key := range o.disk.Keys() {
			if strings.Contains(key, "/calls/") {
				t.Errorf("%s is still there after a day", key)
			}
		}
	})
}

// While the storage fails, nothing is half-done and the software may ask again.
func TestBookingWhileTheStorageFails(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		o.storage.Before(func(c storagetest.Call) error {
			if c.Op == "Store" {
				return storagetest.ErrDead
			}
			return nil
		})
		body := text(t, meet("2026-03-10T18:00"))
		m := o.ask("POST", "api/v1/appointments?host=muster", body, 503, named("a"))
		if m["error"].(map[string]any)["code"] != "unavailable" {
			t.Errorf("%v", m)
		}
		o.storage.Before(nil)
		o.wait(time.Minute)
		o.ask("POST", "api/v1/appointments?host=muster", body, 201, named("a"))
		if n := len(o.list("muster")); n != 1 {
			t.Errorf("%d appointments", n)
		}
	})
}

// A thousand bodies that are not what they should be: each is refused as such,
// and leaves nothing.
func TestMalformedBodies(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		good := text(t, meet("2026-03-10T18:00"))
		random := rand.New(rand.NewPCG(1, 2))
		shapes := []func() string{
			func() string { return good[:random.IntN(len(good))] },
			func() string {
				i := random.IntN(len(good))
				return good[:i] + string(rune(random.IntN(0x250))) + "\x00" + good[i:]
			},
			func() string { return strings.Repeat("[", 1+random.IntN(9000)) },
			func() string { return `{"kind":` + strings.Repeat(`{"a":`, random.IntN(3000)) + "1" },
			func() string { return strings.Replace(good, `"kind"`, `"`+strconv.Itoa(random.IntN(99))+`"`, 1) },
			func() string {
				return `{"kind":` + []string{"1", "null", "[]", "{}", "true", `"` + strings.Repeat("x", 2000) + `"`}[random.IntN(6)] + "}"
			},
			func() string {
				return strings.Replace(good, "2026-03-10T18:00", strings.Repeat("9", random.IntN(50)), 1)
			},
			func() string { return strings.Replace(good, `"guests":[`, `"guests":[{"email":"a@b\r\nBcc: c@d"},`, 1) },
			func() string { return good + good },
			func() string { return strings.Repeat("x", maxBody+random.IntN(1000)) },
			func() string { return `{"kind":"beratung","kind":"therapie"}` },
			func() string { return string([]byte{0xff, 0xfe, byte(random.IntN(256))}) },
		}
		const path = "api/v1/appointments?host=muster"
		for i := range 1000 {
			body := shapes[i%len(shapes)]()
			o.wait(time.Second)
			c := o.sign("POST", path, body)
			w := o.send(c)
			if w.Code != 400 && w.Code != 413 && w.Code != 422 {
				t.Fatalf("%.200q: %d %s", body, w.Code, w.Body)
			}
			if !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%.200q: the answer is no JSON: %s", body, w.Body)
			}
		}
		if keys := o.disk.Keys(); len(keys) != 0 {
			t.Errorf("keys %v", keys)
		}
		if o.logs.Len() != 0 {
			t.Errorf("the log says %s", o.logs)
		}
	})
}

// Many sites do not mix their idempotency keys, and neither do two keys of one.
func TestNamesOfRequestsBelongToTheirKey(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		const path = "api/v1/appointments?host=muster"
		other := strings.Repeat("o", 40)
		o.site.Booking = append(o.site.Booking, config.APIKey{Key: "andere", Secret: other})
		body := text(t, meet("2026-03-10T18:00"))
		a := o.ask("POST", path, body, 201, named("x"))
		b := o.ask("POST", path, body, 201, named("x"), func(c *call) {
			c.header.Set("Authorization", booking.Sign("andere", other, "POST", "/video/"+path, []byte(body), o.now()))
		})
		if a.list("appointments")[0].text("id") == b.list("appointments")[0].text("id") {
			t.Error("one key got the other's answer")
		}
	})
}

// Two requests of the same name at the same moment are one.
func TestSameRequestAtTheSameMoment(t *testing.T) {
	inBooking(t, func(t *testing.T, o *office) {
		body := text(t, meet("2026-03-10T18:00"))
		codes := make(chan int, 8)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for i := range 8 {
			const path = "api/v1/appointments?host=muster"
			c := o.sign("POST", path, body)
			c.header.Set("Authorization", booking.Sign("buchung", bookingSecretA, "POST", "/video/"+path, []byte(body), o.now().Add(time.Duration(i)*time.Second)))
			named("same")(&c)
			r := httptest.NewRequest(c.method, "https://"+siteA+"/video/"+c.path, strings.NewReader(c.body)).WithContext(ctx)
			r.Header = c.header
			go func() { // ends with its answer
				w := httptest.NewRecorder()
				o.desk.Serve(w, r, o.callAs(siteA, "api/v1/appointments"))
				codes <- w.Code
			}()
		}
		var all []int
		for range 8 {
			all = append(all, <-codes)
		}
		if slices.Contains(all, 500) || !slices.Contains(all, 201) || len(o.list("muster")) != 1 {
			t.Errorf("%v, %d appointments", all, len(o.list("muster")))
		}
	})
}
