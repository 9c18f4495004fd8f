// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
)

var (
	errFull     = errors.New("no space left on device")
	errReadOnly = errors.New("read-only file system")
)

// writes refuses calls that write.
func writes(err error) func(storagetest.Call) error {
	return func(c storagetest.Call) error {
		if c.Op == "Store" || c.Op == "Delete" || c.Op == "Lock" {
			return err
		}
		return nil
	}
}

// A storage that is full, read-only, gone or hangs: requests that change get a
// clear answer within seconds, what was confirmed stays, links go on working, mail
// waits and leaves afterwards.
func TestFailingStorage(t *testing.T) {
	hang := func(storagetest.Call) error {
		time.Sleep(time.Minute)
		return nil
	}
	for name, fault := range map[string]func(storagetest.Call) error{
		"full": writes(errFull), "read-only": writes(errReadOnly),
		"gone": func(storagetest.Call) error { return errors.New("connection refused") }, "hanging": hang,
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, func(t *testing.T, o *office) {
				a := o.create(meet("2026-03-02T15:00"))[0] // reminder at 13:30 UTC
				b := o.create(meet("2026-03-02T13:15"))[0]
				room, secret := o.guestLink(b, 0)
				o.mail.take()
				o.waitUntil("2026-03-02 12:30")
				o.storage.Before(fault)
				path := "api/v1/appointments/" + a.text("id")
				for _, r := range []struct{ method, path, body string }{
					{http.MethodPost, "api/v1/appointments", encode(meet("2026-03-02T18:00"))},
					{http.MethodPatch, path, `{"start":"2026-03-02T20:00"}`},
					{http.MethodDelete, path, ""},
					{http.MethodPost, path + "/guests/" + a.list("guests")[0].text("id") + "/revoke", ""},
				} {
					begin := time.Now()
					status, body := o.request(o.session(siteA, "muster"), r.method, r.path, r.body)
					if d := time.Since(begin); status != http.StatusServiceUnavailable || !strings.Contains(body, `"unavailable"`) || d > 6*time.Second {
						t.Errorf("%s: %d %s after %v", r.method, status, body, d)
					}
				}
				// What needs no writing goes on.
				begin := time.Now()
				if got := o.state(room, secret); got != "open" || time.Since(begin) > freshTime {
					t.Errorf("a link is %s after %v", got, time.Since(begin))
				}
				begin = time.Now()
				if got := o.list("muster"); len(got) != 2 || got[0].text("status") != "planned" || time.Since(begin) > 0 {
					t.Errorf("the list is %v after %v", got, time.Since(begin))
				}
				begin = time.Now()
				o.desk.mu.Lock() // as an admission does
				d := time.Since(begin)
				o.desk.mu.Unlock()
				if d > 0 {
					t.Errorf("the desk was held for %v", d)
				}
				o.waitUntil("2026-03-02 13:35")
				if got := whats(o.mail.take()); got != "" {
					t.Errorf("mail without a note: %s", got)
				}
				o.storage.Before(nil)
				o.wait(3 * time.Minute)
				if got := o.list("muster"); len(got) != 2 || whats(o.mail.take()) != "reminder" {
					t.Errorf("afterwards: %v", got)
				}
				o.do("muster", http.MethodPatch, path, message{"start": "2026-03-02T20:00"}, http.StatusOK)
				if n := strings.Count(o.logs.String(), "does not answer as it should"); n != 1 {
					t.Errorf("log: %s", o.logs)
				}
				for _, canary := range []string{"anna", "Anna", room, secret, "K. 17"} {
					if strings.Contains(o.logs.String(), canary) {
						t.Errorf("the log names %s", canary)
					}
				}
			})
		})
	}
}

// A series is made whole or not at all, wherever the storage fails.
func TestHalfMadeSeriesIsUndone(t *testing.T) {
	for n := range 8 {
		inOffice(t, func(t *testing.T, o *office) {
			left := n
			o.storage.Before(func(c storagetest.Call) error {
				if c.Op == "Store" {
					if left--; left < 0 {
						return errFull
					}
				}
				return nil
			})
			in := meet("2026-03-05T14:30")
			in["repeat"] = message{"every": "week", "count": 5}
			in["notify"] = false
			status, _ := o.request(o.session(siteA, "muster"), http.MethodPost, "api/v1/appointments", encode(in))
			o.storage.Before(nil)
			o.wait(time.Minute)
			want := 0
			if status == http.StatusCreated {
				want = 5
			}
			if len(o.list("muster")) != want || len(o.disk.Keys()) != want || (n >= 5) != (want == 5) {
				t.Errorf("with %d writes: %d, %v", n, status, o.disk.Keys())
			}
			o.restart()
			if got := o.list("muster"); len(got) != want {
				t.Errorf("after a restart: %v", got)
			}
		})
	}
}

