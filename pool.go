// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-videoroom/videoroom/engine"
	"github.com/caddy-videoroom/videoroom/port"
)

// drainTime bounds how long the end of the process or of the last
// configuration waits for clients to be told.
const drainTime = 10 * time.Second

// engineKey is the same for every configuration, so that the count of users
// never reaches zero during a reload.
const engineKey = "engine"

var engines = caddy.NewUsagePool()

// pooled is the engine together with the configurations that hold it. Caddy
// changes configurations one at a time; mu guards against readers only.
type pooled struct {
	engine *engine.Engine
	store  *currentStore
	// The settings that the sockets were opened with.
	mediaPort int
	publicIPs []netip.Addr

	// tenants is held while a house is added or removed, and while a
	// configuration that reads them starts.
	tenants sync.Mutex

	mu      sync.Mutex
	holders []*App // oldest first; the last one's settings apply
}

func newPooled(a *App) (*pooled, error) {
	store, mediaPort, publicIPs := newCurrentStore(a.storage), a.mediaPort(), a.app.Addrs()
	e, err := engine.New(context.Background(), engine.Options{
		MediaPort: mediaPort,
		PublicIPs: publicIPs,
		Hub:       port.Shared(),
		Store:     store,
		Log:       a.log,
	})
	if err != nil {
		return nil, err
	}
	return &pooled{engine: e, store: store, mediaPort: mediaPort, publicIPs: publicIPs}, nil
}

// Destruct tells whoever is still there to come back and closes the engine.
func (p *pooled) Destruct() error {
	hub := port.Shared()
	if !caddy.Exiting() {
		// The sites' UDP ports may be somebody else's now.
		hub.OpenUDP(nil, nil)
	}
	defer hub.OpenUDP(nil, nil)
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	p.engine.Drain(ctx)
	return p.engine.Close()
}

// serves reports whether the running sockets are what a asks for.
func (p *pooled) serves(a *App) bool {
	return p.mediaPort == a.mediaPort() && slices.Equal(p.publicIPs, a.app.Addrs())
}

// enter makes a's settings the ones that apply.
func (p *pooled) enter(a *App) {
	p.mu.Lock()
	p.holders = append(p.holders, a)
	p.mu.Unlock()
	p.install(a)
}

// leave forgets a. Where its settings applied, because a configuration failed
// to start, those of the one before apply again.
func (p *pooled) leave(a *App) {
	p.mu.Lock()
	applied := p.last() == a
	p.holders = slices.DeleteFunc(p.holders, func(other *App) bool { return other == a })
	before := p.last()
	p.mu.Unlock()
	if applied && before != nil {
		p.install(before)
	}
}

func (p *pooled) install(a *App) {
	p.store.use(a.storage)
	p.engine.Install(a.snapshot())
}

// current returns the configuration whose settings apply, or nil.
func (p *pooled) current() *App {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last()
}

func (p *pooled) last() *App {
	if len(p.holders) == 0 {
		return nil
	}
	return p.holders[len(p.holders)-1]
}

// runningEngine returns the engine of this process, or nil when no running
// configuration needs one.
func runningEngine() *pooled {
	var found *pooled
	engines.Range(func(_, value any) bool {
		found, _ = value.(*pooled)
		return found == nil
	})
	return found
}
