// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-videoroom/videoroom/config"
)

const (
	adminBase      = "/videoroom/"
	adminHostLink  = adminBase + "host-link"
	adminAuditPath = adminBase + "audit"
	maxAdminBody   = 4 << 10
)

// adminAPI answers beneath /videoroom/ of Caddy's administration endpoint:
//
//	GET  /videoroom/           how much is going on, without any name
//	POST /videoroom/host-link  a host's private link
//	GET  /videoroom/audit      what the process does with people's data
//	GET  /videoroom/tenants    houses; POST adds or changes one, DELETE removes one
//	GET  /videoroom/ask        whether a host name is that of a house, for on_demand_tls
//
// Caddy creates it before the apps, so that it looks for the engine when it is
// asked.
type adminAPI struct{}

// CaddyModule returns the Caddy module information.
func (adminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.videoroom", New: func() caddy.Module { return new(adminAPI) }}
}

// Routes returns the routes of the administration endpoint.
func (adminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: adminBase, Handler: caddy.AdminHandlerFunc(adminStats)},
		{Pattern: adminHostLink, Handler: caddy.AdminHandlerFunc(adminLink)},
		{Pattern: adminAuditPath, Handler: caddy.AdminHandlerFunc(adminAudit)},
		{Pattern: adminTenants, Handler: caddy.AdminHandlerFunc(adminTenant)},
		{Pattern: adminAsk, Handler: caddy.AdminHandlerFunc(adminPermits)},
	}
}

// hostLinkRequest asks for a host's private link. Both fields may be empty
// where there is only one to choose.
type hostLinkRequest struct {
	Site string `json:"site"`
	Host string `json:"host"`
}

type hostLinkResponse struct {
	Link string `json:"link"`
}

func adminStats(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Path != adminBase {
		return apiError(http.StatusNotFound, errors.New("there is nothing at this address"))
	}
	if r.Method != http.MethodGet {
		return apiError(http.StatusMethodNotAllowed, errors.New("use GET"))
	}
	p := runningEngine()
	if p == nil {
		return apiError(http.StatusServiceUnavailable, errNotRunning)
	}
	counts := make(map[string]any)
	stats := p.engine.Stats()
	for _, m := range measures {
		counts[m.name] = m.value(&stats)
	}
	return writeJSON(w, counts)
}

func adminLink(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		return apiError(http.StatusMethodNotAllowed, errors.New("use POST"))
	}
	var asked hostLinkRequest
	body := json.NewDecoder(io.LimitReader(r.Body, maxAdminBody))
	body.DisallowUnknownFields()
	if err := body.Decode(&asked); err != nil {
		return apiError(http.StatusBadRequest, fmt.Errorf(`reading the request, which should be {"site":"…","host":"…"}: %w`, err))
	}
	p := runningEngine()
	if p == nil || p.current() == nil {
		return apiError(http.StatusServiceUnavailable, errNotRunning)
	}
	at, err := chooseSite(p.current().addresses(), asked.Site)
	if err != nil {
		return apiError(http.StatusNotFound, err)
	}
	host, err := chooseHost(at.site, asked.Host)
	if err != nil {
		return apiError(http.StatusNotFound, err)
	}
	key, err := p.engine.HostKey(at.siteID(), host.ID)
	if err != nil {
		return apiError(http.StatusInternalServerError, fmt.Errorf("making the host's key: %w", err))
	}
	return writeJSON(w, hostLinkResponse{Link: at.hostLink(key)})
}

// chooseSite returns where the named site is. Without a name there must be
// only one. A site that answers to every name can be asked for by any.
func chooseSite(all []address, name string) (address, error) {
	var ids []string
	for _, at := range all {
		if name != "" && at.siteID() == name {
			return at, nil
		}
		if !slices.Contains(ids, at.siteID()) {
			ids = append(ids, at.siteID())
		}
	}
	switch {
	case len(all) == 0:
		return address{}, errors.New("no site with videoroom was found in the running configuration, or it answers for houses alone and has none yet")
	case name == "" && len(ids) == 1:
		return all[0], nil
	case name == "":
		return address{}, fmt.Errorf("there are several sites; choose one with --site: %s", strings.Join(ids, ", "))
	}
	for _, at := range all {
		if at.host == "" && at.site.Name == "" && hostPattern.MatchString(name) {
			at.host = name
			return at, nil
		}
	}
	return address{}, fmt.Errorf("there is no site %q; choose one with --site: %s", name, strings.Join(ids, ", "))
}

func chooseHost(site *config.Site, id string) (config.Host, error) {
	if id == "" && len(site.Hosts) == 1 {
		return site.Hosts[0], nil
	}
	if h, ok := site.Host(id); ok {
		return h, nil
	}
	ids := make([]string, 0, len(site.Hosts))
	for _, h := range site.Hosts {
		ids = append(ids, h.ID)
	}
	if id == "" {
		return config.Host{}, fmt.Errorf("there are several hosts; choose one with --host: %s", strings.Join(ids, ", "))
	}
	return config.Host{}, fmt.Errorf("there is no host %q; choose one with --host: %s", id, strings.Join(ids, ", "))
}

func apiError(status int, err error) error {
	return caddy.APIError{HTTPStatus: status, Err: err}
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Interface guard
var _ caddy.AdminRouter = (*adminAPI)(nil)
