// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package videoroom adds confidential video consultations to a Caddy site: one
// directive, no second process, no account, no third party.
//
// This package is the skin between Caddy and the engine that runs the calls.
// It owns what Caddy has to know: the modules, their lifecycle, the directive,
// the admin interface, metrics and commands. It refuses everything else: it
// holds no room, no socket and no visitor.
package videoroom

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-videoroom/videoroom/config"
)

func init() {
	caddy.RegisterModule(new(App))
	caddy.RegisterModule(Handler{})
	caddy.RegisterModule(adminAPI{})
	caddy.RegisterModule(Permission{})
	caddy.RegisterModule(BeforeTLS{})
	caddy.RegisterModule(AfterTLS{})
	caddy.RegisterModule(SharedUDP{})
	registerCaddyfile()
	registerCommands()
}

// Handler serves video consultations beneath a path of a site: pages for
// visitors and hosts, the waiting room, and the way into the call. Requests
// that it does not know go to the next handler.
//
// Requests beneath its path appear in no access log and no error log, because
// their addresses name rooms; also where another directive answers them. Two
// things see addresses before: Caddy's own redirect from http:// to https://,
// about which the module says at start what to write; and, at level DEBUG only,
// directives that log what they do, such as the rewriting of handle_path.
//
// Behind another proxy, `trusted_proxies` must name it, so that limits count
// the visitor and not the proxy, and so that pages reached through HTTPS are
// known to be.
type Handler struct {
	config.Site

	// site is Site with defaults and with placeholders replaced. It stands
	// apart from the exported fields because those are printed by Caddy's
	// trace log.
	site   *config.Site
	houses *houses         // nil: the site has none
	hosts  func() []string // see ownHosts
	app    *App
	server *caddyhttp.Server
	log    *slog.Logger
}

// CaddyModule returns the Caddy module information.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.videoroom", New: func() caddy.Module { return new(Handler) }}
}

// Provision fills in defaults, replaces placeholders and registers the site
// with the app. It opens nothing and writes nothing: Caddy provisions a
// configuration also to validate it.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.log = ctx.Slogger()
	site := h.Site
	site.APIKeys = slices.Clone(h.APIKeys)
	site.Booking = slices.Clone(h.Booking)
	site.SetDefaults() // copies the hosts and the mail server
	if err := expand(&site); err != nil {
		return fmt.Errorf("videoroom: %w", err)
	}
	h.site = &site
	h.hosts = sync.OnceValue(h.ownHosts)
	if err := h.prepareHouses(); err != nil {
		return fmt.Errorf("videoroom: %w", err)
	}
	app, err := ctx.App("videoroom")
	if err != nil {
		return fmt.Errorf("videoroom: loading the app: %w", err)
	}
	h.app = app.(*App)
	h.server, _ = ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	h.app.register(h)
	if err := h.hush(ctx); err != nil {
		return fmt.Errorf("videoroom: keeping requests out of logs: %w", err)
	}
	return nil
}

// Validate refuses settings that cannot be served, with the fix.
func (h *Handler) Validate() error {
	if err := h.site.Validate(); err != nil {
		return fmt.Errorf("videoroom: %w", err)
	}
	return nil
}

// Cleanup lets go of the app. Calls go on: they belong to the engine.
func (h *Handler) Cleanup() error {
	if h.app != nil {
		h.app.unregister(h)
	}
	return nil
}

// expand replaces placeholders where they are allowed. Errors name the
// placeholder, never a value.
func expand(site *config.Site) error {
	repl := caddy.NewReplacer()
	for _, secret := range secrets(site) {
		if !config.HasPlaceholder(*secret.value) {
			continue
		}
		value, err := repl.ReplaceOrErr(*secret.value, true, true)
		if err != nil {
			return fmt.Errorf("%s: %w", secret.field, err)
		}
		*secret.value = value
	}
	for i := range site.Hosts {
		// What only a request can fill stays as it is.
		site.Hosts[i].Identity = repl.ReplaceKnown(site.Hosts[i].Identity, "")
	}
	return nil
}

// secret is a setting that may be a placeholder as a whole.
type secret struct {
	field string
	value *string
}

func secrets(site *config.Site) []secret {
	var all []secret
	for i := range site.APIKeys {
		all = append(all, secret{"api_key", &site.APIKeys[i].Key}, secret{"api_key", &site.APIKeys[i].Secret})
	}
	for i := range site.Booking {
		all = append(all, secret{"booking_key", &site.Booking[i].Key}, secret{"booking_key", &site.Booking[i].Secret})
	}
	for i := range site.Hosts {
		all = append(all, secret{"host " + site.Hosts[i].ID + ": calendar", &site.Hosts[i].Calendar})
	}
	if site.SMTP != nil {
		all = append(all, secret{"smtp: user", &site.SMTP.User}, secret{"smtp: password", &site.SMTP.Password})
	}
	return all
}

// Interface guards
var (
	_ caddy.Module                = (*Handler)(nil)
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.Validator             = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
