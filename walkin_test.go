// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net/http"
	"strings"
	"testing"
)

// TestWalkInAddresses: only hosts with open hours have an address; whatever else
// lies there is somebody else's, as it was.
func TestWalkInAddresses(t *testing.T) {
	l := newLab(t)
	const hosts = `
		host muster {
			open always
		}
		host zweit`
	l.load(`http://localhost:HTTP {
	videoroom {` + hosts + `
	}
	respond "the site's own"
}
http://root.localhost:HTTP {
	videoroom / {` + hosts + `
	}
	respond "the site's own"
}
http://stripped.localhost:HTTP {
	handle_path /praxis/* {
		videoroom {` + hosts + `
		}
	}
}
`)
	const page = `data-page="open"`
	for _, tc := range []struct{ url, want string }{
		{"http://localhost:HTTP/video/muster", page},
		{"http://localhost:HTTP/video/zweit", "the site's own"},
		{"http://localhost:HTTP/video/niemand", "the site's own"},
		{"http://localhost:HTTP/video/muster/more", "the site's own"},
		{"http://localhost:HTTP/muster", "the site's own"},
		{"http://root.localhost:HTTP/muster", page},
		{"http://root.localhost:HTTP/zweit", "the site's own"},
		{"http://stripped.localhost:HTTP/praxis/video/muster", page},
	} {
		if _, text := l.do(http.MethodGet, tc.url); !strings.Contains(text, tc.want) {
			t.Errorf("%s = %.200s, want %q", tc.url, text, tc.want)
		}
	}
	if _, text := l.do(http.MethodGet, "http://stripped.localhost:HTTP/praxis/video/muster"); !strings.Contains(text, `data-base="/praxis/video"`) ||
		!strings.Contains(text, `data-host="muster"`) {
		t.Errorf("the page does not know where it is: %.300s", text)
	}
	for url, want := range map[string]string{
		"http://localhost:HTTP/video/muster/":          "../muster",
		"http://stripped.localhost:HTTP/praxis/video/": "",
		"http://localhost:HTTP/video/zweit/":           "",
	} {
		if resp, _ := l.do(http.MethodGet, url); resp.Header.Get("Location") != want {
			t.Errorf("%s leads to %q, want %q", url, resp.Header.Get("Location"), want)
		}
	}
	if resp, _ := l.do(http.MethodPost, "http://localhost:HTTP/video/muster"); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d", resp.StatusCode)
	}
}
