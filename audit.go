// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-videoroom/videoroom/config"
)

// auditReport is what the running process says of itself. It holds no secret,
// no name of a person and no address of a visitor.
type auditReport struct {
	Time      string          `json:"time"`
	Versions  auditVersions   `json:"versions"`
	Listeners []auditListener `json:"listeners"`
	// Sockets are those that the process really has open, as the system says.
	Sockets  auditSockets    `json:"sockets"`
	Outbound []auditOutbound `json:"outbound"`
	Files    auditFiles      `json:"files"`
	Storage  string          `json:"storage"`
	Sites    []auditSite     `json:"sites"`
}

type auditVersions struct {
	Module  string        `json:"module"`
	Caddy   string        `json:"caddy"`
	Go      string        `json:"go"`
	Cgo     bool          `json:"cgo"`
	Modules []auditModule `json:"modules"`
}

type auditModule struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"`
	Replace string `json:"replace,omitempty"`
}

// auditListener is a port that the configuration asks for.
type auditListener struct {
	Network string `json:"network"`
	Address string `json:"address"`
	Purpose string `json:"purpose"`
}

// auditOutbound is somebody the configuration lets this process call. What is
// secret about the destination is named by its setting alone.
type auditOutbound struct {
	Site    string `json:"site"`
	Setting string `json:"setting"`
	To      string `json:"to"`
	Purpose string `json:"purpose"`
}

type auditSite struct {
	ID           string           `json:"id"`
	Address      string           `json:"address"`
	Profile      string           `json:"profile,omitempty"`
	E2EE         string           `json:"e2ee"`
	Retention    string           `json:"retention"`
	Kinds        []auditKind      `json:"kinds"`
	Features     []auditFeature   `json:"features"`
	Requirements []auditCondition `json:"anlage31b,omitempty"`
}

type auditKind struct {
	ID              string `json:"id"`
	Recording       string `json:"recording"`
	MaxParticipants int    `json:"max_participants"`
}

// auditFeature is something that a setting switches on or off.
type auditFeature struct {
	Name    string `json:"name"`
	On      bool   `json:"on"`
	Setting string `json:"setting"`
}

func adminAudit(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return apiError(http.StatusMethodNotAllowed, errors.New("use GET"))
	}
	p := runningEngine()
	if p == nil || p.current() == nil {
		return apiError(http.StatusServiceUnavailable, errNotRunning)
	}
	return writeJSON(w, p.current().audit(p))
}

func (a *App) audit(p *pooled) auditReport {
	report := auditReport{
		Time:      time.Now().UTC().Format(time.RFC3339),
		Versions:  buildVersions(),
		Listeners: a.auditListeners(p),
		Sockets:   openSockets(),
		Files:     openFiles(),
		Storage:   storageName(a.storage),
	}
	for _, at := range a.siteAddresses() {
		report.Sites = append(report.Sites, at.audit())
		report.Outbound = append(report.Outbound, at.outbound()...)
	}
	return report
}

// siteAddresses returns one address of each site id.
func (a *App) siteAddresses() []address {
	var all []address
	for _, at := range a.addresses() {
		if !slices.ContainsFunc(all, func(other address) bool { return other.siteID() == at.siteID() }) {
			all = append(all, at)
		}
	}
	return all
}

func (a *App) auditListeners(p *pooled) []auditListener {
	var all []auditListener
	add := func(network, host string, port uint16, purpose string) {
		l := auditListener{network, net.JoinHostPort(host, strconv.Itoa(int(port))), purpose}
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	for _, at := range a.sitePorts() {
		purpose := "pages and calls of the sites"
		if at.tls {
			purpose += ", in TLS"
		}
		add(at.network, at.host, at.port, purpose)
		if at.http3 {
			add("udp"+at.family(), at.host, at.port, "HTTP/3 and calls")
		} else if p.mediaPort == config.SitePort {
			add("udp"+at.family(), at.host, at.port, "calls")
		}
	}
	if p.mediaPort != config.SitePort {
		add("udp", "", uint16(p.mediaPort), "calls (media_port)")
		add("tcp", "", uint16(p.mediaPort), "calls (media_port)")
	}
	return all
}

func (at address) audit() auditSite {
	s := at.site
	report := auditSite{
		ID: at.siteID(), Address: at.origin() + at.base + "/", Profile: s.Profile, E2EE: s.E2EE,
		Retention: time.Duration(s.Retention).String(),
	}
	recorded := false
	for _, k := range s.AllKinds() {
		report.Kinds = append(report.Kinds, auditKind{k.ID, k.Recording, k.MaxParticipants})
		recorded = recorded || k.Recording != config.Off
	}
	_, reminds := s.Reminds()
	calendars := slices.ContainsFunc(s.Hosts, func(h config.Host) bool { return h.Calendar != "" })
	identities := slices.ContainsFunc(s.Hosts, func(h config.Host) bool { return h.Identity != "" })
	report.Features = []auditFeature{
		{"end-to-end encryption", s.E2EERequired(), "e2ee"},
		{"waiting room", s.WaitingRoomOn(), "waiting_room"},
		{"recording", recorded, "kind: recording"},
		{"mail", s.SMTP != nil, "smtp"},
		{"reminders by mail", s.SMTP != nil && reminds, "reminder"},
		{"calendar feeds", calendars, "host: calendar"},
		{"booking interface for other software", len(s.Booking) > 0, "booking_key"},
		{"interface for other LiveKit software, without waiting room", admitsSoftware(s), "api_key, waiting_room"},
		{"sign-in of hosts by the web server", identities, "host: identity"},
	}
	if s.Profile == config.ProfileAnlage31b {
		report.Requirements = anlage31b(s)
	}
	return report
}

// admitsSoftware reports whether other LiveKit software can enter: with a waiting
// room nobody gets past it, whatever they hold.
func admitsSoftware(s *config.Site) bool {
	return len(s.APIKeys) > 0 && !s.WaitingRoomOn() && !s.E2EERequired()
}

func (at address) outbound() []auditOutbound {
	var all []auditOutbound
	if at.site.SMTP != nil {
		all = append(all, auditOutbound{at.siteID(), "smtp", at.site.SMTP.Server, "invitations and reminders"})
	}
	for _, h := range at.site.Hosts {
		if h.Calendar != "" {
			all = append(all, auditOutbound{at.siteID(), "host " + h.ID + ": calendar", "the address of the setting", "appointments of the host"})
		}
	}
	return all
}

func buildVersions() auditVersions {
	simple, _ := caddy.Version()
	v := auditVersions{Module: "unknown", Caddy: simple, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		v.Cgo = v.Cgo || s.Key == "CGO_ENABLED" && s.Value == "1"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		entry := auditModule{Path: m.Path, Version: m.Version, Sum: m.Sum}
		if m.Replace != nil {
			entry.Replace = strings.TrimSpace(m.Replace.Path + " " + m.Replace.Version)
			entry.Sum = m.Replace.Sum
		}
		if m.Path == modulePath {
			v.Module = m.Version
		}
		v.Modules = append(v.Modules, entry)
	}
	return v
}

const modulePath = "github.com/caddy-videoroom/videoroom"

// storageName says which storage module is in use, and where, if it says so.
func storageName(storage any) string {
	if s, ok := storage.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", storage)
}
