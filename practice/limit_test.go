// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// wrongLinks are links that must all look the same from outside.
func (b *bench) wrongLinks(room opened) map[string]opened {
	b.t.Helper()
	gone, err := b.keys.Visit(siteA, room.id, token.Visit{Host: "former", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		b.t.Fatal(err)
	}
	foreign, _ := b.keys.Visit(siteB, room.id, token.Visit{Host: "muster", Expires: time.Now().Add(time.Hour)})
	hostless, _ := b.keys.Visit(siteA, room.id, token.Visit{Expires: time.Now().Add(time.Hour)})
	return map[string]opened{
		"unknown room":      {id: token.NewID(), cap: room.cap},
		"no room":           {cap: room.cap},
		"path as room":      {id: "../../../../../../etc/pass", cap: room.cap},
		"no capability":     {id: room.id},
		"truncated":         {id: room.id, cap: room.cap[:len(room.cap)-3]},
		"changed":           {id: room.id, cap: "AAAA" + room.cap[4:]},
		"longer":            {id: room.id, cap: room.cap + "AAAA"},
		"grant":             {id: room.id, cap: room.grant},
		"host key":          {id: room.id, cap: b.hostKey("muster")},
		"other site":        {id: room.id, cap: foreign},
		"host who has left": {id: room.id, cap: gone},
		"host of nobody":    {id: room.id, cap: hostless},
		"megabyte":          {id: room.id, cap: strings.Repeat("A", 8<<10)},
	}
}

func TestWrongLinksLookAlike(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room, ended := b.open(host), b.open(host)
	host.mustCmd("end", message{"room": ended.id})
	links := b.wrongLinks(room)
	links["ended room"] = opened{id: ended.id, cap: room.cap}
	i := 0
	for name, o := range links {
		i++
		body, _ := json.Marshal(message{"room": o.id, "cap": o.cap})
		status, header, text := b.do(http.MethodPost, "api/v1/room", string(body), b.headers(client(i)))
		header.Del("Date")
		if status != 404 || text != `{"error":{"code":"bad_link","message":"this link does not lead to a room"}}` {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff" || len(header) != 5 {
			t.Errorf("%s: %v", name, header)
		}
		b.knock(o, "Ann", client(i)).refused(CodeBadLink)
	}
	old, _ := b.keys.Visit(siteA, room.id, token.Visit{Host: "muster", Expires: time.Now().Add(-time.Second)})
	b.knock(opened{id: room.id, cap: old}, "Ann", as{}).refused(CodeLinkExpired)
	if status, _ := b.post("api/v1/room", message{"room": room.id, "cap": old}, as{}); status != http.StatusGone {
		t.Error(status)
	}
}

// TestWrongLinksTakeTheSameTime: medians within a millisecond of each other.
func TestWrongLinksTakeTheSameTime(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	kinds := []string{"unknown room", "no capability", "changed", "truncated", "other site", "host who has left"}
	links := b.wrongLinks(room)
	times := make(map[string][]time.Duration)
	for i := range 5000 {
		kind := kinds[i%len(kinds)]
		body, _ := json.Marshal(message{"room": links[kind].id, "cap": links[kind].cap})
		from := netip.AddrFrom4([4]byte{100, byte(i >> 16), byte(i >> 8), byte(i)})
		start := time.Now()
		w := b.asWire(http.MethodPost, "api/v1/room", body, from)
		times[kind] = append(times[kind], time.Since(start))
		if w.Code != 404 {
			t.Fatalf("%s: %d", kind, w.Code)
		}
	}
	low, high := time.Hour, time.Duration(0)
	for _, d := range times {
		slices.Sort(d)
		low, high = min(low, d[len(d)/2]), max(high, d[len(d)/2])
	}
	if high-low > time.Millisecond {
		t.Errorf("medians from %v to %v", low, high)
	}
}

func TestWrongLinksAreCounted(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	wrong := message{"room": room.id, "cap": "AAAA"}
	for i := range 14 {
		status, body := b.post("api/v1/room", wrong, as{})
		if want := map[bool]int{true: 404, false: 429}[i < 10]; status != want {
			t.Fatalf("attempt %d: %d %s", i, status, body)
		}
	}
	b.dial("api/v1/knock", as{}, opened{id: room.id, cap: "AAAA"}.knock("Ann")).refused(CodeTooMany)
	// Others, and right links behind the same address, are served.
	if status, _ := b.post("api/v1/room", wrong, client(1)); status != 404 {
		t.Error(status)
	}
	b.knock(room, "Ann", as{}).next("waiting")
	for i := range 14 {
		status, _, body := b.do(http.MethodPost, "api/v1/host/session", `{"key":"AAAA"}`, b.headers(client(2)))
		if want := map[bool]int{true: 401, false: 429}[i < 10]; status != want {
			t.Fatalf("attempt %d: %d %s", i, status, body)
		}
	}
}

func TestKnockFlood(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	for i := range 3 {
		b.knock(room, fmt.Sprint("Ann ", i), as{}).next("waiting")
	}
	b.knock(room, "Ann 4", as{}).refused(CodeTooMany) // three per address
	for i := range 6 {
		b.knock(room, fmt.Sprint("Bob ", i), client(i)).next("waiting")
	}
	b.knock(room, "Bob", client(7)).refused(CodeTooMany) // ten attempts per minute, one in vain
	host.waiting(room.id, 9)
	// A minute and more passes.
	for i := 10; i < 21; i++ {
		b.desk.mu.Lock()
		b.desk.records[roomKey{siteA, room.id}].arrivals = bucket{}
		b.desk.mu.Unlock()
		b.knock(room, fmt.Sprint("Carl ", i), client(i)).next("waiting")
	}
	b.desk.mu.Lock()
	b.desk.records[roomKey{siteA, room.id}].arrivals = bucket{}
	b.desk.mu.Unlock()
	b.knock(room, "Dora", client(30)).refused(CodeTooMany) // twenty in the queue
	if got := len(host.waiting(room.id, 20)); got != 20 || b.desk.Stats().Waiting != 20 {
		t.Error(got)
	}
	// The next room is not affected.
	b.knock(b.open(host), "Dora", client(30)).next("waiting")
}

// TestTenThousandKnocks: the queue stays bounded, whoever knocks.
func TestTenThousandKnocks(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	real := b.knock(room, "Real", as{})
	real.next("waiting")
	visit := token.Visit{Host: "muster", Expires: time.Now().Add(time.Hour)}
	c := Call{Site: b.site, SiteID: siteA}
	refusedTimes := 0
	for i := range 10_000 {
		from := b.desk.crowd.of(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), time.Now())
		s := &visitorSession{signal: newSignal(), d: b.desk}
		if err := b.desk.knock(s, c, from, visitorFrame{Room: room.id, Name: "Bot"}, visitor{Visit: visit}); err != nil {
			if !isCode(err, CodeTooMany) {
				t.Fatal(err)
			}
			refusedTimes++
		}
	}
	if refusedTimes < 9_980 {
		t.Errorf("only %d refused", refusedTimes)
	}
	seen := host.until("state", func(m message) bool { return len(m.room(room.id).list("waiting")) >= 10 }).room(room.id).list("waiting")
	if len(seen) > 20 || !slices.ContainsFunc(seen, func(m message) bool { return m["name"] == "Real" }) {
		t.Errorf("%d in the queue", len(seen))
	}
}