// An outcome that the storage does not take is kept in memory and stored later:
// the letter is not sent again.
func TestOutcomeIsStoredLater(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.mail.after(func() { o.storage.Before(writes(errFull)) })
		o.create(meet("2026-03-05T14:30"))
		o.wait(time.Hour)
		if got := letters(o.list("muster")[0], 0); got != "invitation sent, reminder queued" {
			t.Errorf("letters %s", got)
		}
		o.mail.after(nil)
		o.storage.Before(nil)
		o.wait(time.Minute)
		o.restart()
		o.wait(time.Hour)
		if got := letters(o.list("muster")[0], 0); got != "invitation sent, reminder queued" || whats(o.mail.take()) != "invitation" {
			t.Errorf("letters %s", got)
		}
	})
}

// Damaged appointments are set aside and reported; all others work on.
func TestDamagedAppointments(t *testing.T) {
	for seed := range uint64(60) {
		inOffice(t, func(t *testing.T, o *office) {
			r := rand.New(rand.NewPCG(seed, 3))
			a, b := o.create(meet("2026-03-05T14:30"))[0], o.create(meet("2026-03-02T13:15"))[0]
			room, secret := o.guestLink(a, 0)
			k := "videoroom/" + siteA + "/appointments/" + a.text("id")
			raw := o.disk.Read(k)
			if i := r.IntN(len(raw) - 1); seed%2 == 0 {
				o.disk.Write(k, raw[:i])
			} else {
				raw[i] ^= 1 << r.IntN(8)
				o.disk.Write(k, raw)
			}
			o.restart()
			whole := o.desk.agenda.find(siteA, a.text("id")) != nil // a flipped case of a name changes nothing
			if bRoom, bSecret := o.guestLink(b, 0); o.state(bRoom, bSecret) != "open" {
				t.Errorf("seed %d: another appointment suffers", seed)
			}
			if got := o.state(room, secret); whole && got != "early" || !whole && got != "bad_link" {
				t.Errorf("seed %d: the damaged one is %s", seed, got)
			}
			aside := 0
			for _, k := range o.disk.Keys() {
				if strings.Contains(k, "/quarantine/") {
					aside++
				}
			}
			if !whole && (aside != 1 || strings.Count(o.logs.String(), "moved aside") != 1 || strings.Contains(o.logs.String(), "Anna")) {
				t.Errorf("seed %d: %v, log %s", seed, o.disk.Keys(), o.logs)
			}
		})
	}
}

// A record that damage strikes while the server runs is noticed, too.
func TestDamageWhileRunning(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-05T14:30"))[0]
		o.disk.Write("videoroom/"+siteA+"/appointments/"+a.text("id"), []byte("{"))
		o.do("muster", http.MethodPatch, "api/v1/appointments/"+a.text("id"), message{"label": "x"}, http.StatusNotFound)
		o.wait(6 * time.Minute)
		if got := o.list("muster"); len(got) > 0 {
			t.Errorf("list %v", got)
		}
		// What was set aside does not stay for ever.
		o.ahead.Store(int64(35 * 24 * time.Hour))
		o.wait(11 * time.Minute)
		if keys := o.disk.Keys(); len(keys) > 0 {
			t.Errorf("keys %v", keys)
		}
	})
}

// Before the storage has answered for the first time, nobody knows whether a link
// is good: it is not called bad.
func TestStorageDownAtTheStart(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-02T13:15"))[0]
		room, secret := o.guestLink(a, 0)
		o.close()
		o.storage = o.disk.Process()
		o.storage.Before(func(storagetest.Call) error { return errFull })
		o.openOn(o.storage)
		if got := o.state(room, secret); got != "unavailable" {
			t.Errorf("a link is %s", got)
		}
		if status, _ := o.request(o.session(siteA, "muster"), http.MethodGet, "api/v1/appointments", ""); status != http.StatusServiceUnavailable {
			t.Errorf("the list: %d", status)
		}
		o.storage.Before(nil)
		o.wait(10 * time.Second)
		if got := o.state(room, secret); got != "open" {
			t.Errorf("a link is %s", got)
		}
	})
}

