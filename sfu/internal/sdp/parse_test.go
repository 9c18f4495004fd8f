// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// small is an offer with one section of each kind.
var small = strings.ReplaceAll(`v=0
o=- 42 7 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 v d
a=ice-options:trickle
a=ice-ufrag:user
a=ice-pwd:0123456789abcdefghijkl
a=fingerprint:sha-256 `+strings.Repeat("ab:", 31)+`CD
a=setup:actpass
m=audio 9 UDP/TLS/RTP/SAVPF 111 0 63
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=msid:- TRACK
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10
a=rtcp-fb:* transport-cc
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98
c=IN IP4 0.0.0.0
a=mid:v
a=rtcp-mux
a=sendonly
a=extmap:4 `+ExtMid+`
a=extmap:5/sendonly `+ExtRID+` with attributes
a=extmap:4096 `+ExtAudioLevel+`
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 H264/90000
a=fmtp:98 packetization-mode=0
a=rid:lo send pt=96
a=rid:hi send
a=rid:in recv
a=simulcast:recv in send lo,alt;~hi
a=ssrc:1 cname:x
a=ssrc:1 msid:S T
a=ssrc:2 cname:x
a=ssrc-group:FID 1 2
a=ssrc-group:SIM 1 2 3
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:d
a=sctp-port:5001
`, "\n", "\r\n")

func TestParse(t *testing.T) {
	o, err := ParseOffer(small)
	if err != nil {
		t.Fatal(err)
	}
	digest := strings.Repeat("AB:", 31) + "CD"
	want := &Offer{
		SessionID: 42, Version: 7, Ufrag: "user", Pwd: "0123456789abcdefghijkl",
		Fingerprints: []Fingerprint{{"sha-256", digest}}, Setup: "actpass", Trickle: true,
		Sections: []Section{
			{
				Mid: "0", Kind: "audio", Proto: "UDP/TLS/RTP/SAVPF", Format: "111", Direction: "sendrecv",
				TrackID: "TRACK",
				Codecs: []Codec{
					{PT: 111, Name: "opus", ClockRate: 48000, Channels: 2, Fmtp: "minptime=10", Feedback: []string{"transport-cc"}},
					{PT: 63, Name: "red", ClockRate: 48000, Channels: 2, Fmtp: "111/111", Feedback: []string{"transport-cc"}},
				},
			},
			{
				Mid: "v", Kind: "video", Proto: "UDP/TLS/RTP/SAVPF", Format: "96", Direction: "sendonly",
				StreamID: "S", TrackID: "T",
				Codecs: []Codec{
					{PT: 96, Name: "vp8", ClockRate: 90000, Feedback: []string{"nack", "nack pli", "goog-remb"}, RTX: 97},
					{PT: 98, Name: "h264", ClockRate: 90000, Fmtp: "packetization-mode=0"},
				},
				Exts:  []Ext{{4, ExtMid, ""}, {5, ExtRID, "sendonly"}},
				RIDs:  []string{"lo", "hi"},
				SSRCs: []uint32{1, 2}, RTXOf: map[uint32]uint32{1: 2},
			},
			{
				Mid: "d", Kind: "application", Proto: "UDP/DTLS/SCTP", Format: "webrtc-datachannel",
				Direction: "sendrecv", SCTPPort: 5001, MaxMessageSize: 65536,
			},
		},
	}
	if !reflect.DeepEqual(o, want) {
		t.Fatalf("got\n%s\nwant\n%s", describe(t, o), describe(t, want))
	}
}

