// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ownToken  = "own.secret-token-canary"
	keyToken  = "key.secret-token-canary"
	ownOrigin = "https://praxis.example"
	patience  = 20 * time.Second
)

// lab is a server with fake rooms behind a real HTTP server.
type lab struct {
	t     *testing.T
	srv   *Server
	rooms *fakeRooms
	http  *httptest.Server
	call  Call
	mu    sync.Mutex
	log   *bytes.Buffer
}

// newLab starts a server; change may adapt it before the first request.
func newLab(t *testing.T, change func(*lab)) *lab {
	t.Helper()
	l := &lab{t: t, rooms: newFakeRooms(), log: new(bytes.Buffer)}
	l.srv = New(Options{
		Rooms: l.rooms,
		Node:  "ND_test",
		Log:   slog.New(slog.NewTextHandler(lockedWriter{l}, nil)),
	})
	l.call = Call{
		Origin:  ownOrigin,
		Tokens:  fakeTokens{},
		Reached: netip.MustParseAddr("192.0.2.1"),
		Client:  netip.MustParseAddr("198.51.100.7"),
	}
	if change != nil {
		change(l)
	}
	l.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := l.call
		c.Path = strings.TrimPrefix(r.URL.Path, "/")
		if !l.srv.Serve(w, r, c) {
			http.Error(w, "not signaling's", http.StatusTeapot)
		}
	}))
	t.Cleanup(l.close)
	return l
}

type lockedWriter struct{ l *lab }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	return w.l.log.Write(p)
}

func (l *lab) logged() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.String()
}

func (l *lab) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_ = l.srv.Close(ctx)
	l.http.Close()
	if n := l.srv.Stats().Sessions; n != 0 {
		l.t.Errorf("%d sessions left after Close", n)
	}
	if log := l.logged(); strings.Contains(log, "canary") {
		l.t.Errorf("a token reached the log: %s", log)
	}
}

// joinRequest is what livekit-client sends by default, without offer.
func joinRequest() *wire.JoinRequest {
	return &wire.JoinRequest{
		ClientInfo:         &wire.ClientInfo{Sdk: wire.ClientInfo_JS, Protocol: 17, ClientProtocol: 2},
		ConnectionSettings: &wire.ConnectionSettings{AutoSubscribe: true, AdaptiveStream: true},
	}
}

func packJoin(t testing.TB, m *wire.JoinRequest) string {
	t.Helper()
	plain, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return wrapJoin(t, wire.WrappedJoinRequest_GZIP, squeeze(t, plain))
}

func squeeze(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func wrapJoin(t testing.TB, c wire.WrappedJoinRequest_Compression, body []byte) string {
	t.Helper()
	b, err := proto.Marshal(&wire.WrappedJoinRequest{Compression: c, JoinRequest: body})
	if err != nil {
		t.Fatal(err)
	}
	return base64.URLEncoding.EncodeToString(b)
}

func (l *lab) url(path, token, join string) string {
	q := url.Values{}
	if token != "" {
		q.Set("access_token", token)
	}
	if join != "" {
		q.Set("join_request", join)
	}
	return l.http.URL + "/" + path + "?" + q.Encode()
}

// dial opens a WebSocket; res is the refusal when it fails.
func (l *lab) dial(token, join string, header http.Header) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if header == nil {
		header = http.Header{"Origin": {ownOrigin}}
	}
	return websocket.Dial(ctx, l.url("rtc/v1", token, join), &websocket.DialOptions{HTTPHeader: header})
}

// dialQuery opens a WebSocket at version 0's address.
func (l *lab) dialQuery(q url.Values) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return websocket.Dial(ctx, l.http.URL+"/rtc?"+q.Encode(), &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {ownOrigin}}})
}

// visitor is one connected client and the room's side of it.
type visitor struct {
	t    *testing.T
	ws   *websocket.Conn
	room *fakeSession
}

func (l *lab) connect(m *wire.JoinRequest) *visitor {
	l.t.Helper()
	ws, _, err := l.dial(ownToken, packJoin(l.t, m), nil)
	return l.connected(ws, err)
}

// connected waits until the room has heard of a connection.
func (l *lab) connected(ws *websocket.Conn, err error) *visitor {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
	ws.SetReadLimit(4 << 20)
	l.t.Cleanup(func() { _ = ws.CloseNow() })
	c := &visitor{t: l.t, ws: ws}
	select {
	case c.room = <-l.rooms.arrived:
	case <-time.After(patience):
		l.t.Fatal("the join did not reach the room")
	}
	return c
}

// enter connects and reads the first message.
func (l *lab) enter() *visitor {
	l.t.Helper()
	c := l.connect(joinRequest())
	if c.read().GetJoin() == nil {
		l.t.Fatal("the first message is not join")
	}
	return c
}

func (c *visitor) write(kind websocket.MessageType, data []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.ws.Write(ctx, kind, data)
}

func (c *visitor) send(m *wire.SignalRequest) {
	c.t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.write(websocket.MessageBinary, b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *visitor) read() *wire.SignalResponse {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kind, b, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != websocket.MessageBinary {
		c.t.Fatalf("frame of type %v", kind)
	}
	m := new(wire.SignalResponse)
	if err := (proto.UnmarshalOptions{}).Unmarshal(b, m); err != nil {
		c.t.Fatal(err)
	}
	return m
}

// closed reads until the server closes and returns its code.
func (c *visitor) closed() websocket.StatusCode {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for {
		if _, _, err := c.ws.Read(ctx); err != nil {
			if ctx.Err() != nil {
				c.t.Fatal("the server did not close the connection")
			}
			return websocket.CloseStatus(err)
		}
	}
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return string(b)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("never: " + what)
}
