// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
	"github.com/caddy-videoroom/videoroom/token"
)

// at is a moment of the tests' days in UTC.
func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

func (o *office) waitUntil(moment string) {
	o.t.Helper()
	if d := at(moment).Sub(o.now()); d > 0 {
		o.wait(d)
	}
}

// A reminder leaves half an hour before, whether the configuration was reloaded,
// the process restarted, or both stood still at the moment.
func TestReminderLeavesInTime(t *testing.T) {
	for name, disturb := range map[string]func(o *office){
		"nothing":      func(*office) {},
		"reload":       func(o *office) { o.install() },
		"restart":      func(o *office) { o.restart() },
		"many reloads": func(o *office) { inSteps(o, 40, o.install) },
		"many restarts": func(o *office) {
			inSteps(o, 40, o.restart)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inOffice(t, func(t *testing.T, o *office) {
				o.create(meet("2026-03-02T16:00"))
				o.waitUntil("2026-03-02 14:20")
				disturb(o)
				o.waitUntil("2026-03-02 15:00")
				var when []time.Duration
				for i, l := range o.mail.arrived {
					if l.What == "reminder" {
						when = append(when, at("2026-03-02 14:30").Sub(o.mail.times[i]))
					}
				}
				if len(when) != 1 || when[0].Abs() > time.Minute {
					t.Errorf("reminders %v off, of %s", when, whats(o.mail.arrived))
				}
			})
		})
	}
	inOffice(t, func(t *testing.T, o *office) { // down while it was due
		o.create(meet("2026-03-02T16:00"))
		o.close()
		o.wait(at("2026-03-02 14:50").Sub(o.now()))
		o.open()
		o.wait(time.Minute)
		if got := whats(o.mail.take()); got != "invitation reminder" {
			t.Errorf("late start: %s", got)
		}
	})
	inOffice(t, func(t *testing.T, o *office) { // down until it was over
		o.create(meet("2026-03-02T16:00"))
		o.close()
		o.wait(at("2026-03-02 16:30").Sub(o.now()))
		o.open()
		o.wait(time.Minute)
		if got := letters(o.list("muster")[0], 0); got != "invitation sent, reminder failed" {
			t.Errorf("too late: %s", got)
		}
	})
}

// Letters that leave after the site has moved lead to where it is then, once each.
func TestLettersFollowTheSite(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		a := o.create(meet("2026-03-02T16:00"))[0]
		_, path, _ := strings.Cut(a.list("guests")[0].text("link"), siteA)
		if l := o.mail.take(); len(l) != 1 || l[0].Link != "https://"+siteA+path {
			t.Fatalf("before: %+v", l)
		}
		o.desk.Locate(func(site, base string) string {
			if site != siteA || base != "https://"+siteA+"/video" {
				t.Errorf("asked for %s at %s", site, base)
			}
			return "https://new.example/video"
		})
		o.do("muster", http.MethodPatch, "api/v1/appointments/"+a.text("id"), message{"start": "2026-03-02T17:00"}, http.StatusOK)
		o.waitUntil("2026-03-02 16:00")
		sent := o.mail.take()
		if got := whats(sent); got != "change reminder" {
			t.Fatalf("after: %s", got)
		}
		for _, l := range sent {
			if l.Link != "https://new.example"+path || l.TestLink != "https://new.example/video/test" {
				t.Errorf("the %s has %s and %s", l.What, l.Link, l.TestLink)
			}
		}
	})
}