// TestVariants changes the small offer where it stays acceptable.
func TestVariants(t *testing.T) {
	tests := []struct {
		name, old, new string
		check          func(o *Offer) bool
	}{
		{"active", "actpass", "active", func(o *Offer) bool { return o.Setup == SetupActive }},
		{"no line end", "a=sctp-port:5001\r\n", "a=sctp-port:5001", func(o *Offer) bool { return o.Section("d").SCTPPort == 5001 }},
		{"old data channels", "a=sctp-port:5001", "a=sctpmap:5002 webrtc-datachannel 1024", func(o *Offer) bool { return o.Section("d").SCTPPort == 5002 }},
		{"message size", "a=sctp-port:5001", "a=max-message-size:262144", func(o *Offer) bool { return o.Section("d").MaxMessageSize == 262144 }},
		{"no message limit", "a=sctp-port:5001", "a=max-message-size:0", func(o *Offer) bool { return o.Section("d").MaxMessageSize == 0 }},
		{"rejected", "m=audio 9", "m=audio 0", func(o *Offer) bool { return o.Section("0").Rejected && !o.Section("0").Sends() }},
		{"rejected without a tag", "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 63\r\nc=IN IP4 0.0.0.0\r\na=mid:0", "m=audio 0 UDP/TLS/RTP/SAVPF 111", func(o *Offer) bool { return o.Sections[0].Rejected }},
		{"bundle only", "m=video 9", "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=bundle-only\r\na=x:", func(o *Offer) bool { return !o.Section("v").Rejected }},
		{"of the section", "a=mid:0", "a=mid:0\r\na=ice-ufrag:other", func(o *Offer) bool { return o.Ufrag == "other" }},
		{"of another section", "a=mid:v", "a=mid:v\r\na=ice-ufrag:other", func(o *Offer) bool { return o.Ufrag == "user" }},
		{"direction of the session", "a=setup:actpass", "a=setup:actpass\r\na=inactive", func(o *Offer) bool {
			return o.Section("d").Direction == Inactive && o.Section("0").Direction == SendRecv
		}},
		{"more digests", "a=setup", "a=fingerprint:sha-1 " + strings.Repeat("00:", 19) + "00\r\na=fingerprint:md5 x\r\na=setup", func(o *Offer) bool { return len(o.Fingerprints) == 2 }},
		{"layers without order", "a=simulcast:recv in send lo,alt;~hi\r\n", "", func(o *Offer) bool { return strings.Join(o.Section("v").RIDs, " ") == "lo hi" }},
		{"second msid", "a=msid:- TRACK", "a=msid:A B\r\na=msid:C D", func(o *Offer) bool { return o.Section("0").StreamID == "A" && o.Section("0").TrackID == "B" }},
		{"mixed extensions", "a=setup", "a=extmap-allow-mixed\r\na=setup", func(o *Offer) bool { return o.ExtmapAllowMixed }},
		{"unknown attribute", "a=setup", "a=what:ever\r\na=setup", func(*Offer) bool { return true }},
		{"format not in the m-line", "a=rtpmap:96", "a=rtpmap:95 X/1\r\na=rtpmap:96", func(o *Offer) bool { return len(o.Section("v").Codecs) == 2 }},
		{"format twice", "96 97 98", "96 96 97 98", func(o *Offer) bool { return len(o.Section("v").Codecs) == 2 }},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			o, err := ParseOffer(replaced(t, tc.old, tc.new))
			if err != nil {
				t.Fatal(err)
			}
			if !tc.check(o) {
				t.Fatalf("got\n%s", describe(t, o))
			}
		})
	}
}

// replaced returns the small offer with one change.
func replaced(t *testing.T, old, new string) string {
	t.Helper()
	if !strings.Contains(small, old) {
		t.Fatalf("%q is not in the offer", old)
	}
	return strings.Replace(small, old, new, 1)
}

