// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// proposals are the offers of one connection in their order: data channels;
// sound and picture; the sound ends and a second picture begins; another sound
// takes the free place, and a third picture comes.
func proposals() []*Proposal {
	exts := []Ext{{ID: 1, URI: ExtMid}, {ID: 3, URI: ExtTransportCC}}
	section := func(mid, kind, codec, track string, ssrc uint32) OfferSection {
		c, _ := Format(codec)
		s := OfferSection{
			Mid: mid, Kind: kind, Codecs: []Codec{c}, Exts: exts,
			StreamID: "PA_anna|camera", TrackID: track, SSRC: ssrc, CNAME: "anna",
		}
		if c.RTX != 0 {
			s.RTXSSRC = ssrc + 1
		}
		return s
	}
	data := OfferSection{Mid: "0", Kind: KindApplication, MaxMessageSize: 65536}
	sound, picture := section("1", KindAudio, Opus, "TR_voice", 1000), section("2", KindVideo, VP8, "TR_face", 2000)
	second, third := section("3", KindVideo, H264, "TR_screen", 3000), section("4", KindVideo, VP9, "TR_other", 4000)
	free := OfferSection{Mid: "1", Kind: KindAudio, Exts: exts}
	again := section("1", KindAudio, Opus, "TR_voice2", 1100)
	var out []*Proposal
	for i, sections := range [][]OfferSection{
		{data},
		{data, sound, picture},
		{data, free, picture, second},
		{data, again, picture, second, third},
	} {
		out = append(out, &Proposal{
			SessionID: 1 << 61, Version: uint64(i + 1), Ufrag: "serv", Pwd: "0123456789abcdefghijkl",
			FingerprintSHA256: strings.Repeat("0A:", 31) + "FF",
			Candidates: []Candidate{
				{Addr: netip.MustParseAddrPort("127.0.0.1:8443"), Priority: CandidatePriority(false, 8191)},
			},
			Sections: sections,
		})
	}
	return out
}

func TestProposalText(t *testing.T) {
	for i, p := range proposals() {
		name := filepath.Join("testdata", fmt.Sprintf("proposal-%d.offer", i+1))
		got := p.Marshal()
		if *update {
			if err := os.WriteFile(name, []byte(strings.ReplaceAll(got, "\r\n", "\n")), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ReplaceAll(got, "\r\n", "\n") != string(want) {
			t.Errorf("%s is\n%s", name, got)
		}
	}
}

// agreed describes what an answer lets us send, per section.
func agreed(o *Offer) string {
	var words []string
	for i := range o.Sections {
		s := &o.Sections[i]
		word := s.Mid + " " + s.Direction
		for _, c := range s.Codecs {
			word += fmt.Sprintf(" %s/%d/%d", c.Name, c.PT, c.RTX)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// outcomes are what every client must make of proposals.
var outcomes = []string{
	"0 sendrecv",
	"0 sendrecv, 1 recvonly opus/111/0, 2 recvonly vp8/96/97",
	"0 sendrecv, 1 inactive opus/111/0, 2 recvonly vp8/96/97, 3 recvonly h264/102/103",
	"0 sendrecv, 1 recvonly opus/111/0, 2 recvonly vp8/96/97, 3 recvonly h264/102/103, 4 recvonly vp9/98/99",
}

// withoutH264 are the outcomes in a Firefox that has not fetched its H.264: it
// rejects such sections.
var withoutH264 = map[int]string{
	2: "0 sendrecv, 1 inactive opus/111/0, 2 recvonly vp8/96/97, 3 inactive",
	3: "0 sendrecv, 1 recvonly opus/111/0, 2 recvonly vp8/96/97, 3 inactive, 4 recvonly vp9/98/99",
}

// TestBrowsersAnswer reads what Chromium 156 and Firefox 153 answered to the
// proposals of TestProposalText.
func TestBrowsersAnswer(t *testing.T) {
	for _, browser := range []string{"chromium", "firefox"} {
		for i, p := range proposals() {
			raw, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("%s-proposal-%d.reply", browser, i+1)))
			if err != nil {
				t.Fatal(err)
			}
			o, err := p.ParseAnswer(strings.ReplaceAll(string(raw), "\n", "\r\n"))
			if err != nil {
				t.Errorf("%s, answer %d: %v", browser, i+1, err)
				continue
			}
			want := outcomes[i]
			if other, ok := withoutH264[i]; ok && browser == "firefox" {
				want = other
			}
			if got := agreed(o); got != want || o.Setup != SetupActive {
				t.Errorf("%s, answer %d: %s, %s", browser, i+1, got, o.Setup)
			}
		}
	}
}

// TestPionAnswers goes through the proposals with another implementation. It
// chooses to be the DTLS server where the other side is ICE-lite.
func TestPionAnswers(t *testing.T) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pc.Close() }()
	for i, p := range proposals() {
		offer := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: p.Marshal()}
		if err := pc.SetRemoteDescription(offer); err != nil {
			t.Fatalf("offer %d: %v", i+1, err)
		}
		answer, err := pc.CreateAnswer(nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i+1, err)
		}
		if err := pc.SetLocalDescription(answer); err != nil {
			t.Fatalf("answer %d: %v", i+1, err)
		}
		o, err := p.ParseAnswer(answer.SDP)
		if err != nil {
			t.Fatalf("answer %d: %v\n%s", i+1, err, answer.SDP)
		}
		if got := agreed(o); got != outcomes[i] || o.Setup != SetupPassive {
			t.Errorf("answer %d: %s, %s", i+1, got, o.Setup)
		}
	}
}