// Letters announce a reminder, and when the link opens, only where that is still to
// come.
func TestLettersPromiseWhatComes(t *testing.T) {
	for made, tc := range map[string]struct {
		again, opens time.Duration
		sent         string
	}{
		"2026-03-02 14:00": {30 * time.Minute, 30 * time.Minute, "invitation reminder"},
		"2026-03-02 14:25": {0, 30 * time.Minute, "invitation"},
		"2026-03-02 14:57": {0, 0, "invitation"},
	} {
		inOffice(t, func(t *testing.T, o *office) {
			o.waitUntil(made)
			o.create(meet("2026-03-02T16:00")) // 15:00 in UTC
			o.waitUntil("2026-03-02 15:10")
			sent := o.mail.take()
			if got := whats(sent); got != tc.sent {
				t.Fatalf("made at %s: %s, want %s", made, got, tc.sent)
			}
			if l := sent[0]; l.LinkBefore != tc.again || l.OpensBefore != tc.opens {
				t.Errorf("made at %s: again %s before, opens %s before; want %s and %s", made, l.LinkBefore, l.OpensBefore, tc.again, tc.opens)
			}
		})
	}
}

// A configuration that cuts appointments off is told of it, once.
func TestCutOffAppointmentsAreTold(t *testing.T) {
	same := func(_, base string) string { return base }
	nowhere := func(string, string) string { return "" }
	without := func(s *config.Site) *config.Site {
		changed := *s
		changed.Hosts = s.Hosts[1:]
		return &changed
	}
	type step struct {
		present func(site, base string) string
		site    func(*config.Site) *config.Site
		looked  bool
		want    string
	}
	whole := func(s *config.Site) *config.Site { return s }
	for name, steps := range map[string][]step{
		"the host is gone":        {{same, without, true, lostHosts}, {same, without, true, ""}},
		"the site has another id": {{nowhere, whole, true, lostSite}, {nowhere, whole, true, ""}},
		"nothing":                 {{same, whole, true, ""}},
		"it moved":                {{func(string, string) string { return "https://new.example" }, whole, true, ""}},
		"again":                   {{same, without, true, lostHosts}, {same, whole, true, ""}, {same, without, true, lostHosts}},
		"twice at once":           {{nowhere, whole, true, lostSite}, {same, whole, false, ""}, {same, without, true, lostHosts}},
	} {
		inOffice(t, func(t *testing.T, o *office) {
			for _, start := range []string{"2026-03-02T16:00", "2026-03-03T16:00"} {
				o.create(meet(start))
			}
			cancelled := o.create(meet("2026-03-04T16:00"))[0]
			o.do("muster", http.MethodDelete, "api/v1/appointments/"+cancelled.text("id"), nil, http.StatusOK)
			for i, s := range steps {
				o.logs.Reset()
				site := s.site(o.site)
				o.desk.Locate(s.present)
				o.desk.Install(func(string) []*config.Site { return []*config.Site{site} })
				if s.looked {
					o.wait(time.Minute)
				}
				said := o.logs.String()
				for _, sentence := range []string{lostHosts, lostSite} {
					want := 0
					if sentence == s.want {
						want = 1
					}
					if n := strings.Count(said, sentence+`" site=a.example appointments=2`); n != want || strings.Count(said, sentence) != want {
						t.Errorf("%s, step %d: said %d times, want %d: %s\n%s", name, i, n, want, sentence, said)
					}
				}
			}
		})
	}
}

// inSteps does something again and again over twenty minutes.
func inSteps(o *office, n int, f func()) {
	for range n {
		f()
		o.wait(20 * time.Minute / time.Duration(n))
	}
}

func TestReminderIsConfigurable(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.site.Reminder = hours(2)
		o.create(meet("2026-03-02T20:00"))
		o.waitUntil("2026-03-02 16:59")
		o.mail.take()
		o.wait(2 * time.Minute)
		if got := whats(o.mail.take()); got != "reminder" {
			t.Errorf("two hours before: %s", got)
		}
		o.site.Reminder = config.ReminderOff
		o.create(meet("2026-03-03T16:00"))
		o.wait(24 * time.Hour)
		if got := whats(o.mail.take()); got != "invitation" {
			t.Errorf("switched off: %s", got)
		}
	})
}

