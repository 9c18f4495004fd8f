// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strings"
)

// permissions hands the devices of a call to the page itself and switches off everything it never needs.
const permissions = "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), " +
	"screen-wake-lock=(self), autoplay=(self), speaker-selection=(self), picture-in-picture=(self), " +
	"geolocation=(), usb=(), serial=(), hid=(), payment=(), browsing-topics=(), " +
	"interest-cohort=(), clipboard-read=(), local-fonts=(), idle-detection=()"

// pageHeaders sets what every page carries. Over plain HTTP (a test machine) there is nothing to upgrade to.
// The scripts are hashes of those that stand within the page.
func pageHeaders(h http.Header, origin string, scripts ...string) {
	assetHeaders(h, origin)
	h.Set("Content-Security-Policy", policy(origin, scripts...))
	h.Set("Permissions-Policy", permissions)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// assetHeaders sets what every answer of this package carries, scripts of workers included. There is no
// Cross-Origin-Embedder-Policy: Firefox applies it to the CONNECT of a call through an HTTP proxy and then refuses the
// call. The Content-Security-Policy allows no foreign resource anyway.
func assetHeaders(h http.Header, origin string) {
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if _, ok := strings.CutPrefix(origin, "https://"); ok {
		// For this host alone: what its subdomains serve is not ours to decide.
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// policy is the Content-Security-Policy of a page. 'self' covers WebSockets in current browsers; older ones need the
// site's own socket address by name.
func policy(origin string, scripts ...string) string {
	scheme, host, _ := strings.Cut(origin, "://")
	sockets, upgrade := "", ""
	switch {
	case !isHost(host):
	case scheme == "https":
		sockets, upgrade = " wss://"+host, "; upgrade-insecure-requests"
	case scheme == "http":
		sockets = " ws://" + host
	}
	return "default-src 'none'; script-src " + strings.Join(append([]string{"'self'"}, scripts...), " ") + "; worker-src 'self'; style-src 'self'; " +
		"img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'" + sockets + "; " +
		"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; " +
		"require-trusted-types-for 'script'; trusted-types videoroom" + upgrade
}

// isHost reports whether a string is made of what a host and port consist of, so that a forged Host header cannot
// add a directive to the policy.
func isHost(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune(".-_:[]", rune(c)) {
			return false
		}
	}
	return true
}
