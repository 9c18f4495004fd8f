// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/coder/websocket"
)

// hostSocket is a host's dashboard connection.
type hostSocket struct {
	t    *testing.T
	conn *websocket.Conn
}

// signIn signs a host in beneath base and opens the dashboard connection.
func (l *lab) signIn(base, ask string, edit ...func(*http.Request)) *hostSocket {
	l.t.Helper()
	origin := fmt.Sprintf("http://localhost:%d", l.http)
	resp, text := l.do(http.MethodPost, base+"/api/v1/host/session", append(edit, body(ask), header("Origin", origin))...)
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(text), &session); err != nil || session.Token == "" {
		l.t.Fatalf("session = %d %s", resp.StatusCode, text)
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer cancel()
	url := strings.Replace(base, "http://localhost:HTTP", fmt.Sprintf("ws://localhost:%d", l.http), 1) + "/api/v1/host"
	// No name and password here: browsers need not send them with a WebSocket.
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: l.client.Transport}, HTTPHeader: http.Header{"Origin": {origin}},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = conn.CloseNow() })
	h := &hostSocket{l.t, conn}
	h.send(fmt.Sprintf(`{"type":"hello","token":%q,"rooms":[]}`, session.Token))
	h.await(`"type":"state"`)
	return h
}

func (h *hostSocket) send(text string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	if err := h.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		h.t.Fatal(err)
	}
}

// await reads until a frame holds the text.
func (h *hostSocket) await(text string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, frame, err := h.conn.Read(ctx)
		if err != nil {
			h.t.Fatalf("waiting for %s: %v", text, err)
		}
		if strings.Contains(string(frame), text) {
			return
		}
	}
}

// awaitClose reads until the server closes the socket and returns the code.
func (h *hostSocket) awaitClose() websocket.StatusCode {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), drainTime)
	defer cancel()
	for {
		if _, _, err := h.conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// TestSocketsOutliveReloads: a host behind basic_auth has a room open while
// the configuration changes under it.
func TestSocketsOutliveReloads(t *testing.T) {
	l := newLab(t)
	site := func(practice string) string {
		return `http://localhost:HTTP {
	log {
		output file DIR/access.log
	}
	@host path /video/host/* /video/api/v1/host/session
	basic_auth @host {
		muster ` + basicAuth + `
	}
	videoroom {
		practice "` + practice + `"
		host muster {
			identity {http.auth.user.id}
		}
	}
}
`
	}
	l.load(site("A"))
	h := l.signIn("http://localhost:HTTP/video", "{}", func(r *http.Request) { r.SetBasicAuth("muster", "demo") })
	h.send(`{"type":"cmd","id":1,"do":"open_room"}`)
	h.await(`"opened_at"`)
	for _, practice := range []string{"B", "C", "D"} {
		if err := caddy.Load(l.adapt(site(practice)), true); err != nil {
			t.Fatal(err)
		}
		h.send(`{"type":"ping"}`)
		h.await(`"pong"`)
	}
	if got := runningEngine().engine.Stats(); got.Open != 1 || got.Hosts != 1 {
		t.Errorf("after reloads there are %d open rooms and %d hosts, want one of each", got.Open, got.Hosts)
	}
	// The end of the last configuration that needs the engine tells them.
	if err := caddy.Load([]byte(`{"admin":{"disabled":true}}`), true); err != nil {
		t.Fatal(err)
	}
	if code := h.awaitClose(); code != websocket.StatusServiceRestart {
		t.Errorf("the socket was closed with %v, want 1012", code)
	}
}