func TestSocketsPerAddress(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{SocketsPerIP: 10, OpensPerIP: 1000}}) // openings alone would be renewed with time
	try := func(who as) (*websocket.Conn, int) {
		ws, resp, err := websocket.Dial(t.Context(), b.http.URL+"/video/api/v1/knock", &websocket.DialOptions{HTTPHeader: b.headers(who)})
		if err != nil {
			return nil, resp.StatusCode
		}
		t.Cleanup(func() { _ = ws.CloseNow() })
		return ws, 101
	}
	for i := range 10 {
		if _, code := try(as{client: fmt.Sprintf("2001:db8::%d", i)}); code != 101 {
			t.Fatalf("socket %d: %d", i, code)
		}
	}
	if _, code := try(as{client: "2001:db8::ffff"}); code != http.StatusTooManyRequests {
		t.Errorf("the eleventh of a /64: %d", code)
	}
	if _, code := try(as{client: "2001:db8:0:1::1"}); code != 101 {
		t.Errorf("another /64: %d", code)
	}
	if b.desk.crowd.of(netip.MustParseAddr("::ffff:192.0.2.1"), time.Now()) != b.desk.crowd.of(netip.MustParseAddr("192.0.2.1"), time.Now()) {
		t.Error("a mapped address counts apart")
	}
}

