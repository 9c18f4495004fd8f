// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const room = "abcdefghijklmnopqrstuvwx27"

var site = Page{Base: "/video", Language: "de", Practice: "Praxis Dr. Muster", Phone: "+49 69 123456", Origin: "https://praxis.example"}

func get(t *testing.T, path string, change func(*http.Request, *Page)) *http.Response {
	t.Helper()
	p := site
	p.Path = path
	r := httptest.NewRequest(http.MethodGet, "https://praxis.example/video/"+path, nil)
	if change != nil {
		change(r, &p)
	}
	w := httptest.NewRecorder()
	if !Serve(w, r, p) {
		t.Fatalf("Serve(%q) refused the path", path)
	}
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPagesAreKnownByPath(t *testing.T) {
	for _, tc := range []struct{ path, kind string }{
		{"", "landing"},
		{"host/", "host"},
		{"test", "test"},
		{"r/" + room, "room"},
		{"r/" + room[:25], "room"}, // a truncated link is told so by the page
		{"r/" + strings.ToUpper(room), "room"},
	} {
		answer := get(t, tc.path, nil)
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%q: status %d", tc.path, answer.StatusCode)
		}
		if html := body(t, answer); !strings.Contains(html, `data-page="`+tc.kind+`"`) {
			t.Errorf("%q: page kind %q is missing", tc.path, tc.kind)
		}
	}
}

func TestOtherPathsAreLeftAlone(t *testing.T) {
	for _, path := range []string{
		"host", "host/x", "r/", "r/" + room + "/", "r/" + room + "/x", "r/" + strings.Repeat("a", 129),
		"index.html", "a/app.js", "api/v1/site", "rtc/v1", "_vr", "privacy", "../etc/passwd",
	} {
		p := site
		p.Path = path
		w := httptest.NewRecorder()
		if Serve(w, httptest.NewRequest(http.MethodGet, "/", nil), p) {
			t.Errorf("Serve(%q) took a path that is not its own", path)
		}
		if w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("Serve(%q) wrote something", path)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	h := get(t, "r/"+room, nil).Header
	for name, want := range map[string]string{
		"Cache-Control":                "no-store",
		"Content-Type":                 "text/html; charset=utf-8",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Embedder-Policy": "", // Firefox would refuse calls through proxies
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"X-Robots-Tag":                 "noindex, nofollow",
		"Strict-Transport-Security":    "max-age=63072000",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	csp := h.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self' 'sha256-", "style-src 'self';", "connect-src 'self' wss://praxis.example;",
		"frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'", "upgrade-insecure-requests",
	} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy lacks %q: %s", want, csp)
		}
	}
	for _, bad := range []string{"unsafe", "http:", "*"} {
		if strings.Contains(csp, bad) {
			t.Errorf("policy holds %q: %s", bad, csp)
		}
	}
	if len(h["Set-Cookie"]) > 0 {
		t.Error("a page set a cookie")
	}
}

func TestPlainHTTPHasNothingToUpgradeTo(t *testing.T) {
	h := get(t, "", func(_ *http.Request, p *Page) { p.Origin = "http://localhost:8080" }).Header
	if got := h.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security over plain HTTP: %q", got)
	}
	csp := h.Get("Content-Security-Policy")
	if !strings.Contains(csp, "connect-src 'self' ws://localhost:8080;") || strings.Contains(csp, "upgrade-insecure") {
		t.Errorf("policy over plain HTTP: %s", csp)
	}
}

func TestForgedHostAddsNothingToThePolicy(t *testing.T) {
	for _, origin := range []string{"https://a; script-src *", "https://a b", "https://", "", "javascript:x", "https://a,b"} {
		if got := policy(origin); !strings.Contains(got, "connect-src 'self'; ") || strings.Contains(got, "*") {
			t.Errorf("policy(%q) = %s", origin, got)
		}
	}
	if got := policy("https://[::1]:8443"); !strings.Contains(got, "wss://[::1]:8443;") {
		t.Errorf("an IPv6 host is missing: %s", got)
	}
}

func TestSettingsAreEscaped(t *testing.T) {
	evil := `"><script>alert(1)</script>'&`
	html := body(t, get(t, "", func(_ *http.Request, p *Page) { p.Practice, p.Phone, p.Base = evil, evil, `/"><b>` }))
	if strings.Contains(html, "<script>") || strings.Contains(html, "<b>") {
		t.Fatalf("a setting became markup:\n%s", html)
	}
	if want := `data-practice="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;"`; !strings.Contains(html, want) {
		t.Errorf("the practice is not there as text:\n%s", html)
	}
}

