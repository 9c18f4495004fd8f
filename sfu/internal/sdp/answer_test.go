// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

func TestMarshal(t *testing.T) {
	a := &Answer{
		SessionID: 5, Version: 6, Ufrag: "uuuu", Pwd: "pppppppppppppppppppppp", FingerprintSHA256: "AA:BB",
		Candidates: []Candidate{
			{Addr: netip.MustParseAddrPort("[::ffff:192.0.2.1]:443"), Priority: 7, Foundation: "f"},
			{Addr: netip.MustParseAddrPort("[fe80::1%eth0]:8443"), TCP: true, Priority: 8, Component: 2},
		},
		Sections: []AnswerSection{
			{Mid: "x", Kind: KindVideo, Rejected: true, Proto: "TCP/TLS/RTP/SAVPF", Format: "77"},
			{Mid: "y", Kind: KindAudio, Codecs: nil},
			{Kind: "text", Proto: "RTP/AVP", Format: "98"},
			{
				Mid: "v", Kind: KindVideo, Direction: SendRecv, StreamID: "PA|camera", TrackID: "TR_1",
				Codecs: []Codec{
					{PT: 96, Name: VP8, ClockRate: 90000, Feedback: []string{"nack", "nack pli"}, RTX: 97},
					{PT: 98, Name: "other", ClockRate: 1000, Channels: 3, Fmtp: "a=b"},
				},
				Exts:     []Ext{{4, ExtMid, ""}, {5, ExtRID, RecvOnly}},
				RecvRIDs: []string{"q", "h"}, SSRC: 11, RTXSSRC: 12, CNAME: "c\r\na=evil",
			},
			{Mid: "d", Kind: KindApplication, MaxMessageSize: 1000},
			{Mid: "a", Kind: KindAudio, TrackID: "hidden", SSRC: 9, Codecs: []Codec{{PT: 111, Name: Opus, ClockRate: 48000, Channels: 2}}},
			{Mid: "b", Kind: KindAudio, Direction: SendOnly, TrackID: "T", SSRC: 9, Codecs: []Codec{{PT: 111, Name: Opus, ClockRate: 48000, Channels: 2}}},
		},
	}
	want := `v=0
o=- 5 6 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE v d a b
a=ice-lite
a=ice-options:trickle
a=msid-semantic:WMS *
a=ice-ufrag:uuuu
a=ice-pwd:pppppppppppppppppppppp
a=fingerprint:sha-256 AA:BB
m=video 0 TCP/TLS/RTP/SAVPF 77
c=IN IP4 0.0.0.0
a=mid:x
a=inactive
m=audio 0 UDP/TLS/RTP/SAVPF 0
c=IN IP4 0.0.0.0
a=mid:y
a=inactive
m=text 0 RTP/AVP 98
c=IN IP4 0.0.0.0
a=inactive
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98
c=IN IP4 0.0.0.0
a=candidate:f 1 udp 7 192.0.2.1 443 typ host
a=candidate:2 2 tcp 8 fe80::1 8443 typ host tcptype passive
a=end-of-candidates
a=mid:v
a=sendrecv
a=msid:PA|camera TR_1
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 other/1000/3
a=fmtp:98 a=b
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:5/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=rid:q recv
a=rid:h recv
a=simulcast:recv q;h
a=ssrc-group:FID 11 12
a=ssrc:11 cname:ca=evil
a=ssrc:12 cname:ca=evil
a=setup:passive
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:d
a=sctp-port:5000
a=max-message-size:1000
a=setup:passive
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:a
a=inactive
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=setup:passive
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:b
a=sendonly
a=msid:- T
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=ssrc:9 cname:-
a=setup:passive
`
	if got := strings.ReplaceAll(a.Marshal(), "\r\n", "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCandidatePriority(t *testing.T) {
	order := []uint32{
		CandidatePriority(false, 65535), CandidatePriority(false, 8190), CandidatePriority(false, 0),
		CandidatePriority(true, 8191), CandidatePriority(true, 0),
	}
	for i := 1; i < len(order); i++ {
		if order[i] >= order[i-1] {
			t.Errorf("%d does not come after %d", order[i], order[i-1])
		}
	}
	// The highest of a host with one address (RFC 8445 section 5.1.2.2).
	if order[0] != 2130706431 {
		t.Errorf("highest is %d", order[0])
	}
}

// TestPion lets an independent WebRTC implementation offer and take the answer.
func TestPion(t *testing.T) {
	var engine webrtc.SettingEngine
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	if _, err := pc.CreateDataChannel("_reliable", nil); err != nil {
		t.Fatal(err)
	}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "camera", "stream")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			t.Fatal(err)
		}
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := ParseOffer(offer.SDP)
	if err != nil {
		t.Fatal(err, offer.SDP)
	}
	video := o.Section("0")
	if video == nil || video.Kind != KindVideo || !video.Sends() || video.TrackID != "camera" || video.StreamID != "stream" {
		t.Fatalf("read %+v", video)
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	a := reply(o)
	a.Candidates = a.Candidates[:1]
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.Marshal()}); err != nil {
		t.Fatal(err)
	}
	for _, tr := range pc.GetTransceivers() {
		want := webrtc.RTPTransceiverDirectionRecvonly
		if tr.Mid() == "0" {
			want = webrtc.RTPTransceiverDirectionSendonly
		}
		if tr.Direction() != want {
			t.Errorf("section %s is %v", tr.Mid(), tr.Direction())
		}
	}
	codecs := pc.GetSenders()[0].GetParameters().Codecs
	if len(codecs) == 0 || codecs[0].MimeType != webrtc.MimeTypeVP8 {
		t.Errorf("codecs %v", codecs)
	}
}

