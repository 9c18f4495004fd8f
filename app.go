// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/certmagic"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/engine"
)

// App starts the engine that all videoroom handlers of a server share. It
// needs no configuration of its own. Running calls survive a configuration
// reload; when the process ends, everybody is told to come back.
type App struct {
	config.App

	ctx     caddy.Context
	app     config.App // App with defaults
	log     *slog.Logger
	storage certmagic.Storage

	mu       sync.Mutex
	handlers []*Handler // guarded by mu

	// held is true from Start until the first of Stop and Cleanup.
	held   atomic.Bool
	pooled *pooled // set in Start
	engine atomic.Pointer[engine.Engine]
	// unfollow ends the following of tables; set in Start.
	unfollow context.CancelFunc
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "videoroom", New: func() caddy.Module { return new(App) }}
}

// Provision prepares the app. The engine is not touched before Start.
func (a *App) Provision(ctx caddy.Context) error {
	a.ctx = ctx
	a.app = a.App
	a.app.PublicIP = slices.Clone(a.App.PublicIP)
	a.app.SetDefaults()
	a.log = ctx.Slogger()
	a.storage = ctx.Storage()
	if err := registerMetrics(ctx.GetMetricsRegistry()); err != nil {
		return fmt.Errorf("videoroom: %w", err)
	}
	events, err := ctx.App("events")
	if err != nil {
		return fmt.Errorf("videoroom: loading the events app: %w", err)
	}
	if err := events.(*caddyevents.App).On("stopping", stopping{a}); err != nil {
		return fmt.Errorf("videoroom: subscribing to the end of the process: %w", err)
	}
	if err := events.(*caddyevents.App).On("started", started{a}); err != nil {
		return fmt.Errorf("videoroom: subscribing to the start of a configuration: %w", err)
	}
	return nil
}

// Validate refuses settings that cannot be served, with the fix.
func (a *App) Validate() error {
	if err := a.app.Validate(); err != nil {
		return fmt.Errorf("videoroom: %w", err)
	}
	return nil
}

// Start takes hold of the engine, which opens the media port if this is the
// first configuration that needs it, and installs this configuration.
func (a *App) Start() error {
	held, loaded, err := engines.LoadOrNew(engineKey, func() (caddy.Destructor, error) { return newPooled(a) })
	if err != nil {
		return fmt.Errorf("videoroom: starting the engine: %w", err)
	}
	p := held.(*pooled)
	a.pooled = p
	a.held.Store(true)
	if loaded && !p.serves(a) {
		a.log.Warn("media_port and public_ip stay as they are until Caddy is restarted, because running calls keep their sockets")
	}
	// A house that is added meanwhile would be missing in this configuration.
	p.tenants.Lock()
	defer p.tenants.Unlock()
	if err := a.loadTenants(); err != nil {
		return fmt.Errorf("videoroom: %w", err)
	}
	p.enter(a)
	a.engine.Store(p.engine)
	ctx, cancel := context.WithCancel(a.ctx)
	a.unfollow = cancel
	a.followTenants(ctx)
	a.announce()
	return nil
}

// Stop lets go of the engine.
func (a *App) Stop() error { return a.release() }

// Cleanup lets go of the engine if Stop has not done so.
func (a *App) Cleanup() error { return a.release() }

func (a *App) release() error {
	if !a.held.CompareAndSwap(true, false) {
		return nil
	}
	if a.unfollow != nil {
		a.unfollow()
	}
	a.pooled.leave(a)
	deleted, err := engines.Delete(engineKey)
	if deleted {
		// Otherwise the pointer stays: requests that are still on their way
		// through this configuration reach the engine of the next one.
		a.engine.Store(nil)
	}
	if err != nil {
		return fmt.Errorf("videoroom: closing the engine: %w", err)
	}
	return nil
}

func (a *App) register(h *Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handlers = append(a.handlers, h)
}

func (a *App) unregister(h *Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.handlers = slices.DeleteFunc(a.handlers, func(other *Handler) bool { return other == h })
}

func (a *App) registered() []*Handler {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.handlers)
}

// snapshot is what the engine keeps of this configuration.
func (a *App) snapshot() engine.Snapshot {
	s := engine.Snapshot{App: a.app, Names: a.names(false), Log: a.log}
	for _, h := range a.registered() {
		s.Sites = append(s.Sites, h.sites()...)
	}
	s.Places = a.places()
	return s
}

// places returns where each site is reached, with HTTPS rather than without.
func (a *App) places() []engine.Place {
	var all []engine.Place
	found := make(map[*config.Site]int)
	secure := make(map[*config.Site]bool)
	names := a.names(true)
	for _, at := range a.addresses() {
		place := engine.Place{
			Site: at.site, SiteID: at.siteID(), Origin: at.origin(), Base: at.base, Names: names[at.site],
		}
		i, known := found[at.site]
		switch {
		case !known:
			found[at.site] = len(all)
			all = append(all, place)
		case at.scheme == "https" && !secure[at.site]:
			all[i] = place
		}
		secure[at.site] = secure[at.site] || at.scheme == "https"
	}
	return all
}

// announce says where each site's pages are, by its first address.
func (a *App) announce() {
	said := make(map[*config.Site]bool)
	for _, at := range a.addresses() {
		if said[at.site] {
			continue
		}
		said[at.site] = true
		a.log.Info("video consultations are ready; print a host's private link with: caddy videoroom host-link",
			slog.String("visitors", at.origin()+at.base+"/"), slog.String("hosts", at.origin()+at.base+"/host/"))
	}
}

// Interface guards
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.Validator    = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
