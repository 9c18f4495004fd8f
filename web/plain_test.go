// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

var somePage = Page{
	Base: "/video", Language: "de", Address: "sie", Practice: "Praxis Dr. Muster", Phone: "+49 69 123456",
	Origin: "https://praxis.example",
}

func privacy(t *testing.T, p Page, f Facts) string {
	t.Helper()
	w := httptest.NewRecorder()
	Privacy(w, httptest.NewRequest(http.MethodGet, "/video/privacy", nil), p, f)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// TestClaimsFollowSettings: each setting alone adds and removes its sentences.
func TestClaimsFollowSettings(t *testing.T) {
	good := Facts{
		E2EE: true, WaitingRoom: true, Unrecorded: true, Mail: true, Reminder: 30 * time.Minute, Retention: 24 * time.Hour,
		Calendars: true, Booking: true, OtherSoftware: true, WalkIns: true, AccessLog: true, RedirectLogged: true, Version: "v1.2.3",
	}
	for name, tc := range map[string]struct {
		without func(*Facts)
		gone    string
		instead string // "" where nothing takes its place
	}{
		"e2ee":      {func(f *Facts) { f.E2EE = false }, "kann sie nicht lesen", "Ende-zu-Ende-Verschlüsselung ist derzeit nicht eingeschaltet"},
		"names":     {func(f *Facts) { f.E2EE = false }, "der Name, mit dem Sie anklopfen, werden von Browser zu Browser", ""},
		"waiting":   {func(f *Facts) { f.WaitingRoom = false }, "bis man Sie hereinlässt", "Es gibt kein Wartezimmer"},
		"recording": {func(f *Facts) { f.Unrecorded = false }, "Es wird nichts aufgezeichnet", "wenn alle Beteiligten vorher zugestimmt"},
		"mail":      {func(f *Facts) { f.Mail = false }, "Einladungen kommen als E-Mail", "verschickt keine E-Mails"},
		"no mail":   {func(f *Facts) { f.Mail = false }, "kommt der Link noch einmal", ""},
		"reminder":  {func(f *Facts) { f.Reminder = 0 }, "30 Minuten vor dem Termin", ""},
		"retention": {func(f *Facts) { f.Retention = 0 }, "24 Stunden nach seinem Ende gelöscht", ""},
		"calendars": {func(f *Facts) { f.Calendars = false }, "aus einem Kalender", ""},
		"booking":   {func(f *Facts) { f.Booking = false }, "Ein Buchungssystem", ""},
		"walk-ins":  {func(f *Facts) { f.WalkIns = false }, "auch ohne Link", ""},
		"software":  {func(f *Facts) { f.OtherSoftware = false }, "Andere Software", ""},
		"redirect":  {func(f *Facts) { f.RedirectLogged = false }, "mit http:// statt https://", ""},
		"log":       {func(f *Facts) { f.AccessLog = false }, "führt der Webserver ein Zugriffsprotokoll", ""},
	} {
		before := privacy(t, somePage, good)
		f := good
		tc.without(&f)
		after := privacy(t, somePage, f)
		if !strings.Contains(before, tc.gone) || strings.Contains(after, tc.gone) {
			t.Errorf("%s: %q does not follow the setting", name, tc.gone)
		}
		if tc.instead != "" && (strings.Contains(before, tc.instead) || !strings.Contains(after, tc.instead)) {
			t.Errorf("%s: %q does not take its place", name, tc.instead)
		}
	}
}

// The zero value of every fact promises nothing: what is said then holds for
// every configuration.
func TestNothingIsClaimedWithoutASetting(t *testing.T) {
	text := privacy(t, Page{Origin: "http://praxis.example"}, Facts{})
	for _, claim := range []string{"von Browser zu Browser", "hereinlässt", "nichts aufgezeichnet", "gelöscht", "Einladungen"} {
		if strings.Contains(text, claim) {
			t.Errorf("%q is claimed without a setting", claim)
		}
	}
	for _, honest := range []string{"ohne HTTPS", "derzeit nicht eingeschaltet", "kein Wartezimmer"} {
		if !strings.Contains(text, honest) {
			t.Errorf("%q is not said", honest)
		}
	}
	if strings.Contains(privacy(t, somePage, Facts{}), "ohne HTTPS") {
		t.Error("HTTPS is not seen")
	}
}

// Every sentence exists in both languages, names no certificate as its own, and
// belongs to a heading.
func TestClaimsAreComplete(t *testing.T) {
	sections := make(map[string]bool)
	for _, s := range privacySections {
		sections[s.key] = true
	}
	for _, c := range claims {
		if c.de == "" || c.en == "" || c.when == nil || !sections[c.section] {
			t.Errorf("incomplete: %+v", c)
		}
		informal := c.de
		if c.du != "" {
			informal = c.du
		}
		// "Sie" at the start of a sentence is "they".
		if regexp.MustCompile(`[a-zäöü,] (Sie|Ihr|Ihre|Ihrem|Ihren|Ihnen)\b`).MatchString(informal) {
			t.Errorf("formal address in %q", informal)
		}
		for _, text := range []string{c.de, c.du, c.en} {
			if strings.Contains(text, "%s") != (c.value != nil) && text != "" {
				t.Errorf("%q has a place without value, or the other way round", text)
			}
			if regexp.MustCompile(`(?i)zertifi|certif|DSGVO-konform|garant|guarant`).MatchString(text) {
				t.Errorf("%q claims too much", text)
			}
		}
	}
	for key := range plainWords["de"] {
		if plainWords["en"][key] == "" {
			t.Errorf("%s is not translated", key)
		}
	}
	for tongue, texts := range plainWords {
		for key := range texts {
			if plainWords["de"][key] == "" {
				t.Errorf("%s: %s is unknown in German", tongue, key)
			}
		}
	}
}

func TestPlainPagesNeedNothingElse(t *testing.T) {
	p := somePage
	p.Color, p.Logo = "#1f6f5c", "/logo.svg"
	w := httptest.NewRecorder()
	Privacy(w, httptest.NewRequest(http.MethodGet, "/video/privacy", nil), p, Facts{})
	html := w.Body.String()
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(html)
	if style == nil || strings.Contains(html, "<script") || strings.Contains(html, "<link") || strings.Contains(html, "style=") {
		t.Fatalf("the page is not whole in itself: %s", html)
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, want) || strings.Contains(csp, "unsafe") {
		t.Errorf("policy = %s, want %s", csp, want)
	}
	for _, want := range []string{`href="tel:&#43;4969123456"`, `<img src="/logo.svg"`, "#1f6f5c", `<html lang="de">`} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is missing", want)
		}
	}
	p.Color = "red; } body { display: none"
	if html := privacy(t, p, Facts{}); strings.Contains(html, "display: none; color") || strings.Contains(html, "red; }") {
		t.Error("a colour became a style")
	}
}

