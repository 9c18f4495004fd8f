// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

const calendar = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

// serve runs a server with a certificate of its own.
func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, Fetcher) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, Fetcher{Roots: roots}
}

func TestFetchOnlyWhatHasChanged(t *testing.T) {
	s, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"1"` && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Fri, 20 Nov 2026 08:00:00 GMT")
		_, _ = w.Write([]byte(calendar))
	})
	body, v, changed, err := f.Fetch(t.Context(), s.URL+"/a.ics", Validators{})
	if err != nil || !changed || string(body) != calendar || v.ETag != `"1"` {
		t.Fatalf("%q %+v %v %v", body, v, changed, err)
	}
	body, again, changed, err := f.Fetch(t.Context(), s.URL+"/a.ics", v)
	if err != nil || changed || body != nil || again != v {
		t.Errorf("%q %+v %v %v", body, again, changed, err)
	}
	if _, _, _, err := f.Fetch(t.Context(), strings.Replace(s.URL, "https", "webcal", 1), Validators{}); err != nil {
		t.Errorf("webcal: %v", err)
	}
}

func TestRefusedAnswers(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"too large": func(w http.ResponseWriter, _ *http.Request) {
			for range maxBytes/1024 + 1 {
				_, _ = w.Write(make([]byte, 1024))
			}
		},
		"a bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range maxBytes/1024 + 1 {
				_, _ = z.Write(make([]byte, 1024))
			}
			_ = z.Close()
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(calendar))
		},
		"header flood": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 100<<10))
		},
	} {
		s, f := serve(t, h)
		s.Config.ErrorLog = nil
		_, _, changed, err := f.Fetch(t.Context(), s.URL, Validators{})
		if !errors.Is(err, ErrFetch) || changed {
			t.Errorf("%s: %v, want ErrFetch", name, err)
		} else if strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: the error names an address: %v", name, err)
		}
	}
	s, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {})
	if _, _, _, err := (Fetcher{}).Fetch(t.Context(), s.URL, Validators{}); !errors.Is(err, ErrFetch) {
		t.Errorf("unknown authority: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := (Fetcher{}).Fetch(ctx, s.URL, Validators{}); !errors.Is(err, ErrFetch) {
		t.Errorf("called off: %v", err)
	}
}

// A server that is trusted with a calendar is not trusted with the network behind
// ours.
func TestRedirectsDoNotLeadInside(t *testing.T) {
	visited := false
	inside, _ := serve(t, func(http.ResponseWriter, *http.Request) { visited = true })
	for _, to := range []string{
		inside.URL, "http://127.0.0.1:80/", "https://10.0.0.1/", "https://[::1]:1/", "https://localhost:1/",
		"https://169.254.169.254/latest", "http://example.com/", "file:///etc/passwd", "https://[::ffff:127.0.0.1]:1/",
	} {
		s, f := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
		f.Roots.AddCert(inside.Certificate())
		if _, _, _, err := f.Fetch(t.Context(), s.URL, Validators{}); !errors.Is(err, ErrAddress) {
			t.Errorf("to %s: %v, want ErrAddress", to, err)
		}
	}
	if visited {
		t.Error("the server inside was asked")
	}
	hops := 0
	s, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hops++
		if r.Header.Get("Referer") != "" {
			t.Error("a redirect tells where it came from")
		}
		http.Redirect(w, r, "/next", http.StatusFound)
	})
	if _, _, _, err := f.Fetch(t.Context(), s.URL, Validators{}); !errors.Is(err, ErrAddress) || hops > maxRedirects+1 {
		t.Errorf("in circles: %v after %d", err, hops)
	}
}

func TestAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://cal.example/a.ics": true, "http://127.0.0.1:8080/a.ics": true, "http://localhost/a": true, "http://[::1]/a": true,
		"webcal://cal.example/a.ics": true, "http://cal.example/a.ics": false, "ftp://cal.example/": false, "": false,
		"https:///a": false, "/a.ics": false, "https://%zz/": false,
	} {
		if err := CheckAddress(address); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestPublic(t *testing.T) {
	for ip, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1": true, "10.1.1.1": false, "192.168.1.1": false, "127.0.0.1": false, "100.64.0.1": false,
		"169.254.1.1": false, "::1": false, "fe80::1%eth0": false, "fd00::1": false, "0.0.0.0": false, "::ffff:10.0.0.1": false,
		"64:ff9b::a00:1": false, "224.0.0.1": false, "255.255.255.255": false, "2002:a00:1::": false,
	} {
		if got := public(netip.MustParseAddr(ip)); got != want {
			t.Errorf("public(%s) = %v", ip, got)
		}
	}
}
