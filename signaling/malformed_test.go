// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

const (
	binaryFrame = websocket.MessageBinary
	textFrame   = websocket.MessageText
)

// member encodes one length-delimited field.
func member(n protowire.Number, content string) string {
	return string(protowire.AppendString(protowire.AppendTag(nil, n, protowire.BytesType), content))
}

func number(n protowire.Number, v uint64) string {
	return string(protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v))
}

type badRequest struct {
	name string
	kind websocket.MessageType
	data string
	want error
}

// badRequests are frames that must end a connection.
func badRequests() []badRequest {
	offerMember := func(fields ...string) string { return member(1, strings.Join(fields, "")) }
	plainOffer := member(1, "offer")
	manySIDs := strings.Repeat(member(1, "TR_1"), maxRepeated+1)
	var attributes string
	for i := range maxRepeated + 1 {
		attributes += member(3, member(1, fmt.Sprint(i))+member(2, "x"))
	}
	deep := strings.Repeat(`{"offer":`, 10_000)
	b := func(name, data string, want error) badRequest { return badRequest{name, binaryFrame, data, want} }
	j := func(name, data string, want error) badRequest { return badRequest{name, textFrame, data, want} }
	return []badRequest{
		b("lone tag", "\x0a", errMalformed),
		b("truncated length", "\x0a\x05ab", errMalformed),
		b("endless varint", strings.Repeat("\xff", 11), errMalformed),
		b("field number zero", "\x02\x00", errMalformed),
		b("reserved wire type", "\x0f", errMalformed),
		b("end of group without start", "\x0c", errMalformed),
		b("open group", "\xa3\x06", errMalformed),
		b("groups 20000 deep", strings.Repeat("\xa3\x06", 20_000), errMalformed),
		b("length beyond 2 GiB", "\x0a\xff\xff\xff\xff\x0f", errMalformed),
		b("text in a binary frame", `{"ping":1}`, errMalformed),
		b("random", "\x8f\x1c\x93\x00\xfe", errMalformed),
		b("truncated offer", "\x0a\x0a"+plainOffer, errMalformed),
		b("offer of another type", offerMember(member(1, "answer"), member(2, "v=0")), errMalformed),
		b("answer of another type", member(2, plainOffer+member(2, "v=0")), errMalformed),
		b("answer without sdp", member(2, member(1, "answer")), errMalformed),
		b("long answer", member(2, member(1, "answer")+member(2, strings.Repeat("a", maxSDP+1))), errLimit),
		b("offer without type", offerMember(member(2, "v=0")), errMalformed),
		b("offer without sdp", offerMember(plainOffer), errMalformed),
		b("empty offer", member(1, ""), errMalformed),
		b("sdp not UTF-8", offerMember(plainOffer, member(2, "\xff\xfe")), errMalformed),
		b("sdp too long", offerMember(plainOffer, member(2, strings.Repeat("a", maxSDP+1))), errLimit),
		b("sdp type too long", offerMember(member(1, strings.Repeat("a", maxString+1)), member(2, "v=0")), errLimit),
		b("mid map too long", offerMember(plainOffer, member(2, "v=0"), midMap(maxRepeated+1)), errLimit),
		b("mid map with long key", offerMember(plainOffer, member(2, "v=0"), member(4, member(1, strings.Repeat("k", maxString+1)))), errLimit),
		b("mid map with long value", offerMember(plainOffer, member(2, "v=0"), member(4, member(1, "0")+member(2, strings.Repeat("v", maxString+1)))), errLimit),
		b("mid map entry not UTF-8", offerMember(plainOffer, member(2, "v=0"), member(4, member(1, "\xff"))), errMalformed),
		b("candidate too long", member(3, member(1, strings.Repeat("c", maxString+1))), errLimit),
		b("candidate not UTF-8", member(3, member(1, "\xc3\x28")), errMalformed),
		b("track without cid", member(4, member(2, "camera")+number(3, 1)), errMalformed),
		b("track of data", member(4, member(1, "cid")+number(3, 2)), errMalformed),
		b("track of unknown type", member(4, member(1, "cid")+number(3, 99)), errMalformed),
		b("track of negative type", member(4, member(1, "cid")+number(3, 1<<64-1)), errMalformed),
		b("track of unknown source", member(4, member(1, "cid")+number(8, 99)), errMalformed),
		b("track of negative source", member(4, member(1, "cid")+number(8, 1<<64-1)), errMalformed),
		b("track name too long", member(4, member(1, "cid")+member(2, strings.Repeat("n", maxString+1))), errLimit),
		b("track cid too long", member(4, member(1, strings.Repeat("n", maxString+1))), errLimit),
		b("track with many layers", member(4, member(1, "cid")+strings.Repeat(member(9, ""), maxRepeated+1)), errLimit),
		b("track with many codecs", member(4, member(1, "cid")+strings.Repeat(member(10, ""), maxRepeated+1)), errLimit),
		b("track with many features", member(4, member(1, "cid")+member(17, strings.Repeat("\x01", maxRepeated+1))), errLimit),
		b("layer with long rid", member(4, member(1, "cid")+member(9, member(7, strings.Repeat("r", maxString+1)))), errLimit),
		b("codec with many layers", member(4, member(1, "cid")+member(10, strings.Repeat(member(4, ""), maxRepeated+1))), errLimit),
		b("codec name too long", member(4, member(1, "cid")+member(10, member(1, strings.Repeat("r", maxString+1)))), errLimit),
		b("mute of a long sid", member(5, member(1, strings.Repeat("s", maxString+1))), errLimit),
		b("many subscriptions", member(6, manySIDs), errLimit),
		b("long subscription", member(6, member(1, strings.Repeat("s", maxString+1))), errLimit),
		b("many participants", member(6, strings.Repeat(member(3, ""), maxRepeated+1)), errLimit),
		b("participant with many tracks", member(6, member(3, strings.Repeat(member(2, "x"), maxRepeated+1))), errLimit),
		b("many settings", member(7, manySIDs), errLimit),
		b("many permissions", member(11, strings.Repeat(member(2, ""), maxRepeated+1)), errLimit),
		b("permission with many tracks", member(11, member(2, strings.Repeat(member(3, "x"), maxRepeated+1))), errLimit),
		b("permission of a long identity", member(11, member(2, member(4, strings.Repeat("x", maxString+1)))), errLimit),
		b("sync of many tracks", member(12, strings.Repeat(member(3, ""), maxRepeated+1)), errLimit),
		b("sync of many disabled", member(12, strings.Repeat(member(6, "x"), maxRepeated+1)), errLimit),
		b("sync with many subscriptions", member(12, member(2, manySIDs)), errLimit),
		b("metadata too long", member(15, member(1, strings.Repeat("m", maxMetadata+1))), errLimit),
		b("name too long", member(15, member(2, strings.Repeat("m", maxString+1))), errLimit),
		b("many attributes", member(15, attributes), errLimit),
		b("attribute too long", member(15, member(3, member(1, "k")+member(2, strings.Repeat("v", maxString+1)))), errLimit),
		b("metadata and attributes too long", member(15, member(1, strings.Repeat("m", maxMetadata-8))+member(3, member(1, "key")+member(2, "value!"))), errLimit),
		b("name not UTF-8", member(15, member(2, "\x80")), errMalformed),
		b("many features", member(17, member(2, strings.Repeat("\x01", maxRepeated+1))), errLimit),
		b("data track with a long name", member(19, member(2, strings.Repeat("n", maxString+1))), errLimit),
		b("ping of wrong wire type kept apart", member(16, "\xff"), errMalformed),
		j("empty text", "", errMalformed),
		j("not JSON", "ping", errMalformed),
		j("list", "[]", errMalformed),
		j("null member", `{"offer":{"type":null,"sdp":null}}`, errMalformed),
		j("two members", `{"ping":"1","mute":{}}`, errMalformed),
		j("member twice", `{"ping":"1","ping":"2"}`, errMalformed),
		j("field twice", `{"mute":{"sid":"a","sid":"b"}}`, errMalformed),
		j("wrong type", `{"mute":{"sid":1}}`, errMalformed),
		j("track of data as text", `{"addTrack":{"cid":"x","type":"DATA"}}`, errMalformed),
		j("number too large", `{"offer":{"type":"offer","sdp":"v=0","id":4294967296}}`, errMalformed),
		j("not UTF-8", "{\"mute\":{\"sid\":\"\xff\"}}", errMalformed),
		j("trailing text", `{"ping":"1"}{}`, errMalformed),
		j("deep", deep, errMalformed),
		j("deep unknown", `{"x":`+strings.Repeat("[", 100_000), errMalformed),
		j("long string", `{"mute":{"sid":"`+strings.Repeat("s", maxString+1)+`"}}`, errLimit),
	}
}