func TestAnswerMismatch(t *testing.T) {
	p := proposals()[1]
	raw, err := os.ReadFile("testdata/chromium-proposal-2.reply")
	if err != nil {
		t.Fatal(err)
	}
	good := strings.ReplaceAll(string(raw), "\n", "\r\n")
	for name, c := range map[string]struct {
		change func(string) string
		is     error
	}{
		"as it was":       {func(s string) string { return s }, nil},
		"not SDP":         {func(string) string { return "hello" }, ErrSyntax},
		"empty":           {func(string) string { return "" }, ErrSyntax},
		"role not chosen": {func(s string) string { return strings.ReplaceAll(s, "setup:active", "setup:actpass") }, ErrSetup},
		"another mid": {func(s string) string {
			return strings.NewReplacer("mid:2", "mid:7", "BUNDLE 0 1 2", "BUNDLE 0 1 7").Replace(s)
		}, ErrMismatch},
		"another kind": {func(s string) string { return strings.Replace(s, "m=audio", "m=video", 1) }, ErrMismatch},
		"a section less": {func(s string) string {
			return strings.Replace(s[:strings.Index(s, "m=video")], "BUNDLE 0 1 2", "BUNDLE 0 1", 1)
		}, ErrMismatch},
		"no fingerprint":   {func(s string) string { return strings.ReplaceAll(s, "a=fingerprint:sha-256", "a=nothing:sha-256") }, ErrFingerprint},
		"a foreign format": {func(s string) string { return strings.ReplaceAll(s, "rtpmap:96 VP8", "rtpmap:96 AV1") }, nil},
		"stopped": {func(s string) string {
			return strings.NewReplacer("m=video 9", "m=video 0", "BUNDLE 0 1 2", "BUNDLE 0 1").Replace(s)
		}, nil},
	} {
		o, err := p.ParseAnswer(c.change(good))
		if c.is == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, ErrBadAnswer) || !errors.Is(err, c.is) || o != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	foreign, err := p.ParseAnswer(strings.ReplaceAll(good, "rtpmap:96 VP8", "rtpmap:96 AV1"))
	if err != nil || len(foreign.Section("2").Codecs) != 0 {
		t.Errorf("a format that was not offered is accepted: %v, %v", foreign.Section("2").Codecs, err)
	}
}

// TestRejectedSection keeps the place of a section that a client has rejected.
func TestRejectedSection(t *testing.T) {
	p := proposals()[3]
	p.Sections[3] = OfferSection{Mid: "3", Kind: KindVideo, Rejected: true}
	text := p.Marshal()
	if !strings.Contains(text, "a=group:BUNDLE 0 1 2 4\r\n") || !strings.Contains(text, "m=video 0 ") {
		t.Fatal(text)
	}
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pc.Close() }()
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: text}); err != nil {
		t.Fatal(err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := p.ParseAnswer(answer.SDP)
	if err != nil || !o.Sections[3].Rejected || o.Sections[4].Rejected {
		t.Errorf("%v\n%s", err, answer.SDP)
	}
}

func FuzzParseAnswer(f *testing.F) {
	all := proposals()
	p := all[len(all)-1]
	files, err := filepath.Glob("testdata/*.reply")
	if err != nil || len(files) == 0 {
		f.Fatal("no recorded answers:", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		o, err := p.ParseAnswer(raw)
		if err != nil {
			if !errors.Is(err, ErrBadAnswer) {
				t.Fatal(err)
			}
			return
		}
		if len(o.Sections) != len(p.Sections) || o.Setup != SetupActive && o.Setup != SetupPassive {
			t.Fatalf("accepted: %s", raw)
		}
	})
}
