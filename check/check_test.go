// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"praxis.example/video":                 "https://praxis.example/video",
		"https://praxis.example/video/":        "https://praxis.example/video",
		"http://localhost:8080/video?x=1#k=2":  "http://localhost:8080/video",
		"https://user:secret@praxis.example/v": "https://praxis.example/v",
		"ftp://praxis.example":                 "",
		"https://":                             "",
		"":                                     "",
	} {
		got, err := normalize(in)
		if (err != nil) != (want == "") || got != want {
			t.Errorf("normalize(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestRunReportsWhatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"another website": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "not a videoroom"},
		"html":            {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "not a videoroom"},
		"refused test room": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				_, _ = w.Write([]byte(`{"practice":"Praxis","version":"1"}`))
				return
			}
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"error":{"code":"too_many","message":"try later"}}`))
		}, "try later (too_many)"},
		"no websocket": {func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost:
				_, _ = w.Write([]byte(`{"tokens":["a","b"]}`))
			case strings.HasSuffix(r.URL.Path, "site"):
				_, _ = w.Write([]byte(`{"practice":"Praxis","version":"1"}`))
			default:
				w.WriteHeader(200)
			}
		}, "HTTP status 200"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(tc.handler)
			defer srv.Close()
			var out bytes.Buffer
			if code := Run(context.Background(), srv.URL+"/video", Options{Timeout: 3 * time.Second}, &out); code != ExitFailed {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(out.String(), tc.want) || !strings.Contains(out.String(), "FAILED") {
				t.Errorf("report lacks %q:\n%s", tc.want, out.String())
			}
		})
	}
}

// A server without UDP is not said to be well.
func TestAbsentWays(t *testing.T) {
	for _, w := range ways {
		var out bytes.Buffer
		r := &report{w: &out}
		r.absent(w)
		code := r.finish()
		udp := w.name == "media over UDP"
		if !strings.Contains(out.String(), "not offered by this server") || code != ExitOK ||
			strings.Contains(out.String(), "start it again") != udp || strings.Contains(out.String(), "Everything works.") == udp {
			t.Errorf("%s: %d\n%s", w.name, code, out.String())
		}
	}
}

func TestRunUsage(t *testing.T) {
	var out bytes.Buffer
	if code := Run(context.Background(), "ftp://x", Options{}, &out); code != ExitUsage {
		t.Errorf("exit code %d, want %d", code, ExitUsage)
	}
}

func TestMeter(t *testing.T) {
	m, now := newMeter(), time.Now()
	for i := range 100 {
		if i%10 == 9 {
			continue // every tenth is lost, the last of them unnoticed
		}
		p := &rtp.Packet{Payload: stamped(soundBytes, now.Add(-7*time.Millisecond))}
		p.SequenceNumber = uint16(65500 + i)
		m.take(webrtc.RTPCodecTypeAudio, p, now)
	}
	got := m.result(webrtc.RTPCodecTypeAudio)
	if got.packets != 90 || got.lost != 9 || got.delay.Round(time.Millisecond) != 7*time.Millisecond {
		t.Errorf("measured %+v", got)
	}
	if none := m.result(webrtc.RTPCodecTypeVideo); none.loss() != 1 {
		t.Errorf("nothing received counts as loss %v", none.loss())
	}
}