func midMap(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(member(4, member(1, fmt.Sprint(i))+member(2, "TR_1")))
	}
	return b.String()
}

func TestMalformedRequests(t *testing.T) {
	for _, tt := range badRequests() {
		t.Run(tt.name, func(t *testing.T) {
			req, err := parseRequest(tt.kind, []byte(tt.data))
			if err == nil {
				_, err = translate(req)
			}
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestMalformedRequestsEndConnections sends some of them for real.
func TestMalformedRequestsEndConnections(t *testing.T) {
	codes := map[error]websocket.StatusCode{
		errMalformed: websocket.StatusInvalidFramePayloadData,
		errLimit:     websocket.StatusPolicyViolation,
	}
	l := newLab(t, nil)
	for i, tt := range badRequests() {
		if i%5 != 0 || tt.kind == textFrame && strings.Contains(tt.data, "\xff") {
			continue
		}
		c := l.enter()
		if err := c.write(tt.kind, []byte(tt.data)); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if code := c.closed(); code != codes[tt.want] {
			t.Errorf("%s: closed with %d, want %d", tt.name, code, codes[tt.want])
		}
		c.room.waitDetached(t)
		if len(c.room.requests) != 0 {
			t.Errorf("%s: the room was asked %T", tt.name, <-c.room.requests)
		}
	}
}

// TestLimitsAreReached sends the largest that is allowed.
func TestLimitsAreReached(t *testing.T) {
	many := make([]string, maxRepeated)
	for _, m := range []*wire.SignalRequest{
		{Message: &wire.SignalRequest_Offer{Offer: &wire.SessionDescription{Type: "offer", Sdp: strings.Repeat("a", maxSDP)}}},
		{Message: &wire.SignalRequest_Subscription{Subscription: &wire.UpdateSubscription{TrackSids: many}}},
		{Message: &wire.SignalRequest_Mute{Mute: &wire.MuteTrackRequest{Sid: strings.Repeat("s", maxString)}}},
		{Message: &wire.SignalRequest_UpdateMetadata{UpdateMetadata: &wire.UpdateParticipantMetadata{Metadata: strings.Repeat("m", maxMetadata)}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		req, err := parseRequest(binaryFrame, b)
		if err != nil {
			t.Fatal(err)
		}
		if ask, err := translate(req); ask == nil || err != nil {
			t.Errorf("%T: %v", m.GetMessage(), err)
		}
	}
}

func TestMalformedJoinRequests(t *testing.T) {
	const none, gz = wire.WrappedJoinRequest_NONE, wire.WrappedJoinRequest_GZIP
	good, err := proto.Marshal(joinRequest())
	if err != nil {
		t.Fatal(err)
	}
	zipped := squeeze(t, good)
	edit := func(f func(*wire.JoinRequest)) string {
		m := joinRequest()
		f(m)
		return packJoin(t, m)
	}
	corrupt := append([]byte(nil), zipped...)
	corrupt[len(corrupt)-5] ^= 0xff // the checksum
	tests := []struct {
		name, raw string
		want      error
	}{
		{"empty", "", errNoJoinRequest},
		{"not base64", "%%%", errBadJoinRequest},
		{"standard base64", "+/+/", errBadJoinRequest},
		{"one character", "A", errBadJoinRequest},
		{"line break", "AA\nAA", errBadJoinRequest},
		{"wrapper truncated", base64.URLEncoding.EncodeToString([]byte("\x12\x05a")), errBadJoinRequest},
		{"unknown compression", wrapJoin(t, 7, good), errBadJoinRequest},
		{"negative compression", wrapJoin(t, -1, good), errBadJoinRequest},
		{"not gzip", wrapJoin(t, gz, good), errBadJoinRequest},
		{"empty gzip", wrapJoin(t, gz, nil), errBadJoinRequest},
		{"truncated gzip", wrapJoin(t, gz, zipped[:len(zipped)-9]), errBadJoinRequest},
		{"gzip with bad checksum", wrapJoin(t, gz, corrupt), errBadJoinRequest},
		{"gzip taken for none", wrapJoin(t, none, zipped), errBadJoinRequest},
		{"not a join request", wrapJoin(t, none, []byte("\x0a\xff")), errBadJoinRequest},
		{"gzip bomb", wrapJoin(t, gz, squeeze(t, make([]byte, 4<<20))), errHugeJoin},
		{"too large", wrapJoin(t, none, make([]byte, maxJoinRequest+1)), errHugeJoin},
		{"too many characters", strings.Repeat("A", maxJoinEncoded+1), errHugeJoin},
		{"empty wrapper", base64.URLEncoding.EncodeToString([]byte{8, 0}), errOldClient},
		{"no client", edit(func(m *wire.JoinRequest) { m.ClientInfo = nil }), errOldClient},
		{"protocol 12", edit(func(m *wire.JoinRequest) { m.ClientInfo.Protocol = 12 }), errOldClient},
		{"negative protocol", edit(func(m *wire.JoinRequest) { m.ClientInfo.Protocol = -1 }), errOldClient},
		{"answer as offer", edit(func(m *wire.JoinRequest) {
			m.PublisherOffer = &wire.SessionDescription{Type: "answer", Sdp: "v=0"}
		}), errBadJoinRequest},
		{"empty offer", edit(func(m *wire.JoinRequest) { m.PublisherOffer = &wire.SessionDescription{} }), errBadJoinRequest},
		{"long offer", edit(func(m *wire.JoinRequest) {
			m.PublisherOffer = &wire.SessionDescription{Type: "offer", Sdp: strings.Repeat("a", maxJoinRequest)}
		}), errHugeJoin},
		{"long sid", edit(func(m *wire.JoinRequest) { m.ParticipantSid = strings.Repeat("a", maxString+1) }), errLimit},
		{"long metadata", edit(func(m *wire.JoinRequest) { m.Metadata = strings.Repeat("a", maxMetadata+1) }), errLimit},
		{"metadata and attributes", edit(func(m *wire.JoinRequest) {
			m.Metadata = strings.Repeat("a", maxMetadata)
			m.ParticipantAttributes = map[string]string{"a": ""}
		}), errLimit},
		{"many tracks", edit(func(m *wire.JoinRequest) {
			m.AddTrackRequests = make([]*wire.AddTrackRequest, maxRepeated+1)
			for i := range m.AddTrackRequests {
				m.AddTrackRequests[i] = &wire.AddTrackRequest{Cid: "x"}
			}
		}), errLimit},
		{"track without cid", edit(func(m *wire.JoinRequest) {
			m.AddTrackRequests = []*wire.AddTrackRequest{{}}
		}), errBadJoinRequest},
		{"many capabilities", edit(func(m *wire.JoinRequest) {
			m.ClientInfo.Capabilities = make([]wire.ClientInfo_Capability, maxRepeated+1)
		}), errLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseJoin(tt.raw); !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// browserJoin is a join request with offer as livekit-client 2.23.0 encodes it.
const browserJoin = "CAESex-LCAAAAAAAAAPjUuVgFGIz0jMy1jOQEFRi9cnMK62wYnPOKMrPTXViNjQxSGDKYmQUYuNgFGCUYDQy42LNT0tLL" +
	"RLSLrM14OXKt9VVMFQwUvD0U_AMMFEwNDLXM9Az0DPk5Sq21eXlKrE1UDDg5ZJgBAAQblpQZwAAAA=="

func TestGoodJoinRequests(t *testing.T) {
	good, err := proto.Marshal(joinRequest())
	if err != nil {
		t.Fatal(err)
	}
	zipped := wrapJoin(t, wire.WrappedJoinRequest_GZIP, squeeze(t, good))
	for name, raw := range map[string]string{
		"gzip":            zipped,
		"plain":           wrapJoin(t, wire.WrappedJoinRequest_NONE, good),
		"without padding": strings.TrimRight(zipped, "="),
		"livekit-client":  browserJoin,
	} {
		e, err := parseJoin(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		j := e.join(&Grant{}, &Call{})
		if !j.AutoSubscribe || !j.AdaptiveStream || !j.AllowPause || j.Client.SDK != "js" || j.Client.Protocol != 17 || j.Client.ClientProtocol != 2 {
			t.Errorf("%s: %+v", name, j)
		}
	}
	m := joinRequest()
	m.ConnectionSettings = nil
	e, err := parseJoin(packJoin(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if e.join(&Grant{}, &Call{}).AutoSubscribe {
		t.Error("absent auto_subscribe is taken for true")
	}
	for want, sent := range map[bool]*bool{true: proto.Bool(true), false: proto.Bool(false)} {
		m := joinRequest()
		m.ConnectionSettings.SubscriberAllowPause = sent
		e, err := parseJoin(packJoin(t, m))
		if err != nil {
			t.Fatal(err)
		}
		if got := e.join(&Grant{}, &Call{}).AllowPause; got != want {
			t.Errorf("subscriber_allow_pause %t is taken for %t", want, got)
		}
	}
}
