// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/practice"
	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
	"github.com/caddy-videoroom/videoroom/token"
)

// TestConsultation goes the whole way from the host's link to the end of the
// call, with the real signaling and rooms.
func TestConsultation(t *testing.T) {
	b := newBench(t, Options{}, testSite())
	host := b.host()
	o := b.open(host)
	in := b.admit(host, o, "Ann")
	if in.text("url") != "/video" {
		t.Errorf("%v", in)
	}
	ann := b.enter(in.text("token"))
	if p := ann.join.GetParticipant(); p.GetIdentity() != in.text("identity") || p.GetName() != "Ann" || !p.GetPermission().GetCanPublish() || p.GetPermission().GetCanUpdateMetadata() {
		t.Errorf("%v", p)
	}
	refreshed := ann.refreshed()
	sid := ann.publish("mic", wire.TrackType_AUDIO, wire.TrackSource_MICROPHONE)
	host.state("Ann with sound", func(m message) bool {
		p := m.list(o.id, "participants")
		return len(p) == 1 && p[0]["name"] == "Ann" && p[0]["audio"] == "on" && p[0]["video"] == "none" && p[0]["host"] == false
	})
	mine := host.cmd("enter", message{"room": o.id})
	muster := b.enter(mine.text("token"))
	if others := muster.join.GetOtherParticipants(); len(others) != 1 || others[0].GetName() != "Ann" {
		t.Errorf("%v", others)
	}
	host.state("both", func(m message) bool {
		p := m.list(o.id, "participants")
		return len(p) == 2 && p[1]["host"] == true && p[1]["name"] == "Dr. Muster"
	})
	if s := b.engine.Stats(); s.Rooms != 1 || s.Participants != 2 || s.Tracks != 1 || s.Hosts != 1 || s.Open != 1 || s.Waiting != 0 || s.Sessions != 2 || s.PacketsIn != 1 || s.PacketsOut != 2 || s.Dropped != 3 {
		t.Errorf("%+v", s)
	}

	host.cmd("mute", message{"room": o.id, "identity": in.text("identity"), "kind": "audio"})
	ann.next("mute", func(r *wire.SignalResponse) bool { return r.GetMute().GetSid() == sid && r.GetMute().GetMuted() })
	host.state("Ann muted", func(m message) bool {
		p := m.list(o.id, "participants")
		return len(p) == 2 && p[0]["audio"] == "muted"
	})

	// She sees her own connection with the newest token, and only from our page.
	connection := func(jwt, origin string) (int, string) {
		status, _, body := b.request(http.MethodPost, "/rtc/v1/connection", `{"token":"`+jwt+`"}`, http.Header{"Origin": {origin}})
		return status, body
	}
	if status, body := connection(refreshed, b.own().Get("Origin")); status != http.StatusOK || !strings.HasPrefix(body, `{"route":"udp"`) {
		t.Errorf("her connection: %d %s", status, body)
	}
	if status, body := connection(refreshed, "https://evil.example"); status != http.StatusForbidden {
		t.Errorf("another page: %d %s", status, body)
	}

	// Removed: nothing she ever got leads back in.
	host.cmd("remove", message{"room": o.id, "identity": in.text("identity")})
	if l := ann.leave(); l.GetReason() != wire.DisconnectReason_PARTICIPANT_REMOVED || l.GetAction() != wire.LeaveRequest_DISCONNECT {
		t.Errorf("%v", l)
	}
	for _, jwt := range []string{in.text("token"), refreshed} {
		if _, status := b.connect(jwt, b.own()); status != http.StatusForbidden {
			t.Errorf("back with an old token: %d", status)
		}
		if status, body := b.validate(jwt, b.own()); status != http.StatusForbidden {
			t.Errorf("%d %s", status, body)
		}
	}
	// A new knock leads in under another identity.
	again := b.admit(host, o, "Ann")
	if again["identity"] == in["identity"] {
		t.Error("the same identity again")
	}
	ann = b.enter(again.text("token"))

	host.cmd("end", message{"room": o.id})
	for _, c := range []*mediaClient{ann, muster} {
		if l := c.leave(); l.GetReason() != wire.DisconnectReason_ROOM_DELETED || l.GetAction() != wire.LeaveRequest_DISCONNECT {
			t.Errorf("%v", l)
		}
	}
	for _, jwt := range []string{again.text("token"), mine.text("token")} {
		if status, body := b.validate(jwt, b.own()); status != http.StatusNotFound || !strings.Contains(body, "requested room does not exist") {
			t.Errorf("%d %s", status, body)
		}
		if _, status := b.connect(jwt, b.own()); status != http.StatusNotFound {
			t.Errorf("into an ended room: %d", status)
		}
	}
}

