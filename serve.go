// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/engine"
	"github.com/caddy-videoroom/videoroom/web"
)

// private are the beginnings of paths below the base path that belong to
// videoroom whether it knows them or not: they can name rooms or carry tokens
// in a query, so that nothing else may see or log them.
var private = []string{"api/", "r/", "rtc/", "twirp/livekit.", "_vr/"}

// pages are the other paths below the base path that belong to videoroom.
var pages = []string{"", "host", "host/", "test", "privacy", "embed.js", "rtc"}

// ServeHTTP serves what lies beneath the base path. It writes every response
// itself, errors too: an error that is returned to Caddy is logged together
// with the address of the request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if r.URL.Path == web.IntegrityPath {
		web.Integrity(w, r, buildVersions().Module)
		return nil
	}
	at, ok := h.locate(r)
	if !ok {
		return next.ServeHTTP(w, r)
	}
	skipped := caddyhttp.GetVar(r.Context(), caddyhttp.LogSkipVar)
	caddyhttp.SetVar(r.Context(), caddyhttp.LogSkipVar, true)
	if h.answer(w, r, at) {
		return nil
	}
	if h.site.Base() == "" {
		// The rest of the site is not ours to keep out of its log.
		caddyhttp.SetVar(r.Context(), caddyhttp.LogSkipVar, skipped)
		return next.ServeHTTP(w, r)
	}
	if err := next.ServeHTTP(w, r); err != nil {
		h.refuse(w, r, at, statusOf(err), "failed", "the request could not be answered")
	}
	return nil
}

// answer serves the request and reports whether it has written a response.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, at location) (done bool) {
	defer func() {
		if v := recover(); v != nil {
			h.logPanic(v)
			h.refuse(w, r, at, http.StatusInternalServerError, "internal", "something went wrong on this server")
			done = true
		}
	}()
	switch {
	case at.bare:
		return redirect(w, r, path.Base(at.base))
	case at.path == "host":
		return redirect(w, r, "host")
	}
	site, known := h.serving(r)
	if slashed := (location{path: strings.TrimSuffix(at.path, "/")}).walkIn(site); known && slashed != "" && slashed != at.path {
		return redirectTo(w, r, "../"+slashed)
	}
	owned := at.owned() || known && at.walkIn(site) != ""
	e := h.app.engine.Load()
	switch {
	case r.Method == http.MethodConnect || r.Proto == "websocket":
		// RFC 8441 and RFC 9220: a WebSocket that shares its connection with
		// other requests. Clients fall back to HTTP/1.1.
		refuse(w, http.StatusNotImplemented, "unsupported", "open the WebSocket over HTTP/1.1")
		return true
	case e == nil && owned:
		w.Header().Set("Retry-After", "5")
		h.refuse(w, r, at, http.StatusServiceUnavailable, "unavailable", "the server is starting or stopping; try again in a few seconds")
		return true
	case e == nil:
		return false
	}
	if !known && owned {
		h.refuse(w, r, at, http.StatusNotFound, "not_found", "this host name belongs to no house")
		return true
	} else if !known {
		return false
	}
	call, ok := h.call(r, at, site)
	if !ok {
		h.refuse(w, r, at, http.StatusBadRequest, "bad_request", "the host name of the request is not valid")
		return true
	}
	if at.path == "privacy" {
		web.Privacy(w, r, h.page(at, call), h.facts(site, hostName(strings.ToLower(r.Host))))
		return true
	}
	if e.Serve(w, r, call) || web.Serve(w, r, h.page(at, call)) {
		return true
	}
	if !at.private() {
		return false
	}
	h.refuse(w, r, at, http.StatusNotFound, "not_found", "there is nothing at this address")
	return true
}

// refuse answers with an error: a page where a browser wants to show one, else
// in the form of the admission API.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, at location, status int, code, message string) {
	if !web.Navigates(r) || hasPrefix(at.path, unseen) {
		refuse(w, status, code, message)
		return
	}
	site, _ := h.serving(r)
	web.Failure(w, r, h.page(at, engine.Call{Site: site, Origin: originOf(r)}), status)
}

// unseen are the beginnings of paths below the base path that no browser shows.
var unseen = []string{"api/", "rtc", "twirp/", "_vr/"}

func (h *Handler) page(at location, call engine.Call) web.Page {
	s := call.Site
	return web.Page{
		Path:     at.path,
		Base:     at.base,
		Language: s.Language,
		Address:  s.Address,
		Practice: s.Practice,
		Phone:    s.Phone,
		Logo:     s.Logo,
		Color:    s.Color,
		Origin:   call.Origin,
		Host:     at.walkIn(s),

		Checklist: s.Checklist,
		InPerson:  s.InPersonURL,

		QuickExit: s.Profile == config.ProfileCounselling,
		E2EE:      s.E2EERequired(),
	}
}

// facts are the settings that the privacy page speaks of.
func (h *Handler) facts(s *config.Site, host string) web.Facts {
	recorded := func(k config.Kind) bool { return k.Recording != config.Off }
	reminder, _ := s.Reminds()
	return web.Facts{
		E2EE:          s.E2EERequired(),
		WaitingRoom:   s.WaitingRoomOn(),
		Unrecorded:    !slices.ContainsFunc(s.AllKinds(), recorded),
		Mail:          s.SMTP != nil,
		Reminder:      reminder,
		Retention:     time.Duration(s.Retention),
		Calendars:     slices.ContainsFunc(s.Hosts, func(host config.Host) bool { return host.Calendar != "" }),
		Booking:       len(s.Booking) > 0,
		WalkIns:       slices.ContainsFunc(s.Hosts, func(host config.Host) bool { return host.WalkIn() }),
		OtherSoftware: admitsSoftware(s),
		AccessLog:     h.server != nil && logs(h.server, host),
		Version:       engine.Version(),

		RedirectLogged: h.server != nil && logsRedirects(h.server, host) && !h.app.redirects(host),
	}
}

func (h *Handler) logPanic(v any) {
	reason := "unknown"
	if err, ok := v.(runtime.Error); ok {
		reason = err.Error() // other values could hold what a visitor sent
	}
	h.log.Error("a request handler panicked", slog.String("reason", reason), slog.String("stack", string(debug.Stack())))
}

// redirect sends a path that ends in segment without a slash to the one with
// it, without the query. The reference is relative, so that it cannot lead to
// another host.
func redirect(w http.ResponseWriter, r *http.Request, segment string) bool {
	return redirectTo(w, r, "./"+segment+"/")
}

func redirectTo(w http.ResponseWriter, r *http.Request, reference string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	w.Header().Set("Location", reference)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusPermanentRedirect)
	return true
}

// refuse writes an error in the form of the admission API.
func refuse(w http.ResponseWriter, status int, code, message string) {
	type reason struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body, err := json.Marshal(map[string]reason{"error": {code, message}})
	if err != nil {
		status = http.StatusInternalServerError
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone where this fails
}

func statusOf(err error) int {
	var status int
	if he, ok := errors.AsType[caddyhttp.HandlerError](err); ok {
		status = he.StatusCode
	}
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	return status
}

func hasPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
