// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-videoroom/videoroom/port"
)

// What is said where calls cannot use the port of a site. Each names what to
// do about it.
const (
	adviceWrappers = "calls cannot use the port of the site: write servers { listener_wrappers { videoroom_pre tls videoroom } packet_conn_wrappers { videoroom } } into the Caddyfile's global options, because Caddy adds them by itself only where videoroom stands directly in the block of a site and no servers option is set"
	adviceFirst    = "calls cannot use the UDP port of the site: write videoroom as the first of its packet_conn_wrappers, then stop Caddy and start it again, because another wrapper has hidden the socket"
	adviceRestart  = "calls cannot use the UDP port of the site: stop Caddy and start it again, because HTTP/3 was open before videoroom was added"
)

// started handles Caddy's event of the same name: all listeners are open.
type started struct{ app *App }

// Handle says once per configuration what keeps calls from the ports of sites.
func (s started) Handle(context.Context, caddy.Event) error {
	said := make(map[string][]uint)
	for _, srv := range s.app.servers() {
		for at, text := range shortcomings(srv, port.Shared()) {
			said[text] = append(said[text], at)
		}
	}
	level := slog.LevelInfo // there is another way for calls
	if _, ok := s.app.app.OwnPort(); !ok {
		level = slog.LevelWarn
	}
	for text, ports := range said {
		slices.Sort(ports)
		s.app.log.Log(context.Background(), level, text, slog.Any("ports", ports))
	}
	return nil
}

// shortcomings returns the advice for each port of srv that needs one.
func shortcomings(srv *caddyhttp.Server, hub *port.Hub) map[uint]string {
	found := make(map[uint]string)
	if len(srv.TLSConnPolicies) == 0 {
		return found
	}
	for i, listen := range srv.Listen {
		na, err := caddy.ParseNetworkAddress(listen)
		if err != nil || na.IsUnixNetwork() || na.IsFdNetwork() {
			continue
		}
		for offset := range na.PortRangeSize() {
			at := na.StartPort + offset
			if text := shortcoming(srv, i, uint16(at), hub); text != "" {
				found[at] = text
			}
		}
	}
	return found
}

// shortcoming returns the advice for one port of the i-th listen address.
func shortcoming(srv *caddyhttp.Server, i int, at uint16, hub *port.Hub) string {
	protocols := srv.Protocols
	if i < len(srv.ListenProtocols) && srv.ListenProtocols[i] != nil {
		protocols = srv.ListenProtocols[i]
	}
	samePort := func(addr netip.AddrPort) bool { return addr.Port() == at }
	tcp := slices.ContainsFunc(hub.TCPPorts(), samePort)
	udp := !slices.Contains(protocols, "h3") ||
		slices.ContainsFunc(hub.SharedSockets(), func(s *port.Socket) bool { return samePort(s.LocalAddr()) })
	switch {
	case tcp && udp:
		return ""
	case !tcp, !sharesUDP(srv):
		return adviceWrappers
	case errors.Is(hub.Declined(at), port.ErrNotFirst):
		return adviceFirst
	}
	return adviceRestart
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