func TestPageIsFilledCompletely(t *testing.T) {
	html := body(t, get(t, "r/"+room, nil))
	for _, want := range []string{
		`<html lang="de" data-page="room" data-base="/video" data-language="de" data-address="sie" data-practice="Praxis Dr. Muster" data-phone="+49 69 123456">`,
		`<a href="tel:+4969123456">+49 69 123456</a>`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("missing %s", want)
		}
	}
	if strings.Contains(html, lateMark) || strings.Contains(html, scriptMark) || strings.Contains(html, `"./a/`) {
		t.Error("a mark was left in the page")
	}
	text := importMap(t, html) // the one exception, whose hash stands in the policy
	if regexp.MustCompile(`<script[^>]*>[^<]|\son\w+=|\sstyle=|<style`).MatchString(strings.Replace(html, text, "", 1)) {
		t.Error("the page holds inline script or style")
	}
	refs := regexp.MustCompile(`(?:src|href)="(/video/[^"]+)"`).FindAllStringSubmatch(html, -1)
	if len(refs) < 3 {
		t.Fatalf("only %d assets are named", len(refs))
	}
	for _, ref := range refs {
		if ref[1] == "/video/privacy" { // served with the facts of the configuration
			continue
		}
		answer := get(t, strings.TrimPrefix(ref[1], "/video/"), nil)
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", ref[1], answer.StatusCode)
		}
	}
}

func TestPageHoldsWhatThePracticeSays(t *testing.T) {
	html := body(t, get(t, "r/"+room, func(_ *http.Request, p *Page) {
		p.Checklist, p.InPerson = []string{`Karte "bereit"`, "Telefon stumm"}, "/kontakt"
	}))
	for _, want := range []string{"data-checklist=\"Karte &#34;bereit&#34;\nTelefon stumm\"", `data-inperson="/kontakt"`} {
		if !strings.Contains(html, want) {
			t.Errorf("missing %s", want)
		}
	}
}

func TestLanguageAndAddress(t *testing.T) {
	html := body(t, get(t, "", func(_ *http.Request, p *Page) { p.Language, p.Address, p.Phone = "en", "du", "" }))
	for _, want := range []string{`<html lang="en"`, `data-address="du"`, "<title>Video consultation</title>"} {
		if !strings.Contains(html, want) {
			t.Errorf("missing %s", want)
		}
	}
	if strings.Contains(html, "tel:") {
		t.Error("a phone link without a number")
	}
	if html := body(t, get(t, "", func(_ *http.Request, p *Page) { p.Language = `x" onload="y` })); !strings.Contains(html, `<html lang="de"`) {
		t.Error("an unknown language is not the default")
	}
}

func script(t *testing.T) string {
	t.Helper()
	b, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return assetPrefix + b.hash + "/a/app.js"
}

func TestAssetsAreImmutable(t *testing.T) {
	answer := get(t, script(t), nil)
	h := answer.Header
	if got := h.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control: %q", got)
	}
	if got := h.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("Content-Type: %q", got)
	}
	if got := h.Get("Vary"); got != "Accept-Encoding" {
		t.Errorf("Vary: %q", got)
	}
	plain := body(t, answer)
	if got := h.Get("Content-Length"); got != strconv.Itoa(len(plain)) {
		t.Errorf("Content-Length %s for %d bytes", got, len(plain))
	}
	again := get(t, script(t), func(r *http.Request, _ *Page) { r.Header.Set("If-None-Match", "W/"+h.Get("ETag")) })
	if again.StatusCode != http.StatusNotModified || body(t, again) != "" {
		t.Errorf("a known asset was sent again: %d", again.StatusCode)
	}
}

func TestAssetsAreCompressed(t *testing.T) {
	plain := body(t, get(t, script(t), nil))
	packed := get(t, script(t), func(r *http.Request, _ *Page) { r.Header.Set("Accept-Encoding", "br, gzip;q=0.8") })
	if got := packed.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding: %q", got)
	}
	data := body(t, packed)
	if len(data) >= len(plain)/2 {
		t.Errorf("%d of %d bytes after compressing", len(data), len(plain))
	}
	r, err := gzip.NewReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(r)
	if err != nil || string(unpacked) != plain {
		t.Errorf("the compressed script differs (%v)", err)
	}
	if packed.Header.Get("ETag") == get(t, script(t), nil).Header.Get("ETag") {
		t.Error("two encodings share an entity tag")
	}
}

func TestAcceptEncoding(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "gzip;q=0": false, "gzip; q=0.0": false, "br": false, "*": true,
		"*;q=0": false, "*, gzip;q=0": false, "identity, gzip;q=0.5": true, "xgzip": false, "gzip;q=x": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("acceptsGzip(%q) = %v", header, got)
		}
	}
}

func TestUnknownAssets(t *testing.T) {
	b, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", b.hash, b.hash + "/", b.hash + "/a/nothing.js", b.hash + "/index.html", b.hash + "/../serve.go", "short/a/app.js"} {
		answer := get(t, assetPrefix+path, nil)
		if answer.StatusCode != http.StatusNotFound || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: status %d, %q", path, answer.StatusCode, answer.Header.Get("Cache-Control"))
		}
	}
	old := get(t, assetPrefix+"00000000/a/app.js", nil)
	if old.StatusCode != http.StatusOK || old.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("an open page of another build: status %d, %q", old.StatusCode, old.Header.Get("Cache-Control"))
	}
}