func TestFailure(t *testing.T) {
	for _, tc := range []struct {
		status   int
		language string
		address  string
		want     string
	}{
		{http.StatusInternalServerError, "de", "sie", "Ihr Gerät ist in Ordnung"},
		{http.StatusInternalServerError, "de", "du", "Dein Gerät ist in Ordnung"},
		{http.StatusBadGateway, "en", "sie", "Your device is fine"},
		{http.StatusServiceUnavailable, "de", "sie", `<noscript><meta http-equiv="refresh" content="5"></noscript>`},
		{http.StatusNotFound, "de", "sie", "Diese Seite gibt es nicht"},
		{http.StatusUnauthorized, "en", "sie", "has refused"},
	} {
		p := somePage
		p.Language, p.Address = tc.language, tc.address
		w := httptest.NewRecorder()
		Failure(w, httptest.NewRequest(http.MethodGet, "/video/r/x", nil), p, tc.status)
		html := w.Body.String()
		if w.Code != tc.status || !strings.Contains(html, tc.want) || !strings.Contains(html, "tel:&#43;4969123456") || !strings.Contains(html, "Praxis Dr. Muster") {
			t.Errorf("%d %s: %d %s", tc.status, tc.language, w.Code, html)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("headers = %v", w.Header())
		}
	}
}

// Only who waits for the server has a script, which the policy knows by its digest.
func TestFailureComesBack(t *testing.T) {
	for status, wants := range map[int]bool{http.StatusServiceUnavailable: true, http.StatusInternalServerError: false, http.StatusNotFound: false} {
		w := httptest.NewRecorder()
		Failure(w, httptest.NewRequest(http.MethodGet, "/video/r/x", nil), somePage, status)
		script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(w.Body.String())
		csp := w.Header().Get("Content-Security-Policy")
		if (script != nil) != wants || strings.Contains(csp, "script-src") != wants || strings.Contains(csp, "connect-src") != wants {
			t.Fatalf("%d: %s %s", status, csp, w.Body)
		}
		if !wants {
			continue
		}
		sum := sha256.Sum256([]byte(script[1]))
		if want := "connect-src 'self'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"; !strings.Contains(csp, want) {
			t.Errorf("policy = %s, want %s", csp, want)
		}
	}
}

func TestNavigates(t *testing.T) {
	for _, tc := range []struct {
		method, mode, accept string
		want                 bool
	}{
		{"GET", "navigate", "", true}, {"GET", "cors", "text/html", false}, {"GET", "", "text/html,*/*", true},
		{"GET", "", "*/*", false}, {"POST", "navigate", "text/html", false}, {"HEAD", "", "text/html", true},
	} {
		r := httptest.NewRequest(tc.method, "/", nil)
		r.Header.Set("Sec-Fetch-Mode", tc.mode)
		r.Header.Set("Accept", tc.accept)
		if got := Navigates(r); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

func TestSpellDuration(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		time.Hour: {"1 Stunde", "1 hour"}, 24 * time.Hour: {"24 Stunden", "24 hours"}, 72 * time.Hour: {"3 Tage", "3 days"},
		30 * time.Minute: {"30 Minuten", "30 minutes"}, 90 * time.Minute: {"90 Minuten", "90 minutes"}, 49 * time.Hour: {"49 Stunden", "49 hours"},
	} {
		if de, en := spellDuration(d, "de"), spellDuration(d, "en"); de != want[0] || en != want[1] {
			t.Errorf("%v: %s, %s", d, de, en)
		}
	}
}