func TestCrowdForgets(t *testing.T) {
	var l Limits
	l.setDefaults()
	now := time.Now()
	c := newCrowd(&l, now)
	a := netip.MustParseAddr("192.0.2.1")
	s := c.of(a, now)
	if err := c.openSocket(s, now); err != nil {
		t.Fatal(err)
	}
	key := c.key
	if c.of(a, now.Add(keyLife-time.Second)) != s {
		t.Error("forgotten early")
	}
	if c.of(a, now.Add(keyLife)) == s || c.key == key {
		t.Error("remembered for more than a day")
	}
	c.closeSocket(s)
	if s.sockets != 0 {
		t.Error(s.sockets)
	}
	for i := range maxSources + 10 {
		s := c.of(netip.AddrFrom4([4]byte{1, byte(i >> 16), byte(i >> 8), byte(i)}), now)
		if s != nil {
			s.requests.take(now, 10, time.Second)
		}
	}
	if len(c.sources) > maxSources || c.of(netip.MustParseAddr("9.9.9.9"), now) != nil {
		t.Errorf("%d sources", len(c.sources))
	}
	if !isCode(c.openSocket(nil, now), CodeUnavailable) || !isCode(c.request(nil, now), CodeUnavailable) {
		t.Error("no refusal without a source")
	}
	if c.of(netip.MustParseAddr("9.9.9.9"), now.Add(2*time.Minute)) == nil {
		t.Error("idle sources are not forgotten")
	}
	if wait := new(bucket).take(now, 1, time.Second); wait != 0 {
		t.Error(wait)
	}
	b := bucket{}
	for range 5 {
		b.take(now, 5, 10*time.Second)
	}
	if wait := b.take(now, 5, 10*time.Second); wait != 2*time.Second || b.take(now.Add(2*time.Second), 5, 10*time.Second) != 0 {
		t.Error(wait)
	}
}

func TestOrigin(t *testing.T) {
	b := newBench(t, Options{})
	for _, origin := range []string{
		"https://evil.example", "null", "", b.http.URL + "/", b.http.URL + ".evil.example", strings.ToUpper(b.http.URL),
		strings.Replace(b.http.URL, "http:", "https:", 1), b.http.URL + ":443", "http://127.0.0.1",
	} {
		for path, resource := range routes {
			h := http.Header{"Origin": {origin}}
			if origin == "" {
				h = http.Header{}
			}
			if origin == "" && resource.public {
				continue
			}
			h.Set("Connection", "Upgrade")
			h.Set("Upgrade", "websocket")
			h.Set("Sec-Websocket-Version", "13")
			h.Set("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
			if status, _, body := b.do(resource.method, path, "{}", h); status != http.StatusForbidden || !strings.Contains(body, "foreign_origin") {
				t.Errorf("%q on %s: %d %s", origin, path, status, body)
			}
		}
	}
	twice := http.Header{"Origin": {b.http.URL, "https://evil.example"}}
	if status, _, _ := b.do(http.MethodPost, "api/v1/room", "{}", twice); status != http.StatusForbidden {
		t.Error(status)
	}
}

func TestRoutes(t *testing.T) {
	b := newBench(t, Options{})
	status, header, body := b.do(http.MethodGet, "api/v1/site", "", http.Header{})
	want := `{"practice":"Praxis","phone":"+49 69 1","language":"de","address":"sie","hosts":[{"id":"muster","name":"Dr. Muster"},{"id":"zweit","name":"Dr. Zweit"}],"e2ee":"off","waiting_room":true,"max_participants":10,"version":"test"}`
	if status != 200 || body != want || header.Get("Cache-Control") != "no-store" || header.Get("Set-Cookie") != "" {
		t.Errorf("%d %v\n%s", status, header, body)
	}
	if status, _, body := b.do(http.MethodHead, "api/v1/site", "", http.Header{}); status != 200 || body != "" {
		t.Errorf("HEAD: %d %s", status, body)
	}
	for _, tc := range []struct {
		method, path, body string
		status             int
		code               Code
	}{
		{"POST", "api/v1/site", "", 405, CodeMethod},
		{"GET", "api/v1/room", "", 405, CodeMethod},
		{"PUT", "api/v1/host/session", "{}", 405, CodeMethod},
		{"POST", "api/v1/knock", "{}", 405, CodeMethod},
		{"GET", "api/v1/knock", "", 400, CodeBadRequest},
		{"GET", "api/v1/host", "", 400, CodeBadRequest},
		{"GET", "api/v2/site", "", 404, CodeNotFound},
		{"GET", "api/", "", 404, CodeNotFound},
		{"POST", "api/v1/room", "", 400, CodeBadRequest},
		{"POST", "api/v1/room", "[]", 400, CodeBadRequest},
		{"POST", "api/v1/room", `{"room":1}`, 400, CodeBadRequest},
		{"POST", "api/v1/room", `{"room":"a","room":"b"}`, 400, CodeBadRequest},
		{"POST", "api/v1/room", `{"room":"a"} x`, 400, CodeBadRequest},
		{"POST", "api/v1/room", "{\"room\":\"\xff\"}", 400, CodeBadRequest},
		{"POST", "api/v1/room", strings.Repeat("[", 20) + strings.Repeat("]", 20), 400, CodeBadRequest},
		{"POST", "api/v1/room", `{"cap":"` + strings.Repeat("a", maxBody) + `"}`, 413, CodeTooLarge},
		{"POST", "api/v1/host/session", "{}", 401, CodeNotHost},
		{"POST", "api/v1/host/session", `{"key":"x"}`, 401, CodeNotHost},
	} {
		status, header, body := b.do(tc.method, tc.path, tc.body, b.headers(as{}))
		var e struct{ Error errorBody }
		if err := json.Unmarshal([]byte(body), &e); err != nil || status != tc.status || e.Error.Code != tc.code || e.Error.Message == "" {
			t.Errorf("%s %s %.30s: %d %s", tc.method, tc.path, tc.body, status, body)
		}
		if status == 405 && header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", tc.method, tc.path)
		}
	}
	r := b.asWire(http.MethodConnect, "api/v1/knock", nil, netip.MustParseAddr("192.0.2.7"))
	if r.Code != http.StatusNotImplemented || !strings.Contains(r.Body.String(), "unsupported") {
		t.Errorf("%d %s", r.Code, r.Body)
	}
}

