// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-videoroom/videoroom/config"
)

func siteHandler(base string) *Handler {
	site := config.Site{BasePath: base}
	site.SetDefaults()
	return &Handler{site: &site}
}

// request returns a request as Caddy hands it to handlers: the browser asked
// for original, other directives left rewritten of it.
func request(original, rewritten string, vars map[string]any) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://praxis.example/", nil)
	r.URL = &url.URL{Path: rewritten}
	ctx := context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, http.Request{URL: &url.URL{Path: original}})
	if vars == nil {
		vars = make(map[string]any)
	}
	ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, vars)
	ctx = context.WithValue(ctx, caddy.ReplacerCtxKey, caddy.NewReplacer())
	return r.WithContext(ctx)
}

func TestLocate(t *testing.T) {
	for _, tc := range []struct {
		base, original, rewritten string
		want                      location
		ok                        bool
	}{
		{"/video", "/video/", "/video/", location{"", "/video", false}, true},
		{"/video", "/video", "/video", location{"", "/video", true}, true},
		{"/video", "/video/r/x", "/video/r/x", location{"r/x", "/video", false}, true},
		{"/video", "/videos", "/videos", location{}, false},
		{"/video", "/", "/", location{}, false},
		{"/video", "/Video/", "/Video/", location{}, false},
		{"/a/b", "/a/b/host/", "/a/b/host/", location{"host/", "/a/b", false}, true},
		{"/", "/", "/", location{"", "", false}, true},
		{"/", "/rtc/v1", "/rtc/v1", location{"rtc/v1", "", false}, true},
		{"/video", "/praxis/video/r/x", "/video/r/x", location{"r/x", "/praxis/video", false}, true},
		{"/video", "/praxis/video", "/video", location{"", "/praxis/video", true}, true},
		{"/", "/praxis/", "/", location{"", "/praxis", false}, true},
		{"/", "/praxis/r/x", "/r/x", location{"r/x", "/praxis", false}, true},
		{"/", "/praxis", "/", location{"", "/praxis", true}, true},
		{"/video", "/elsewhere", "/video/r/x", location{"r/x", "/video", false}, true},
		// What was stripped must not turn a reference into another host's.
		{"/video", "//evil.example/video", "/video", location{}, false},
		{"/", "//evil.example", "/", location{"", "", false}, true},
		{"/video", "/a/../video/", "/video/", location{}, false},
	} {
		got, ok := siteHandler(tc.base).locate(request(tc.original, tc.rewritten, nil))
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("base %s, %s rewritten to %s = %+v, %v, want %+v, %v", tc.base, tc.original, tc.rewritten, got, ok, tc.want, tc.ok)
		}
	}
}

func TestCall(t *testing.T) {
	withTLS := func(r *http.Request) { r.TLS = &tls.ConnectionState{} }
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	forwarded := func(r *http.Request) {
		r.Header.Set("X-Forwarded-Proto", "https, http")
		r.Header.Set("X-Forwarded-Host", "other.example")
	}
	trusted := map[string]any{caddyhttp.TrustedProxyVarKey: true}
	for _, tc := range []struct {
		name           string
		vars           map[string]any
		edit           []func(*http.Request)
		siteID, origin string
		ok             bool
	}{
		{"plain", nil, []func(*http.Request){host("Praxis.Example")}, "praxis.example", "http://praxis.example", true},
		{"TLS", nil, []func(*http.Request){host("praxis.example"), withTLS}, "praxis.example", "https://praxis.example", true},
		{"port", nil, []func(*http.Request){host("praxis.example:8080")}, "praxis.example", "http://praxis.example:8080", true},
		{"own port", nil, []func(*http.Request){host("praxis.example:443"), withTLS}, "praxis.example", "https://praxis.example", true},
		{"other scheme's port", nil, []func(*http.Request){host("praxis.example:443")}, "praxis.example", "http://praxis.example:443", true},
		{"IPv6", nil, []func(*http.Request){host("[2001:db8::7]:8080")}, "2001:db8::7", "http://[2001:db8::7]:8080", true},
		{"IPv6 without port", nil, []func(*http.Request){host("[2001:db8::7]")}, "2001:db8::7", "http://[2001:db8::7]", true},
		{"stranger's proxy fields", nil, []func(*http.Request){host("praxis.example"), forwarded}, "praxis.example", "http://praxis.example", true},
		{"trusted proxy names the scheme, never the site", trusted, []func(*http.Request){host("praxis.example"), forwarded}, "praxis.example", "https://praxis.example", true},
		{"empty", nil, []func(*http.Request){host("")}, "", "", false},
		{"slash", nil, []func(*http.Request){host("a/b")}, "", "", false},
		{"dots", nil, []func(*http.Request){host("..")}, "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := request("/video/", "/video/", tc.vars)
			for _, f := range tc.edit {
				f(r)
			}
			got, ok := siteHandler("/video").call(r, location{}, siteHandler("/video").site)
			if ok != tc.ok || got.SiteID != tc.siteID || got.Origin != tc.origin {
				t.Errorf("site %q, origin %q, %v, want %q, %q, %v", got.SiteID, got.Origin, ok, tc.siteID, tc.origin, tc.ok)
			}
		})
	}
	h := siteHandler("/video")
	h.site.Name = "praxis"
	if got, ok := h.call(request("/video/", "/video/", nil), location{}, h.site); !ok || got.SiteID != "praxis" {
		t.Errorf("site = %q, %v, want praxis", got.SiteID, ok)
	}
}

func TestAddressesOfARequest(t *testing.T) {
	r := request("/video/", "/video/", map[string]any{caddyhttp.ClientIPVarKey: "::ffff:192.0.2.9"})
	local := &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 443}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(local)))
	if got := clientAddr(r); got != netip.MustParseAddr("192.0.2.9") {
		t.Errorf("client = %v", got)
	}
	if got := reachedAddr(r); got != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("reached = %v", got)
	}
	r = request("/video/", "/video/", nil)
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.UnixAddr{Name: "/run/x", Net: "unix"})))
	if clientAddr(r).IsValid() || reachedAddr(r).IsValid() {
		t.Error("a Unix socket has no addresses")
	}
}

func TestIdentity(t *testing.T) {
	r := request("/video/", "/video/", nil)
	repl := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	ask := identity(r)
	for _, tc := range []struct {
		name, placeholder string
		set               func()
		want              string
		ok                bool
	}{
		{"none configured", "", func() {}, "", false},
		{"unset", "{http.auth.user.id}", func() {}, "", false},
		{"empty", "{http.auth.user.id}", func() { repl.Set("http.auth.user.id", "") }, "", false},
		{"set", "{http.auth.user.id}", func() { repl.Set("http.auth.user.id", "muster") }, "muster", true},
		{"one of two unset", "{http.auth.user.id}{http.auth.user.x}", func() {}, "", false},
	} {
		tc.set()
		got, ok := ask(config.Host{ID: "muster", Identity: tc.placeholder})
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s: %q, %v, want %q, %v", tc.name, got, ok, tc.want, tc.ok)
		}
	}
}
