// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sdp

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected results under testdata anew")

// recorded returns the offers that browsers made, with the line ends of the
// wire, by name.
func recorded(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.sdp")
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded offers:", err)
	}
	offers := make(map[string]string)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		offers[strings.TrimSuffix(filepath.Base(f), ".sdp")] = strings.ReplaceAll(string(b), "\n", "\r\n")
	}
	return offers
}

// reply answers an offer the way a server does that receives everything and
// sends on the first two sections of each kind where the client is ready.
func reply(o *Offer, want ...string) *Answer {
	a := &Answer{
		SessionID: 1 << 62, Version: o.Version,
		Ufrag: "serv", Pwd: "0123456789abcdefghijkl",
		FingerprintSHA256: strings.Repeat("0A:", 31) + "FF",
		ExtmapAllowMixed:  o.ExtmapAllowMixed,
		Candidates: []Candidate{
			{Addr: netip.MustParseAddrPort("127.0.0.1:8443"), Priority: CandidatePriority(false, 8191)},
			{Addr: netip.MustParseAddrPort("[::1]:8443"), Priority: CandidatePriority(false, 8190)},
			{Addr: netip.MustParseAddrPort("127.0.0.1:8443"), TCP: true, Priority: CandidatePriority(true, 8191)},
		},
	}
	sent := make(map[string]int)
	for i := range o.Sections {
		s := &o.Sections[i]
		r := s.Reply()
		switch {
		case s.Kind == KindApplication:
			r.MaxMessageSize = 65536
		default:
			r.Codecs = PickCodecs(s, want)
			r.Exts = FilterExts(s, ExtMid, ExtRID, ExtRepairedRID, ExtAudioLevel, ExtTransportCC, ExtAbsSendTime)
			if s.Sends() {
				r.receive(s)
			} else if s.Receives() && sent[s.Kind] < 2 {
				sent[s.Kind]++
				r.send(s, sent[s.Kind])
			}
		}
		a.Sections = append(a.Sections, r)
	}
	return a
}

func (r *AnswerSection) receive(s *Section) {
	r.Direction, r.RecvRIDs = RecvOnly, s.RIDs
	for i := range r.Codecs {
		if c := &r.Codecs[i]; c.Name == Opus {
			c.Fmtp = OpusFmtp(c.Fmtp, OpusOptions{DTX: true})
		}
	}
}

func (r *AnswerSection) send(s *Section, n int) {
	r.Direction = SendOnly
	r.StreamID, r.TrackID = fmt.Sprintf("PA_%d|camera", n), fmt.Sprintf("TR_%s%d", s.Kind, n)
	r.SSRC, r.CNAME = uint32(1000*n+len(s.Kind)), fmt.Sprintf("PA_%d", n)
	if s.Kind == KindVideo {
		r.RTXSSRC = r.SSRC + 1
	}
}

// golden compares got with the file of that name under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s differs from line %d on:\n got %q\nwant %q", file, i+1, g[min(i, len(g)-1)], w[min(i, len(w)-1)])
		}
	}
}

// describe writes what was read from an offer, a line for each section.
func describe(t *testing.T, o *Offer) string {
	t.Helper()
	head := *o
	head.Sections = nil
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(head); err != nil {
		t.Fatal(err)
	}
	for i := range o.Sections {
		if err := enc.Encode(o.Sections[i]); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestRecordedOffers(t *testing.T) {
	for name, offer := range recorded(t) {
		t.Run(name, func(t *testing.T) {
			o, err := ParseOffer(offer)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".parsed", describe(t, o))
			var want []string
			if strings.HasSuffix(name, "vp9") {
				want = []string{"vp9", "red"}
			}
			answer := reply(o, want...).Marshal()
			if again := reply(o, want...).Marshal(); again != answer {
				t.Fatal("the same answer gives two texts")
			}
			if strings.Count(answer, "\n") != strings.Count(answer, "\r\n") || !strings.HasSuffix(answer, "\r\n") {
				t.Fatal("lines do not end in CR LF")
			}
			golden(t, name+".answer", strings.ReplaceAll(answer, "\r\n", "\n"))
			lf, err := ParseOffer(strings.ReplaceAll(offer, "\r\n", "\n"))
			if err != nil || describe(t, lf) != describe(t, o) {
				t.Fatalf("bare line feeds make a difference: %v", err)
			}
		})
	}
}

// TestRecordedFacts states by hand what matters in the recorded offers.
func TestRecordedFacts(t *testing.T) {
	offers := recorded(t)
	for _, browser := range []string{"chromium", "firefox"} {
		read := func(name string) *Offer {
			o, err := ParseOffer(offers[browser+"-"+name])
			if err != nil {
				t.Fatal(browser, name, err)
			}
			return o
		}
		first := read("1-initial")
		var layout []string
		for _, s := range first.Sections {
			layout = append(layout, s.Kind+" "+s.Direction)
			if s.Rejected {
				t.Errorf("%s: section %s is rejected", browser, s.Mid)
			}
		}
		want := "audio recvonly,audio recvonly,audio recvonly,video recvonly,video recvonly,video recvonly,application sendrecv"
		if got := strings.Join(layout, ","); got != want {
			t.Errorf("%s: layout %s", browser, got)
		}
		if s := first.Section("6"); s == nil || s.SCTPPort != 5000 || s.MaxMessageSize == 0 {
			t.Errorf("%s: data section %+v", browser, s)
		}
		mic := read("3-mic").Section("7")
		if !mic.Sends() || mic.Receives() || mic.TrackID == "" || mic.StreamID == "" || len(mic.SSRCs) != 1 {
			t.Errorf("%s: microphone %+v", browser, mic)
		}
		camera := read("4-camera").Section("8")
		if !camera.Sends() || strings.Join(camera.RIDs, "") != "qhf" {
			t.Errorf("%s: camera %+v", browser, camera)
		}
		if c := PickCodecs(camera, nil); len(c) == 0 || c[0].Name != VP8 || c[0].RTX == 0 {
			t.Errorf("%s: camera codecs %+v", browser, c)
		}
		screen := read("5-screen").Section("9")
		if !screen.Sends() || len(screen.RIDs) != 0 || len(screen.RTXOf) != 1 {
			t.Errorf("%s: screen %+v", browser, screen)
		}
		if s := read("6-unpublished").Section("8"); s.Sends() || s.Direction != Inactive || s.Rejected {
			t.Errorf("%s: unpublished camera %+v", browser, s)
		}
		if s := read("7-stopped").Section("9"); !s.Rejected {
			t.Errorf("%s: stopped screen %+v", browser, s)
		}
	}
}
