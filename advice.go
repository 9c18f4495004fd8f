// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/certmagic"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/port"
)

// What is said where calls cannot use the port of a site. Each names what to
// do about it.
const (
	adviceWrappers = "calls cannot use the port of the site: write servers { listener_wrappers { videoroom_pre tls videoroom } packet_conn_wrappers { videoroom } } into the Caddyfile's global options, with proxy_protocol before videoroom_pre where that is used, because Caddy adds them by itself only where videoroom stands directly in the block of a site and no servers option is set"
	adviceFirst    = "calls cannot use the UDP port of the site: write videoroom as the first of its packet_conn_wrappers, then stop Caddy and start it again, because another wrapper has hidden the socket"
	adviceRestart  = "calls cannot use the UDP port of the site: stop Caddy and start it again, because HTTP/3 was open before videoroom was added"
	adviceTaken    = "calls cannot use the UDP port of the site: end the program that has it, or what else the error names, and reload the configuration, because without HTTP/3 videoroom has to open it"
	adviceHTTP3    = "calls cannot use the UDP port of the site: switch HTTP/3 on, because on this system videoroom cannot open the port in its place"
	adviceProxy    = "calls from other machines may find no way to a site without HTTPS: where another proxy stands before Caddy, write videoroom { media_port 8443 } into the Caddyfile's global options, let that port through to this machine in UDP and TCP, and restart Caddy"
)

// adviceRedirect is said where Caddy itself sends people from http:// to https://
// and logs it: no route of ours stands there.
const adviceRedirect = "requests over http:// are redirected by Caddy before videoroom sees them, and their addresses, which name rooms, appear in the access log: write a site without log for them into the Caddyfile"

// What is said where videoroom has opened the UDP port of a site.
const (
	openedNoHTTP3 = "videoroom has opened the UDP port of the site for calls, because HTTP/3 is off there"
	openedNoTLS   = "videoroom has opened the UDP port of the site for calls, because the site has no HTTPS"
)

// started handles Caddy's event of the same name: all listeners are open.
type started struct{ app *App }

// Handle opens the UDP ports that HTTP/3 does not, and says once per
// configuration what keeps calls from the ports of sites.
func (s started) Handle(context.Context, caddy.Event) error {
	a, hub := s.app, port.Shared()
	ports := a.sitePorts()
	own := a.mediaPort() != config.SitePort
	said := make(map[string][]uint)
	say := func(text string, at sitePort) {
		if text != "" && !slices.Contains(said[text], uint(at.port)) {
			said[text] = append(said[text], uint(at.port))
		}
	}
	for _, at := range ports {
		switch {
		case at.tls:
			say(at.shortcoming(hub), at)
			if !at.http3 && !port.SharesPorts {
				say(adviceHTTP3, at)
			}
		case !own && at.faces():
			say(adviceProxy, at)
		}
	}
	level := slog.LevelWarn
	if own {
		level = slog.LevelInfo // there is another way for calls
	}
	for text, ports := range said {
		slices.Sort(ports)
		a.log.Log(context.Background(), level, text, slog.Any("ports", ports))
	}
	openUDP(hub, ports, own)
	a.adviseRedirects()
	return nil
}

// adviseRedirects says what to write where redirects to https:// are logged.
func (a *App) adviseRedirects() {
	for _, srv := range a.servers() {
		var lines []string
		walk(srv.Routes, place{}, func(_ *Handler, in place) {
			for _, host := range in.hosts {
				line := "http://" + host + " {\n\tredir https://{host}{uri} 308\n}"
				if logsRedirects(srv, host) && !slices.Contains(lines, line) && !a.redirects(host) {
					lines = append(lines, line)
				}
			}
		})
		if len(lines) > 0 {
			a.log.Warn(adviceRedirect, slog.Any("write", lines))
		}
	}
}

// logs reports whether a server keeps an access log of requests for a host name.
func logs(srv *caddyhttp.Server, host string) bool {
	if srv.Logs == nil {
		return false
	}
	is := func(pattern string) bool { return certmagic.MatchWildcard(host, pattern) }
	for pattern := range srv.Logs.LoggerNames {
		if is(pattern) {
			return true
		}
	}
	return !slices.ContainsFunc(srv.Logs.SkipHosts, is) && !srv.Logs.SkipUnmappedHosts
}