func TestSignInByIdentity(t *testing.T) {
	b := newBench(t, Options{})
	for who, status := range map[string]int{
		"muster": 200, "": 401, "Muster": 401, "muster ": 401, "admin": 401,
		"zweit": 401, // has no identity configured: only the private link
	} {
		b.mu.Lock()
		b.identity = who
		b.mu.Unlock()
		if got, body := b.post("api/v1/host/session", message{}, as{}); got != status {
			t.Errorf("%q: %d %s", who, got, body)
		}
	}
	b.mu.Lock()
	b.identity = "muster"
	b.mu.Unlock()
	// A key, even a wrong one, is not ignored in favor of the identity.
	if got, body := b.post("api/v1/host/session", message{"key": "AAAA"}, as{}); got != 401 {
		t.Errorf("%d %s", got, body)
	}
	old, _ := b.keys.HostKey(siteA, token.HostKey{Host: "muster", Generation: config.FirstLinkGeneration + 1})
	if got, body := b.post("api/v1/host/session", message{"key": old}, as{}); got != 401 {
		t.Errorf("another generation: %d %s", got, body)
	}
}

func TestSilence(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{FirstFrame: 50 * time.Millisecond, Idle: 300 * time.Millisecond}})
	b.dial("api/v1/knock", as{}, nil).refused(CodeBadRequest)
	b.dial("api/v1/host", as{}, nil).refused(CodeBadRequest)
	host := b.host("muster")
	eventually(t, "the end of a silent host", func() bool { return b.desk.Stats().Hosts == 0 })
	_ = host.ws.CloseNow()
}

func TestLargeAndFastFrames(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	host.next("state")
	large := b.host("muster")
	large.raw(`{"type":"ping","x":"` + strings.Repeat("a", maxFrame) + `"}`)
	if code := large.closed(); code != websocket.StatusMessageTooBig {
		t.Errorf("closed with %v", code)
	}
	fast := b.host("muster")
	go func() { // ends with the socket, which the desk closes
		for fast.ws.Write(context.Background(), websocket.MessageText, []byte(`{"type":"ping"}`)) == nil {
			continue
		}
	}()
	for {
		m, err := fast.read()
		if err != nil {
			t.Fatal(err)
		}
		if m["type"] == "error" {
			if m["code"] != "too_many" || m["retry_after"] == nil {
				t.Errorf("%v", m)
			}
			break
		}
	}
	_ = fast.ws.CloseNow()
}

