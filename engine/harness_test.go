// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/sfu"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// The file storage keeps each lock fresh for some seconds after its release.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"))
}

// fakeMedia is a media plane that carries nothing.
type fakeMedia struct{ closed atomic.Bool }

func newFakeMedia() *fakeMedia { return new(fakeMedia) }

func (*fakeMedia) NewRoom(sfu.RoomEvents) room.MediaRoom { return fakeRoom{} }
func (*fakeMedia) Stats() sfu.Stats                      { return sfu.Stats{PacketsIn: 1, PacketsOut: 2, Dropped: 3} }
func (m *fakeMedia) Close() error                        { m.closed.Store(true); return nil }

type fakeRoom struct{}

func (fakeRoom) NewPeer(sfu.PeerConfig, sfu.PeerEvents) (room.Peer, error) { return fakePeer{}, nil }
func (fakeRoom) Close()                                                    {}

type fakePeer struct{}

func (fakePeer) Publish(sfu.TrackSpec) error         { return nil }
func (fakePeer) Unpublish(string)                    {}
func (fakePeer) Mute(string, bool)                   {}
func (fakePeer) Subscribe(string, string) error      { return nil }
func (fakePeer) Unsubscribe(string)                  {}
func (fakePeer) Settings(string, sfu.Settings)       {}
func (fakePeer) Limit(uint32)                        {}
func (fakePeer) Report(tell func(sfu.Report))        { tell(sfu.Report{Route: sfu.RouteUDP}) }
func (fakePeer) Need() (int, int, bool)              { return 0, 0, false }
func (fakePeer) Propose(bool) (sfu.Proposal, bool)   { return sfu.Proposal{}, false }
func (fakePeer) Accept(string) (sfu.Answer, error)   { return sfu.Answer{}, sfu.ErrBadAnswer }
func (fakePeer) SendData(sfu.DataKind, []byte) error { return nil }
func (fakePeer) Close()                              {}

// Offer finds every announced track of the test in the offer, whose text is
// the tracks' sids.
func (fakePeer) Offer(sdp string) (sfu.Answer, error) {
	a := sfu.Answer{SDP: "answer", MidToTrack: map[string]string{}}
	for i, sid := range strings.Fields(sdp) {
		mime := "audio/opus"
		a.Published = append(a.Published, sfu.Published{SID: sid, Mid: fmt.Sprint(i), Mime: mime})
	}
	return a, nil
}

const siteID = "a.example"

type bench struct {
	t      *testing.T
	engine *Engine
	http   *httptest.Server

	mu    sync.Mutex
	site  *config.Site
	id    string
	calls int
	// inside are the connections of who came in a crowd.
	inside []*websocket.Conn
}

func testSite() *config.Site {
	s := &config.Site{Practice: "Praxis", E2EE: config.Off, Hosts: []config.Host{{ID: "muster", Name: "Dr. Muster"}}}
	s.SetDefaults()
	return s
}

func newBench(t *testing.T, o Options, site *config.Site) *bench {
	t.Helper()
	if o.Store == nil {
		o.Store = newMemoryStore()
	}
	if o.Media == nil {
		o.Media = newFakeMedia()
	}
	return startBench(t, o, site)
}

func startBench(t *testing.T, o Options, site *config.Site) *bench {
	t.Helper()
	e, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, engine: e, site: site, id: siteID}
	e.Install(Snapshot{Sites: []*config.Site{site}, Log: o.Log})
	b.http = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		b.http.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return b
}

// serve plays Caddy.
func (b *bench) serve(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.calls++ // every request from another address: limits are tested elsewhere
	c := Call{
		Site: b.site, SiteID: b.id, Path: strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/video"), "/"), Origin: b.http.URL,
		Client: netip.AddrFrom4([4]byte{10, 0, byte(b.calls >> 8), byte(b.calls)}), Reached: netip.MustParseAddr("127.0.0.1"),
	}
	b.mu.Unlock()
	if !b.engine.Serve(w, r, c) {
		http.Error(w, "not the engine's", http.StatusTeapot)
	}
}

func (b *bench) request(method, path, body string, h http.Header) (int, http.Header, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.http.URL+"/video"+path, strings.NewReader(body))
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