func TestMethods(t *testing.T) {
	for _, path := range []string{"", "host/", script(t)} {
		head := get(t, path, func(r *http.Request, _ *Page) { r.Method = http.MethodHead })
		if head.StatusCode != http.StatusOK || body(t, head) != "" || head.Header.Get("Content-Length") == "0" {
			t.Errorf("HEAD %q: status %d", path, head.StatusCode)
		}
		post := get(t, path, func(r *http.Request, _ *Page) { r.Method = http.MethodPost })
		if post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %q: status %d", path, post.StatusCode)
		}
	}
}

func TestDistIsComplete(t *testing.T) {
	b, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/app.js", "a/room.js", "a/host.js", "a/call.js", "a/test.js", "a/open.js", "a/en.js", "a/style.css", "THIRD_PARTY.txt"} {
		if _, ok := b.assets[name]; !ok {
			t.Errorf("dist lacks %s", name)
		}
	}
	// What a visitor loads before anything else: the budget of the first screen.
	if n := firstLoad(b, "app.js", make(map[string]bool)); n > 15*1024 {
		t.Errorf("app.js and what it imports are %d bytes compressed", n)
	}
	for _, mark := range []string{htmlTag, assetMark, lateMark, scriptMark, titleMark} {
		if !strings.Contains(b.page, mark) {
			t.Errorf("index.html lacks %s", mark)
		}
	}
	foreign := regexp.MustCompile(`(?:src|href)="(?:https?:)?//`)
	if foreign.MatchString(b.page) {
		t.Error("index.html names another origin")
	}
}

// firstLoad is the compressed size of a script and of all that it cannot run without.
func firstLoad(b *bundle, name string, seen map[string]bool) int {
	if seen[name] {
		return 0
	}
	seen[name] = true
	c := b.assets["a/"+name]
	n := len(c.gzipped)
	if c.gzipped == nil {
		n = len(c.plain)
	}
	for _, m := range regexp.MustCompile(`(?:from|import)"\./([\w-]+\.js)"`).FindAllSubmatch(c.plain, -1) {
		n += firstLoad(b, string(m[1]), seen)
	}
	return n
}

func TestLoadRefusesABrokenBuild(t *testing.T) {
	if _, err := load(fstest.MapFS{"dist/a/app.js": {Data: []byte("x")}}, "dist"); !errors.Is(err, ErrNoPage) {
		t.Errorf("without a page: %v", err)
	}
	files := fstest.MapFS{"dist/index.html": {Data: []byte("x")}, "dist/a/app.wasm": {Data: []byte("x")}}
	if _, err := load(files, "dist"); !errors.Is(err, ErrUnknownType) {
		t.Errorf("with an unknown file: %v", err)
	}
	one, err := load(fstest.MapFS{"dist/index.html": {Data: []byte("x")}}, "dist")
	if err != nil {
		t.Fatal(err)
	}
	two, err := load(fstest.MapFS{"dist/index.html": {Data: []byte("y")}}, "dist")
	if err != nil {
		t.Fatal(err)
	}
	if one.hash == two.hash || len(one.hash) != 8 {
		t.Errorf("hashes %q and %q", one.hash, two.hash)
	}
}

func TestSmallFilesStayPlain(t *testing.T) {
	c, err := prepare("a/x.svg", []byte("<svg/>"))
	if err != nil || c.gzipped != nil || !bytes.Equal(c.plain, []byte("<svg/>")) {
		t.Errorf("prepare: %v, gzipped %d", err, len(c.gzipped))
	}
}

func FuzzServe(f *testing.F) {
	f.Add("", "gzip", `"x"`, "https://praxis.example")
	f.Add("r/"+room, "*;q=0.1", "W/*", "http://[::1]:80")
	f.Add("_vr/00000000/a/app.js", ";;,=q", ",", "://;")
	f.Fuzz(func(t *testing.T, path, encoding, match, origin string) {
		p := site
		p.Path, p.Origin = path, origin
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", encoding)
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		if !Serve(w, r, p) {
			return
		}
		if csp := w.Header().Get("Content-Security-Policy"); strings.Count(csp, ";") > strings.Count(policy("https://x"), ";") || strings.ContainsAny(csp, "\r\n*") {
			t.Errorf("origin %q changed the policy: %s", origin, csp)
		}
	})
}

func TestPageKnowsWhetherEncryptionIsRequired(t *testing.T) {
	if html := body(t, get(t, "r/"+room, nil)); strings.Contains(html, "data-e2ee") {
		t.Fatal("a page of a site without end-to-end encryption says that it is required")
	}
	if html := body(t, get(t, "r/"+room, func(_ *http.Request, p *Page) { p.E2EE = true })); !strings.Contains(html, ` data-e2ee="required"`) {
		t.Fatal("a page of a site with end-to-end encryption does not know it")
	}
}

func TestQuickExitIsSaidWhereItIsOffered(t *testing.T) {
	if html := body(t, get(t, "r/"+room, nil)); strings.Contains(html, "data-exit") {
		t.Error("offered unasked")
	}
	if html := body(t, get(t, "r/"+room, func(_ *http.Request, p *Page) { p.QuickExit = true })); !strings.Contains(html, ` data-exit="quick"`) {
		t.Error("not offered")
	}
}