// FuzzParseOffer checks that nothing gets past the limits and that every
// refusal says so.
func FuzzParseOffer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw string) {
		o, err := ParseOffer(raw)
		if err != nil {
			if o != nil || !errors.Is(err, ErrBadOffer) {
				t.Fatalf("refused with %v and %v", o, err)
			}
			return
		}
		if len(o.Sections) > maxSections || len(o.Ufrag) < 4 || len(o.Pwd) < 22 || len(o.Fingerprints) == 0 {
			t.Fatalf("accepted %+v", o)
		}
		for _, s := range o.Sections {
			if len(s.Codecs) > maxCodecs || len(s.Exts) > maxExts || len(s.RIDs) > maxRIDs || len(s.SSRCs) > maxSSRCs {
				t.Fatalf("accepted section %+v", s)
			}
			if s.Mid == "" && !s.Rejected {
				t.Fatal("accepted a section without a tag")
			}
		}
	})
}

// FuzzAnswer checks that the answer to whatever was accepted is one that an
// independent parser reads, section by section.
func FuzzAnswer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw string) {
		o, err := ParseOffer(raw)
		if err != nil {
			return
		}
		a := reply(o, "vp9")
		text := a.Marshal()
		var back sdp.SessionDescription
		if err := back.UnmarshalString(text); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if len(back.MediaDescriptions) != len(o.Sections) {
			t.Fatalf("%d sections for %d", len(back.MediaDescriptions), len(o.Sections))
		}
		bundle := []string{"BUNDLE"}
		for i, m := range back.MediaDescriptions {
			s := &o.Sections[i]
			mid, _ := m.Attribute("mid")
			if mid != s.Mid || m.MediaName.Media != s.Kind {
				t.Fatalf("section %d is %s %q", i, m.MediaName.Media, mid)
			}
			if m.MediaName.Port.Value != 0 {
				bundle = append(bundle, mid)
			}
			if s.Rejected && m.MediaName.Port.Value != 0 {
				t.Fatalf("section %d was stopped and is accepted", i)
			}
		}
		if group, _ := back.Attribute("group"); len(bundle) > 1 && group != strings.Join(bundle, " ") {
			t.Fatalf("group is %q, want %q", group, bundle)
		}
		// Every line is one that Marshal wrote: nothing was smuggled in.
		if lite := strings.Count(text, "\r\na=ice-ufrag:"); lite != 1 {
			t.Fatalf("%d user fragments", lite)
		}
	})
}

func seed(f *testing.F) {
	for _, offer := range recorded(f) {
		f.Add(offer)
	}
	f.Add(small)
	f.Add("v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\n")
}
