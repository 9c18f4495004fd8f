// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestAdminCounts(t *testing.T) {
	l := newLab(t)
	l.load(fmt.Sprintf(oneSite, "A"))
	_, text := l.do(http.MethodGet, "http://localhost:ADMIN/videoroom/")
	var counts map[string]float64
	if err := json.Unmarshal([]byte(text), &counts); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for _, m := range measures {
		if _, ok := counts[m.name]; !ok {
			t.Errorf("%s is missing in %s", m.name, text)
		}
	}
	l.expect("http://localhost:ADMIN/videoroom/else", http.StatusNotFound, "")
	if resp, _ := l.do(http.MethodPost, "http://localhost:ADMIN/videoroom/", body("{}")); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want 405", resp.StatusCode)
	}
	l.expect("http://localhost:ADMIN/videoroom/host-link", http.StatusMethodNotAllowed, "")
}

func TestAdminHostLink(t *testing.T) {
	l := newLab(t)
	l.load(`http://a.localhost:HTTP {
	videoroom {
		host muster
		host empfang
	}
}
http://b.localhost:HTTP, http://c.localhost:HTTP {
	handle_path /praxis/* {
		videoroom {
			site bc
		}
	}
}
http://:HTTP {
	videoroom
}
`)
	a, b, d := fmt.Sprintf("http://a.localhost:%d", l.http), fmt.Sprintf("http://b.localhost:%d", l.http), fmt.Sprintf("http://d.localhost:%d", l.http)
	links := make(map[string]string)
	for _, tc := range []struct {
		ask    string
		status int
		want   string
	}{
		{`{"site":"a.localhost","host":"muster"}`, 200, a + "/video/host/#k="},
		{`{"site":"a.localhost","host":"empfang"}`, 200, a + "/video/host/#k="},
		{`{"site":"bc"}`, 200, b + "/praxis/video/host/#k="},
		{`{"site":"d.localhost"}`, 200, d + "/video/host/#k="},
		{`{}`, 404, "choose one with --site: a.localhost, bc, localhost"},
		{`{"site":"a.localhost"}`, 404, "choose one with --host: muster, empfang"},
		{`{"site":"a.localhost","host":"x"}`, 404, `there is no host \"x\"`},
		{`{"site":"no/site"}`, 404, "there is no site"},
		{`{"sight":"x"}`, 400, "reading the request"},
		{``, 400, "reading the request"},
	} {
		resp, text := l.do(http.MethodPost, "http://localhost:ADMIN/videoroom/host-link", body(tc.ask))
		if resp.StatusCode != tc.status || !strings.Contains(text, tc.want) {
			t.Errorf("%s = %d %s, want %d with %q", tc.ask, resp.StatusCode, text, tc.status, tc.want)
			continue
		}
		if tc.status != http.StatusOK {
			continue
		}
		if other, twice := links[text]; twice {
			t.Errorf("%s and %s give the same link", tc.ask, other)
		}
		links[text] = tc.ask
		if _, again := l.do(http.MethodPost, "http://localhost:ADMIN/videoroom/host-link", body(tc.ask)); again != text {
			t.Errorf("%s gives another link the second time", tc.ask)
		}
	}
}

func TestAddresses(t *testing.T) {
	l := newLab(t)
	l.load(`http://localhost:HTTP {
	videoroom
}
https://one.localhost:HTTPS, https://*.two.localhost:HTTPS {
	videoroom /v
}
http://127.0.0.1:HTTP {
	bind 127.0.0.1
	videoroom /w
}
`)
	got := make(map[string]bool)
	for _, at := range runningEngine().current().addresses() {
		got[at.origin()+at.base] = true
	}
	for _, want := range []string{
		fmt.Sprintf("http://localhost:%d/video", l.http),
		fmt.Sprintf("https://one.localhost:%d/v", l.https),
		fmt.Sprintf("http://127.0.0.1:%d/w", l.http),
	} {
		if !got[want] {
			t.Errorf("%s is missing in %v", want, got)
		}
	}
}