// logsRedirects reports whether Caddy logs the redirects to https:// that it makes
// for a server by itself.
func logsRedirects(srv *caddyhttp.Server, host string) bool {
	automatic := srv.AutoHTTPS == nil || !srv.AutoHTTPS.Disabled && !srv.AutoHTTPS.DisableRedir
	return len(srv.TLSConnPolicies) > 0 && automatic && logs(srv, host)
}

// redirects reports whether the configuration has a site of its own for http://
// and this host name, which then takes the place of Caddy's redirect.
func (a *App) redirects(host string) bool {
	app, err := a.ctx.AppIfConfigured("http")
	if err != nil {
		return false
	}
	for _, srv := range app.(*caddyhttp.App).Servers {
		if len(srv.TLSConnPolicies) > 0 {
			continue
		}
		for _, route := range srv.Routes {
			if srv.Logs == nil && slices.Contains(hostsOf(route.MatcherSets), host) {
				return true
			}
		}
	}
	return false
}

// openUDP has the hub open the UDP ports of sites that HTTP/3 does not. Beside a
// port of our own those of sites without HTTPS stay closed: where such a site is
// not for this machine alone, nothing leads to them.
func openUDP(hub *port.Hub, ports []sitePort, own bool) {
	var addrs []netip.AddrPort
	opened := make(map[uint16]string) // what to say
	for _, at := range ports {
		if at.http3 || at.tls && !port.SharesPorts || !at.tls && own {
			continue
		}
		addr, ok := at.udp()
		if !ok {
			continue
		}
		addrs = append(addrs, addr)
		if opened[at.port] = openedNoTLS; at.tls {
			opened[at.port] = openedNoHTTP3
		}
	}
	type sentence struct {
		text string
		port uint16
	}
	var mu sync.Mutex
	said := make(map[sentence]bool)
	hub.OpenUDP(addrs, func(addr netip.AddrPort, err error) {
		// The one in force then, which may be a later one than this.
		var a *App
		if p := runningEngine(); p != nil {
			a = p.current()
		}
		it := sentence{opened[addr.Port()], addr.Port()}
		if err != nil {
			it.text = adviceTaken
		}
		mu.Lock()
		again := said[it]
		said[it] = true
		mu.Unlock()
		switch {
		case again || a == nil:
		case err != nil:
			a.log.Warn(it.text, slog.Any("ports", []uint16{it.port}), slog.Any("error", err))
		default:
			a.log.Info(it.text, slog.Any("ports", []uint16{it.port}))
		}
	})
}

// shortcoming returns the advice for a port with TLS, if it needs one.
func (at sitePort) shortcoming(hub *port.Hub) string {
	samePort := func(addr netip.AddrPort) bool { return addr.Port() == at.port }
	tcp := slices.ContainsFunc(hub.TCPPorts(), samePort)
	udp := !at.http3 ||
		slices.ContainsFunc(hub.SharedSockets(), func(s *port.Socket) bool { return samePort(s.LocalAddr()) })
	switch {
	case tcp && udp:
		return ""
	case !tcp, !sharesUDP(at.server):
		return adviceWrappers
	case errors.Is(hub.Declined(at.port), port.ErrNotFirst):
		return adviceFirst
	}
	return adviceRestart
}

// faces tells whether other machines are meant to reach a port without TLS:
// by names that are no internal ones, through a proxy, or, without any names, on
// addresses that are not.
func (at sitePort) faces() bool {
	if len(at.server.TrustedProxiesRaw) > 0 {
		return true
	}
	var hosts []string
	walk(at.server.Routes, place{}, func(_ *Handler, in place) { hosts = append(hosts, in.hosts...) })
	if ip, err := netip.ParseAddr(at.host); len(hosts) == 0 {
		if at.host == "" || err == nil && ip.IsUnspecified() {
			return true
		}
		hosts = []string{at.host}
	}
	return slices.ContainsFunc(hosts, func(host string) bool { return !certmagic.SubjectIsInternal(host) })
}

// servers returns the servers that lead to a handler of this configuration.
func (a *App) servers() []*caddyhttp.Server {
	var servers []*caddyhttp.Server
	for _, h := range a.registered() {
		if h.server != nil && !slices.Contains(servers, h.server) {
			servers = append(servers, h.server)
		}
	}
	return servers
}

// Interface guard
var _ caddyevents.Handler = started{}
