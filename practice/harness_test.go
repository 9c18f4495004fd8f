// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mediaRooms stands in for the media plane: people by room, and what was asked.
type mediaRooms struct {
	mu      sync.Mutex
	barred  error
	people  map[roomKey][]Participant
	asked   []string
	changed func(site, room string)
	// removing is called before somebody is removed.
	removing func()
}

func newMediaRooms() *mediaRooms { return &mediaRooms{people: make(map[roomKey][]Participant)} }

func (m *mediaRooms) Participants(site, room string) []Participant {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.people[roomKey{site, room}])
}

func (m *mediaRooms) ask(site, room, identity, what string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.people[roomKey{site, room}], func(p Participant) bool { return p.Identity == identity })
	if i < 0 {
		return ErrNoParticipant
	}
	m.asked = append(m.asked, what+" "+identity)
	return nil
}

func (m *mediaRooms) Mute(site, room, identity string, k Kind) error {
	return m.ask(site, room, identity, "mute "+string(k))
}

func (m *mediaRooms) Remove(site, room, identity string) error {
	if m.removing != nil {
		m.removing()
	}
	if err := m.ask(site, room, identity, "remove"); err != nil {
		return err
	}
	m.set(site, room, slices.DeleteFunc(m.Participants(site, room), func(p Participant) bool { return p.Identity == identity })...)
	return nil
}

func (m *mediaRooms) Barred(string, string, string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.barred
}

func (m *mediaRooms) End(site, room string) {
	m.mu.Lock()
	m.asked = append(m.asked, "end "+room)
	m.mu.Unlock()
	m.set(site, room)
}

func (m *mediaRooms) Watch(changed func(site, room string)) func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed = changed
	return func() {}
}

func (m *mediaRooms) set(site, room string, people ...Participant) {
	m.mu.Lock()
	m.people[roomKey{site, room}] = people
	changed := m.changed
	m.mu.Unlock()
	changed(site, room)
}

func (m *mediaRooms) log() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked)
}

// bench is one desk behind a real HTTP server.
type bench struct {
	t     *testing.T
	keys  *token.Keys
	rooms *mediaRooms
	desk  *Desk
	http  *httptest.Server

	mu       sync.Mutex
	site     *config.Site
	identity string
}

const (
	siteA = "a.example"
	siteB = "b.example"
)

func testSite() *config.Site {
	s := &config.Site{
		Practice: "Praxis", Phone: "+49 69 1", BasePath: "/video", E2EE: config.Off,
		Hosts: []config.Host{{ID: "muster", Name: "Dr. Muster", Identity: "{x}"}, {ID: "zweit", Name: "Dr. Zweit"}},
	}
	s.SetDefaults()
	return s
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	keys, _ := o.Keys.(*token.Keys)
	if keys == nil {
		keys = token.NewKeys()
	}
	b := &bench{t: t, keys: keys, rooms: newMediaRooms(), site: testSite()}
	o.Keys, o.Rooms, o.Version = keys, b.rooms, "test"
	b.desk = New(o)
	b.http = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.close)
	return b
}

func (b *bench) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b.desk.Close(ctx)
	b.http.Close()
	http.DefaultClient.CloseIdleConnections()
}

// serve plays Caddy: headers choose the client's address and the site.
func (b *bench) serve(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	c := Call{Site: b.site, SiteID: siteA, Path: strings.TrimPrefix(r.URL.Path, "/video/"), Base: "/video", Origin: b.http.URL}
	identity := b.identity
	b.mu.Unlock()
	c.Client = netip.MustParseAddr("192.0.2.1")
	if a := r.Header.Get("Test-Client"); a != "" {
		c.Client = netip.MustParseAddr(a)
	}
	if s := r.Header.Get("Test-Site"); s != "" {
		c.SiteID = s
	}
	c.Identity = func(config.Host) (string, bool) { return identity, identity != "" }
	b.desk.Serve(w, r, c)
}

// as is who sends a request.
type as struct{ client, site, origin string }

func (b *bench) headers(who as) http.Header {
	h := http.Header{"Origin": {b.http.URL}}
	if who.origin != "" {
		h.Set("Origin", who.origin)
	}
	if who.client != "" {
		h.Set("Test-Client", who.client)
	}
	if who.site != "" {
		h.Set("Test-Site", who.site)
	}
	return h
}