// TestHostComesBack: the host's second way in replaces the first.
func TestHostComesBack(t *testing.T) {
	b := newBench(t, Options{}, testSite())
	host := b.host()
	o := b.open(host)
	first := b.enter(host.cmd("enter", message{"room": o.id}).text("token"))
	second := b.enter(host.cmd("enter", message{"room": o.id}).text("token"))
	if l := first.leave(); l.GetReason() != wire.DisconnectReason_DUPLICATE_IDENTITY {
		t.Errorf("%v", l)
	}
	if len(second.join.GetOtherParticipants()) != 0 || b.engine.Stats().Participants != 1 {
		t.Error("the host is there twice")
	}
}

func TestCapacity(t *testing.T) {
	site := testSite()
	site.MaxParticipants = 2
	b := newBench(t, Options{}, site)
	host := b.host()
	o := b.open(host)
	ann, bob := b.admit(host, o, "Ann"), b.admit(host, o, "Bob")
	carl := b.admit(host, o, "Carl") // admitted while there was room
	b.enter(ann.text("token"))
	b.enter(bob.text("token"))
	if status, body := b.validate(carl.text("token"), b.own()); status != http.StatusForbidden || !strings.Contains(body, "full") {
		t.Errorf("%d %s", status, body)
	}
	if _, status := b.connect(carl.text("token"), b.own()); status != http.StatusForbidden {
		t.Errorf("a third in a room for two: %d", status)
	}
	b.enter(ann.text("token")) // taking over the own place needs no other
	// A configuration with larger rooms reaches the running one.
	larger := *site
	larger.MaxParticipants = 3
	b.mu.Lock()
	b.site = &larger
	b.mu.Unlock()
	b.engine.Install(Snapshot{Sites: []*config.Site{&larger}})
	b.enter(carl.text("token"))
}

