// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net"
	"net/netip"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-videoroom/videoroom/config"
)

// sitePort is a TCP port on which Caddy serves a site that has videoroom.
type sitePort struct {
	server  *caddyhttp.Server
	network string // tcp, tcp4 or tcp6
	host    string // a name, an address, or "" for all
	port    uint16
	tls     bool
	http3   bool // Caddy opens the UDP port of the same number
}

// sitePorts returns those of this configuration. Unix sockets and the networks
// of other modules are not among them.
func (a *App) sitePorts() []sitePort {
	var all []sitePort
	plain := a.httpPort()
	for _, srv := range a.servers() {
		for i, listen := range srv.Listen {
			na, err := caddy.ParseNetworkAddress(listen)
			if err != nil || !slices.Contains([]string{"tcp", "tcp4", "tcp6"}, na.Network) {
				continue
			}
			for offset := range na.PortRangeSize() {
				at := sitePort{server: srv, network: na.Network, host: na.Host, port: uint16(na.StartPort + offset)}
				at.tls = len(srv.TLSConnPolicies) > 0 && int(at.port) != plain
				at.http3 = at.tls && slices.Contains(protocols(srv, i), "h3")
				all = append(all, at)
			}
		}
	}
	return all
}

// protocols returns those of the i-th listen address of srv.
func protocols(srv *caddyhttp.Server, i int) []string {
	if i < len(srv.ListenProtocols) && srv.ListenProtocols[i] != nil {
		return srv.ListenProtocols[i]
	}
	return srv.Protocols
}

// httpPort is the port on which Caddy serves no TLS whatever a server says.
func (a *App) httpPort() int {
	if app, err := a.ctx.AppIfConfigured("http"); err == nil && app != nil {
		if n := app.(*caddyhttp.App).HTTPPort; n != 0 {
			return n
		}
	}
	return caddyhttp.DefaultHTTPPort
}

// mediaPort returns the port that the engine opens, config.SitePort for none: a
// site's own port is shared, whether or not it is written.
func (a *App) mediaPort() int {
	own, ok := a.app.OwnPort()
	if !ok || slices.ContainsFunc(a.sitePorts(), func(at sitePort) bool { return int(at.port) == own }) {
		return config.SitePort
	}
	return own
}

// udp returns the UDP address beside the port, false where the name of the host
// leads nowhere.
func (at sitePort) udp() (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(at.host)
	switch {
	case at.host == "":
		ip = netip.IPv6Unspecified()
	case err != nil:
		found, err := net.ResolveUDPAddr("udp"+at.family(), net.JoinHostPort(at.host, "0"))
		if err != nil {
			return netip.AddrPort{}, false
		}
		ip = found.AddrPort().Addr()
	}
	if ip.IsUnspecified() {
		// As everywhere in Go, 0.0.0.0 means both families unless tcp4 is asked for.
		if ip = netip.IPv6Unspecified(); at.network == "tcp4" {
			ip = netip.IPv4Unspecified()
		}
	}
	return netip.AddrPortFrom(ip.Unmap(), at.port), at.port != 0
}

func (at sitePort) family() string { return at.network[len("tcp"):] }
