// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

func attributesOf(text string) string { return base64.URLEncoding.EncodeToString([]byte(text)) }

func TestQueries(t *testing.T) {
	tests := map[string]struct {
		query url.Values
		want  error
		check func(entry, room.Join) bool
	}{
		"no protocol":  {url.Values{"sdk": {"js"}}, errOldClient, nil},
		"old protocol": {url.Values{"protocol": {"12"}}, errOldClient, nil},
		"no number":    {url.Values{"protocol": {"-17"}}, errOldClient, nil},
		"huge number":  {url.Values{"protocol": {"4294967313"}}, errOldClient, nil},
		"long sid":     {url.Values{"protocol": {"17"}, "sid": {strings.Repeat("x", maxString+1)}}, errLimit, nil},
		"sid not text": {url.Values{"protocol": {"17"}, "sid": {"\xff"}}, errBadJoinRequest, nil},
		"attributes: no base64": {
			url.Values{"protocol": {"17"}, "attributes": {"!"}}, errBadJoinRequest, nil,
		},
		"attributes: no object": {
			url.Values{"protocol": {"17"}, "attributes": {attributesOf(`["canary"]`)}}, errBadJoinRequest, nil,
		},
		"attributes: too long": {
			url.Values{"protocol": {"17"}, "attributes": {attributesOf(`{"a":"` + strings.Repeat("x", maxMetadata) + `"}`)}}, errLimit, nil,
		},
		"the least": {url.Values{"protocol": {"13"}}, nil, func(e entry, j room.Join) bool {
			return j.Dual && j.AutoSubscribe && !j.AdaptiveStream && j.AllowPause && !e.reconnect && j.Client.SDK == "unknown"
		}},
		"flags in words": {url.Values{
			"protocol": {"17"}, "auto_subscribe": {"true"}, "adaptive_stream": {"true"}, "subscriber_allow_pause": {"true"},
		}, nil, func(_ entry, j room.Join) bool { return j.AutoSubscribe && j.AdaptiveStream && j.AllowPause }},
		"flags off": {url.Values{
			"protocol": {"17"}, "auto_subscribe": {"0"}, "adaptive_stream": {"0"}, "subscriber_allow_pause": {"0"},
		}, nil, func(_ entry, j room.Join) bool { return !j.AutoSubscribe && !j.AdaptiveStream && !j.AllowPause }},
		"attributes": {url.Values{
			"protocol": {"17"}, "sdk": {"GO"}, "client_protocol": {"2"}, "attributes": {attributesOf(`{"a":"b"}`)},
		}, nil, func(_ entry, j room.Join) bool {
			return maps.Equal(j.Attributes, map[string]string{"a": "b"}) && j.Client.SDK == "go" && j.Client.ClientProtocol == 2
		}},
		"resume": {url.Values{
			"protocol": {"17"}, "reconnect": {"1"}, "sid": {"PA_1"}, "reconnect_reason": {"2"},
		}, nil, func(e entry, _ room.Join) bool {
			return e.reconnect && e.sid == "PA_1" && e.reason == 2
		}},
	}
	for name, tt := range tests {
		e, err := parseEntry("rtc", tt.query)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
			continue
		}
		if err != nil {
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: the error quotes the query: %v", name, err)
			}
			continue
		}
		if j := e.join(&Grant{Permission: room.Permission{UpdateMetadata: true}}, &Call{}); !tt.check(e, j) {
			t.Errorf("%s: %+v, %+v", name, e, j)
		}
	}
}

// TestJoinRequestAtVersion0 has one connection, wherever it was sent.
func TestJoinRequestAtVersion0(t *testing.T) {
	l := newLab(t, nil)
	q := url.Values{"access_token": {ownToken}, "join_request": {packJoin(t, joinRequest())}}
	l.connected(first(l.dialQuery(q)))
	if l.rooms.joins[0].Dual {
		t.Error("a join request is taken for that of a client with two connections")
	}
	_, res, err := l.dialQuery(url.Values{"access_token": {ownToken}})
	if err == nil || res == nil || res.StatusCode != 400 {
		t.Errorf("neither join request nor protocol: %v", err)
	}
}

// TestHastyClient gives a client that sets its offer after it has begun to read
// a moment before the answer comes; others wait for nothing.
func TestHastyClient(t *testing.T) {
	for sdk, pause := range map[wire.ClientInfo_SDK]time.Duration{
		wire.ClientInfo_GO: 300 * time.Millisecond,
		wire.ClientInfo_JS: time.Hour, // not heeded
	} {
		l := newLab(t, func(l *lab) { l.srv.timing.pause = pause })
		m := joinRequest()
		m.ClientInfo.Sdk, m.PublisherOffer = sdk, offerOf(1)
		began := time.Now()
		c := l.connect(m)
		if !c.room.conn.Send(room.Answer{SDP: "v=0", ID: 1}) {
			t.Fatal("the answer was not taken")
		}
		if c.read().GetJoin() == nil || c.read().GetAnswer() == nil {
			t.Fatalf("%v: no join and answer", sdk)
		}
		if took := time.Since(began); sdk == wire.ClientInfo_GO && took < pause {
			t.Errorf("the answer came after %v", took)
		}
	}
}