func TestForeignTokens(t *testing.T) {
	site := testSite()
	site.WaitingRoom = config.Off
	site.APIKeys = []config.APIKey{{Key: "key", Secret: strings.Repeat("s", 32)}, {Key: "two", Secret: strings.Repeat("t", 32)}}
	b := newBench(t, Options{}, site)
	now := time.Now()
	no := false
	claims := func(change func(*token.Claims)) token.Claims {
		c := token.Claims{
			Issuer: "key", Subject: "ann", Name: "Ann", NotBefore: now, Expires: now.Add(time.Hour),
			Metadata: "m", Attributes: map[string]string{"a": "1"}, Video: token.Video{RoomJoin: true, Room: "talk"},
		}
		if change != nil {
			change(&c)
		}
		return c
	}
	mint := func(secret string, change func(*token.Claims)) string {
		jwt, err := token.Sign([]byte(strings.Repeat(secret, 32)), token.TypeJWT, claims(change))
		if err != nil {
			t.Fatal(err)
		}
		return jwt
	}
	other := http.Header{"Origin": {"https://app.example"}}
	good := mint("s", nil)
	c, status := b.connect(good, other)
	if status != 101 {
		t.Fatal(status)
	}
	c.join = c.next("join", func(r *wire.SignalResponse) bool { return r.GetJoin() != nil }).GetJoin()
	if p := c.join.GetParticipant(); p.GetIdentity() != "ann" || p.GetMetadata() != "m" || p.GetAttributes()["a"] != "1" || c.join.GetRoom().GetName() != "talk" {
		t.Errorf("%v", c.join)
	}
	next, err := token.Verify([]byte(strings.Repeat("s", 32)), c.refreshed(), token.RulesAPI("key", time.Now()))
	if err != nil || next.Subject != "ann" || next.Video.Room != "talk" || !next.Video.RoomJoin || !next.Video.MayPublish() || next.Expires.Before(now.Add(59*time.Minute)) {
		t.Errorf("%+v %v", next, err)
	}
	limited := mint("s", func(c *token.Claims) {
		c.Subject, c.Video.CanPublish, c.Video.CanPublishSources, c.Video.CanSubscribe = "bob", &no, []string{"camera"}, &no
	})
	l, status := b.connect(limited, other)
	if status != 101 {
		t.Fatal(status)
	}
	p := l.next("join", func(r *wire.SignalResponse) bool { return r.GetJoin() != nil }).GetJoin().GetParticipant().GetPermission()
	if !p.GetCanPublish() || p.GetCanSubscribe() || p.GetCanPublishData() || len(p.GetCanPublishSources()) != 1 {
		t.Errorf("%v", p)
	}

	for name, tc := range map[string]struct {
		jwt    string
		status int
	}{
		"good":             {good, 200},
		"no token":         {"", 401},
		"garbage":          {"a.b.c", 401},
		"wrong secret":     {mint("x", nil), 401},
		"other key":        {mint("t", nil), 401},
		"key's own secret": {mint("t", func(c *token.Claims) { c.Issuer = "two" }), 200},
		"unknown key":      {mint("s", func(c *token.Claims) { c.Issuer = "kez" }), 401},
		"expired":          {mint("s", func(c *token.Claims) { c.Expires = now.Add(-2 * time.Minute) }), 401},
		"within leeway":    {mint("s", func(c *token.Claims) { c.Expires = now.Add(-30 * time.Second) }), 200},
		"no roomJoin":      {mint("s", func(c *token.Claims) { c.Video.RoomJoin = false }), 401},
		"no room":          {mint("s", func(c *token.Claims) { c.Video.Room = "" }), 400},
		"no identity":      {mint("s", func(c *token.Claims) { c.Subject = "" }), 400},
	} {
		if status, body := b.validate(tc.jwt, other); status != tc.status {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}

	// Realms do not meet: the same name is another room for another key.
	two, status := b.connect(mint("t", func(c *token.Claims) { c.Issuer = "two" }), other)
	if status != 101 {
		t.Fatal(status)
	}
	if j := two.next("join", func(r *wire.SignalResponse) bool { return r.GetJoin() != nil }).GetJoin(); len(j.GetOtherParticipants()) != 0 {
		t.Errorf("%v", j.GetOtherParticipants())
	}
	// Nor can a key reach into a room of our own admission.
	host := b.host()
	o := b.open(host)
	b.enter(host.cmd("enter", message{"room": o.id}).text("token"))
	spy, status := b.connect(mint("s", func(c *token.Claims) { c.Video.Room = o.id }), other)
	if status != 101 {
		t.Fatal(status)
	}
	if j := spy.next("join", func(r *wire.SignalResponse) bool { return r.GetJoin() != nil }).GetJoin(); len(j.GetOtherParticipants()) != 0 {
		t.Errorf("%v", j.GetOtherParticipants())
	}

	status, header, _ := b.request(http.MethodHead, "", "", other)
	if status != 200 || header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("HEAD: %d %v", status, header)
	}
	// With a waiting room nobody gets past it, and there is nothing to probe.
	closed := *site
	closed.WaitingRoom = config.On
	b.mu.Lock()
	b.site = &closed
	b.mu.Unlock()
	if status, _ := b.validate(good, other); status != 401 {
		t.Errorf("past the waiting room: %d", status)
	}
	if status, _, _ := b.request(http.MethodHead, "", "", other); status != http.StatusTeapot {
		t.Errorf("HEAD: %d", status)
	}
	// Taking the key out of the configuration ends what it let in.
	b.engine.Install(Snapshot{Sites: []*config.Site{&closed}})
	if l := c.leave(); l.GetReason() != wire.DisconnectReason_ROOM_CLOSED {
		t.Errorf("%v", l)
	}
}

