// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	words "github.com/caddy-videoroom/videoroom/caddyfile"
)

func registerCaddyfile() {
	httpcaddyfile.RegisterDirective("videoroom", directive)
	// Before respond: every directive that answers requests comes after it.
	httpcaddyfile.RegisterDirectiveOrder("videoroom", httpcaddyfile.Before, "respond")
	httpcaddyfile.RegisterGlobalOption("videoroom", globalOption)
}

// directive reads the site directive, whose first value is the base path and
// not a matcher. A named matcher or * may stand before it. Where Caddy lets it,
// the directive also adds what lets calls use the port of the site.
func directive(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	h.Next()
	named := h.NextArg() && (strings.HasPrefix(h.Val(), "@") || h.Val() == "*")
	h.Reset()
	var matcher caddy.ModuleMap
	if named {
		h.Next()
		var err error
		if matcher, err = h.ExtractMatcherSet(); err != nil {
			return nil, err
		}
	}
	site, err := words.Site(h.Dispenser)
	if err != nil {
		return nil, err
	}
	wrappers, err := contribution(h)
	if err != nil {
		return nil, err
	}
	return append(h.NewRoute(matcher, &Handler{Site: site}), wrappers...), nil
}

// globalOption reads the global option.
func globalOption(d *caddyfile.Dispenser, existing any) (any, error) {
	app, err := words.App(d)
	if err != nil {
		return nil, err
	}
	if existing != nil {
		return nil, d.Err("videoroom: the global option stands twice; put all its lines into one block")
	}
	return httpcaddyfile.App{Name: "videoroom", Value: caddyconfig.JSON(&App{App: app}, nil)}, nil
}
