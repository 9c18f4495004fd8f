// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/caddy-videoroom/videoroom/token"
)

var (
	// errGone ends a session whose client is no longer there to be told.
	errGone = errors.New("client has gone")
	// errLeave ends a session because the desk closes.
	errLeave = errors.New("desk closes")
)

// signal wakes a session that reads state anew. Waking never blocks; several
// wake-ups before the session looks are one.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) wake() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// socket is one WebSocket with the limits of this package.
type socket struct {
	ws     *websocket.Conn
	limits *Limits
	// frames carries what the client says, unbuffered: a client that talks
	// faster than it is served waits in its own TCP connection.
	frames chan []byte
	rate   bucket
	// most bounds the frames of 10 s; 0: framesPer10s.
	most int
}

// upgrade takes over the connection. The caller has checked the origin.
func upgrade(w http.ResponseWriter, r *http.Request, l *Limits) (*socket, error) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		// The library compares with the Host header and lets a missing origin
		// pass; ours must equal the site's origin and has been compared.
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("accepting a socket: %w", err)
	}
	ws.SetReadLimit(maxFrame)
	return &socket{ws: ws, limits: l, frames: make(chan []byte)}, nil
}

// pump reads frames until the connection or ctx ends, and closes frames.
func (s *socket) pump(ctx context.Context) {
	defer close(s.frames)
	for {
		idle, cancel := context.WithTimeout(ctx, s.limits.Idle)
		kind, frame, err := s.ws.Read(idle)
		cancel()
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			frame = nil // not JSON: refused by whoever decodes it
		}
		select {
		case s.frames <- frame:
		case <-ctx.Done():
			return
		}
	}
}

// accept checks one frame against the rate and decodes it into v.
func (s *socket) accept(frame []byte, v any) error {
	const period = 10 * time.Second
	if wait := s.rate.take(time.Now(), cmp.Or(s.most, framesPer10s), period); wait > 0 {
		return retry(CodeTooMany, seconds(wait))
	}
	return decode(frame, v)
}

func (s *socket) write(ctx context.Context, v any) error {
	frame, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a frame: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.Write)
	defer cancel()
	if err := s.ws.Write(ctx, websocket.MessageText, frame); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// end closes the connection as the session's outcome demands. The WebSocket's
// own farewell takes 5 s at most.
func (s *socket) end(ctx context.Context, outcome error) {
	// Errors of closing change nothing: the connection is released in any case.
	switch {
	case outcome == nil:
		_ = s.ws.Close(websocket.StatusNormalClosure, "")
	case errors.Is(outcome, errGone):
		_ = s.ws.CloseNow()
	case errors.Is(outcome, errLeave):
		_ = s.ws.Close(websocket.StatusServiceRestart, "")
	default:
		e := coded(outcome)
		_ = s.write(ctx, e.frame())
		_ = s.ws.Close(faults[e.Code].close, string(e.Code))
	}
}

// serveSocket upgrades a request and runs a session on it, which outlives the
// request. The source counts the socket until the session ends.
func (d *Desk) serveSocket(w http.ResponseWriter, r *http.Request, c Call, run func(context.Context, *socket, *source) error) {
	switch {
	case r.Method == http.MethodConnect || r.ProtoMajor != 1:
		// Extended CONNECT (RFC 8441, RFC 9220): browsers fall back to HTTP/1.1.
		WriteError(w, fail(CodeUnsupported))
		return
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		WriteError(w, fail(CodeBadRequest))
		return
	case d.isClosed():
		WriteError(w, retry(CodeUnavailable, 5))
		return
	}
	from := d.crowd.of(c.Client, time.Now())
	if err := d.crowd.openSocket(from, time.Now()); err != nil {
		WriteError(w, err)
		return
	}
	s, err := upgrade(w, r, &d.limits)
	if err != nil { // the library has answered
		d.crowd.closeSocket(from)
		return
	}
	started := d.spawn(func() {
		defer d.crowd.closeSocket(from)
		d.session(s, func(ctx context.Context) error { return run(ctx, s, from) })
	})
	if !started {
		d.crowd.closeSocket(from)
		s.end(d.ctx, errLeave)
	}
}

// session runs one session from its first frame to the close of its socket.
func (d *Desk) session(s *socket, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(d.ctx)
	go s.pump(ctx) // ends with cancel or the connection; closes frames
	outcome := run(ctx)
	if expected := outcome == nil || errors.Is(outcome, errGone) || errors.Is(outcome, errLeave); !expected &&
		coded(outcome).Code == CodeInternal {
		d.log.Error("session failed", "error", outcome)
	}
	s.end(ctx, outcome)
	cancel()
	for range s.frames { // until pump has ended
		continue
	}
}

// first waits for the first frame and decodes it into v.
func (d *Desk) first(s *socket, v any) error {
	late := time.NewTimer(d.limits.FirstFrame)
	defer late.Stop()
	select {
	case frame, ok := <-s.frames:
		if !ok {
			return errGone
		}
		return s.accept(frame, v)
	case <-late.C:
		return fail(CodeBadRequest)
	case <-d.leave:
		return errLeave
	}
}

// decode reads a JSON object without ambiguity.
func decode(text []byte, v any) error {
	if err := token.CheckJSON(text); err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%w: %w", token.ErrBadJSON, err)
	}
	return nil
}