// What another process writes is seen within half a minute, and right links at
// once are judged by what the storage says.
func TestTwoProcessesSeeEachOther(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		second := newOffice(t, o.disk, o.keys)
		defer second.close()
		a := o.create(meet("2026-03-02T13:15"))[0]
		room, secret := o.guestLink(a, 0)
		o.wait(30 * time.Second)
		if got := second.state(room, secret); got != "open" || len(second.list("muster")) != 1 {
			t.Errorf("the link is %s", got)
		}
		second.do("muster", http.MethodDelete, "api/v1/appointments/"+a.text("id"), nil, http.StatusOK)
		if got := o.state(room, secret); got != "cancelled" {
			t.Errorf("the link is %s", got)
		}
		b := second.create(meet("2026-03-05T13:15"))[0]
		o.wait(30 * time.Second)
		for range 3 { // each sees the other's change and adds its own
			o.do("muster", http.MethodPatch, "api/v1/appointments/"+b.text("id"), message{"label": "one"}, http.StatusOK)
			second.do("muster", http.MethodPatch, "api/v1/appointments/"+b.text("id"), message{"duration_minutes": 30}, http.StatusOK)
		}
		got := second.list("muster")
		if last := got[len(got)-1]; last.text("label") != "one" || last["duration_minutes"] != 30.0 {
			t.Errorf("got %v", last)
		}
	})
}

// Retention: what a site says, and of a site that nobody serves any more a day.
func TestRetention(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.site.Retention = hours(72)
		o.create(meet("2026-03-02T15:00"))
		o.createAt(siteB, meet("2026-03-02T15:00"))
		o.waitUntil("2026-03-05 14:00")
		if n := len(o.list("muster")); n != 1 {
			t.Errorf("%d before the time", n)
		}
		o.waitUntil("2026-03-05 15:10")
		if keys := o.disk.Keys(); len(keys) > 0 {
			t.Errorf("keys %v", keys)
		}
		o.createAt(siteB, meet("2026-03-05T18:00"))
		o.desk.Install(noSites)
		o.waitUntil("2026-03-06 18:30")
		if keys := o.disk.Keys(); len(keys) > 0 {
			t.Errorf("of a site that is gone: %v", keys)
		}
	})
}

// A restart in the middle of a letter waits for the letter, for a while.
func TestCloseWaitsForALetter(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.mail.set(func(ctx context.Context, _ Letter) error {
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ErrMailUnclear
			}
		})
		o.create(meet("2026-03-05T14:30"))
		o.wait(time.Second)
		o.restart()
		o.wait(time.Second)
		if got := letters(o.list("muster")[0], 0); got != "invitation sent, reminder queued" {
			t.Errorf("letters %s", got)
		}
	})
}

// Nothing that tells who meets whom is in the log or in the names of records,
// whatever goes wrong; and it is gone from the records when its time is over.
func TestNoCanarySurvives(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		in := meet("2026-03-02T14:30")
		in["label"] = "canary-label"
		in["guests"] = []message{
			{"name": "Canary Name", "email": "canary@example.org"}, {"name": "Second Canary", "email": "canary2@example.org"},
		}
		in["repeat"] = message{"every": "day", "count": 2}
		all := o.create(in)
		canaries := []string{"canary", "Canary", o.session(siteA, "muster"), "192.0.2.1"}
		for _, a := range all {
			for i := range a.list("guests") {
				room, secret := o.guestLink(a, i)
				canaries = append(canaries, room, secret)
			}
		}
		o.mail.set(func(_ context.Context, l Letter) error {
			switch l.What {
			case "reminder":
				return ErrMailTemporary
			case "change":
				return errors.New("refused by " + l.To)
			}
			return ErrMailPermanent
		})
		path := "api/v1/appointments/" + all[1].text("id")
		o.do("muster", http.MethodPatch, path, message{"start": "2026-03-03T16:00"}, http.StatusOK)
		o.storage.Before(writes(errFull))
		o.wait(time.Minute)
		o.storage.Before(nil)
		o.wait(2 * time.Hour)
		o.do("muster", http.MethodDelete, path, nil, http.StatusOK)
		for _, k := range o.disk.Keys() {
			if strings.HasSuffix(k, all[0].text("id")) {
				o.disk.Write(k, []byte(`{"version":1,"kind":"appointments","sum":"canary"}`))
			}
		}
		o.restart()
		if !strings.Contains(o.logs.String(), "moved aside") || !strings.Contains(o.logs.String(), "has not been sent") {
			t.Errorf("too little went wrong: %s", o.logs)
		}
		names := strings.Join(o.disk.Keys(), "\n")
		for _, c := range canaries {
			if strings.Contains(o.logs.String(), c) {
				t.Errorf("the log has %s: %s", c, o.logs)
			}
			if strings.Contains(names, c) {
				t.Errorf("keys have %s: %s", c, names)
			}
		}
		o.ahead.Store(int64(40 * 24 * time.Hour))
		o.wait(11 * time.Minute)
		if keys := o.disk.Keys(); len(keys) > 0 {
			t.Errorf("left: %v", keys)
		}
	})
}
