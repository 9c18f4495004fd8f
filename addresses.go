// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"

	"github.com/caddy-videoroom/videoroom/config"
)

// address is a place under which browsers reach a site, as far as the
// configuration tells, for log lines and links.
type address struct {
	site   *config.Site
	scheme string
	host   string // without port; "" where the site answers to every name
	port   string // "" for the scheme's own
	base   string
	tenant bool // site is a house of another site's
}

// siteID returns the id of the site at this address; see engine.Call.
func (at address) siteID() string {
	if at.site.Name != "" {
		return at.site.Name
	}
	return at.name()
}

func (at address) name() string {
	if at.host == "" {
		return "localhost"
	}
	return at.host
}

// origin returns "https://host[:port]".
func (at address) origin() string {
	if at.port == "" {
		if strings.Contains(at.name(), ":") {
			return at.scheme + "://[" + at.name() + "]"
		}
		return at.scheme + "://" + at.name()
	}
	return at.scheme + "://" + net.JoinHostPort(at.name(), at.port)
}

// addresses returns the addresses of all handlers of this configuration that
// its servers' routes lead to.
func (a *App) addresses() []address {
	var all []address
	for _, srv := range a.servers() {
		scheme, listenHost, port := listens(srv)
		walk(srv.Routes, place{}, func(h *Handler, in place) {
			base := in.prefix + h.site.Base()
			hosts := h.beside(in.hosts)
			if len(in.hosts) == 0 && h.houses == nil {
				hosts = []string{listenHost}
			}
			for _, host := range hosts {
				all = append(all, address{h.site, scheme, host, port, base, false})
			}
			for _, site := range h.houses.all() {
				all = append(all, address{site, scheme, site.Name, port, base, true})
			}
		})
	}
	return all
}

// names returns the host names of the sites to which nothing but these leads, and
// of houses. Those of sites with a name are asked for by named.
func (a *App) names(named bool) map[*config.Site][]string {
	names, open := make(map[*config.Site][]string), make(map[*config.Site]bool)
	for _, srv := range a.servers() {
		walk(srv.Routes, place{}, func(h *Handler, in place) {
			for _, site := range h.houses.all() {
				names[site] = []string{site.Name}
			}
			switch {
			case h.site.Name != "" && !named:
			case in.exact || h.houses != nil:
				names[h.site] = append(names[h.site], h.beside(in.hosts)...)
			default:
				open[h.site] = true
			}
		})
	}
	for site := range open {
		delete(names, site)
	}
	return names
}

// place is what the routes around a handler say about it.
type place struct {
	hosts  []string
	exact  bool   // nothing but hosts leads here
	prefix string // of the path, stripped before the handler sees it
}

func walk(routes caddyhttp.RouteList, in place, visit func(*Handler, place)) {
	for _, route := range routes {
		here := in
		if hosts := hostsOf(route.MatcherSets); len(hosts) > 0 {
			here.hosts, here.exact = hosts, exact(route.MatcherSets)
		}
		for _, handler := range route.Handlers {
			switch m := handler.(type) {
			case *rewrite.Rewrite:
				in.prefix += m.StripPathPrefix // for the routes after this one
				here.prefix = in.prefix
			case *caddyhttp.Subroute:
				walk(m.Routes, here, visit)
			case *quiet:
				walk(m.routes, here, visit)
			case *Handler:
				visit(m, here)
			}
		}
	}
}

// hostsOf returns the host names that a route is for, without patterns.
func hostsOf(sets caddyhttp.MatcherSets) []string {
	var hosts []string
	for _, set := range sets {
		for _, matcher := range set {
			m, ok := matcher.(*caddyhttp.MatchHost)
			if !ok {
				continue
			}
			for _, host := range *m {
				if !strings.ContainsAny(host, "*{") {
					hosts = append(hosts, strings.ToLower(host))
				}
			}
		}
	}
	return hosts
}

// exact tells whether each of the sets demands one of the names that hostsOf
// returns.
func exact(sets caddyhttp.MatcherSets) bool {
	for _, set := range sets {
		demands := false
		for _, matcher := range set {
			if m, ok := matcher.(*caddyhttp.MatchHost); ok {
				pattern := func(host string) bool { return strings.ContainsAny(host, "*{") }
				demands = !slices.ContainsFunc(*m, pattern)
			}
		}
		if !demands {
			return false
		}
	}
	return true
}

// listens returns how browsers reach a server: host is "" where it listens on
// every address, port is "" where it is the scheme's own.
func listens(srv *caddyhttp.Server) (scheme, host, port string) {
	scheme = "http"
	if len(srv.TLSConnPolicies) > 0 {
		scheme = "https"
	}
	if len(srv.Listen) == 0 {
		return scheme, "", ""
	}
	na, err := caddy.ParseNetworkAddress(srv.Listen[0])
	if err != nil || na.IsUnixNetwork() || na.IsFdNetwork() {
		return scheme, "", ""
	}
	if ip, err := netip.ParseAddr(na.Host); err != nil || !ip.IsUnspecified() {
		host = na.Host
	}
	if scheme == "https" && na.StartPort == 443 || scheme == "http" && na.StartPort == 80 {
		return scheme, host, ""
	}
	return scheme, host, strconv.FormatUint(uint64(na.StartPort), 10)
}
