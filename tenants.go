// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/caddy-videoroom/videoroom/config"
)

// houses are the tenants of one handler by host name: those of the configuration
// and those of its table in the storage.
type houses struct {
	mu     sync.RWMutex
	fixed  map[string]*config.Site // not changed after Provision
	stored map[string]storedHouse  // guarded by mu
	// version counts what this process has changed itself; guarded by mu.
	version int
}

// storedHouse is a house of the table as it was read.
type storedHouse struct {
	// site is nil where the record says nothing that can be served.
	site *config.Site
	text string
}

// prepareHouses derives the settings of the houses that the configuration names.
func (h *Handler) prepareHouses() error {
	if !h.Site.HasTenants() {
		return nil
	}
	h.houses = &houses{fixed: make(map[string]*config.Site), stored: make(map[string]storedHouse)}
	for i := range h.Tenants {
		site, err := h.house(&h.Tenants[i])
		if err != nil {
			return err
		}
		h.houses.fixed[site.Name] = site
	}
	return nil
}

// house returns the settings of one house, with defaults and validated.
func (h *Handler) house(t *config.Tenant) (*config.Site, error) {
	if err := h.ValidateTenant(t); err != nil {
		return nil, err
	}
	site := h.For(t)
	site.APIKeys = slices.Clone(site.APIKeys)
	site.Booking = slices.Clone(site.Booking)
	site.SetDefaults()
	if err := expand(&site); err != nil {
		return nil, fmt.Errorf("tenant %s: %w", t.Domain, err)
	}
	if err := site.Validate(); err != nil {
		return nil, fmt.Errorf("tenant %s: %w", t.Domain, err)
	}
	return &site, nil
}

func (hs *houses) find(domain string) (*config.Site, bool) {
	if site, ok := hs.fixed[domain]; ok {
		return site, true
	}
	hs.mu.RLock()
	defer hs.mu.RUnlock()
	site := hs.stored[domain].site
	return site, site != nil
}

func (hs *houses) put(site *config.Site, text string) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.stored[site.Name] = storedHouse{site, text}
	hs.version++
}

func (hs *houses) remove(domain string) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	delete(hs.stored, domain)
	hs.version++
}

// table returns what is known of the houses in the storage.
func (hs *houses) table() (stored map[string]storedHouse, version int) {
	hs.mu.RLock()
	defer hs.mu.RUnlock()
	return maps.Clone(hs.stored), hs.version
}

// replace takes over what was read, unless this process has changed a house since
// the version at which the reading began. It tells whether anything is new.
func (hs *houses) replace(stored map[string]storedHouse, version int) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.version != version || maps.Equal(hs.stored, stored) {
		return false
	}
	hs.stored = stored
	return true
}

// all returns the houses in the order of their names. One of the configuration
// stands before one of the table with the same name.
func (hs *houses) all() []*config.Site {
	if hs == nil {
		return nil
	}
	hs.mu.RLock()
	byName := make(map[string]*config.Site, len(hs.stored))
	for domain, house := range hs.stored {
		if house.site != nil {
			byName[domain] = house.site
		}
	}
	hs.mu.RUnlock()
	maps.Copy(byName, hs.fixed)
	sites := slices.Collect(maps.Values(byName))
	slices.SortFunc(sites, func(a, b *config.Site) int { return strings.Compare(a.Name, b.Name) })
	return sites
}

// serving returns the settings that hold for a request; false: its host name
// belongs to no house, nor to the site itself.
func (h *Handler) serving(r *http.Request) (*config.Site, bool) {
	if h.houses == nil {
		return h.site, true
	}
	host := hostName(strings.ToLower(r.Host))
	if site, ok := h.houses.find(host); ok {
		return site, true
	}
	return h.site, slices.Contains(h.hosts(), host)
}

// ownHosts returns the host names under which the site itself is served beside
// its houses: those that its route names. All routes must have been provisioned.
func (h *Handler) ownHosts() []string {
	var hosts []string
	if h.server == nil {
		return nil
	}
	walk(h.server.Routes, place{}, func(other *Handler, in place) {
		if other == h {
			hosts = append(hosts, h.beside(in.hosts)...)
		}
	})
	return hosts
}

// beside returns those of the host names that belong to no house.
func (h *Handler) beside(hosts []string) []string {
	if h.houses == nil {
		return hosts
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(host string) bool {
		_, fixed := h.houses.fixed[host]
		return fixed
	})
}

// sites returns the settings of everything that a handler serves.
func (h *Handler) sites() []*config.Site {
	if h.houses == nil {
		return []*config.Site{h.site}
	}
	all := h.houses.all()
	if len(h.hosts()) > 0 {
		all = append(all, h.site)
	}
	return all
}

// knows reports whether a host name is that of a house.
func (a *App) knows(domain string) bool {
	for _, h := range a.registered() {
		if h.houses == nil {
			continue
		}
		if _, ok := h.houses.find(domain); ok {
			return true
		}
	}
	return false
}