// Across the night in which clocks change, reminders follow the wall clock.
func TestReminderAcrossDaylightSaving(t *testing.T) {
	inOfficeFrom(t, at("2026-03-28 06:00"), func(t *testing.T, o *office) {
		in := meet("2026-03-28T09:00")
		in["repeat"] = message{"every": "day", "count": 3}
		o.create(in)
		o.waitUntil("2026-03-30 12:00")
		var got []string
		for i, l := range o.mail.arrived {
			if l.What == "reminder" {
				got = append(got, o.mail.times[i].Round(time.Minute).Format("02 15:04"))
			}
		}
		if text := strings.Join(got, ", "); text != "28 07:30, 29 06:30, 30 06:30" {
			t.Errorf("reminders at %s UTC", text)
		}
	})
}

// The wall clock may be set while the server runs.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 30 * 24 * time.Hour, -30 * 24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			inOffice(t, func(t *testing.T, o *office) {
				o.create(meet("2026-03-02T18:00"))
				o.wait(time.Minute)
				o.ahead.Store(int64(jump))
				o.wait(time.Minute)
				o.ahead.Store(0) // noticed and mended
				o.waitUntil("2026-03-02 18:30")
				mails := whats(o.mail.take())
				switch {
				case jump > 24*time.Hour: // the appointment was over and deleted
					if mails != "invitation" {
						t.Errorf("mails %s", mails)
					}
				case mails != "invitation reminder":
					t.Errorf("mails %s", mails)
				}
			})
		})
	}
	inOffice(t, func(t *testing.T, o *office) { // and stays so
		o.mail.set(func(context.Context, Letter) error { return ErrMailTemporary })
		o.create(meet("2026-03-06T18:00"))
		o.wait(3 * time.Hour)
		o.ahead.Store(int64(-10 * 24 * time.Hour))
		o.mail.set(nil)
		o.wait(2 * time.Hour)
		if got := whats(o.mail.take()); got != "invitation" {
			t.Errorf("set back for good: %s", got)
		}
	})
}

// A mail server that is away, busy, refuses or is slow.
func TestMailServerTrouble(t *testing.T) {
	temporary := func(context.Context, Letter) error { return ErrMailTemporary }
	trouble := func(o *office) int { // what a dashboard is told
		s := &hostSession{d: o.desk, key: hostKey{siteA, "muster"}, site: o.site}
		_, n := s.plan.of(s)
		return n
	}
	inOffice(t, func(t *testing.T, o *office) { // away for a day
		var tries int
		o.mail.set(func(context.Context, Letter) error { tries++; return ErrMailTemporary })
		o.create(meet("2026-03-06T14:30"))
		o.wait(time.Minute)
		if got := letters(o.list("muster")[0], 0); got != "invitation queued, reminder queued" || trouble(o) != 1 {
			t.Errorf("while away: %s, %d", got, trouble(o))
		}
		o.wait(24 * time.Hour)
		if tries < 24 || tries > 40 {
			t.Errorf("%d attempts in a day", tries)
		}
		o.mail.set(nil)
		o.wait(61 * time.Minute)
		if got := whats(o.mail.take()); got != "invitation" || trouble(o) != 0 {
			t.Errorf("back: %s", got)
		}
	})
	inOffice(t, func(t *testing.T, o *office) { // away for good
		o.mail.set(temporary)
		o.create(meet("2026-03-06T14:30"))
		o.wait(50 * time.Hour)
		a := o.list("muster")[0]
		first := a.list("guests")[0].list("mail")[0]
		if first.text("state") != "failed" || first.text("reason") != "unreachable" || trouble(o) == 0 {
			t.Errorf("given up: %v", a)
		}
	})
	inOffice(t, func(t *testing.T, o *office) { // refused
		o.mail.set(func(context.Context, Letter) error { return ErrMailPermanent })
		o.create(meet("2026-03-06T14:30"))
		o.wait(time.Minute)
		o.mail.set(nil)
		o.wait(24 * time.Hour)
		if got := letters(o.list("muster")[0], 0); got != "invitation failed, reminder queued" || len(o.mail.take()) > 0 || trouble(o) != 1 {
			t.Errorf("refused: %s", got)
		}
	})
	inOffice(t, func(t *testing.T, o *office) { // lost while it answered
		o.mail.set(func(context.Context, Letter) error { return errors.New("what nobody has classified") })
		o.create(meet("2026-03-06T14:30"))
		o.wait(time.Minute)
		o.mail.set(nil)
		o.wait(24 * time.Hour)
		if got := letters(o.list("muster")[0], 0); got != "invitation unclear, reminder queued" || len(o.mail.take()) > 0 || trouble(o) != 1 {
			t.Errorf("unclear: %s", got)
		}
	})
	inOffice(t, func(t *testing.T, o *office) { // slow: nobody else waits
		o.mail.set(func(ctx context.Context, l Letter) error {
			select {
			case <-time.After(4 * time.Minute):
				return nil
			case <-ctx.Done():
				return ErrMailUnclear
			}
		})
		begin := time.Now()
		for range 3 {
			o.create(meet("2026-03-02T20:30"))
		}
		o.list("muster")
		if d := time.Since(begin); d > 0 {
			t.Errorf("requests took %v", d)
		}
		o.wait(13 * time.Minute)
		if got := whats(o.mail.take()); got != "invitation invitation invitation" {
			t.Errorf("slow: %s", got)
		}
	})
}