func TestOwnTokensStayHome(t *testing.T) {
	b := newBench(t, Options{}, testSite())
	host := b.host()
	o := b.open(host)
	jwt := host.cmd("enter", message{"room": o.id}).text("token")
	if status, _ := b.validate(jwt, b.own()); status != 200 {
		t.Errorf("at home: %d", status)
	}
	if _, status := b.connect(jwt, http.Header{"Origin": {"https://evil.example"}}); status != http.StatusForbidden {
		t.Errorf("from another origin: %d", status)
	}
	b.mu.Lock()
	b.id = "b.example"
	b.mu.Unlock()
	if _, status := b.connect(jwt, b.own()); status != http.StatusUnauthorized {
		t.Errorf("at another site: %d", status)
	}
	if status, _, body := b.request(http.MethodPost, "/api/v1/room", `{"room":"`+o.id+`","cap":"`+o.cap+`"}`, b.own()); status != 404 {
		t.Errorf("a link at another site: %d %s", status, body)
	}
}

// TestRestart: everybody is told to come back, and finds the room again in an
// engine on the same storage.
func TestRestart(t *testing.T) {
	store := newMemoryStore()
	b := newBench(t, Options{Store: store}, testSite())
	host := b.host()
	o := b.open(host)
	in := b.admit(host, o, "Ann")
	ann := b.enter(in.text("token"))
	refreshed := ann.refreshed()
	waiting := b.dial("api/v1/knock", message{"type": "knock", "room": o.id, "cap": o.cap, "name": "Bob"})
	waiting.next("waiting")
	hostKey, _ := b.engine.HostKey(siteID, "muster")

	drained := make(chan struct{})
	go func() { // ends with Drain
		defer close(drained)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		b.engine.Drain(ctx)
	}()
	if l := ann.leave(); l.GetReason() != wire.DisconnectReason_SERVER_SHUTDOWN || l.GetAction() != wire.LeaveRequest_RECONNECT {
		t.Errorf("%v", l)
	}
	if code := ann.closed(); code != websocket.StatusServiceRestart {
		t.Errorf("closed with %v", code)
	}
	for _, s := range []*jsonSocket{host, waiting} {
		var err error
		for err == nil {
			_, err = s.read()
		}
		if code := websocket.CloseStatus(err); code != websocket.StatusServiceRestart {
			t.Errorf("closed with %v", code)
		}
	}
	<-drained
	if _, status := b.connect(refreshed, b.own()); status != http.StatusServiceUnavailable {
		t.Errorf("during the drain: %d", status)
	}
	if err := b.engine.Close(); err != nil {
		t.Error(err)
	}

	n := startBench(t, Options{Store: store, Media: newFakeMedia()}, testSite())
	if again, _ := n.engine.HostKey(siteID, "muster"); again != hostKey {
		t.Error("the host link has changed")
	}
	if n.enter(refreshed).join.GetParticipant().GetIdentity() != in.text("identity") {
		t.Error("Ann is somebody else")
	}
	bob := n.dial("api/v1/knock", message{"type": "knock", "room": o.id, "cap": o.cap, "name": "Bob"})
	if m := bob.next("waiting"); m["host_present"] != false {
		t.Errorf("%v", m)
	}
	host = n.host(o.grant)
	s := host.state("the room again", func(m message) bool {
		return len(m.list(o.id, "waiting")) == 1 && len(m.list(o.id, "participants")) == 1
	})
	host.cmd("admit", message{"room": o.id, "knock": s.list(o.id, "waiting")[0].text("id")})
	n.enter(bob.next("admitted").text("token"))
	if store.stores != 1 || len(store.values) != 1 {
		t.Errorf("stored %d times: more than the key", store.stores)
	}
}

