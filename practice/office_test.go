// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice/internal/appointment"
	"github.com/caddy-videoroom/videoroom/practice/internal/mail"
	"github.com/caddy-videoroom/videoroom/practice/internal/storagetest"
	"github.com/caddy-videoroom/videoroom/token"
)

// postbox stands in for a mail server.
type postbox struct {
	mu      sync.Mutex
	arrived []Letter
	times   []time.Time
	// answer decides about each letter; nil: all are taken.
	answer func(context.Context, Letter) error
	// taken is called after a letter was taken.
	taken func()
}

func (p *postbox) Send(ctx context.Context, l Letter) error {
	if m, err := mail.Compose(l); err != nil || m.To != l.To {
		return fmt.Errorf("%w: a letter that cannot be written: %w", ErrMailPermanent, err)
	}
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	if answer != nil {
		if err := answer(ctx, l); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.arrived, p.times = append(p.arrived, l), append(p.times, time.Now())
	taken := p.taken
	p.mu.Unlock()
	if taken != nil {
		taken()
	}
	return nil
}

func (p *postbox) after(taken func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = taken
}

func (p *postbox) set(answer func(context.Context, Letter) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// take returns what has arrived since the last time.
func (p *postbox) take() []Letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.arrived
	p.arrived, p.times = nil, nil
	return all
}

// whats names letters in the order of arrival.
func whats(letters []Letter) string {
	var names []string
	for _, l := range letters {
		names = append(names, string(l.What))
	}
	return strings.Join(names, " ")
}

// office is a desk with appointments on a disk, within a bubble of simulated time.
type office struct {
	t       *testing.T
	disk    *storagetest.Disk
	storage *storagetest.Storage
	keys    *token.Keys
	mail    *postbox
	rooms   *mediaRooms
	desk    *Desk
	site    *config.Site
	// ahead is how far the wall clock is ahead of the time that passes.
	ahead atomic.Int64
	logs  *bytes.Buffer
}

func officeSite() *config.Site {
	s := &config.Site{
		Practice: "Praxis", Phone: "+49 69 1", BasePath: "/video", MaxParticipants: 10, E2EE: config.Off,
		SMTP:  &config.SMTP{Server: "127.0.0.1:25", From: "Praxis <praxis@example.de>", TLS: config.Off},
		Hosts: []config.Host{{ID: "muster", Name: "Dr. Muster", Identity: "{x}"}, {ID: "zweit", Name: "Dr. Zweit"}},
	}
	s.SetDefaults()
	return s
}

// inOffice runs a test in a bubble that begins at noon of 2 March 2026, UTC.
func inOffice(t *testing.T, f func(t *testing.T, o *office)) {
	t.Helper()
	inOfficeFrom(t, time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), f)
}

func inOfficeFrom(t *testing.T, begin time.Time, f func(t *testing.T, o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(begin))
		o := newOffice(t, storagetest.NewDisk(), token.NewKeys())
		defer func() {
			o.close()
			time.Sleep(2 * time.Minute) // until calls that hang have ended
		}()
		f(t, o)
	})
}

func newOffice(t *testing.T, disk *storagetest.Disk, keys *token.Keys) *office {
	o := &office{t: t, disk: disk, keys: keys, mail: new(postbox), site: officeSite(), logs: new(bytes.Buffer)}
	o.open()
	return o
}

// open starts a process.
func (o *office) open() { o.openOn(o.disk.Process()) }

func (o *office) openOn(s *storagetest.Storage) {
	o.storage, o.rooms = s, newMediaRooms()
	o.desk = New(Options{
		Keys: o.keys, Rooms: o.rooms, Version: "test", Storage: o.storage, Now: o.now,
		Log: slog.New(slog.NewTextHandler(o.logs, nil)),
		Mail: func(c *config.Site) Mailer {
			if c.SMTP == nil {
				return nil
			}
			return o.mail
		},
	})
	o.install()
	synctest.Wait()
}

func (o *office) install() {
	o.desk.Install(func(string) []*config.Site { return []*config.Site{o.site} })
	o.desk.clerk.wake.wake()
}

func (o *office) now() time.Time { return time.Now().Add(time.Duration(o.ahead.Load())) }

func (o *office) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	o.desk.Close(ctx)
	synctest.Wait()
}

// restart ends the process in good order and starts the next.
func (o *office) restart() {
	o.close()
	o.open()
}

// wait lets time pass.
func (o *office) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// callAs is a Call with everything that Caddy would say.
func (o *office) callAs(site, path string) Call {
	return Call{
		Site: o.site, SiteID: site, Path: path, Base: "/video", Origin: "https://" + site,
		Client: netip.MustParseAddr("192.0.2.1"),
	}
}