// Reminders that are due at the same time leave in time beside letters that are
// stuck, also where the mail server takes its time.
func TestRemindersGoFirst(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.mail.set(func(_ context.Context, l Letter) error {
			if l.What == "invitation" && l.To == "stuck@example.org" {
				time.Sleep(20 * time.Second)
				return ErrMailTemporary
			}
			time.Sleep(10 * time.Second)
			return nil
		})
		for range 20 {
			o.create(meet("2026-03-02T16:00"))
		}
		o.waitUntil("2026-03-02 14:00")
		in := meet("2026-03-09T16:00")
		in["guests"] = []message{{"email": "stuck@example.org"}}
		for range 30 {
			o.create(in)
		}
		o.mail.take()
		o.waitUntil("2026-03-02 14:31")
		if got := whats(o.mail.take()); strings.Count(got, "reminder") < 16 || strings.Contains(got, "invitation") {
			t.Errorf("a minute later: %s", got)
		}
		o.wait(time.Minute)
	})
}

// A slow mail server of one site makes another's no later.
func TestSitesSendBesideEachOther(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.mail.set(func(ctx context.Context, l Letter) error {
			if l.To == "slow@example.org" {
				time.Sleep(5 * time.Minute)
			}
			return nil
		})
		in := meet("2026-03-02T20:30")
		in["guests"] = []message{{"email": "slow@example.org"}}
		o.create(in)
		o.createAt(siteB, meet("2026-03-02T20:30"))
		o.wait(time.Minute)
		if got := o.mail.take(); len(got) != 1 || got[0].To != "anna@example.org" {
			t.Errorf("mails %+v", got)
		}
		o.wait(10 * time.Minute)
	})
}

// killer ends a process at a chosen step of its work.
type killer struct {
	mu    sync.Mutex
	left  int
	dead  bool
	fatal func()
}

// step counts; it tells whether the process is dead after it.
func (k *killer) step() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.dead {
		if k.left--; k.left <= 0 {
			k.dead = true
			k.fatal()
		}
	}
	return k.dead
}

func (k *killer) isDead() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dead
}

// mortal has the office's process end at its n-th step: before and after each call
// of the storage, before a letter is taken and after it.
func (o *office) mortal(n int) *killer {
	storage := o.storage
	k := &killer{left: n, fatal: storage.Kill}
	storage.Before(func(storagetest.Call) error {
		if k.step() {
			return storagetest.ErrDead
		}
		return nil
	})
	storage.After(func(storagetest.Call) error {
		if k.step() {
			return storagetest.ErrDead
		}
		return nil
	})
	o.mail.set(func(_ context.Context, _ Letter) error {
		if k.step() {
			return ErrMailTemporary // not handed over; nobody hears this any more
		}
		return nil
	})
	o.mail.after(func() { k.step() })
	return k
}

