// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
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

func TestConnectionReport(t *testing.T) {
	l := newLab(t, nil)
	l.rooms.media = connectionOfTwo()
	res := do(t, http.MethodGet, l.http.URL+"/rtc/v1/connection", http.Header{
		"Authorization": {"Bearer " + ownToken}, "Sec-Fetch-Site": {"same-origin"},
	})
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
	for _, tt := range []struct {
		name, method, token, origin string
		err                         error
		want                        int
	}{
		{"no token", "GET", "", ownOrigin, nil, 401},
		{"a bad one", "GET", "bad", ownOrigin, nil, 401},
		{"another page", "GET", ownToken, "https://evil.example", nil, 403},
		{"other software", "GET", keyToken, "", nil, 200},
		{"a wrong method", "POST", ownToken, ownOrigin, nil, 405},
		{"not in the room", "GET", ownToken, ownOrigin, room.ErrUnknownParticipant, 409},
		{"removed", "GET", ownToken, ownOrigin, room.ErrRevoked, 403},
		{"too often", "GET", ownToken, ownOrigin, room.ErrBusy, 429},
		{"no answer", "GET", ownToken, ownOrigin, errors.New("deadline"), 500},
	} {
		l := newLab(t, nil)
		if tt.err != nil {
			l.rooms.err = fmt.Errorf("describing: %w", tt.err)
		}
		header := http.Header{"Origin": {tt.origin}}
		if tt.token != "" {
			header.Set("Authorization", "Bearer "+tt.token)
		}
		res := do(t, tt.method, l.http.URL+"/rtc/v1/connection", header)
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
		res := do(t, http.MethodGet, l.http.URL+"/rtc/v1/connection", http.Header{"Authorization": {"Bearer bad"}})
		_ = res.Body.Close()
		last = res.StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after %d bad tokens: %d", failuresPerMinute+1, last)
	}
}
