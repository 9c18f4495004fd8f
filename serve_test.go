// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The hash is of the password "demo".
const basicAuth = "$2a$10$6eM3gC2vhznm7WzQEUlgV.SgGhuxDN6sEImEac.ASwlVY90lESIta"

func TestServesBesideOtherDirectives(t *testing.T) {
	l := newLab(t)
	if err := os.WriteFile(filepath.Join(l.dir, "index.html"), []byte("the practice's own page"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.load(`http://localhost:HTTP {
	root * DIR
	videoroom {
		practice "Praxis Dr. Muster"
	}
	file_server
}
http://handled.localhost:HTTP {
	handle /video/* {
		videoroom {
			practice "In handle"
		}
	}
	handle {
		respond "outside"
	}
}
http://stripped.localhost:HTTP {
	handle_path /praxis/* {
		videoroom {
			practice "Stripped"
		}
	}
	handle_path /whole* {
		videoroom / {
			practice "Whole"
		}
	}
}
http://routed.localhost:HTTP {
	route {
		videoroom {
			practice "In route"
		}
		respond "after"
	}
}
http://root.localhost:HTTP {
	videoroom / {
		practice "Root"
	}
	respond "not ours" 418
}
https://localhost:HTTPS {
	tls internal
	videoroom {
		practice "With TLS"
	}
}
`)
	l.awaitTLS()
	for _, tc := range []struct {
		url    string
		status int
		text   string
	}{
		{"http://localhost:HTTP/", 200, "the practice's own page"},
		{"http://localhost:HTTP/index.html/..%2fvideo/", 404, ""},
		{"http://localhost:HTTP/video/api/v1/site", 200, "Praxis Dr. Muster"},
		{"http://localhost:HTTP/videos/", 404, ""},
		{"http://localhost:HTTP/video/nothing-here", 404, ""},
		{"http://localhost:HTTP/video/api/v1/nothing", 404, ""},
		{"http://localhost:HTTP/video/twirp/livekit.Nothing/X", 404, ""},
		{"http://handled.localhost:HTTP/video/api/v1/site", 200, "In handle"},
		{"http://handled.localhost:HTTP/else", 200, "outside"},
		{"http://stripped.localhost:HTTP/praxis/video/api/v1/site", 200, "Stripped"},
		{"http://stripped.localhost:HTTP/whole/api/v1/site", 200, "Whole"},
		{"http://routed.localhost:HTTP/video/api/v1/site", 200, "In route"},
		{"http://routed.localhost:HTTP/else", 200, "after"},
		{"http://root.localhost:HTTP/api/v1/site", 200, "Root"},
		{"http://root.localhost:HTTP/else", 418, "not ours"},
		{"https://localhost:HTTPS/video/api/v1/site", 200, "With TLS"},
	} {
		l.expect(tc.url, tc.status, tc.text)
	}
	for _, tc := range []struct{ url, location string }{
		{"http://localhost:HTTP/video?access_token=secret", "./video/"},
		{"http://localhost:HTTP/video/host?x=secret", "./host/"},
		{"http://stripped.localhost:HTTP/praxis/video", "./video/"},
		{"http://stripped.localhost:HTTP/whole", "./whole/"},
	} {
		resp := l.expect(tc.url, http.StatusPermanentRedirect, "")
		if got := resp.Header.Get("Location"); got != tc.location {
			t.Errorf("GET %s redirects to %q, want %q", tc.url, got, tc.location)
		}
	}
}

// TestPagesKnowTheirBasePath asks for the landing page where the path before
// the base has been stripped.
func TestPagesKnowTheirBasePath(t *testing.T) {
	l := newLab(t)
	l.load(`http://localhost:HTTP {
	handle_path /praxis/* {
		videoroom
	}
	videoroom /other
}
`)
	for _, tc := range []struct{ url, base string }{
		{"http://localhost:HTTP/praxis/video/", "/praxis/video"},
		{"http://localhost:HTTP/other/", "/other"},
	} {
		l.expect(tc.url, http.StatusOK, tc.base)
	}
}

func TestSaysWhichScriptsItServes(t *testing.T) {
	l := newLab(t)
	l.load(`http://localhost:HTTP {
	videoroom /praxis
}
`)
	l.expect("http://localhost:HTTP/.well-known/videoroom-integrity.json", http.StatusOK, `"a/call.js": "sha384-`)
}

func TestHostSignsInBehindBasicAuth(t *testing.T) {
	l := newLab(t)
	l.load(`http://localhost:HTTP {
	@host path /video/host/* /video/api/v1/host/session
	basic_auth @host {
		muster ` + basicAuth + `
		stranger ` + basicAuth + `
	}
	videoroom {
		host muster {
			identity {http.auth.user.id}
		}
	}
}
`)
	const session = "http://localhost:HTTP/video/api/v1/host/session"
	origin := header("Origin", fmt.Sprintf("http://localhost:%d", l.http))
	sign := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(name, "demo") }
	}
	for _, tc := range []struct {
		name   string
		status int
		edit   []func(*http.Request)
	}{
		{"nobody", http.StatusUnauthorized, nil},
		{"the host", http.StatusOK, []func(*http.Request){sign("muster")}},
		{"somebody with another id", http.StatusUnauthorized, []func(*http.Request){sign("stranger")}},
	} {
		resp, text := l.do(http.MethodPost, session, append(tc.edit, body("{}"), origin)...)
		if resp.StatusCode != tc.status {
			t.Errorf("%s: session = %d %s, want %d", tc.name, resp.StatusCode, text, tc.status)
		}
	}
}

// TestUnsetPlaceholderIsNobody: without authentication the placeholder stays
// unset, and nobody may become the host, not even by that very name.
func TestUnsetPlaceholderIsNobody(t *testing.T) {
	l := newLab(t)
	l.load(`http://localhost:HTTP {
	videoroom {
		host muster {
			identity {http.auth.user.id}
		}
	}
}
`)
	resp, text := l.do(http.MethodPost, "http://localhost:HTTP/video/api/v1/host/session", body("{}"),
		header("Origin", fmt.Sprintf("http://localhost:%d", l.http)), func(r *http.Request) { r.SetBasicAuth("muster", "x") })
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("session = %d %s, want 401", resp.StatusCode, text)
	}
}

func TestExtendedConnectIsRefused(t *testing.T) {
	l := newLab(t)
	l.load("http://localhost:HTTP {\n\tvideoroom\n}\n")
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", l.http))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A path in a CONNECT request: what HTTP/2 and HTTP/3 hand to handlers.
	if _, err := fmt.Fprintf(conn, "CONNECT /video/rtc/v1 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n", l.http); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotImplemented {
		t.Errorf("status = %d, want 501", resp.StatusCode)
	}
}

func TestStrangeHostNamesAreRefused(t *testing.T) {
	l := newLab(t)
	l.load("http://:HTTP {\n\tvideoroom\n}\n")
	l.expect("http://localhost:HTTP/video/api/v1/site", http.StatusOK, "", func(r *http.Request) { r.Host = "192.0.2.1:80" })
	for _, host := range []string{"a/b", "a!b", strings.Repeat("a", 300)} {
		resp, _ := l.do(http.MethodGet, "http://localhost:HTTP/video/api/v1/site", func(r *http.Request) { r.Host = host })
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("host %.20q: status = %d, want 400", host, resp.StatusCode)
		}
	}
}