func (b *bench) do(method, path, body string, h http.Header) (int, http.Header, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.http.URL+"/video/"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = h
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func (b *bench) post(path string, v any, who as) (int, string) {
	b.t.Helper()
	body, _ := json.Marshal(v)
	status, _, text := b.do(http.MethodPost, path, string(body), b.headers(who))
	return status, text
}

// wire is one WebSocket of a test client.
type wire struct {
	t  *testing.T
	ws *websocket.Conn
}

type message map[string]any

func (m message) text(name string) string { s, _ := m[name].(string); return s }

func (b *bench) dial(path string, who as, first message) *wire {
	b.t.Helper()
	ws, resp, err := websocket.Dial(b.t.Context(), b.http.URL+"/video/"+path, &websocket.DialOptions{HTTPHeader: b.headers(who)})
	if err != nil {
		b.t.Fatalf("dialing %s: %v %v", path, resp, err)
	}
	ws.SetReadLimit(1 << 20)
	w := &wire{b.t, ws}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	if first != nil {
		w.send(first)
	}
	return w
}

func (w *wire) send(m message) {
	w.t.Helper()
	text, _ := json.Marshal(m)
	w.raw(string(text))
}

func (w *wire) raw(text string) {
	w.t.Helper()
	if err := w.ws.Write(w.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) read() (message, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := w.ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	var m message
	return m, json.Unmarshal(text, &m)
}

// next reads up to the next frame of a type.
func (w *wire) next(kind string) message {
	w.t.Helper()
	return w.until(kind, func(message) bool { return true })
}

// until reads up to the next frame of a type that fulfils ok. Frames of other
// types are passed over, errors are not.
func (w *wire) until(kind string, ok func(message) bool) message {
	w.t.Helper()
	for {
		m, err := w.read()
		if err != nil {
			w.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if m["type"] == "error" && kind != "error" {
			w.t.Fatalf("waiting for %s: %v", kind, m)
		}
		if m["type"] == kind && ok(m) {
			return m
		}
	}
}

// closed reads up to the close and returns its code.
func (w *wire) closed() websocket.StatusCode {
	w.t.Helper()
	for {
		if _, err := w.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// refused expects one error frame of a code and then the close.
func (w *wire) refused(code Code) {
	w.t.Helper()
	if m := w.next("error"); m.text("code") != string(code) || m.text("message") == "" {
		w.t.Errorf("got %v, want %s", m, code)
	}
	if got := w.closed(); got != faults[code].close {
		w.t.Errorf("closed with %v for %s", got, code)
	}
}

func (b *bench) hostKey(host string) string {
	b.t.Helper()
	key, err := b.keys.HostKey(siteA, token.HostKey{Host: host, Generation: config.FirstLinkGeneration})
	if err != nil {
		b.t.Fatal(err)
	}
	return key
}

// host signs a host in and opens the dashboard.
func (b *bench) host(id string, grants ...string) *wire {
	b.t.Helper()
	status, body := b.post("api/v1/host/session", message{"key": b.hostKey(id)}, as{})
	var in struct{ Token string }
	if err := json.Unmarshal([]byte(body), &in); status != http.StatusOK || err != nil {
		b.t.Fatalf("%d %s", status, body)
	}
	if grants == nil {
		grants = []string{}
	}
	return b.dial("api/v1/host", as{}, message{"type": "hello", "token": in.Token, "rooms": grants})
}

var commandID int

// cmd runs a host's command.
func (w *wire) cmd(do string, args message) message {
	w.t.Helper()
	commandID++
	m := message{"type": "cmd", "id": commandID, "do": do}
	for k, v := range args {
		m[k] = v
	}
	w.send(m)
	return w.until("result", func(m message) bool { return m["id"] == float64(commandID) })
}

func (w *wire) mustCmd(do string, args message) message {
	w.t.Helper()
	m := w.cmd(do, args)
	if m["ok"] != true {
		w.t.Fatalf("%s: %v", do, m)
	}
	return m
}

// failCmd expects a command to be refused.
func (w *wire) failCmd(code Code, do string, args message) {
	w.t.Helper()
	m := w.cmd(do, args)
	e, _ := m["error"].(map[string]any)
	if m["ok"] != false || e["code"] != string(code) || m["token"] != nil {
		w.t.Errorf("%s %v: %v, want %s", do, args, m, code)
	}
}

// room finds a room in a state frame.
func (m message) room(id string) message {
	rooms, _ := m["rooms"].([]any)
	for _, r := range rooms {
		if r, ok := r.(map[string]any); ok && r["id"] == id {
			return r
		}
	}
	return nil
}

func (m message) list(name string) (out []message) {
	l, _ := m[name].([]any)
	for _, e := range l {
		if e, ok := e.(map[string]any); ok {
			out = append(out, e)
		}
	}
	return out
}

// opened is a room with its link.
type opened struct{ id, cap, grant string }

func (b *bench) open(host *wire) opened {
	b.t.Helper()
	id := host.mustCmd("open_room", nil).text("room")
	s := host.until("state", func(m message) bool { return m.room(id) != nil }).room(id)
	link := s.text("link")
	if !token.ValidID(id) || !strings.HasPrefix(link, "r/"+id+"#s=") {
		b.t.Fatalf("room %v", s)
	}
	return opened{id, strings.TrimPrefix(link, "r/"+id+"#s="), s.text("grant")}
}

func (o opened) knock(name string) message {
	return message{"type": "knock", "room": o.id, "cap": o.cap, "name": name}
}

func (b *bench) knock(o opened, name string, who as) *wire {
	b.t.Helper()
	return b.dial("api/v1/knock", who, o.knock(name))
}

// waiting reads states until n visitors wait in the room.
func (w *wire) waiting(room string, n int) []message {
	w.t.Helper()
	return w.until("state", func(m message) bool {
		return m.room(room) != nil && len(m.room(room).list("waiting")) == n
	}).room(room).list("waiting")
}

func (w *wire) present(yes bool) message {
	w.t.Helper()
	return w.until("waiting", func(m message) bool { return m["host_present"] == yes })
}

func client(i int) as { return as{client: fmt.Sprintf("198.51.%d.%d", i/250, i%250+1)} }

// mediaClaims verifies an admission's token.
func (b *bench) mediaClaims(m message) token.Claims {
	b.t.Helper()
	c, err := b.keys.VerifyMedia(siteA, m.text("token"), time.Now())
	if err != nil || c.Subject != m.text("identity") {
		b.t.Fatalf("%v: %v", m, err)
	}
	return c
}

// eventually waits for a condition that nothing announces.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s did not come true", what)
}

// asWire runs a request without a connection, for sizes of samples that a
// network would blur.
func (b *bench) asWire(method, path string, body []byte, from netip.Addr) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/video/"+path, bytes.NewReader(body))
	r.Header.Set("Origin", b.http.URL)
	r.Header.Set("Test-Client", from.String())
	w := httptest.NewRecorder()
	b.serve(w, r)
	return w
}

func isCode(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}