func TestInstall(t *testing.T) {
	site := testSite()
	site.Name = siteID
	b := newBench(t, Options{}, site)
	host := b.host()
	o := b.open(host)
	ann := b.enter(b.admit(host, o, "Ann").text("token"))

	// The same site again, beside another: nothing happens to the call.
	renamed := *site
	renamed.Practice = "Praxis am Markt"
	b.engine.Install(Snapshot{Sites: []*config.Site{&renamed, {Name: "b.example"}}})
	ann.send(&wire.SignalRequest{Message: &wire.SignalRequest_Ping{Ping: 1}})
	ann.next("pong", func(r *wire.SignalResponse) bool {
		if r.GetLeave() != nil {
			t.Fatal("a reload ended the call")
		}
		return r.GetPong() != 0 || r.GetPongResp() != nil
	})
	// Without the site its rooms end.
	b.engine.Install(Snapshot{Sites: []*config.Site{{Name: "b.example"}}})
	if l := ann.leave(); l.GetReason() != wire.DisconnectReason_ROOM_CLOSED || l.GetAction() != wire.LeaveRequest_DISCONNECT {
		t.Errorf("%v", l)
	}
	if m := host.until("the refusal", func(m message) bool { return m["type"] == "error" }); m["code"] != "not_host" {
		t.Errorf("%v", m)
	}
}

// TestMaxPeople: a site has a bound on the people in all its rooms together.
func TestMaxPeople(t *testing.T) {
	site := testSite()
	site.MaxPeople = 2
	b := newBench(t, Options{}, site)
	host := b.host()
	first := b.open(host)
	ann, bob := b.admit(host, first, "Ann"), b.admit(host, first, "Bob")
	b.enter(ann.text("token"))
	second := b.open(host)
	carl, dora := b.admit(host, second, "Carl"), b.admit(host, second, "Dora")
	b.enter(carl.text("token"))
	for name, token := range map[string]string{"the first room": bob.text("token"), "the second room": dora.text("token")} {
		if status, body := b.validate(token, b.own()); status != http.StatusForbidden || !strings.Contains(body, "full") {
			t.Errorf("a third one in %s: %d %s", name, status, body)
		}
	}
	// Who is in already may come back, and a wider bound lets others in.
	if status, body := b.validate(ann.text("token"), b.own()); status != http.StatusOK {
		t.Errorf("coming back: %d %s", status, body)
	}
	wider := *site
	wider.MaxPeople = 3
	b.mu.Lock()
	b.site = &wider
	b.mu.Unlock()
	b.engine.Install(Snapshot{Sites: []*config.Site{&wider}})
	if status, body := b.validate(dora.text("token"), b.own()); status != http.StatusOK {
		t.Errorf("after the bound was raised: %d %s", status, body)
	}
}

func TestServing(t *testing.T) {
	a, b, c := &config.Site{Name: "a"}, &config.Site{}, &config.Site{Name: "c"}
	d, e := new(config.Site), new(config.Site)
	for _, tc := range []struct {
		sites []*config.Site
		id    string
		want  int
	}{
		{[]*config.Site{a, b, c}, "a", 1}, {[]*config.Site{a, c}, "a", 1}, {[]*config.Site{a, b, b, c}, "host.example", 2},
		{[]*config.Site{a, c}, "host.example", 0}, {nil, "a", 0}, {[]*config.Site{b, d, e}, "d.example", 1},
	} {
		s := &Snapshot{Sites: tc.sites, Names: map[*config.Site][]string{d: {"d.example"}, e: {"e.example"}}}
		if got := s.serving(tc.id); len(got) != tc.want {
			t.Errorf("%q: %d sites", tc.id, len(got))
		}
	}
}

