// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddytls"

	"github.com/caddy-videoroom/videoroom/config"
)

const (
	adminTenants  = adminBase + "tenants"
	adminAsk      = adminBase + "ask"
	maxTenantBody = 64 << 10
)

// tenantAnswer is a house as the administration endpoint shows it.
type tenantAnswer struct {
	Domain   string       `json:"domain"`
	Practice string       `json:"practice"`
	Visitors string       `json:"visitors"`
	Hosts    []tenantHost `json:"hosts,omitempty"`
}

// tenantHost is a host of a new house with the private link.
type tenantHost struct {
	ID   string `json:"id"`
	Link string `json:"link"`
}

// adminTenant lists, adds and removes houses. Adding one that is there replaces
// its settings; its rooms and links go on.
func adminTenant(w http.ResponseWriter, r *http.Request) error {
	methods := map[string]func(http.ResponseWriter, *http.Request, *pooled, *App) error{
		http.MethodGet: listTenants, http.MethodPost: postTenant, http.MethodDelete: deleteTenant,
	}
	serve, ok := methods[r.Method]
	if !ok {
		return apiError(http.StatusMethodNotAllowed, errors.New("use GET, POST or DELETE"))
	}
	p := runningEngine()
	if p == nil {
		return apiError(http.StatusServiceUnavailable, errNotRunning)
	}
	// A configuration that starts meanwhile would not see the change.
	p.tenants.Lock()
	defer p.tenants.Unlock()
	a := p.current()
	if a == nil {
		return apiError(http.StatusServiceUnavailable, errNotRunning)
	}
	return serve(w, r, p, a)
}

func listTenants(w http.ResponseWriter, _ *http.Request, p *pooled, a *App) error {
	list := []tenantAnswer{}
	for _, at := range a.siteAddresses() {
		if at.tenant {
			list = append(list, at.describe(p, false))
		}
	}
	return writeJSON(w, map[string]any{"tenants": list})
}

// tableOf returns the named table; without a name there must be only one.
func (a *App) tableOf(name string) (string, error) {
	var tables []string
	for _, h := range a.registered() {
		if h.TenantTable != "" && !slices.Contains(tables, h.TenantTable) {
			tables = append(tables, h.TenantTable)
		}
	}
	slices.Sort(tables)
	switch {
	case len(tables) == 0:
		return "", errors.New("no site has a table of houses; write tenants <name> into the directive")
	case name == "" && len(tables) == 1:
		return tables[0], nil
	case slices.Contains(tables, name):
		return name, nil
	}
	return "", fmt.Errorf("choose one of the tables with ?table=: %s", strings.Join(tables, ", "))
}

func postTenant(w http.ResponseWriter, r *http.Request, p *pooled, a *App) error {
	table, err := a.tableOf(r.URL.Query().Get("table"))
	if err != nil {
		return apiError(http.StatusNotFound, err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTenantBody))
	if err != nil {
		return apiError(http.StatusRequestEntityTooLarge, errors.New("the house has too many settings"))
	}
	t, err := readTenant(body)
	if err != nil {
		return apiError(http.StatusBadRequest, fmt.Errorf(`write {"domain":"haus1.verband.example","practice":"Haus 1"}: %w`, err))
	}
	for _, h := range a.withTable(table) {
		if _, fixed := h.houses.fixed[t.Domain]; fixed {
			return apiError(http.StatusConflict, fmt.Errorf("%s stands in the configuration; change it there", t.Domain))
		}
	}
	if err := a.addTenant(r.Context(), table, t); err != nil {
		status := http.StatusInternalServerError
		if errors.Is(err, config.ErrInvalid) || errors.Is(err, config.ErrNotYet) {
			status = http.StatusBadRequest
		}
		return apiError(status, err)
	}
	p.install(a)
	for _, at := range a.siteAddresses() {
		if at.tenant && at.siteID() == t.Domain {
			w.WriteHeader(http.StatusCreated)
			return writeJSON(w, at.describe(p, true))
		}
	}
	return apiError(http.StatusInternalServerError, errors.New("no server leads to the table's site"))
}

func deleteTenant(w http.ResponseWriter, r *http.Request, p *pooled, a *App) error {
	table, err := a.tableOf(r.URL.Query().Get("table"))
	if err != nil {
		return apiError(http.StatusNotFound, err)
	}
	domain := r.URL.Query().Get("domain")
	stored := func(h *Handler) bool {
		_, known := h.houses.find(domain)
		_, fixed := h.houses.fixed[domain]
		return known && !fixed
	}
	if !slices.ContainsFunc(a.withTable(table), stored) {
		return apiError(http.StatusNotFound, fmt.Errorf("the table %s has no house %q", table, domain))
	}
	if err := a.removeTenant(r.Context(), table, domain); err != nil {
		return apiError(http.StatusInternalServerError, err)
	}
	p.install(a)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// describe tells about a house, with its hosts' private links if asked for.
func (at address) describe(p *pooled, links bool) tenantAnswer {
	answer := tenantAnswer{Domain: at.siteID(), Practice: at.site.Practice, Visitors: at.origin() + at.base + "/"}
	if !links {
		return answer
	}
	for _, h := range at.site.Hosts {
		if key, err := p.engine.HostKey(at.siteID(), h.ID); err == nil {
			answer.Hosts = append(answer.Hosts, tenantHost{h.ID, at.hostLink(key)})
		}
	}
	return answer
}

// hostLink returns the private link of a host with this key.
func (at address) hostLink(key string) string { return at.origin() + at.base + "/host/#k=" + key }

// adminPermits answers Caddy's question whether it may get a certificate for a
// host name on demand: yes for the houses of the running configuration alone.
func adminPermits(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return apiError(http.StatusMethodNotAllowed, errors.New("use GET"))
	}
	if !permits(r.URL.Query().Get("domain")) {
		return apiError(http.StatusForbidden, errNoHouse)
	}
	return writeJSON(w, struct{}{})
}

func permits(domain string) bool {
	p := runningEngine()
	if p == nil {
		return false
	}
	a := p.current()
	return a != nil && a.knows(strings.ToLower(domain))
}

// Permission lets Caddy get certificates on demand for the houses of
// `http.handlers.videoroom` and for no other host name:
//
//	on_demand_tls {
//		permission videoroom
//	}
type Permission struct{}

// CaddyModule returns the Caddy module information.
func (Permission) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "tls.permission.videoroom", New: func() caddy.Module { return new(Permission) }}
}

// CertificateAllowed returns nil for the name of a house.
func (Permission) CertificateAllowed(_ context.Context, name string) error {
	if !permits(name) {
		return fmt.Errorf("%w: %w", errNoHouse, caddytls.ErrPermissionDenied)
	}
	return nil
}

// UnmarshalCaddyfile reads the module's name, which is all there is.
func (*Permission) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if d.Next() && d.NextArg() {
		return d.Errf("videoroom: %q is not expected here; write permission videoroom", d.Val())
	}
	return nil
}

// Interface guards
var (
	_ caddytls.OnDemandPermission = (*Permission)(nil)
	_ caddyfile.Unmarshaler       = (*Permission)(nil)
)
