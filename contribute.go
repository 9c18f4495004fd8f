// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// claims is the key of the listen addresses that have wrappers, in the state
// that all sites of a Caddyfile share.
const claims = "videoroom.listen"

// contribution returns the listener wrappers that a site adds to its server, or
// nil where Caddy would not take them (inside a block of the site, in a named
// route), where the server has them from another site (two `tls` in one list
// are an error), and where there is no TLS.
func contribution(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	if h.IsNamedRoute() || !inSiteBlock(h) {
		return nil, nil
	}
	// Caddy shows a site's addresses to no directive. Should they not be found,
	// the first site of the Caddyfile is taken for all.
	addrs := []string{"unknown"}
	if block, ok := siteBlockOf(h); ok {
		addrs = block.listenTLS(h)
	}
	if len(addrs) == 0 {
		return nil, nil
	}
	claimed, _ := h.State[claims].([]string)
	// Which server a site ends up in is settled later. Sites without an address
	// in common are never in one.
	if slices.ContainsFunc(addrs, func(addr string) bool { return slices.Contains(claimed, addr) }) {
		return nil, nil
	}
	h.State[claims] = append(claimed, addrs...)
	// Only Caddy's own module can be the place of TLS in the list.
	tls, err := caddy.GetModule("caddy.listeners.tls")
	if err != nil {
		return nil, h.WrapErr(err)
	}
	return []httpcaddyfile.ConfigValue{
		{Class: "listener_wrapper", Value: new(BeforeTLS)},
		{Class: "listener_wrapper", Value: tls.New()},
		{Class: "listener_wrapper", Value: new(AfterTLS)},
		{Class: "packet_conn_wrapper", Value: new(SharedUDP)},
	}, nil
}

// inSiteBlock tells whether the directive stands directly in a site's block:
// there, and only there, the state of the block is the state of all.
func inSiteBlock(h httpcaddyfile.Helper) bool {
	const probe = "videoroom.probe"
	h.BlockState[probe] = true
	defer delete(h.BlockState, probe)
	return h.State[probe] != nil
}

// siteBlock is what a site's block says about where it listens.
type siteBlock struct {
	keys []string
	bind []string
	tls  bool // asks for TLS in so many words
}

// siteBlockOf reads the block that h keeps to itself; ok is false should it
// look different one day.
func siteBlockOf(h httpcaddyfile.Helper) (b siteBlock, ok bool) {
	block := reflect.ValueOf(h).FieldByName("parentBlock")
	if block.Kind() != reflect.Struct {
		return b, false
	}
	if b.keys, ok = texts(block.FieldByName("Keys")); !ok {
		return b, false
	}
	segments := block.FieldByName("Segments")
	if segments.Kind() != reflect.Slice {
		return b, false
	}
	for i := range segments.Len() {
		words, ok := texts(segments.Index(i))
		if !ok {
			return b, false
		}
		switch words[0] {
		case "tls":
			b.tls = true
		case "bind":
			args := words[1:]
			if i := slices.Index(args, "{"); i >= 0 {
				args = args[:i]
			}
			b.bind = append(b.bind, args...)
		}
	}
	return b, true
}

// texts returns the texts of tokens.
func texts(tokens reflect.Value) (all []string, ok bool) {
	if tokens.Kind() != reflect.Slice || tokens.Len() == 0 {
		return nil, false
	}
	for i := range tokens.Len() {
		token := tokens.Index(i)
		if token.Kind() != reflect.Struct {
			return nil, false
		}
		text := token.FieldByName("Text")
		if text.Kind() != reflect.String {
			return nil, false
		}
		all = append(all, text.String())
	}
	return all, true
}

// listenTLS returns the addresses on which the site is served with TLS, in a
// form in which those of two sites can be compared.
func (b siteBlock) listenTLS(h httpcaddyfile.Helper) []string {
	hosts := b.bind
	if len(hosts) == 0 || h.Option("default_bind") != nil {
		hosts = []string{""} // compare ports alone
	}
	var addrs []string
	for _, key := range b.keys {
		addr, err := httpcaddyfile.ParseAddress(key)
		if err != nil {
			continue // Caddy will say so
		}
		port, tls := b.port(h, addr.Normalize())
		if !tls {
			continue
		}
		for _, host := range hosts {
			if at, err := listenAddress(host, port); err == nil {
				addrs = append(addrs, at)
			}
		}
	}
	return addrs
}

// listenAddress returns the address of a bind directive with a port, as Caddy
// writes it when it sorts sites into servers.
func listenAddress(bind, port string) (string, error) {
	network, host, _, err := caddy.SplitNetworkAddress(bind)
	if err != nil {
		return "", err
	}
	na, err := caddy.ParseNetworkAddress(caddy.JoinNetworkAddress(network, host, port))
	return na.String(), err
}

// port returns the port that one of the site's addresses is served on, and
// whether with TLS.
func (b siteBlock) port(h httpcaddyfile.Helper, addr httpcaddyfile.Address) (port string, tls bool) {
	httpPort, httpsPort := caddyhttp.DefaultHTTPPort, caddyhttp.DefaultHTTPSPort
	if n, ok := h.Option("http_port").(int); ok {
		httpPort = n
	}
	if n, ok := h.Option("https_port").(int); ok {
		httpsPort = n
	}
	port = addr.Port
	switch {
	case addr.Scheme == "http" || port == strconv.Itoa(httpPort):
		return port, false
	case port == "":
		return strconv.Itoa(httpsPort), true
	}
	return port, addr.Scheme == "https" || addr.Host != "" || b.tls || port == strconv.Itoa(httpsPort)
}