func TestRefused(t *testing.T) {
	manyLines := func(line string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line+"\r\n", i)
		}
		return b.String()
	}
	tests := []struct {
		name, old, new string
		want           error
	}{
		{"octets", "a=mid:0", "a=mid:0\r\na=x:" + strings.Repeat("x", maxOffer), ErrTooLarge},
		{"lines", "a=mid:0\r\n", "a=mid:0\r\n" + manyLines("a=x:%d", maxLines), ErrTooLarge},
		{"sections", "m=application", manyLines("m=audio 0 RTP/AVP %d", maxSections-2) + "m=application", ErrTooLarge},
		{"codecs", "m=video 9 UDP/TLS/RTP/SAVPF", "m=video 9 UDP/TLS/RTP/SAVPF" + strings.Repeat(" 100", 62), ErrTooLarge},
		{"extensions", "a=mid:v\r\n", "a=mid:v\r\n" + manyLines("a=extmap:1%d urn:x", 32), ErrTooLarge},
		{"feedback", "a=mid:v\r\n", "a=mid:v\r\n" + manyLines("a=rtcp-fb:96 x%d", maxFeedback+1), ErrTooLarge},
		{"feedback of all", "a=mid:v\r\n", "a=mid:v\r\n" + manyLines("a=rtcp-fb:* x%d", maxFeedback+1), ErrTooLarge},
		{"layers", "a=mid:v\r\n", "a=mid:v\r\n" + manyLines("a=rid:%d send", 9), ErrTooLarge},
		{"simulcast", "send lo,alt;~hi", "send 1;2;3;4;5;6;7;8;9", ErrTooLarge},
		{"sources", "a=mid:v\r\n", "a=mid:v\r\n" + manyLines("a=ssrc:%d cname:x", 65), ErrTooLarge},
		{"digests", "a=setup", strings.Repeat("a=fingerprint:sha-1 "+strings.Repeat("00:", 19)+"00\r\n", 8) + "a=setup", ErrTooLarge},
		{"control character", "a=mid:0", "a=mid:0\x00", ErrSyntax},
		{"carriage return", "a=mid:0", "a=mid:\r0", ErrSyntax},
		{"not UTF-8", "a=mid:0", "a=x:\xff\r\na=mid:0", ErrSyntax},
		{"no version", "v=0\r\n", "", ErrSyntax},
		{"media", "m=audio", "m=smell", ErrSyntax},
		{"no tag", "a=mid:0\r\n", "", ErrSyntax},
		{"empty tag", "a=mid:0", "a=mid:", ErrSyntax},
		{"tag with space", "a=mid:0", "a=mid:0 1", ErrSyntax},
		{"tag twice", "a=mid:v", "a=mid:0", ErrSyntax},
		{"payload type", "111 0 63", "111 0 200", ErrSyntax},
		{"rtpmap", "opus/48000/2", "opus", ErrSyntax},
		{"rtpmap rate", "opus/48000/2", "opus/fast", ErrSyntax},
		{"rtpmap channels", "opus/48000/2", "opus/48000/two", ErrSyntax},
		{"rtpmap name", "opus/48000/2", "o(pus)/48000/2", ErrSyntax},
		{"fmtp", "a=fmtp:111", "a=fmtp:x", ErrSyntax},
		{"feedback", "a=rtcp-fb:96", "a=rtcp-fb:x", ErrSyntax},
		{"extension id", "a=extmap:4 ", "a=extmap:0 ", ErrSyntax},
		{"extension direction", "a=extmap:5/sendonly", "a=extmap:5/up", ErrSyntax},
		{"extension without URI", "a=extmap:4 " + ExtMid, "a=extmap:4", ErrSyntax},
		{"layer name", "a=rid:lo", "a=rid:l.o", ErrSyntax},
		{"layer name length", "a=rid:lo", "a=rid:12345678901234567", ErrSyntax},
		{"layer direction", "a=rid:lo send pt=96", "a=rid:lo", ErrSyntax},
		{"simulcast name", "send lo,alt", "send l.o,alt", ErrSyntax},
		{"source", "a=ssrc:1 cname", "a=ssrc:-1 cname", ErrSyntax},
		{"group", "a=ssrc-group:FID 1 2", "a=ssrc-group:FID 1 x", ErrSyntax},
		{"group", "a=ssrc-group:FID 1 2", "a=ssrc-group:FID 4294967296 2", ErrSyntax},
		{"port", "a=sctp-port:5001", "a=sctp-port:65536", ErrSyntax},
		{"message size", "a=sctp-port:5001", "a=max-message-size:-1", ErrSyntax},
		{"digest", "ab:ab", "ab-ab", ErrSyntax},
		{"digest length", "ab:", "", ErrSyntax},
		{"digest character", "ab:ab", "xb:ab", ErrSyntax},
		{"no digest", "a=fingerprint:sha-256 ", "a=fingerprint:sha-256-", ErrSyntax},
		{"other digest", "a=fingerprint:", "a=finger:", ErrFingerprint},
		{"no bundle", "a=group:BUNDLE 0 v d\r\n", "", ErrBundle},
		{"part of a bundle", "BUNDLE 0 v d", "BUNDLE 0 d", ErrBundle},
		{"two bundles", "a=group:BUNDLE 0 v d", "a=group:BUNDLE 0 v\r\na=group:BUNDLE d", ErrBundle},
		{"other group", "BUNDLE 0", "LS 0", ErrBundle},
		{"no mux", "a=rtcp-mux\r\n", "", ErrRTCPMux},
		{"short user", "a=ice-ufrag:user", "a=ice-ufrag:use", ErrICE},
		{"no user", "a=ice-ufrag:user\r\n", "", ErrICE},
		{"long user", "a=ice-ufrag:user", "a=ice-ufrag:" + strings.Repeat("u", 257), ErrICE},
		{"user characters", "a=ice-ufrag:user", "a=ice-ufrag:us:er", ErrICE},
		{"short password", "0123456789abcdefghijkl", "0123456789abcdefghijk", ErrICE},
		{"passive", "actpass", "passive", ErrSetup},
		{"holdconn", "actpass", "holdconn", ErrSetup},
		{"no role", "a=setup:actpass\r\n", "", ErrSetup},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			o, err := ParseOffer(replaced(t, tc.old, tc.new))
			if !errors.Is(err, tc.want) || !errors.Is(err, ErrBadOffer) || o != nil {
				t.Fatalf("got %v, %v; want %v", o, err, tc.want)
			}
		})
	}
	for _, text := range []string{"", "\n", "v=0", "v=0\r\n", "{}"} {
		if _, err := ParseOffer(text); !errors.Is(err, ErrBadOffer) {
			t.Errorf("%q: %v", text, err)
		}
	}
	allRejected := strings.NewReplacer("m=audio 9", "m=audio 0", "m=video 9", "m=video 0", "m=application 9", "m=application 0").Replace(small)
	if _, err := ParseOffer(allRejected); !errors.Is(err, ErrBundle) {
		t.Errorf("nothing left: %v", err)
	}
}

// TestLongestOffers feeds the longest offers that pass the first look and bounds
// the time that they cost. The bound is generous: quadratic work takes minutes.
func TestLongestOffers(t *testing.T) {
	fill := func(line string) string {
		n := min(maxLines-60, (maxOffer-len(small)-100)/(len(line)+2))
		return strings.Replace(small, "a=mid:v\r\n", "a=mid:v\r\n"+strings.Repeat(line+"\r\n", n), 1)
	}
	for _, line := range []string{"a=x", "a=rtcp-fb:96 nack", "a=rtcp-fb:* nack", "a=fmtp:96 a=1;b=2", "a=ssrc:7 cname:x", "a=ssrc-group:FID 1 2", "a=simulcast:send a;a;a;a", "a=fmtp:96 " + strings.Repeat(";", 60000)} {
		start := time.Now()
		if _, err := ParseOffer(fill(line)); err != nil {
			t.Errorf("%.20s: %v", line, err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%.20s: %v", line, d)
		}
	}
}
