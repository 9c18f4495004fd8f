// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// quiet stands around all routes of a server that leads to a handler of ours. It
// keeps requests beneath our paths out of Caddy's access log also where
// another directive answers them, such as basic_auth; and it answers their
// errors, because Caddy's error log names the address and the client.
//
// A handler puts it there while Caddy provisions the routes of its server, which
// is before Caddy compiles them. Nothing of it appears in the configuration.
type quiet struct {
	server *caddyhttp.Server
	routes caddyhttp.RouteList // the server's own, which Caddy goes on provisioning
	log    *slog.Logger

	once   sync.Once
	chain  caddyhttp.Handler // set once: routes, compiled
	scopes []scope           // set once
	errors caddyhttp.Handler // set once; nil: the server has no error routes
}

// scope is where the pages of one handler lie.
type scope struct {
	handler *Handler
	hosts   []string // lower case; none: every host
	base    string   // lower case, "" for the root
	root    bool     // only what is ours by name
}

// hush puts a quiet around the routes of a handler's server, unless one is there.
func (h *Handler) hush(ctx caddy.Context) error {
	if h.server == nil || len(h.server.Routes) == 1 && slices.ContainsFunc(h.server.Routes[0].Handlers, isQuiet) {
		return nil
	}
	q := &quiet{server: h.server, routes: h.server.Routes, log: h.log}
	route := caddyhttp.Route{Handlers: []caddyhttp.MiddlewareHandler{q}}
	if err := route.ProvisionHandlers(ctx, nil); err != nil {
		return err
	}
	h.server.Routes = caddyhttp.RouteList{route}
	return nil
}

func isQuiet(h caddyhttp.MiddlewareHandler) bool {
	_, ok := h.(*quiet)
	return ok
}

// ServeHTTP serves a request by the routes behind it.
func (q *quiet) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	// Nothing follows the one route of this server, so next is always the same.
	q.once.Do(func() { q.prepare(next) })
	h := q.find(r)
	if h == nil {
		return q.chain.ServeHTTP(w, r)
	}
	caddyhttp.SetVar(r.Context(), caddyhttp.LogSkipVar, true)
	if err := q.chain.ServeHTTP(w, r); err != nil {
		q.fail(w, r, h, err)
	}
	return nil
}

// prepare finds out where our pages lie. All routes have been provisioned when
// the first request comes.
func (q *quiet) prepare(next caddyhttp.Handler) {
	q.chain = q.routes.Compile(next)
	walk(q.routes, place{}, func(h *Handler, in place) {
		s := scope{handler: h, base: strings.ToLower(in.prefix + h.site.Base()), root: h.site.Base() == ""}
		if in.exact {
			s.hosts = in.hosts
		}
		q.scopes = append(q.scopes, s)
	})
	if q.server.Errors != nil && len(q.server.Errors.Routes) > 0 {
		q.errors = q.server.Errors.Routes.Compile(caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
			err, _ := r.Context().Value(caddyhttp.ErrorCtxKey).(error)
			w.WriteHeader(statusOf(err))
			return nil
		}))
	}
}

// find returns the handler beneath whose path a request lies, or nil. Paths are
// compared as Caddy's own matchers do, without regard to case.
func (q *quiet) find(r *http.Request) *Handler {
	host := hostName(strings.ToLower(r.Host))
	at := strings.ToLower(path.Clean("/" + r.URL.Path))
	for _, s := range q.scopes {
		if len(s.hosts) > 0 && !slices.Contains(s.hosts, host) {
			continue
		}
		below, ok := strings.CutPrefix(at, s.base)
		if !ok || below != "" && below[0] != '/' {
			continue
		}
		if !s.root || (location{path: strings.TrimPrefix(below, "/")}).owned() {
			return s.handler
		}
	}
	return nil
}

// fail answers a request that another directive has failed to answer, as Caddy
// does, but logs neither its address nor its client.
func (q *quiet) fail(w http.ResponseWriter, r *http.Request, h *Handler, err error) {
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		attrs := []any{slog.Int("status", status)}
		if he, ok := errors.AsType[caddyhttp.HandlerError](err); ok {
			attrs = append(attrs, slog.String("id", he.ID), slog.String("trace", he.Trace))
		}
		q.log.Error("another directive failed to answer a request beneath videoroom; its address is not logged", attrs...)
	}
	if orig, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		r.Method, r.RemoteAddr, r.RequestURI = orig.Method, orig.RemoteAddr, orig.RequestURI
		r.URL = cloneURL(orig.URL)
	}
	if q.errors != nil {
		r = q.server.Errors.WithError(r, err)
		if q.errors.ServeHTTP(w, r) == nil {
			return
		}
	}
	at, ok := h.locate(r)
	if !ok { // another spelling of the path
		at = location{base: h.site.Base()}
	}
	h.refuse(w, r, at, status, "failed", "the request could not be answered")
}

func cloneURL(u *url.URL) *url.URL {
	if u == nil {
		return new(url.URL)
	}
	c := *u
	return &c
}

// Interface guard
var _ caddyhttp.MiddlewareHandler = (*quiet)(nil)