// immortal lets a process live to the end.
func (o *office) immortal() {
	o.storage.Before(nil)
	o.storage.After(nil)
	o.mail.set(nil)
	o.mail.after(nil)
}

// killed are the kill points of TestKilledWhileSending.
const killed = 250

// A process that is killed at any step, up to three times in a row, loses no
// letter and sends none twice: each is sent once, or reported.
func TestKilledWhileSending(t *testing.T) {
	var unclear, sent, refusedRequests int
	for seed := range uint64(killed) {
		inOffice(t, func(t *testing.T, o *office) {
			r := rand.New(rand.NewPCG(seed, 1))
			confirmed := o.liveDangerously(r)
			o.restart()
			o.immortal()
			o.wait(150 * time.Minute)
			u, s := o.account(t, confirmed, seed)
			unclear, sent = unclear+u, sent+s
			refusedRequests += 3 - len(confirmed)
		})
		if t.Failed() {
			break
		}
	}
	t.Logf("%d sent, %d unclear, %d requests refused", sent, unclear, refusedRequests)
	if unclear == 0 || sent < killed || unclear > sent/2 {
		t.Errorf("the kills hit nothing, or too much: %d sent, %d unclear", sent, unclear)
	}
}

// liveDangerously plans, moves and cancels appointments with a process that dies
// on the way, and returns those that were confirmed.
func (o *office) liveDangerously(r *rand.Rand) (confirmed []message) {
	k := o.mortal(1 + r.IntN(60))
	revive := func() {
		if k.isDead() {
			o.restart()
			k = o.mortal(1 + r.IntN(60))
		}
	}
	post := func(method, path string, in message) (message, bool) {
		text := encode(in)
		status, body := o.request(o.session(siteA, "muster"), method, path, text)
		if status/100 != 2 {
			return nil, false
		}
		return decoded(o.t, body), true
	}
	for i := range 3 {
		if m, ok := post(http.MethodPost, "api/v1/appointments", meet(fmt.Sprintf("2026-03-02T1%d:10", 4+i/2))); ok {
			confirmed = append(confirmed, m.list("appointments")[0])
		}
		o.wait(time.Duration(r.IntN(120)) * time.Second)
		revive()
	}
	if len(confirmed) > 1 {
		if m, ok := post(http.MethodPatch, "api/v1/appointments/"+confirmed[0].text("id"), message{"start": "2026-03-02T15:00"}); ok {
			confirmed[0]["start"] = m["start"]
		}
		revive()
		if _, ok := post(http.MethodDelete, "api/v1/appointments/"+confirmed[1].text("id"), nil); ok {
			confirmed[1]["status"] = "cancelled"
		}
	}
	for range 3 {
		o.wait(time.Duration(r.IntN(900)) * time.Second)
		revive()
	}
	return confirmed
}

// account checks that every letter of confirmed appointments arrived once or is
// reported, and none twice.
func (o *office) account(t *testing.T, confirmed []message, seed uint64) (unclear, sent int) {
	arrived := map[string]int{}
	for _, l := range o.mail.take() {
		arrived[l.ID]++
	}
	for id, n := range arrived {
		if n > 1 {
			t.Errorf("seed %d: letter %s arrived %d times", seed, id, n)
		}
	}
	known := map[string]message{}
	for _, a := range o.list("muster") {
		known[a.text("id")] = a
	}
	for _, c := range confirmed {
		a := known[c.text("id")]
		if a == nil {
			t.Errorf("seed %d: a confirmed appointment is gone", seed)
			continue
		}
		if c.text("status") == "cancelled" && a.text("status") != "cancelled" {
			t.Errorf("seed %d: confirmed %v, is %v", seed, c, a)
		}
	}
	for id := range known {
		a := o.desk.agenda.find(siteA, id)
		for _, l := range a.Letters(reminder(o.site), func(id string) appointment.Outcome { return o.desk.agenda.box.Outcome(siteA, id) }) {
			e := o.desk.agenda.box.Entry(siteA, l.ID)
			switch e.State {
			case "sent":
				if arrived[l.ID] != 1 {
					t.Errorf("seed %d: %s is said to be sent and has not arrived", seed, l.What)
				}
				sent++
			case "unclear":
				unclear++
			case "sending":
				t.Errorf("seed %d: %s is still being sent", seed, l.What)
			default:
				if arrived[l.ID] > 0 {
					t.Errorf("seed %d: %s has arrived and is %q", seed, l.What, e.State)
				}
			}
		}
		for _, m := range known[id].list("guests")[0].list("mail") {
			if m.text("state") == "queued" {
				t.Errorf("seed %d: a letter is still queued: %v", seed, m)
			}
		}
	}
	return unclear, sent
}

