// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// TestLogs follows Caddy's own decision which host names it logs.
func TestLogs(t *testing.T) {
	named := map[string]caddyhttp.StringArray{"a.example": {"log0"}, "*.b.example": {""}}
	for _, tc := range []struct {
		logs *caddyhttp.ServerLogConfig
		host string
		want bool
	}{
		{nil, "a.example", false},
		{&caddyhttp.ServerLogConfig{}, "a.example", true},
		{&caddyhttp.ServerLogConfig{SkipHosts: []string{"a.example"}}, "a.example", false},
		{&caddyhttp.ServerLogConfig{SkipHosts: []string{"a.example"}}, "c.example", true},
		{&caddyhttp.ServerLogConfig{LoggerNames: named, SkipUnmappedHosts: true}, "a.example", true},
		{&caddyhttp.ServerLogConfig{LoggerNames: named, SkipUnmappedHosts: true}, "x.b.example", true},
		{&caddyhttp.ServerLogConfig{LoggerNames: named, SkipUnmappedHosts: true}, "c.example", false},
	} {
		if got := logs(&caddyhttp.Server{Logs: tc.logs}, tc.host); got != tc.want {
			t.Errorf("%+v, %s: %v, want %v", tc.logs, tc.host, got, tc.want)
		}
	}
}

// TestErrorsArePages: whoever opens an address in a browser gets a page with the
// telephone, whoever asks for data gets data; also where another directive fails.
func TestErrorsArePages(t *testing.T) {
	l := newLab(t)
	l.load(`http://localhost:HTTP {
	videoroom {
		practice "Praxis am Park"
		phone "+49 69 1"
	}
	error /video/broken 500
}
http://front.localhost:HTTP {
	route {
		error /video/r/* "canary" 502
		videoroom {
			phone "+49 69 2"
			language en
		}
	}
}
`)
	html := header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	const dial = `href="tel:`
	for _, tc := range []struct {
		url    string
		status int
		want   string
	}{
		{"http://localhost:HTTP/video/r/a/b", http.StatusNotFound, "Diese Seite gibt es nicht"},
		{"http://localhost:HTTP/video/broken", http.StatusInternalServerError, "Ihr Gerät ist in Ordnung"},
		{"http://front.localhost:HTTP/video/r/x", http.StatusBadGateway, "Your device is fine"},
	} {
		resp, text := l.do(http.MethodGet, tc.url, html)
		if resp.StatusCode != tc.status || !strings.Contains(text, tc.want) || !strings.Contains(text, dial) || strings.Contains(text, "canary") {
			t.Errorf("%s = %d %s", tc.url, resp.StatusCode, text)
		}
		resp, text = l.do(http.MethodGet, tc.url, header("Accept", "application/json"))
		if resp.StatusCode != tc.status || !strings.HasPrefix(text, `{"error":`) {
			t.Errorf("%s as data = %d %s", tc.url, resp.StatusCode, text)
		}
	}
	// What scripts ask for stays data whatever the browser says.
	resp, text := l.do(http.MethodGet, "http://localhost:HTTP/video/api/v1/nothing", html)
	if !strings.HasPrefix(text, `{"error":`) {
		t.Errorf("api = %d %s", resp.StatusCode, text)
	}
	l.expect("http://localhost:HTTP/video/privacy", http.StatusOK, "Praxis am Park")
	l.expect("http://localhost:HTTP/video/privacy", http.StatusOK, "verschickt keine E-Mails")
	if resp, _ := l.do(http.MethodPost, "http://localhost:HTTP/video/privacy"); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST privacy = %d", resp.StatusCode)
	}
}
