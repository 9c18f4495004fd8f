// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/room"
)

// connectionOfTwo is a call in which a picture is paused.
func connectionOfTwo() room.Connection {
	var c room.Connection
	c.Route, c.RTT, c.Capacity, c.Limit = "relay", 41500*time.Microsecond, 900_000, 500_000
	c.Up.Loss, c.Up.Jitter, c.Down.Loss = 0.25, 3*time.Millisecond, 0.125
	c.Sent = slices.Grow(c.Sent, 1)[:1]
	c.Sent[0].SID, c.Sent[0].Bytes, c.Sent[0].Layers, c.Sent[0].Layer = "TR_own", 1000, 3, -1
	c.Received = slices.Grow(c.Received, 3)[:3]
	for i, sid := range []string{"TR_screen", "TR_cam", "TR_gone"} {
		t := &c.Received[i]
		t.SID, t.Bytes, t.Layer, t.Layers = sid, uint64(100*i), 1, 2
		t.Width, t.Height = 640, 360
	}
	c.Received[0].Layer, c.Received[0].Halted, c.Received[0].Width, c.Received[0].Height = -1, "line", 0, 0
	c.Tracks = map[string]room.TrackOwner{
		"TR_cam": {Identity: "ann", Source: room.SourceCamera}, "TR_screen": {Identity: "bob", Source: room.SourceScreen},
	}
	return c
}

func (l *lab) askConnection(method, body, origin string) *http.Response {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.http.URL+"/rtc/v1/connection", strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	// Only on a connection that is kept does a server read what it has refused, before
	// it answers; else the answer may be lost.
	tr := new(http.Transport)
	l.t.Cleanup(tr.CloseIdleConnections)
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	return res
}

func TestConnectionReport(t *testing.T) {
	l := newLab(t, nil)
	l.rooms.media = connectionOfTwo()
	res := l.askConnection(http.MethodPost, `{"token":"`+ownToken+`"}`, ownOrigin)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"route":"relay","rtt_ms":41.5,"up":{"loss":0.25,"jitter_ms":3},"down":{"loss":0.125,"jitter_ms":0},` +
		`"capacity":900000,"limit":500000,"sent":[{"sid":"TR_own","bytes":1000,"loss":0,"layers":3}],"received":[` +
		`{"sid":"TR_cam","identity":"ann","source":"camera","bytes":100,"loss":0,"layer":1,"layers":2,"width":640,"height":360},` +
		`{"sid":"TR_screen","identity":"bob","source":"screen","bytes":0,"loss":0,"layers":2,"halted":"line"}]}` + "\n"
	if string(body) != want || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v\n got %s\nwant %s", res.Header, body, want)
	}
	asked := room.Resume{
		Key: room.Key{Site: "praxis.example", Name: "consultation"}, Identity: "host", TokenID: "jti-1", IssuedAt: time.Unix(1_700_000_000, 0),
	}
	if len(l.rooms.asked) != 1 || l.rooms.asked[0] != asked {
		t.Errorf("the room was asked %+v", l.rooms.asked)
	}
}

func TestConnectionReportIsForItsOwner(t *testing.T) {
	const own = `{"token":"` + ownToken + `"}`
	for _, tt := range []struct {
		name, method, body, origin string
		err                        error
		want                       int
	}{
		{"nothing", "POST", "", ownOrigin, nil, 401},
		{"no token", "POST", "{}", ownOrigin, nil, 401},
		{"no JSON", "POST", ownToken, ownOrigin, nil, 401},
		{"far too much", "POST", `{"token":"` + strings.Repeat("a", 64<<10) + `"}`, ownOrigin, nil, 401},
		{"a bad one", "POST", `{"token":"bad"}`, ownOrigin, nil, 401},
		{"another page", "POST", own, "https://evil.example", nil, 403},
		{"other software", "POST", `{"token":"` + keyToken + `"}`, "", nil, 200},
		{"no origin", "POST", own, "", nil, 403},
		{"a wrong method", "GET", ownToken, ownOrigin, nil, 405},
		{"not in the room", "POST", own, ownOrigin, room.ErrUnknownParticipant, 409},
		{"removed", "POST", own, ownOrigin, room.ErrRevoked, 403},
		{"too often", "POST", own, ownOrigin, room.ErrBusy, 429},
		{"no answer", "POST", own, ownOrigin, errors.New("deadline"), 500},
	} {
		l := newLab(t, nil)
		if tt.err != nil {
			l.rooms.err = fmt.Errorf("describing: %w", tt.err)
		}
		res := l.askConnection(tt.method, tt.body, tt.origin)
		_ = res.Body.Close()
		if res.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, res.StatusCode, tt.want)
		}
		if tt.want/100 != 2 && tt.err == nil && len(l.rooms.asked) != 0 {
			t.Errorf("%s: the room was asked", tt.name)
		}
	}
}

// TestConnectionReportsAreNoSearch: guessing tokens here is limited as everywhere.
func TestConnectionReportsAreNoSearch(t *testing.T) {
	l := newLab(t, nil)
	last := 0
	for range failuresPerMinute + 1 {
		res := l.askConnection(http.MethodPost, `{"token":"bad"}`, ownOrigin)
		_ = res.Body.Close()
		last = res.StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after %d bad tokens: %d", failuresPerMinute+1, last)
	}
}