func (o *office) session(site, host string) string {
	o.t.Helper()
	s, err := o.keys.HostSession(site, token.HostSession{Host: host, Since: time.Now()}, time.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

// request runs one request with a host's token; "" sends none.
func (o *office) request(bearer, method, path, body string) (int, string) {
	o.t.Helper()
	path, query, _ := strings.Cut(path, "?")
	r := httptest.NewRequest(method, "https://"+siteA+"/video/"+path+"?"+query, strings.NewReader(body))
	r.Header.Set("Origin", "https://"+siteA)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	w := httptest.NewRecorder()
	o.desk.Serve(w, r, o.callAs(siteA, path))
	return w.Code, w.Body.String()
}

// do runs a request of a host and decodes the answer; it fails the test unless
// the status is the expected one.
func (o *office) do(host, method, path string, in any, status int) message {
	o.t.Helper()
	body := ""
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			o.t.Fatal(err)
		}
		body = string(text)
	}
	got, text := o.request(o.session(siteA, host), method, path, body)
	if got != status {
		o.t.Fatalf("%s %s: %d %s, want %d", method, path, got, text, status)
	}
	var m message
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		o.t.Fatalf("%s %s: %v", method, path, err)
	}
	return m
}

// meet is a request for an appointment with one guest.
func meet(start string) message {
	return message{
		"kind": "beratung", "start": start, "label": "K. 17",
		"guests": []message{{"name": "Anna", "email": "anna@example.org"}},
	}
}

// create makes appointments and returns them.
func (o *office) create(in message) []message {
	o.t.Helper()
	m := o.do("muster", http.MethodPost, "api/v1/appointments", in, http.StatusCreated)
	synctest.Wait()
	return m.list("appointments")
}

// createAt makes an appointment of the first host of another site.
func (o *office) createAt(site string, in message) {
	o.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "https://"+site+"/video/api/v1/appointments", strings.NewReader(encode(in)))
	r.Header.Set("Authorization", "Bearer "+o.session(site, "muster"))
	w := httptest.NewRecorder()
	o.desk.Serve(w, r, o.callAs(site, "api/v1/appointments"))
	if w.Code != http.StatusCreated {
		o.t.Fatalf("%d %s", w.Code, w.Body)
	}
	synctest.Wait()
}

func encode(m message) string {
	if m == nil {
		return ""
	}
	text, _ := json.Marshal(m)
	return string(text)
}

func decoded(t *testing.T, text string) (m message) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (o *office) list(host string) []message {
	o.t.Helper()
	return o.do(host, http.MethodGet, "api/v1/appointments?from=2020-01-01", nil, http.StatusOK).list("appointments")
}

// guestLink splits a link as the visitor's page does.
func (o *office) guestLink(a message, i int) (room, secret string) {
	o.t.Helper()
	link := a.list("guests")[i].text("link")
	rest, ok := strings.CutPrefix(link, "https://"+siteA+"/video/r/")
	room, secret, found := strings.Cut(rest, "#s=")
	if !ok || !found || !token.ValidID(room) || !token.IsGuestSecret(secret) || room != a.text("room") {
		o.t.Fatalf("link %q", link)
	}
	return room, secret
}

// visit asks what a link leads to.
func (o *office) visit(room, secret string) (int, message) {
	o.t.Helper()
	body, _ := json.Marshal(message{"room": room, "cap": secret})
	status, text := o.request("", http.MethodPost, "api/v1/room", string(body))
	var m message
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		o.t.Fatal(err)
	}
	return status, m
}

// state is where a link's appointment stands, or the code of the refusal.
func (o *office) state(room, secret string) string {
	o.t.Helper()
	_, m := o.visit(room, secret)
	if e, ok := m["error"].(map[string]any); ok {
		return message(e).text("code")
	}
	a, _ := m["appointment"].(map[string]any)
	return message(a).text("state")
}

// letters returns what and state of the letters to the i-th guest.
func letters(a message, i int) string {
	var all []string
	for _, m := range a.list("guests")[i].list("mail") {
		all = append(all, m.text("what")+" "+m.text("state"))
	}
	return strings.Join(all, ", ")
}

func hours(n int) caddy.Duration { return caddy.Duration(time.Duration(n) * time.Hour) }

// always chooses every appointment.
func always(*appointment.Appointment) bool { return true }

// counting counts calls of the storage that this goroutine's requests make: the
// bubble's time stands still, so that nothing else does.
func (o *office) counting(n *int) func(storagetest.Call) error {
	return func(storagetest.Call) error { *n++; return nil }
}

// appointmentSample is one that a change may be tried on.
var appointmentSample = appointment.Appointment{Status: appointment.Planned, Kind: "beratung", Zone: "UTC", Minutes: 50}

// renew forgets what addresses have done.
func (c *crowd) renew(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.renewLocked(now)
}

// noSites is a configuration that serves none.
func noSites(string) []*config.Site { return nil }
