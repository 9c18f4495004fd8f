// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/engine"
)

var (
	// hostPattern is what may become a site id: part of stored keys.
	hostPattern = regexp.MustCompile(`^[a-z0-9_:](?:[a-z0-9._:-]{0,251}[a-z0-9_:])?$`)
	// prefixPattern is what another directive may have stripped.
	prefixPattern = regexp.MustCompile(`^(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)
)

// location says where beneath a site's base path a request lies.
type location struct {
	path string // below the base path, without leading slash
	base string // the base path as the browser sees it, "" for the root
	bare bool   // the base path itself, without the slash
}

// private reports whether nobody but videoroom may see the request.
func (l location) private() bool { return hasPrefix(l.path, private) || l.path == "rtc" }

// owned reports whether the request is videoroom's to answer.
func (l location) owned() bool { return l.private() || slices.Contains(pages, l.path) }

// walkIn returns the id of the host whom the request's address is for, "" where it
// is not that of a host who may be visited without a link.
func (l location) walkIn(site *config.Site) string {
	if host, ok := site.Host(l.path); ok && host.WalkIn() {
		return host.ID
	}
	return ""
}

// locate reports where the request lies, false where it is not beneath the
// base path. Other directives may have stripped the beginning of the path; the
// browser's base path then begins with it.
func (h *Handler) locate(r *http.Request) (location, bool) {
	base, p := h.site.Base(), r.URL.Path
	original := p
	if orig, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && orig.URL != nil {
		original = orig.URL.Path
	}
	stripped, ok := strings.CutSuffix(original, p)
	if !ok {
		if base == "" && p == "/" && original != "" && prefixPattern.MatchString(original) {
			// What was stripped is the whole path, without a slash at the end.
			return location{base: original, bare: true}, true
		}
		stripped = "" // rewritten: the pages live under their own base path
	}
	if !prefixPattern.MatchString(stripped) {
		return location{}, false
	}
	if p == base && base != "" {
		return location{base: stripped + base, bare: true}, true
	}
	below, ok := strings.CutPrefix(p, base+"/")
	return location{path: below, base: stripped + base}, ok
}

// call describes the request to the engine, false where the host name can
// belong to no site.
func (h *Handler) call(r *http.Request, at location, site *config.Site) (engine.Call, bool) {
	host := hostName(strings.ToLower(r.Host))
	if !hostPattern.MatchString(host) {
		return engine.Call{}, false
	}
	siteID := site.Name
	if siteID == "" {
		siteID = host
	}
	return engine.Call{
		Site:     site,
		SiteID:   siteID,
		Path:     at.path,
		Base:     at.base,
		Origin:   originOf(r),
		Client:   clientAddr(r),
		Reached:  reachedAddr(r),
		Identity: identity(r),
	}, true
}

// identity returns the question what a host's placeholder says for r. A
// placeholder that is unset or empty is no identity.
func identity(r *http.Request) func(config.Host) (string, bool) {
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	return func(h config.Host) (string, bool) {
		if !ok || h.Identity == "" {
			return "", false
		}
		value, err := repl.ReplaceOrErr(h.Identity, true, true)
		return value, err == nil && value != ""
	}
}

// originOf returns "https://host[:port]" as the browser sees it.
func originOf(r *http.Request) string {
	scheme := schemeOf(r)
	return scheme + "://" + withoutDefaultPort(scheme, strings.ToLower(r.Host))
}

// schemeOf returns the scheme in the browser's address line. A proxy that the
// server trusts may name it. The host is taken from nobody but the Host field:
// it chose the site, and a second opinion could claim another one.
func schemeOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if trusted, ok := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); ok && trusted {
		first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
		if p := strings.ToLower(strings.TrimSpace(first)); p == "http" || p == "https" {
			scheme = p
		}
	}
	return scheme
}

func hostName(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return strings.TrimSuffix(host, ".")
}

func withoutDefaultPort(scheme, hostport string) string {
	port := ":80"
	if scheme == "https" {
		port = ":443"
	}
	return strings.TrimSuffix(hostport, port)
}

// clientAddr returns the client's address as Caddy has determined it, the zero
// value where there is none, as on Unix sockets.
func clientAddr(r *http.Request) netip.Addr {
	text, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.WithZone("").Unmap()
}

// reachedAddr returns the server's address that the connection came in on, the
// zero value where it is not known.
func reachedAddr(r *http.Request) netip.Addr {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.Addr{}
	}
	ap, err := netip.ParseAddrPort(local.String())
	if err != nil || ap.Addr().IsUnspecified() {
		return netip.Addr{}
	}
	return ap.Addr().WithZone("").Unmap()
}
