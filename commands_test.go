// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

// What the running Caddy refuses is told as a sentence, not as its answer's form.
func TestRefusalsInWords(t *testing.T) {
	for name, tc := range map[string]struct {
		status     int
		body, want string
	}{
		"a sentence":           {404, `{"error":"there are several hosts; choose one with --host: a, b"}`, "there are several hosts; choose one with --host: a, b"},
		"a Caddy without it":   {404, "404 page not found", errNotBuiltIn.Error()},
		"something else":       {403, "forbidden", "asking the running Caddy: "},
		"JSON of another kind": {500, `{"message":"x"}`, "asking the running Caddy: "},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		}))
		_, err := caddycmd.AdminAPIRequest(strings.TrimPrefix(srv.URL, "http://"), http.MethodPost, adminHostLink, nil, strings.NewReader("{}"))
		srv.Close()
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		got := plainly(err).Error()
		if got != tc.want && (!strings.HasSuffix(tc.want, ": ") || !strings.HasPrefix(got, tc.want)) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