func (b *bench) own() http.Header { return http.Header{"Origin": {b.http.URL}} }

type message map[string]any

func (m message) text(name string) string { s, _ := m[name].(string); return s }

// jsonSocket is a socket of the admission interface.
type jsonSocket struct {
	t  *testing.T
	ws *websocket.Conn
}

func (b *bench) dial(path string, first message) *jsonSocket {
	b.t.Helper()
	ws, _, err := websocket.Dial(b.t.Context(), b.http.URL+"/video/"+path, &websocket.DialOptions{HTTPHeader: b.own()})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	s := &jsonSocket{b.t, ws}
	s.send(first)
	return s
}

func (s *jsonSocket) send(m message) {
	s.t.Helper()
	text, _ := json.Marshal(m)
	if err := s.ws.Write(s.t.Context(), websocket.MessageText, text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *jsonSocket) read() (message, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := s.ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	var m message
	return m, json.Unmarshal(text, &m)
}

func (s *jsonSocket) until(what string, ok func(message) bool) message {
	s.t.Helper()
	for {
		m, err := s.read()
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok(m) {
			return m
		}
		if m["type"] == "error" {
			s.t.Fatalf("waiting for %s: %v", what, m)
		}
	}
}

func (s *jsonSocket) next(kind string) message {
	s.t.Helper()
	return s.until(kind, func(m message) bool { return m["type"] == kind })
}

func (s *jsonSocket) cmd(do string, args message) message {
	s.t.Helper()
	m := message{"type": "cmd", "id": 1, "do": do}
	for k, v := range args {
		m[k] = v
	}
	s.send(m)
	r := s.next("result")
	if r["ok"] != true {
		s.t.Fatalf("%s: %v", do, r)
	}
	return r
}

// list finds a list of a room in a state.
func (m message) list(roomID, name string) (out []message) {
	rooms, _ := m["rooms"].([]any)
	for _, r := range rooms {
		if r, ok := r.(map[string]any); ok && r["id"] == roomID {
			l, _ := r[name].([]any)
			for _, e := range l {
				out = append(out, e.(map[string]any))
			}
		}
	}
	return out
}

func (s *jsonSocket) state(what string, ok func(message) bool) message {
	s.t.Helper()
	return s.until(what, func(m message) bool { return m["type"] == "state" && ok(m) })
}

// host signs in with the private link.
func (b *bench) host(grants ...string) *jsonSocket {
	b.t.Helper()
	key, err := b.engine.HostKey(b.id, "muster")
	if err != nil {
		b.t.Fatal(err)
	}
	status, _, body := b.request(http.MethodPost, "/api/v1/host/session", fmt.Sprintf(`{"key":%q}`, key), b.own())
	var in struct{ Token string }
	if err := json.Unmarshal([]byte(body), &in); err != nil || status != 200 {
		b.t.Fatalf("%d %s", status, body)
	}
	return b.dial("api/v1/host", message{"type": "hello", "token": in.Token, "rooms": append([]string{}, grants...)})
}

// opened is a room with its link.
type opened struct{ id, cap, grant string }

func (b *bench) open(host *jsonSocket) opened {
	b.t.Helper()
	return b.opened(host, nil)
}

// opened opens a room, or the standing one that args name.
func (b *bench) opened(host *jsonSocket, args message) opened {
	b.t.Helper()
	id := host.cmd("open_room", args).text("room")
	var o opened
	host.state("the room", func(m message) bool {
		rooms, _ := m["rooms"].([]any)
		for _, r := range rooms {
			if r := message(r.(map[string]any)); r["id"] == id {
				_, link, _ := strings.Cut(r.text("link"), "#s=")
				o = opened{id, link, r.text("grant")}
			}
		}
		return o.id != ""
	})
	return o
}

// admit lets a visitor through the waiting room and returns the answer.
func (b *bench) admit(host *jsonSocket, o opened, name string) message {
	b.t.Helper()
	visitor := b.dial("api/v1/knock", message{"type": "knock", "room": o.id, "cap": o.cap, "name": name})
	visitor.next("waiting")
	s := host.state("the visitor", func(m message) bool { return len(m.list(o.id, "waiting")) == 1 })
	host.cmd("admit", message{"room": o.id, "knock": s.list(o.id, "waiting")[0].text("id")})
	in := visitor.next("admitted")
	if m, err := visitor.read(); err == nil { // answers the farewell, as browsers do
		b.t.Errorf("after the admission came %v", m)
	}
	return in
}

// mediaClient speaks the signaling protocol.
type mediaClient struct {
	t    *testing.T
	ws   *websocket.Conn
	join *wire.JoinResponse
}

func rtcQuery(jwt string) string {
	inner, _ := proto.Marshal(&wire.JoinRequest{
		ClientInfo:         &wire.ClientInfo{Sdk: wire.ClientInfo_JS, Protocol: 17, ClientProtocol: 2},
		ConnectionSettings: &wire.ConnectionSettings{AutoSubscribe: true},
	})
	packed, _ := proto.Marshal(&wire.WrappedJoinRequest{JoinRequest: inner})
	return "?" + url.Values{
		"access_token": {jwt}, "join_request": {base64.URLEncoding.EncodeToString(packed)},
	}.Encode()
}

func (b *bench) connect(jwt string, h http.Header) (*mediaClient, int) {
	b.t.Helper()
	ws, resp, err := websocket.Dial(b.t.Context(), b.http.URL+"/video/rtc/v1"+rtcQuery(jwt), &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		if resp == nil {
			b.t.Fatal(err)
		}
		return nil, resp.StatusCode
	}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(1 << 20)
	return &mediaClient{t: b.t, ws: ws}, 101
}

// enter joins and expects to be let in.
func (b *bench) enter(jwt string) *mediaClient {
	b.t.Helper()
	c, status := b.connect(jwt, b.own())
	if status != 101 {
		b.t.Fatalf("joining: %d", status)
	}
	c.join = c.next("join", func(r *wire.SignalResponse) bool { return r.GetJoin() != nil }).GetJoin()
	return c
}

func (b *bench) validate(jwt string, h http.Header) (int, string) {
	b.t.Helper()
	status, _, body := b.request(http.MethodGet, "/rtc/v1/validate"+rtcQuery(jwt), "", h)
	return status, body
}

func (c *mediaClient) read() (*wire.SignalResponse, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, frame, err := c.ws.Read(ctx)
	if err != nil {
		return nil, err
	}
	r := new(wire.SignalResponse)
	return r, proto.Unmarshal(frame, r)
}

func (c *mediaClient) next(what string, ok func(*wire.SignalResponse) bool) *wire.SignalResponse {
	c.t.Helper()
	for {
		r, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok(r) {
			return r
		}
	}
}

func (c *mediaClient) leave() *wire.LeaveRequest {
	c.t.Helper()
	return c.next("leave", func(r *wire.SignalResponse) bool { return r.GetLeave() != nil }).GetLeave()
}

func (c *mediaClient) closed() websocket.StatusCode {
	for {
		if _, err := c.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

func (c *mediaClient) refreshed() string {
	c.t.Helper()
	return c.next("token", func(r *wire.SignalResponse) bool { return r.GetRefreshToken() != "" }).GetRefreshToken()
}

func (c *mediaClient) send(r *wire.SignalRequest) {
	c.t.Helper()
	frame, err := proto.Marshal(r)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.ws.Write(c.t.Context(), websocket.MessageBinary, frame); err != nil {
		c.t.Fatal(err)
	}
}

// publish announces a microphone or camera and offers it.
func (c *mediaClient) publish(cid string, kind wire.TrackType, source wire.TrackSource) string {
	c.t.Helper()
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_AddTrack{AddTrack: &wire.AddTrackRequest{Cid: cid, Type: kind, Source: source}}})
	sid := c.next("publication", func(r *wire.SignalResponse) bool { return r.GetTrackPublished() != nil }).GetTrackPublished().GetTrack().GetSid()
	c.send(&wire.SignalRequest{Message: &wire.SignalRequest_Offer{Offer: &wire.SessionDescription{Type: "offer", Sdp: sid, Id: 1}}})
	return sid
}
