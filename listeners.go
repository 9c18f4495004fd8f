// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net"
	"reflect"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-videoroom/videoroom/port"
)

// BeforeTLS takes calls in ICE-TCP out of the connections to an HTTPS port,
// before TLS. The directive adds it; where that is not possible, it stands
// first in `listener_wrappers { videoroom_pre tls videoroom }`.
type BeforeTLS struct{ front }

// AfterTLS takes calls in TURN out of the connections to an HTTPS port, inside
// Caddy's TLS. The directive adds it; where that is not possible, it stands
// last in `listener_wrappers { videoroom_pre tls videoroom }`.
type AfterTLS struct{ front }

// SharedUDP takes calls out of the datagrams to the UDP port of HTTP/3. The
// directive adds it; where that is not possible, it stands first in
// `packet_conn_wrappers { videoroom }`.
type SharedUDP struct{ front }

// CaddyModule returns the Caddy module information.
func (BeforeTLS) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.listeners.videoroom_pre", New: func() caddy.Module { return new(BeforeTLS) }}
}

// CaddyModule returns the Caddy module information.
func (AfterTLS) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.listeners.videoroom", New: func() caddy.Module { return new(AfterTLS) }}
}

// CaddyModule returns the Caddy module information.
func (SharedUDP) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.packetconns.videoroom", New: func() caddy.Module { return new(SharedUDP) }}
}

// Provision notes the server that is wrapped.
func (w *SharedUDP) Provision(ctx caddy.Context) error {
	if err := w.front.Provision(ctx); err != nil {
		return err
	}
	sharing.Lock()
	defer sharing.Unlock()
	sharing.servers[w.server] = true
	return nil
}

// Cleanup forgets the server: its configuration has ended.
func (w *SharedUDP) Cleanup() error {
	sharing.Lock()
	defer sharing.Unlock()
	delete(sharing.servers, w.server)
	return nil
}

// WrapListener diverts calls from ln. It leaves alone what is no place for
// them: plain HTTP, and a listener that has TLS already.
func (w *BeforeTLS) WrapListener(ln net.Listener) net.Listener {
	if !w.servesTLS() || isTLS(ln) {
		return ln
	}
	return port.Shared().WrapBeforeTLS(ln)
}

// WrapListener diverts calls from ln. It leaves plain HTTP alone.
func (w *AfterTLS) WrapListener(ln net.Listener) net.Listener {
	if !w.servesTLS() {
		return ln
	}
	return port.Shared().WrapAfterTLS(ln)
}

// WrapPacketConn diverts calls from pc, or returns it as it is: another wrapper
// stands before this one, or pc is no UDP socket. HTTP/3 works either way.
func (w *SharedUDP) WrapPacketConn(pc net.PacketConn) net.PacketConn {
	// The hub keeps the error, and who advises asks it.
	shared, _ := port.Shared().WrapPacketConn(pc)
	return shared
}

// isTLS tells a listener that crypto/tls has made; it does not export its type.
func isTLS(ln net.Listener) bool { return reflect.TypeOf(ln).String() == "*tls.listener" }

// sharing are the servers that have a SharedUDP. Caddy does not tell once it has
// loaded the wrappers.
var sharing = struct {
	sync.Mutex
	servers map[*caddyhttp.Server]bool
}{servers: make(map[*caddyhttp.Server]bool)}

// sharesUDP tells whether srv has a SharedUDP.
func sharesUDP(srv *caddyhttp.Server) bool {
	sharing.Lock()
	defer sharing.Unlock()
	return sharing.servers[srv]
}

// front is what the wrappers have in common. There is nothing to configure.
type front struct {
	server *caddyhttp.Server // nil where something else than an HTTP server is wrapped
}

// Provision notes the server that is wrapped.
func (f *front) Provision(ctx caddy.Context) error {
	f.server, _ = ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	return nil
}

func (f *front) servesTLS() bool { return f.server == nil || len(f.server.TLSConnPolicies) > 0 }

// UnmarshalCaddyfile reads the wrapper's name. Syntax, without anything more:
//
//	videoroom_pre | videoroom
func (*front) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	name := d.Val()
	if d.NextArg() || d.NextBlock(d.Nesting()) {
		return d.Errf("%s takes no settings here; they belong to the directive videoroom of a site", name)
	}
	return nil
}

// Interface guards
var (
	_ caddy.ListenerWrapper   = (*BeforeTLS)(nil)
	_ caddy.ListenerWrapper   = (*AfterTLS)(nil)
	_ caddy.PacketConnWrapper = (*SharedUDP)(nil)
	_ caddy.Provisioner       = (*BeforeTLS)(nil)
	_ caddy.Provisioner       = (*AfterTLS)(nil)
	_ caddy.Provisioner       = (*SharedUDP)(nil)
	_ caddy.CleanerUpper      = (*SharedUDP)(nil)
	_ caddyfile.Unmarshaler   = (*front)(nil)
)
