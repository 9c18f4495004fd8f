// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// route is one resource of the interface.
type route struct {
	method string
	// public resources may be read without Origin header, as browsers do
	// within a site; a foreign one is refused everywhere.
	public bool
	serve  func(*Desk, http.ResponseWriter, *http.Request, Call)
}

var routes = map[string]route{
	"api/v1/site":         {http.MethodGet, true, (*Desk).serveSite},
	"api/v1/room":         {http.MethodPost, false, (*Desk).serveRoom},
	"api/v1/host/session": {http.MethodPost, false, (*Desk).serveHostSession},
	"api/v1/test":         {http.MethodPost, false, (*Desk).serveTest},
	"api/v1/knock":        {http.MethodGet, false, (*Desk).serveKnock},
	"api/v1/host":         {http.MethodGet, false, (*Desk).serveHost},
	"api/v1/door":         {http.MethodPost, false, (*Desk).serveDoor},
	"api/v1/circle":       {http.MethodGet, false, (*Desk).serveCircle},
	"api/v1/openapi.json": {http.MethodGet, true, (*Desk).serveOpenAPI},
}

// Serve answers a request beneath api/ and writes all its errors itself.
// Sockets outlive it.
func (d *Desk) Serve(w http.ResponseWriter, r *http.Request, c Call) {
	resource, ok := routes[c.Path]
	origin := r.Header.Values("Origin")
	if below, ok := appointmentPath(c.Path); ok {
		d.serveAppointments(w, r, c, below)
		return
	}
	if c.Path == noticePath {
		d.serveNotice(w, r, c)
		return
	}
	switch {
	case !ok:
		WriteError(w, fail(CodeNotFound))
	case len(origin) > 1 || len(origin) == 1 && origin[0] != c.Origin || len(origin) == 0 && !resource.public:
		WriteError(w, fail(CodeForeignOrigin))
	case r.Method != resource.method && r.Method != http.MethodConnect && !(r.Method == http.MethodHead && resource.public):
		w.Header().Set("Allow", resource.method)
		WriteError(w, fail(CodeMethod))
	default:
		resource.serve(d, w, r, c)
	}
}

type siteBody struct {
	Practice        string   `json:"practice"`
	Phone           string   `json:"phone"`
	Language        string   `json:"language"`
	Address         string   `json:"address"`
	Hosts           []person `json:"hosts"`
	E2EE            string   `json:"e2ee"`
	WaitingRoom     bool     `json:"waiting_room"`
	MaxParticipants int      `json:"max_participants"`
	Version         string   `json:"version"`
}

func (d *Desk) serveSite(w http.ResponseWriter, _ *http.Request, c Call) {
	s := c.Site
	body := siteBody{
		Practice: s.Practice, Phone: s.Phone, Language: s.Language, Address: s.Address, Hosts: []person{},
		E2EE: s.E2EE, WaitingRoom: s.WaitingRoomOn(), MaxParticipants: s.MaxParticipants, Version: d.version,
	}
	for _, h := range s.Hosts {
		body.Hosts = append(body.Hosts, person{h.ID, h.Name})
	}
	d.reply(w, body)
}

// serveRoom tells the holder of a visitor link whose room it leads to, and
// whoever has none when a host may be visited so.
func (d *Desk) serveRoom(w http.ResponseWriter, r *http.Request, c Call) {
	var in struct {
		Room string `json:"room"`
		Cap  string `json:"cap"`
		Host string `json:"host"`
	}
	from, err := d.request(w, r, c, &in)
	if err != nil {
		WriteError(w, err)
		return
	}
	if in.Room == "" && in.Cap == "" {
		d.serveWalkIn(w, c, from, in.Host)
		return
	}
	v, err := d.visit(c, from, in.Room, in.Cap)
	if err != nil {
		WriteError(w, err)
		return
	}
	d.mu.Lock()
	known := d.records[roomKey{c.SiteID, in.Room}]
	open, ended := known != nil && known.open(), known != nil && known.ended && !known.lapsed
	d.mu.Unlock()
	if ended {
		WriteError(w, fail(CodeRoomClosed))
		return
	}
	host, _ := c.Site.Host(v.Host)
	d.reply(w, struct {
		Host        person       `json:"host"`
		Open        bool         `json:"open"`
		Appointment *visitedBody `json:"appointment,omitempty"`
	}{person{host.ID, host.Name}, open, v.body(d.now())})
}

// serveHostSession signs a host in, by the key of the private link or by
// whatever has authenticated the request.
func (d *Desk) serveHostSession(w http.ResponseWriter, r *http.Request, c Call) {
	var in struct {
		Key string `json:"key"`
	}
	from, err := d.request(w, r, c, &in)
	if err != nil {
		WriteError(w, err)
		return
	}
	now := time.Now()
	who, ok := d.identify(c, in.Key)
	if !ok {
		WriteError(w, d.crowd.wrong(from, now, fail(CodeNotHost)))
		return
	}
	d.crowd.right(from)
	who.Since = now
	session, err := d.keys.HostSession(c.SiteID, who, now)
	if err != nil {
		d.log.Error("host session failed", "error", err)
		WriteError(w, err)
		return
	}
	host, _ := c.Site.Host(who.Host)
	d.reply(w, struct {
		Token     string `json:"token"`
		ExpiresIn int    `json:"expires_in"`
		Host      person `json:"host"`
	}{session, seconds(token.HostSessionLife), person{host.ID, host.Name}})
}

func (d *Desk) identify(c Call, key string) (who token.HostSession, ok bool) {
	if key != "" {
		h, err := d.keys.VerifyHostKey(c.SiteID, key)
		who = token.HostSession{Host: h.Host, Generation: h.Generation}
		return who, err == nil && h.Generation != 0 && welcome(c.Site, who)
	}
	if c.Identity == nil {
		return who, false
	}
	for _, h := range c.Site.Hosts {
		if h.Identity == "" {
			continue
		}
		if who, set := c.Identity(h); set && who == h.ID {
			return token.HostSession{Host: h.ID}, true
		}
	}
	return who, false
}

// proven checks the token of a host's sign-in against the configuration of the
// request: the host may be gone, or the link that signed the host in revoked.
func (d *Desk) proven(c Call, raw string, now time.Time) (token.HostSession, error) {
	who, err := d.keys.VerifyHostSession(c.SiteID, raw, now)
	if err != nil {
		return who, err
	}
	if !welcome(c.Site, who) {
		return who, fail(CodeNotHost)
	}
	return who, nil
}

// welcome reports whether a site has the host, and has not revoked the link that
// signed the host in.
func welcome(site *config.Site, who token.HostSession) bool {
	host, ok := site.Host(who.Host)
	return ok && (who.Generation == 0 || int64(who.Generation) == int64(host.LinkGeneration))
}

// request counts a request and reads its body.
func (d *Desk) request(w http.ResponseWriter, r *http.Request, c Call, v any) (*source, error) {
	from, err := d.count(c)
	if err != nil {
		return nil, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	return from, decode(body, v)
}

// count counts a request that carries a secret.
func (d *Desk) count(c Call) (*source, error) {
	now := time.Now()
	from := d.crowd.of(c.Client, now)
	return from, d.crowd.request(from, now)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, fail(CodeTooLarge)
	} else if err != nil {
		return nil, fail(CodeBadRequest)
	}
	return body, nil
}

func (d *Desk) reply(w http.ResponseWriter, v any) { d.replyWith(w, http.StatusOK, v) }

func (d *Desk) replyWith(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		d.log.Error("encoding an answer failed", "error", err)
		WriteError(w, err)
		return
	}
	writeHeaders(w)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}