func TestRoomLimits(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{RoomsPerHost: 2, Rooms: 3, SocketsPerHost: 2}})
	host, zweit := b.host("muster"), b.host("zweit")
	one := b.open(host)
	b.open(host)
	host.failCmd(CodeTooMany, "open_room", nil)
	b.open(zweit)
	zweit.failCmd(CodeUnavailable, "open_room", nil)
	host.mustCmd("end", message{"room": one.id})
	b.open(host)
	b.host("muster").next("state")
	b.host("muster").refused(CodeTooMany)
}

func TestCoalesce(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	states := 0
	start := time.Now()
	last := fmt.Sprint("p", 4999)
	go func() { // ends by itself
		for i := range 5000 {
			b.rooms.set(siteA, room.id, Participant{Identity: fmt.Sprint("p", i)})
		}
	}()
	host.until("state", func(m message) bool {
		states++
		p := m.room(room.id).list("participants")
		return len(p) == 1 && p[0]["identity"] == last
	})
	if most := 3 + int(time.Since(start)/(100*time.Millisecond)); states > most {
		t.Errorf("%d states, at most %d expected", states, most)
	}
}

func TestSweep(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room, busy := b.open(host), b.open(host)
	ann := b.knock(room, "Ann", as{})
	ann.next("waiting")
	b.rooms.set(siteA, busy.id, Participant{Identity: "x"})
	b.desk.sweep(time.Now().Add(2*time.Hour + time.Minute))
	if m := ann.next("closed"); m.text("reason") != "expired" {
		t.Errorf("%v", m)
	}
	bob := b.knock(room, "Bob", as{})
	bob.next("waiting")
	b.desk.sweep(time.Now().Add(24*time.Hour + time.Minute))
	if m := bob.next("closed"); m.text("reason") != "expired" {
		t.Errorf("%v", m)
	}
	s := host.until("state", func(m message) bool { return m.room(room.id) == nil })
	if s.room(busy.id) == nil {
		t.Error("a running consultation was closed")
	}
	b.rooms.set(siteA, busy.id)
	b.desk.sweep(time.Now().Add(24*time.Hour + time.Minute))
	b.desk.sweep(time.Now().Add(26 * time.Hour))
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	if len(b.desk.records) != 0 || len(b.desk.secrets) != 0 {
		t.Errorf("%d rooms and %d secrets are left", len(b.desk.records), len(b.desk.secrets))
	}
}

