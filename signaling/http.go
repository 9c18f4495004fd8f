// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/room"
)

// routes maps paths below the base path to handlers.
var routes = map[string]func(*Server, http.ResponseWriter, *http.Request, *Call){
	"rtc/v1":            (*Server).connect,
	"rtc/v1/validate":   (*Server).validate,
	"rtc/v1/connection": (*Server).connection,
	"rtc":               (*Server).connect,
	"rtc/validate":      (*Server).validate,
}

// Serve answers one request. It returns false, having written nothing, when
// the path is not one of signaling's. It writes all its errors itself and
// returns when the answer is written or the connection has become a session.
//
// A HEAD of the base path itself is answered only when another origin asks:
// clients probe the server's reachability with it.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, c Call) bool {
	serve, ok := routes[c.Path]
	if !ok && c.Path == "" {
		serve, ok = (*Server).probe, r.Method == http.MethodHead && foreign(r, c.Origin)
	}
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	serve(s, w, r, &c)
	return true
}

// refusal is an answer before the upgrade. Texts are constant: nothing of the
// request comes back.
type refusal struct {
	status int
	text   string
}

var (
	refuseMethod    = refusal{http.StatusMethodNotAllowed, "only GET is served here"}
	refuseUpgrade   = refusal{http.StatusUpgradeRequired, "a WebSocket upgrade over HTTP/1.1 is needed here"}
	refuseToken     = refusal{http.StatusUnauthorized, "invalid access token"}
	refuseNoToken   = refusal{http.StatusUnauthorized, "no access token"}
	refuseOrigin    = refusal{http.StatusForbidden, "this page's origin may not use this access token"}
	refuseTooMany   = refusal{http.StatusTooManyRequests, "too many attempts, please wait a minute"}
	refuseBusy      = refusal{http.StatusServiceUnavailable, "the server takes no participants now, please come back soon"}
	refuseNoJoin    = refusal{http.StatusBadRequest, "join_request is missing"}
	refuseBadJoin   = refusal{http.StatusBadRequest, "join_request is malformed"}
	refuseHugeJoin  = refusal{http.StatusRequestEntityTooLarge, "join_request is too large"}
	refuseOldClient = refusal{http.StatusBadRequest, "this client is too old: protocol 13 or newer is needed"}
)

// outcome is what an error of tokens, admission, join request or room becomes:
// a refusal before the upgrade, or, where leave is not nil, a last message
// after it, because browsers cannot read refusals and native clients act on
// the message.
type outcome struct {
	refusal
	leave *room.Leave
}

// outcomes is searched in order.
var outcomes = []struct {
	is error
	outcome
}{
	{room.ErrFull, outcome{
		refusal{http.StatusForbidden, "the room is full"},
		&room.Leave{Reason: room.ReasonJoinFailure, Action: room.ActionDisconnect},
	}},
	{room.ErrRevoked, outcome{
		refusal{http.StatusForbidden, "the access token was revoked"},
		&room.Leave{Reason: room.ReasonRemoved, Action: room.ActionDisconnect},
	}},
	{room.ErrUnknownParticipant, outcome{
		refusal{http.StatusConflict, "the participant is not in the room any more"},
		&room.Leave{Reason: room.ReasonStateMismatch, Action: room.ActionReconnect},
	}},
	{room.ErrClosing, outcome{refusal: refuseBusy}},
	{room.ErrBusy, outcome{refusal: refuseBusy}},
	{room.ErrEnded, outcome{refusal: refuseBusy}},
	{room.ErrTooLarge, outcome{refusal: refuseHugeJoin}},
	{room.ErrBadJoin, outcome{refusal: refusal{http.StatusBadRequest, "the room does not take this join"}}},
	// Clients look for these very words.
	{ErrNoRoom, outcome{refusal: refusal{http.StatusNotFound, "requested room does not exist"}}},
	{ErrIncomplete, outcome{refusal: refusal{http.StatusBadRequest, "the access token names no identity or room"}}},
	{ErrToken, outcome{refusal: refuseToken}},
	{errNoJoinRequest, outcome{refusal: refuseNoJoin}},
	{errBadJoinRequest, outcome{refusal: refuseBadJoin}},
	{errLimit, outcome{refusal: refuseHugeJoin}},
	{errHugeJoin, outcome{refusal: refuseHugeJoin}},
	{errOldClient, outcome{refusal: refuseOldClient}},
}

// outcomeOf is the one place that maps errors to what clients are told.
func outcomeOf(err error) outcome {
	for _, o := range outcomes {
		if errors.Is(err, o.is) {
			return o.outcome
		}
	}
	return outcome{refusal: refusal{http.StatusInternalServerError, "the server failed to answer"}}
}

func (s *Server) refuse(w http.ResponseWriter, f refusal) {
	s.counters.refused.Add(1)
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	switch f.status {
	case http.StatusMethodNotAllowed:
		allow := http.MethodGet
		if f == refusePost {
			allow = http.MethodPost
		}
		h.Set("Allow", allow)
	case http.StatusUpgradeRequired:
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	case http.StatusTooManyRequests:
		h.Set("Retry-After", "60")
	}
	w.WriteHeader(f.status)
	_, _ = w.Write([]byte(f.text))
}

func (s *Server) probe(w http.ResponseWriter, _ *http.Request, _ *Call) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(http.StatusOK)
}

// openTo lets scripts of other origins read the answer.
func openTo(w http.ResponseWriter, r *http.Request, c *Call) {
	if foreign(r, c.Origin) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
}

// foreign reports whether a page of another origin asks.
func foreign(r *http.Request, origin string) bool {
	o := r.Header.Get("Origin")
	return o != "" && !strings.EqualFold(o, origin)
}