// Two processes on one storage, both alive, send each letter once.
func TestTwoProcessesSendOnce(t *testing.T) {
	for seed := range uint64(40) {
		inOffice(t, func(t *testing.T, o *office) {
			r := rand.New(rand.NewPCG(seed, 2))
			second := newOffice(t, o.disk, o.keys)
			second.mail = o.mail
			defer second.close()
			var mu sync.Mutex // of r
			dawdle := func(storagetest.Call) error {
				mu.Lock()
				d := time.Duration(r.IntN(300)) * time.Millisecond
				mu.Unlock()
				time.Sleep(d)
				return nil
			}
			for _, p := range []*office{o, second} {
				p.storage.Before(dawdle)
			}
			in := meet("2026-03-02T14:10")
			in["guests"] = []message{{"email": "a@example.org"}, {"email": "b@example.org"}, {"email": "c@example.org"}}
			o.create(in)
			second.create(meet("2026-03-02T14:20"))
			o.wait(time.Hour)
			count := map[string]int{}
			for _, l := range o.mail.take() {
				count[l.ID]++
				if count[l.ID] > 1 {
					t.Errorf("seed %d: %s arrived twice", seed, l.What)
				}
			}
			if len(count) != 8 {
				t.Errorf("seed %d: %d letters", seed, len(count))
			}
			for _, p := range []*office{o, second} {
				if got := letters(p.list("muster")[1], 0); len(p.list("muster")) != 2 || got != "invitation sent, reminder sent" {
					t.Errorf("seed %d: %s", seed, got)
				}
				p.storage.Before(nil)
			}
			o.wait(time.Second)
		})
		if t.Failed() {
			break
		}
	}
}

// What was noted about a letter and is damaged is reported: it may have been sent.
func TestDamagedMailRecordIsNeverSentAgain(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.create(meet("2026-03-06T14:30"))
		o.wait(time.Minute)
		for _, k := range o.disk.Keys() {
			if strings.Contains(k, "/mail/") {
				o.disk.Write(k, []byte("{}"))
			}
		}
		o.restart()
		o.wait(time.Hour)
		if got := letters(o.list("muster")[0], 0); got != "invitation unclear, reminder queued" || whats(o.mail.take()) != "invitation" {
			t.Errorf("letters %s", got)
		}
	})
}

// A master key that is another one than when links were made sends no link that
// does not work.
func TestAnotherMasterKeySendsNoDeadLink(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		o.create(meet("2026-03-02T16:00"))
		o.keys = token.NewKeys()
		o.restart()
		o.waitUntil("2026-03-02 14:40")
		if got := letters(o.list("muster")[0], 0); got != "invitation sent, reminder failed" || whats(o.mail.take()) != "invitation" {
			t.Errorf("letters %s", got)
		}
	})
}

func TestClerkEndsWithTheDesk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, storagetest.NewDisk(), token.NewKeys())
		o.mail.set(func(ctx context.Context, _ Letter) error {
			<-ctx.Done()
			return ErrMailUnclear
		})
		o.create(meet(time.Now().Add(time.Hour).Format(time.RFC3339)))
		o.wait(time.Second)
		begin := time.Now()
		o.close()
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("closing took %v", d)
		}
	})
}