// A host name that led to a site, and leads to none now, is served no more.
func TestSucceeding(t *testing.T) {
	a, b, named := new(config.Site), new(config.Site), &config.Site{Name: "named"}
	for name, tc := range map[string]struct {
		before, now map[*config.Site][]string
		id          string
		want        int
	}{
		"stays":                   {map[*config.Site][]string{a: {"a"}}, map[*config.Site][]string{a: {"a"}, b: {"b"}}, "a", 1},
		"gone":                    {map[*config.Site][]string{a: {"a", "x"}}, map[*config.Site][]string{a: {"a"}, b: {"b"}}, "x", 0},
		"gone, but one takes any": {map[*config.Site][]string{a: {"a", "x"}}, map[*config.Site][]string{b: {"b"}}, "x", 1},
		"never led anywhere":      {map[*config.Site][]string{a: {"a"}}, map[*config.Site][]string{a: {"a"}, b: {"b"}}, "rewritten", 2},
		"has a name now":          {map[*config.Site][]string{a: {"named"}}, map[*config.Site][]string{a: {"a"}, b: {"b"}}, "named", 1},
	} {
		now := &Snapshot{Sites: []*config.Site{a, b, named}, Names: tc.now}
		if got := now.succeeding(&Snapshot{Names: tc.before}, tc.id); len(got) != tc.want {
			t.Errorf("%s: %d sites, want %d", name, len(got), tc.want)
		}
	}
}

func TestHostKey(t *testing.T) {
	b := newBench(t, Options{}, testSite())
	if _, err := b.engine.HostKey(siteID, "nobody"); !errors.Is(err, ErrUnknownHost) {
		t.Errorf("%v", err)
	}
	b.engine.Install(Snapshot{})
	if _, err := b.engine.HostKey(siteID, "muster"); !errors.Is(err, ErrUnknownHost) {
		t.Errorf("%v", err)
	}
}

func TestRoutes(t *testing.T) {
	b := newBench(t, Options{}, testSite())
	for path, mine := range map[string]bool{
		"/": false, "/host/": false, "/r/abc": false, "/api": false, "/apix": false, "/rtcx": false, "/embed.js": false, "/twirp/x": false,
		"/api/": true, "/api/v1/site": true, "/api/v9": true, "/rtc/v1": true, "/rtc/v1/validate": true, "/rtc": true, "/rtc/validate": true,
	} {
		if status, _, body := b.request(http.MethodGet, path, "", b.own()); (status != http.StatusTeapot) != mine {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	_, _, body := b.request(http.MethodGet, "/api/v1/site", "", nil)
	if !strings.Contains(body, `"version":"`+Version()+`"`) {
		t.Error(body)
	}
}

// TestRealPlane runs the engine on the media plane of package sfu.
func TestRealPlane(t *testing.T) {
	store := newMemoryStore()
	b := startBench(t, Options{Store: store}, testSite())
	host := b.host()
	o := b.open(host)
	c := b.enter(host.cmd("enter", message{"room": o.id}).text("token"))
	// An offer that is none is refused by the real peer, not swallowed.
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Offer{Offer: &wire.SessionDescription{Type: "offer", Sdp: "v=0", Id: 1}}})
	if l := c.leave(); l.GetAction() != wire.LeaveRequest_RECONNECT {
		t.Errorf("%v", l)
	}
	c.closed()
	_ = host.ws.CloseNow()
	if err := b.engine.Close(); err != nil {
		t.Error(err)
	}
	if err := b.engine.Close(); err != nil {
		t.Error(err)
	}
	if _, err := New(t.Context(), Options{Store: store, MediaPort: 70000}); err == nil || errors.Is(err, ErrKey) {
		t.Errorf("an impossible port: %v", err)
	}
}

