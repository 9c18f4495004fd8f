// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// TestRefusals runs every refusal against both endpoints: validation must say
// what the upgrade could not.
func TestRefusals(t *testing.T) {
	good := packJoin(t, joinRequest())
	old := joinRequest()
	old.ClientInfo.Protocol = 12
	bomb := wrapJoin(t, wire.WrappedJoinRequest_GZIP, squeeze(t, make([]byte, maxJoinRequest+1)))
	long := joinRequest()
	long.ParticipantSid = strings.Repeat("x", maxString+1)
	tests := []struct {
		name, token, join string
		admit             error
		status            int
		text              string
	}{
		{name: "no token", join: good, status: 401, text: "no access token"},
		{name: "bad token", token: "canary", join: good, status: 401, text: "invalid access token"},
		{name: "long token", token: strings.Repeat("x", maxToken+1), join: good, status: 401, text: "invalid access token"},
		{name: "incomplete token", token: "incomplete", join: good, status: 400, text: "names no identity"},
		{name: "no identity", token: "nameless", join: good, status: 400, text: "names no identity"},
		{name: "room must exist", token: "no-room", join: good, status: 404, text: "requested room does not exist"},
		{name: "admission: no room", token: ownToken, join: good, admit: fmt.Errorf("x: %w", ErrNoRoom), status: 404, text: "requested room does not exist"},
		{name: "admission: full", token: ownToken, join: good, admit: room.ErrFull, status: 403, text: "full"},
		{name: "admission: revoked", token: ownToken, join: good, admit: room.ErrRevoked, status: 403, text: "revoked"},
		{name: "admission: defect", token: ownToken, join: good, admit: errors.New("canary"), status: 500, text: "failed"},
		{name: "no join request", token: ownToken, status: 400, text: "missing"},
		{name: "bad join request", token: ownToken, join: "!", status: 400, text: "malformed"},
		{name: "old client", token: ownToken, join: packJoin(t, old), status: 400, text: "too old"},
		{name: "inflated too far", token: ownToken, join: bomb, status: 413, text: "too large"},
		{name: "string too long", token: ownToken, join: packJoin(t, long), status: 413, text: "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, func(l *lab) {
				if tt.admit != nil {
					l.call.Admit = func(Grant) error { return tt.admit }
				}
			})
			for _, res := range []*http.Response{
				refusedUpgrade(t, l, tt.token, tt.join), get(t, l.url("rtc/v1/validate", tt.token, tt.join), ownOrigin),
			} {
				text := body(t, res)
				if res.StatusCode != tt.status || !strings.Contains(text, tt.text) {
					t.Errorf("%d %q, want %d with %q", res.StatusCode, text, tt.status, tt.text)
				}
				if strings.Contains(text, "canary") {
					t.Errorf("the answer quotes the request: %q", text)
				}
				if res.Header.Get("Cache-Control") != "no-store" {
					t.Error("the answer may be cached")
				}
			}
			if got := l.srv.Stats(); got.Refused != 2 || got.Opened != 0 {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

func refusedUpgrade(t *testing.T, l *lab, token, join string) *http.Response {
	t.Helper()
	ws, res, err := l.dial(token, join, nil)
	if err == nil {
		_ = ws.CloseNow()
		t.Fatal("the upgrade was not refused")
	}
	if res == nil {
		t.Fatal(err)
	}
	return res
}

func get(t *testing.T, url, origin string) *http.Response {
	t.Helper()
	return do(t, http.MethodGet, url, http.Header{"Origin": {origin}})
}

func do(t *testing.T, method, url string, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		if values[0] != "" {
			req.Header[name] = values
		}
	}
	tr := &http.Transport{DisableKeepAlives: true}
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestOrigins(t *testing.T) {
	join := packJoin(t, joinRequest())
	tests := []struct {
		token, origin, site string
		connect, validate   bool
		cors                string
	}{
		{token: ownToken, origin: ownOrigin, connect: true, validate: true},
		{token: ownToken, origin: "HTTPS://Praxis.Example", connect: true, validate: true},
		{token: ownToken, origin: "https://praxis.example.evil.example"},
		{token: ownToken, origin: "https://evil.example"},
		{token: ownToken, origin: "http://praxis.example"},
		{token: ownToken, origin: "https://praxis.example:8443"},
		{token: ownToken, origin: "null"},
		{token: ownToken, origin: "", validate: true},
		{token: ownToken, origin: "", site: "same-origin", validate: true},
		{token: ownToken, origin: "", site: "cross-site"},
		{token: ownToken, origin: "", site: "same-site"},
		{token: keyToken, origin: ownOrigin, connect: true, validate: true},
		{token: keyToken, origin: "https://moodle.example", connect: true, validate: true, cors: "*"},
		{token: keyToken, origin: "null", connect: true, validate: true, cors: "*"},
		{token: keyToken, origin: "", connect: true, validate: true},
	}
	l := newLab(t, nil)
	for _, tt := range tests {
		header := http.Header{"Origin": {tt.origin}, "Sec-Fetch-Site": {tt.site}}
		res := do(t, http.MethodGet, l.url("rtc/v1/validate", tt.token, join), header)
		if ok := res.StatusCode == 200; ok != tt.validate || res.StatusCode != 200 && res.StatusCode != 403 {
			t.Errorf("validate %q %q: %d", tt.token, tt.origin, res.StatusCode)
		}
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != tt.cors {
			t.Errorf("validate %q %q: CORS %q, want %q", tt.token, tt.origin, got, tt.cors)
		}
		if tt.origin == "" {
			header = http.Header{}
		}
		ws, res, err := l.dial(tt.token, join, header)
		if (err == nil) != tt.connect || err != nil && (res == nil || res.StatusCode != 403) {
			t.Errorf("connect %q %q: %v", tt.token, tt.origin, err)
		}
		if err == nil {
			_ = ws.CloseNow()
		}
	}
	// A page elsewhere must be able to read that its token is bad.
	res := get(t, l.url("rtc/v1/validate", "bad", join), "https://moodle.example")
	if res.StatusCode != 401 || res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d, CORS %q", res.StatusCode, res.Header.Get("Access-Control-Allow-Origin"))
	}
}

func TestSiteWithoutOriginTrustsNoPage(t *testing.T) {
	l := newLab(t, func(l *lab) { l.call.Origin = "" })
	_, res, err := l.dial(ownToken, packJoin(t, joinRequest()), http.Header{})
	if err == nil || res.StatusCode != 403 {
		t.Fatalf("%v", err)
	}
}

func TestRoutes(t *testing.T) {
	l := newLab(t, nil)
	join := packJoin(t, joinRequest())
	tests := []struct {
		method, path, origin string
		status               int
		text, cors           string
	}{
		{"GET", "rtc", ownOrigin, 426, "WebSocket", ""},
		{"POST", "rtc", ownOrigin, 405, "GET", ""},
		{"HEAD", "rtc/validate", ownOrigin, 200, "", ""},
		{"GET", "rtc/validate", ownOrigin, 200, "success", ""},
		{"GET", "rtc/validate/", "", 418, "", ""},
		{"GET", "rtc/v2", "", 418, "", ""},
		{"GET", "rtc/v1/", "", 418, "", ""},
		{"GET", "", "", 418, "", ""},
		{"HEAD", "", ownOrigin, 418, "", ""},
		{"HEAD", "", "https://moodle.example", 200, "", "*"},
		{"GET", "", "https://moodle.example", 418, "", ""},
		{"GET", "rtc/v1", ownOrigin, 426, "WebSocket", ""},
		{"POST", "rtc/v1", ownOrigin, 405, "GET", ""},
		{"POST", "rtc/v1/validate", ownOrigin, 405, "GET", ""},
		{"HEAD", "rtc/v1/validate", ownOrigin, 200, "", ""},
		{"GET", "rtc/v1/validate", ownOrigin, 200, "success", ""},
	}
	for _, tt := range tests {
		res := do(t, tt.method, l.url(tt.path, ownToken, join), http.Header{"Origin": {tt.origin}})
		if text := body(t, res); res.StatusCode != tt.status || !strings.Contains(text, tt.text) {
			t.Errorf("%s %q: %d %q", tt.method, tt.path, res.StatusCode, text)
		} else if strings.Contains(text, "requested room does not exist") {
			t.Errorf("%s %q says that the room does not exist", tt.method, tt.path)
		}
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != tt.cors {
			t.Errorf("%s %q: CORS %q, want %q", tt.method, tt.path, got, tt.cors)
		}
	}
}

func TestBearerToken(t *testing.T) {
	l := newLab(t, nil)
	ws, _, err := l.dial("", packJoin(t, joinRequest()), http.Header{"Authorization": {"bearer " + keyToken}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if j := l.rooms.joins[0]; j.Key.Realm != "devkey" {
		t.Errorf("joined %+v", j.Key)
	}
}

func TestBadTokensRunOut(t *testing.T) {
	l := newLab(t, nil)
	join := packJoin(t, joinRequest())
	for i := range failuresPerMinute + 2 {
		want := 401
		if i >= failuresPerMinute {
			want = 429
		}
		if res := get(t, l.url("rtc/v1/validate", "bad", join), ownOrigin); res.StatusCode != want {
			t.Fatalf("attempt %d: %d, want %d", i, res.StatusCode, want)
		}
	}
	if res := get(t, l.url("rtc/v1/validate", ownToken, join), ownOrigin); res.StatusCode != 200 {
		t.Errorf("a good token from the same address: %d", res.StatusCode)
	}
}

// TestRoomErrors maps each error of a room to what the client is told.
func TestRoomErrors(t *testing.T) {
	tests := []struct {
		err    error
		status int
		leave  *wire.LeaveRequest
	}{
		{err: room.ErrFull, leave: &wire.LeaveRequest{Reason: wire.DisconnectReason_JOIN_FAILURE}},
		{err: room.ErrRevoked, leave: &wire.LeaveRequest{Reason: wire.DisconnectReason_PARTICIPANT_REMOVED}},
		{err: room.ErrUnknownParticipant, leave: &wire.LeaveRequest{
			Reason: wire.DisconnectReason_STATE_MISMATCH, Action: wire.LeaveRequest_RECONNECT, CanReconnect: true,
		}},
		{err: room.ErrClosing, status: 503},
		{err: room.ErrBusy, status: 503},
		{err: room.ErrBadJoin, status: 400},
		{err: errors.New("else"), status: 500},
	}
	for _, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			l := newLab(t, func(l *lab) { l.rooms.err = fmt.Errorf("joining: %w", tt.err) })
			m := joinRequest()
			m.Reconnect, m.ParticipantSid = true, "PA_1"
			ws, res, err := l.dial(ownToken, packJoin(t, m), nil)
			if tt.leave == nil {
				if err == nil || res.StatusCode != tt.status {
					t.Fatalf("%v, want status %d", err, tt.status)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v := &visitor{t: t, ws: ws}
			got := v.read().GetLeave()
			if got.GetReason() != tt.leave.Reason || got.GetAction() != tt.leave.Action || got.GetCanReconnect() != tt.leave.CanReconnect {
				t.Errorf("told %v, want %v", got, tt.leave)
			}
			if code := v.closed(); code != websocket.StatusNormalClosure {
				t.Errorf("closed with %d", code)
			}
		})
	}
}

func TestOwnWordsNeedPermission(t *testing.T) {
	m := joinRequest()
	m.Metadata, m.ParticipantAttributes = "from client", map[string]string{"role": "admin", "lang": "de"}
	for allowed, want := range map[bool]string{
		false: "from token map[role:host]",
		true:  "from client map[lang:de role:admin]",
	} {
		l := newLab(t, func(l *lab) {
			l.call.Tokens = fakeTokens{permission: room.Permission{UpdateMetadata: allowed}}
		})
		l.connect(m)
		j := l.rooms.joins[0]
		if got := fmt.Sprintf("%s %v", j.Metadata, j.Attributes); got != want {
			t.Errorf("allowed %t: %s, want %s", allowed, got, want)
		}
	}
}

// TestHandshakeFailsAfterJoin sends what the library refuses.
func TestHandshakeFailsAfterJoin(t *testing.T) {
	l := newLab(t, nil)
	res := do(t, http.MethodGet, l.url("rtc/v1", ownToken, packJoin(t, joinRequest())), http.Header{
		"Origin": {ownOrigin}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
	})
	if res.StatusCode != 400 {
		t.Errorf("status %d", res.StatusCode)
	}
	s := <-l.rooms.arrived
	if _, ok := s.next(t).(room.Bye); !ok {
		t.Error("the room was not told")
	}
	s.waitDetached(t)
	if n := l.srv.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestClosingServerTakesNobody(t *testing.T) {
	l := newLab(t, nil)
	if err := l.srv.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	res := refusedUpgrade(t, l, ownToken, packJoin(t, joinRequest()))
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("status %d", res.StatusCode)
	}
	if len(l.rooms.joins) != 0 {
		t.Error("the room was asked")
	}
}

// TestCloseEndsWaitingJoin closes while a room does not answer.
func TestCloseEndsWaitingJoin(t *testing.T) {
	l := newLab(t, func(l *lab) { l.rooms.block = make(chan struct{}) })
	done := make(chan int)
	go func() { // ends with the refusal below
		_, res, err := l.dial(ownToken, packJoin(t, joinRequest()), nil)
		if err == nil || res == nil {
			done <- 0
			return
		}
		done <- res.StatusCode
	}()
	eventually(t, "a session", func() bool { return l.srv.Stats().Sessions == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := l.srv.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	if status := <-done; status != 503 {
		t.Errorf("status %d", status)
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	_, err := verify(fakeTokens{}, "canary")
	if !errors.Is(err, ErrToken) || strings.Contains(err.Error(), "canary") {
		t.Errorf("verify: %v", err)
	}
	for _, raw := range []string{"canary!", "Y2FuYXJ5"} {
		if _, err := parseJoin(raw); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("parseJoin: %v", err)
		}
	}
	if _, err := parseRequest(websocket.MessageText, []byte(`{"offer":{"sdp":canary}}`)); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("parseRequest: %v", err)
	}
}