// admitted is a call with a good token and join request.
type admitted struct {
	grant Grant
	entry entry
}

// admit checks everything that can be checked before the upgrade.
func (s *Server) admit(r *http.Request, c *Call, allowed func(*http.Request, *Call, *Grant) bool) (admitted, *refusal) {
	raw, query := accessToken(r), r.URL.Query()
	if raw == "" {
		raw = query.Get("access_token")
	}
	if raw == "" {
		return admitted{}, &refuseNoToken
	}
	grant, err := verify(c.Tokens, raw)
	if err != nil {
		if !s.clients.failed(c.Client, time.Now()) {
			return admitted{}, &refuseTooMany
		}
		f := outcomeOf(err).refusal
		return admitted{}, &f
	}
	if !allowed(r, c, &grant) {
		return admitted{}, &refuseOrigin
	}
	e, err := parseEntry(c.Path, query)
	if err == nil && c.Admit != nil {
		err = c.Admit(grant)
	}
	if err != nil {
		f := outcomeOf(err).refusal
		return admitted{}, &f
	}
	return admitted{grant, e}, nil
}

// verify maps every error that Tokens does not tell apart to ErrToken.
func verify(t Tokens, raw string) (Grant, error) {
	if len(raw) > maxToken {
		return Grant{}, ErrToken
	}
	grant, err := t.Verify(raw)
	switch {
	case errors.Is(err, ErrIncomplete):
		return Grant{}, ErrIncomplete
	case errors.Is(err, ErrNoRoom):
		return Grant{}, ErrNoRoom
	case err != nil:
		return Grant{}, ErrToken
	case grant.Identity == "" || grant.Key.Name == "":
		return Grant{}, ErrIncomplete
	}
	return grant, nil
}

// accessToken returns the token of the Authorization header.
func accessToken(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// mayConnect is the origin rule of connections: tokens of our own admission
// belong to our own pages.
func mayConnect(r *http.Request, c *Call, g *Grant) bool {
	return g.Key.Realm != "" || strings.EqualFold(r.Header.Get("Origin"), c.Origin) && c.Origin != ""
}

// mayValidate is the origin rule of validation. Browsers send no Origin with a
// same-origin GET; they say so in Sec-Fetch-Site.
func mayValidate(r *http.Request, c *Call, g *Grant) bool {
	if mayConnect(r, c, g) {
		return true
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return r.Header.Get("Origin") == "" && (site == "" || site == "same-origin" || site == "none")
}

// validate tells a client whose upgrade failed whether its token was the
// reason.
func (s *Server) validate(w http.ResponseWriter, r *http.Request, c *Call) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.refuse(w, refuseMethod)
		return
	}
	a, refused := s.admit(r, c, mayValidate)
	if refused == nil && a.grant.Key.Realm != "" || refused != nil && *refused != refuseOrigin {
		openTo(w, r, c)
	}
	if refused != nil {
		s.refuse(w, *refused)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("success"))
}

// connect makes a session of the request.
func (s *Server) connect(w http.ResponseWriter, r *http.Request, c *Call) {
	if r.Method != http.MethodGet {
		s.refuse(w, refuseMethod)
		return
	}
	if !upgrades(r) {
		s.refuse(w, refuseUpgrade)
		return
	}
	a, refused := s.admit(r, c, mayConnect)
	if refused != nil {
		s.refuse(w, *refused)
		return
	}
	release, ok := s.clients.open(c.Client, time.Now())
	if !ok {
		s.refuse(w, refuseTooMany)
		return
	}
	session := newSession(s, release)
	session.relays = a.grant.Relays
	if a.entry.hasty() {
		session.pause = s.timing.pause
	}
	if !s.enter(session) {
		release()
		s.refuse(w, outcomeOf(room.ErrClosing).refusal)
		return
	}
	if err := s.enterRoom(r.Context(), session, &a, c); err != nil {
		o := outcomeOf(err)
		if o.leave == nil {
			session.abandon()
			s.refuse(w, o.refusal)
			return
		}
		session.Send(*o.leave)
	}
	s.upgrade(w, r, session)
}

// enterRoom joins or resumes and hands over what came along in the URL.
func (s *Server) enterRoom(ctx context.Context, c *session, a *admitted, call *Call) error {
	ctx, cancel := context.WithTimeout(ctx, s.timing.join)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	var err error
	if a.entry.reconnect {
		c.room, err = s.rooms.Resume(ctx, a.entry.resume(&a.grant), c)
	} else {
		c.room, err = s.rooms.Join(ctx, a.entry.join(&a.grant, call), c)
	}
	if err != nil {
		c.room = nil
		return err
	}
	for _, req := range a.entry.afterwards() {
		if !c.room.Handle(req) {
			c.shut(websocket.StatusTryAgainLater)
			break
		}
	}
	return nil
}

func upgrades(r *http.Request) bool {
	return r.ProtoMajor == 1 && hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}

func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for t := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

// upgrade answers the handshake and starts the session. The library's own
// origin check is off because mayConnect is stricter where it matters and
// looser for tokens of API keys, which carry no ambient authority.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, c *session) {
	h := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
		OnPingReceived:     func(context.Context, []byte) bool { c.alive(); return true },
		OnPongReceived:     func(context.Context, []byte) { c.alive() },
	})
	if err != nil {
		s.counters.refused.Add(1)
		c.abandon()
		return
	}
	s.counters.opened.Add(1)
	ws.SetReadLimit(maxFrame)
	c.start(ws, h.conn)
}

// hijacker keeps the connection that the library takes over, so that a session
// can be cut at any time: a closing handshake would hold it for seconds.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = conn
	return conn, rw, err
}