// TestLogFollowsConfiguration: records go to the newest configuration's log,
// and nothing private is in them.
func TestLogFollowsConfiguration(t *testing.T) {
	var first, second bytes.Buffer
	l := newCurrentLog(slog.New(slog.NewTextHandler(&first, nil)))
	log := slog.New(l).With("a", 1).WithGroup("g")
	log.Info("one", "k", "v")
	l.use(slog.New(slog.NewTextHandler(&second, nil)))
	log.Info("two", "k", "v")
	l.use(nil)
	log.Error("three")
	if !strings.Contains(first.String(), "msg=one a=1 g.k=v") || strings.Contains(first.String(), "two") {
		t.Error(first.String())
	}
	if !strings.Contains(second.String(), "msg=two a=1 g.k=v") || strings.Contains(second.String(), "three") {
		t.Error(second.String())
	}
}

func TestNothingPrivateInLogs(t *testing.T) {
	var out bytes.Buffer
	b := newBench(t, Options{Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}, testSite())
	host := b.host()
	o := b.open(host)
	in := b.admit(host, o, "Canary Ann")
	c := b.enter(in.text("token"))
	host.cmd("remove", message{"room": o.id, "identity": in.text("identity")})
	c.leave()
	c.closed()
	b.connect(in.text("token"), b.own())
	host.cmd("end", message{"room": o.id})
	_ = host.ws.CloseNow()
	if err := b.engine.Close(); err != nil {
		t.Error(err)
	}
	for _, canary := range []string{"Canary", o.id, o.cap, o.grant, in.text("identity"), in.text("token"), "10.0.", "127.0.0.1"} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("the log holds %q:\n%s", canary, out.String())
		}
	}
}

// TestLateArrival: who slips in between the check and the join is sent away.
func TestLateArrival(t *testing.T) {
	b := newBench(t, Options{}, testSite())
	host := b.host()
	o := b.open(host)
	in := b.admit(host, o, "Ann")
	host.cmd("end", message{"room": o.id})
	conn := &deafConn{ended: make(chan struct{})}
	e := &entrance{b.engine.rooms, b.engine.desk, b.engine.maxPeople, b.engine.roomMost}
	if _, err := e.Join(t.Context(), room.Join{Key: ownKey(siteID, o.id), Identity: in.text("identity"), Permission: room.Permission{Subscribe: true}}, conn); err != nil {
		t.Fatal(err)
	}
	select {
	case <-conn.ended:
	case <-time.After(5 * time.Second):
		t.Fatal("stayed in a room that had ended")
	}
	if err := b.engine.desk.Admitted(siteID, o.id, in.text("identity")); !errors.Is(err, practice.ErrEnded) {
		t.Error(err)
	}
}

type deafConn struct{ ended chan struct{} }

func (c *deafConn) Send(room.Message) bool { return true }
func (c *deafConn) End()                   { close(c.ended) }

func TestPermissions(t *testing.T) {
	if p := permission(&token.Video{CanPublishSources: []string{"hologram"}}); p.Publish || len(p.Sources) != 0 {
		t.Errorf("%+v", p)
	}
	p := permission(&token.Video{CanPublishSources: []string{"screen_share", "camera", "microphone", "screen_share_audio"}})
	if !p.Publish || strings.Join(sourceNames(p.Sources), " ") != "camera microphone screen_share screen_share_audio" {
		t.Errorf("%+v", p)
	}
	if err := deskError(room.ErrBusy); err.Error() == "" || !errors.As(err, new(*practice.Error)) {
		t.Error(err)
	}
	boom := errors.New("boom")
	if !errors.Is(deskError(boom), boom) || deskError(nil) != nil {
		t.Error("errors are lost")
	}
}