func TestRenew(t *testing.T) {
	b := newBench(t, Options{Limits: Limits{Refresh: 20 * time.Millisecond}})
	host := b.host("muster")
	m := host.next("session")
	if s, err := b.keys.VerifyHostSession(siteA, m.text("token"), time.Now()); err != nil || s.Host != "muster" || m["expires_in"] != float64(600) {
		t.Errorf("%v %v", m, err)
	}
	// A sign-in of yesterday is not renewed for ever.
	since := time.Now().Add(-token.HostSignInLife + time.Second)
	old, err := b.keys.HostSession(siteA, token.HostSession{Host: "muster", Since: since}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := b.dial("api/v1/host", as{}, message{"type": "hello", "token": old})
	w.refused(CodeNotHost)
}

func TestInstall(t *testing.T) {
	b := newBench(t, Options{})
	host, zweit := b.host("muster"), b.host("zweit")
	room, second := b.open(host), b.open(zweit)
	ann, bob := b.knock(room, "Ann", as{}), b.knock(second, "Bob", as{})
	ann.present(true)
	bob.present(true)
	renamed := testSite()
	renamed.Hosts = []config.Host{{ID: "muster", Name: "Prof. Muster", LinkGeneration: config.FirstLinkGeneration}}
	b.desk.Install(func(string) []*config.Site { return []*config.Site{renamed} })
	zweit.refused(CodeNotHost)
	host.until("state", func(m message) bool { return m["host"].(map[string]any)["name"] == "Prof. Muster" })
	bob.present(false)
	// The site goes: its visitors are told, its hosts signed out.
	b.desk.Install(func(string) []*config.Site { return nil })
	ann.next("closed")
	bob.next("closed")
	host.refused(CodeNotHost)
}

// TestRevokedLink raises a host's generation of links: the old link, its sessions
// and their tokens are refused, whoever signed in by other means stays.
func TestRevokedLink(t *testing.T) {
	b := newBench(t, Options{})
	linked := b.host("muster")
	other := b.host("zweit")
	room := b.open(linked)
	ann := b.knock(room, "Ann", as{})
	ann.present(true)
	now := time.Now()
	session := func(s token.HostSession) string {
		t.Helper()
		s.Since = now
		text, err := b.keys.HostSession(siteA, s, now)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	signedIn := b.dial("api/v1/host", as{}, message{"type": "hello", "token": session(token.HostSession{Host: "muster"}), "rooms": []string{}})
	signedIn.next("state")
	old := b.hostKey("muster")

	raised := testSite()
	raised.Hosts[0].LinkGeneration = 2
	b.mu.Lock()
	b.site = raised
	b.mu.Unlock()
	b.desk.Install(func(string) []*config.Site { return []*config.Site{raised} })
	linked.refused(CodeNotHost)
	other.mustCmd("open_room", nil)
	signedIn.mustCmd("open_room", nil)
	if status, body := b.post("api/v1/host/session", message{"key": old}, as{}); status != 401 {
		t.Errorf("the old link: %d %s", status, body)
	}
	b.dial("api/v1/host", as{}, message{
		"type": "hello", "token": session(token.HostSession{Host: "muster", Generation: 1}), "rooms": []string{},
	}).refused(CodeNotHost)
	current, err := b.keys.HostKey(siteA, token.HostKey{Host: "muster", Generation: 2})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := b.post("api/v1/host/session", message{"key": current}, as{}); status != 200 {
		t.Errorf("the new link: %d %s", status, body)
	}
	zero, _ := b.keys.HostKey(siteA, token.HostKey{Host: "muster"})
	if status, body := b.post("api/v1/host/session", message{"key": zero}, as{}); status != 401 {
		t.Errorf("a link of no generation: %d %s", status, body)
	}
	// The room and who waits there are not touched.
	again := b.dial("api/v1/host", as{}, message{
		"type": "hello", "token": session(token.HostSession{Host: "muster", Generation: 2}), "rooms": []string{},
	})
	again.waiting(room.id, 1)
}

func TestClose(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	room := b.open(host)
	ann := b.knock(room, "Ann", as{})
	ann.next("waiting")
	silent := b.dial("api/v1/knock", as{}, nil)
	done := make(chan struct{})
	go func() { // ends with Close
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		b.desk.Close(ctx)
	}()
	for name, w := range map[string]*wire{"host": host, "visitor": ann, "silent": silent} {
		if code := w.closed(); code != websocket.StatusServiceRestart {
			t.Errorf("%s closed with %v", name, code)
		}
	}
	<-done
	h := b.headers(as{})
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", "websocket")
	if status, header, body := b.do(http.MethodGet, "api/v1/knock", "", h); status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("%d %s", status, body)
	}
	if s := b.desk.Stats(); s.Hosts != 0 {
		t.Errorf("%+v", s)
	}
}

// TestCloseCuts: a client that never answers the farewell does not hold the
// desk up longer than its caller allows.
func TestCloseCuts(t *testing.T) {
	b := newBench(t, Options{})
	host := b.host("muster")
	b.open(host) // and reads nothing from now on
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	b.desk.Close(ctx)
	if d := time.Since(start); d > 8*time.Second {
		t.Errorf("closing took %v", d)
	}
}

func TestErrorsAreClosedSet(t *testing.T) {
	codes := []Code{
		CodeBadRequest, CodeNotHost, CodeBadLink, CodeLinkExpired, CodeRoomFull, CodeRoomClosed, CodeTooMany, CodeTooLarge,
		CodeForeignOrigin, CodeNotAllowed, CodeNotFound, CodeMethod, CodeUnsupported, CodeUnavailable, CodeInternal,
		CodeTooEarly, CodeCancelled, CodeConflict, CodeInvalid, CodeNoEncryption,
	}
	if len(codes) != len(faults) {
		t.Errorf("%d codes, %d mapped", len(codes), len(faults))
	}
	for _, c := range codes {
		if f := faults[c]; f.status < 400 || f.close < 1000 || f.message == "" {
			t.Errorf("%s: %+v", c, f)
		}
	}
	if e := coded(context.Canceled); e.Code != CodeInternal || strings.Contains(e.Error(), "cancel") {
		t.Errorf("%v", e)
	}
	for _, c := range causes {
		if got := coded(fmt.Errorf("doing: %w", c.err)); got.Code != c.code {
			t.Errorf("%v: %s", c.err, got.Code)
		}
	}
}

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"Ann":                            "Ann",
		"  Ann \u00a0 Bee\u3000":         "Ann Bee",
		"Zoe\u0308":                      "Zo\u00eb",
		"\u0627\u0645\u06cc\u200c\u0646": "\u0627\u0645\u06cc\u200c\u0646",
		"👩\u200d⚕️ Ann":                  "👩\u200d⚕️ Ann",
		"7":                              "7",
		"O'Neil & Söhne <b>":             "O'Neil & Söhne <b>",
		strings.Repeat("ä", 64):          strings.Repeat("ä", 64),
	} {
		if got, err := CleanName(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", " ", "\u3000", "\u200d", "\u200c\u200d", "\u0301", "...", strings.Repeat("a", 65), strings.Repeat("a", 5000),
		"a\nb", "a\tb", "a\x00b", "a\x7fb", "a\u0085b", "a\u202eb", "a\u2066b", "a\u200eb", "a\u061cb", "a\u200bb", "a\ufeffb",
		"a\u2028b", "a\u2029b", "a\u00adb", "a\U000e0041b", "a\ue000b", "a\xffb", "a\ufffdb", "\u3164", "\u115f",
	} {
		if got, err := CleanName(in); !isCode(err, CodeBadRequest) {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	for _, s := range []string{"Ann", "a\u202eb", "Zoe\u0308", " ", "\ufdfa", "👩\u200d⚕️"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := CleanName(s)
		if err != nil {
			if got != "" {
				t.Fatalf("%q despite %v", got, err)
			}
			return
		}
		if again, err := CleanName(got); err != nil || again != got {
			t.Fatalf("%q is not clean: %q %v", got, again, err)
		}
		if len([]rune(got)) > maxNameRunes || strings.ContainsFunc(got, refused) {
			t.Fatalf("%q", got)
		}
	})
}

// FuzzFrames feeds sequences of frames, one per line, to a waiting visitor and
// a host. Whatever they say, the desk keeps its promises.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("{\"type\":\"ping\"}\n{\"type\":\"leave\"}"))
	f.Add([]byte("{\"type\":\"cmd\",\"id\":1,\"do\":\"open_room\"}\n{\"type\":\"cmd\",\"do\":\"end\",\"room\":\"x\"}"))
	f.Add([]byte("{\"type\":\"cmd\",\"do\":\"mute\",\"kind\":\"audio\"}\n[[[[]]]]\nnull"))
	keys := token.NewKeys()
	f.Fuzz(func(t *testing.T, script []byte) {
		rooms := newMediaRooms()
		d := New(Options{Keys: keys, Rooms: rooms})
		defer d.Close(t.Context())
		h := &hostSession{signal: newSignal(), socket: &socket{limits: &d.limits}, d: d, key: hostKey{siteA, "muster"}, site: testSite()}
		if err := d.signIn(h); err != nil {
			t.Fatal(err)
		}
		defer d.signOut(h)
		for line := range bytes.SplitSeq(script, []byte("\n")) {
			var cmd hostFrame
			if h.accept(line, &cmd) == nil {
				r := h.command(cmd)
				if _, err := json.Marshal(r); err != nil || r.OK == (r.Error != nil) {
					t.Fatalf("%+v %v", r, err)
				}
			}
			var knock visitorFrame
			if decode(line, &knock) == nil {
				from := d.crowd.of(netip.AddrFrom4([4]byte{1, 2, 3, byte(rand.IntN(256))}), time.Now())
				if v, err := d.visit(Call{Site: h.site, SiteID: siteA}, from, knock.Room, knock.Cap); err == nil {
					t.Fatalf("forged %+v", v)
				}
			}
		}
		if _, ok := d.state(h); !ok {
			t.Fatal("signed out")
		}
	})
}
