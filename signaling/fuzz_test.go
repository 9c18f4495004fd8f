// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

func FuzzSignalRequest(f *testing.F) {
	for _, tt := range badRequests() {
		if len(tt.data) < 2*maxString { // large seeds only slow the search down
			f.Add(tt.kind == textFrame, []byte(tt.data))
		}
	}
	f.Add(false, []byte(member(4, member(1, "cid")+number(3, 1))))
	f.Add(true, []byte(`{"subscription":{"trackSids":["TR_1"],"subscribe":true}}`))
	f.Fuzz(func(t *testing.T, text bool, data []byte) {
		kind := binaryFrame
		if text {
			kind = textFrame
		}
		req, err := parseRequest(kind, data)
		if err == nil {
			err = withinLimits(req)
		}
		var ask room.Request
		if err == nil {
			ask, err = translate(req)
		}
		if err != nil {
			if !errors.Is(err, errMalformed) && !errors.Is(err, errLimit) {
				t.Fatalf("error without meaning: %v", err)
			}
			return
		}
		switch r := ask.(type) {
		case room.Offer:
			if r.SDP == "" || len(r.SDP) > maxSDP {
				t.Fatalf("offer of %d bytes", len(r.SDP))
			}
		case room.Reply:
			if r.SDP == "" || len(r.SDP) > maxSDP {
				t.Fatalf("answer of %d bytes", len(r.SDP))
			}
		case room.AddTrack:
			if r.CID == "" || r.Kind != kindAudio && r.Kind != kindVideo || r.Source > room.SourceScreenAudio {
				t.Fatalf("track %+v", r)
			}
		case room.TrackSettings:
			if r.Settings.Quality < 0 || r.Settings.Quality > 2 {
				t.Fatalf("quality %d", r.Settings.Quality)
			}
		case room.Bye:
			if r.Reason != room.ReasonClientInitiated {
				t.Fatalf("reason %d", r.Reason)
			}
		}
	})
}

func FuzzJoinRequest(f *testing.F) {
	m := joinRequest()
	f.Add(packJoin(f, m))
	m.PublisherOffer = offerOf(1)
	m.AddTrackRequests = []*wire.AddTrackRequest{{Cid: "mic"}}
	f.Add(packJoin(f, m))
	plain, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapJoin(f, wire.WrappedJoinRequest_NONE, plain))
	f.Add("AAAA")
	known := []error{errNoJoinRequest, errBadJoinRequest, errHugeJoin, errOldClient, errLimit}
	f.Fuzz(func(t *testing.T, raw string) {
		e, err := parseJoin(raw)
		if err != nil {
			for _, is := range known {
				if errors.Is(err, is) {
					return
				}
			}
			t.Fatalf("error without meaning: %v", err)
		}
		if e.client.Protocol < MinProtocol || !describes(e.metadata, e.attributes) {
			t.Fatalf("entry %+v", e)
		}
		j := e.join(&Grant{Metadata: "own"}, &Call{})
		if j.Metadata != "own" || len(j.Attributes) != 0 {
			t.Fatal("the client spoke for its token")
		}
		offers := 0
		for _, r := range e.afterwards() {
			if _, ok := r.(room.Offer); ok {
				offers++
			}
		}
		if j.Offer != "" && !e.reconnect {
			offers++
		}
		if want := map[bool]int{true: 1}[e.offer != nil]; offers != want {
			t.Fatalf("the offer is handed over %d times", offers)
		}
	})
}

func FuzzJoinQuery(f *testing.F) {
	f.Add("protocol=17&sdk=js&auto_subscribe=1&adaptive_stream=1&subscriber_allow_pause=0")
	f.Add("protocol=16&reconnect=1&sid=PA_1&reconnect_reason=2&attributes=eyJhIjoiYiJ9")
	known := []error{errBadJoinRequest, errOldClient, errLimit}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil || q.Has("join_request") {
			return
		}
		e, err := parseEntry("rtc", q)
		if err != nil {
			for _, is := range known {
				if errors.Is(err, is) {
					return
				}
			}
			t.Fatalf("error without meaning: %v", err)
		}
		if !e.dual || e.client.Protocol < MinProtocol || !describes("", e.attributes) || len(e.sid) > maxString {
			t.Fatalf("entry %+v", e)
		}
		if j := e.join(&Grant{Metadata: "own"}, &Call{}); j.Metadata != "own" || len(j.Attributes) != 0 || !j.Dual {
			t.Fatal("the client spoke for its token")
		}
	})
}

func FuzzDataPacket(f *testing.F) {
	f.Add(userPacket(nil))
	f.Add([]byte(member(9, "chat")))
	f.Add([]byte(number(16, 3) + member(18, "secret") + member(5, "host")))
	f.Add([]byte(member(2, member(3, "PA_1"))))
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		out, to, sequence, err := DataCodec{}.Stamp(in, "guest", "PA_2")
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if out != nil || !errors.Is(err, ErrDataMalformed) && !errors.Is(err, ErrDataForbidden) && !errors.Is(err, ErrDataTooLarge) {
				t.Fatalf("%d bytes with error %v", len(out), err)
			}
			return
		}
		checkStamped(t, out)
		again, to2, sequence2, err := DataCodec{}.Stamp(out, "guest", "PA_2")
		if len(out) > MaxDataPacket {
			return // stamping may go beyond what clients may send
		}
		if err != nil || !bytes.Equal(out, again) || sequence != sequence2 || strings.Join(to, "\n") != strings.Join(to2, "\n") {
			t.Fatalf("not canonical: %v\n%x\n%x", err, out, again)
		}
	})
}

// checkStamped reads a packet as naively as any client might: each envelope
// field must be there at most once, and the sender must be the true one.
func checkStamped(t *testing.T, out []byte) {
	t.Helper()
	seen := make(map[protowire.Number]int)
	content := 0
	for rest := out; len(rest) > 0; {
		n, kind, size := protowire.ConsumeField(rest)
		if size < 0 {
			t.Fatalf("does not decode: %x", out)
		}
		_, _, tag := protowire.ConsumeTag(rest)
		if seen[n]++; n == 4 || n == 17 {
			v, _ := protowire.ConsumeString(rest[tag:])
			if want := map[protowire.Number]string{4: "guest", 17: "PA_2"}[n]; v != want || kind != protowire.BytesType {
				t.Fatalf("sender %q", v)
			}
		}
		if !envelope[n] {
			content++
		}
		rest = rest[size:]
	}
	if content != 1 || seen[4] != 1 || seen[17] != 1 || seen[1] > 1 || seen[16] > 1 || seen[3] != 0 {
		t.Fatalf("fields %v in %x", seen, out)
	}
}
