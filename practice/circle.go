// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-videoroom/videoroom/practice/internal/circle"
	"github.com/caddy-videoroom/videoroom/token"
)

const (
	// circleFramesPer10s bounds a page's frames: with each new member everybody
	// has messages for everybody. circleSharesPer10s bounds those to all.
	circleFramesPer10s = 3000
	circleSharesPer10s = 150
	// framesAtOnce is how many frames a session takes before it looks up.
	framesAtOnce = 32
)

// circleFrame is what pages say in a circle. Octets are base64url.
type circleFrame struct {
	Type   string   `json:"type"`
	Token  string   `json:"token"`
	Knock  string   `json:"knock"`
	Proof  string   `json:"proof"`
	Resume string   `json:"resume"`
	Got    uint64   `json:"got"`
	N      uint64   `json:"n"`
	To     string   `json:"to"`
	PID    string   `json:"pid"`
	Data   string   `json:"data"`
	PIDs   []string `json:"pids"`
}

// What pages are told in a circle.
type (
	welcomeFrame struct {
		Type     string `json:"type"`
		Circle   string `json:"circle"`
		Resume   string `json:"resume"`
		PID      string `json:"pid"`
		Identity string `json:"identity"`
		Host     string `json:"host"`
	}
	ackFrame struct {
		Type string `json:"type"`
		N    uint64 `json:"n"`
	}
	rosterFrame struct {
		N      uint64         `json:"n"`
		Type   string         `json:"type"`
		Data   string         `json:"data"`
		Host   string         `json:"host"`
		People []circlePerson `json:"people"`
	}
	circlePerson struct {
		PID      string `json:"pid"`
		Identity string `json:"identity"`
		Host     bool   `json:"host"`
	}
	relayedFrame struct {
		N    uint64 `json:"n"`
		Type string `json:"type"`
		Data string `json:"data"`
	}
	askingFrame struct {
		N    uint64      `json:"n"`
		Type string      `json:"type"`
		List []candidate `json:"list"`
	}
	candidate struct {
		PID      string `json:"pid"`
		Identity string `json:"identity"`
		Knock    string `json:"knock"`
		Proof    string `json:"proof"`
		Key      string `json:"key"`
		Host     bool   `json:"host"`
	}
)

// octets reads base64url in its one spelling.
func octets(text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which the decoder skips
		return nil, fail(CodeBadRequest)
	}
	return raw, nil
}

var toText = base64.RawURLEncoding.EncodeToString

// told is a pid; the zero one is nobody's.
func told(p circle.PID) string {
	if p == (circle.PID{}) {
		return ""
	}
	return p.String()
}

// written brings a frame into the form of the wire.
func written(f circle.Frame) any {
	switch f.Kind {
	case circle.Welcome:
		return welcomeFrame{"welcome", f.Circle, f.Resume, f.PID.String(), f.Identity, told(f.Host)}
	case circle.Ack:
		return ackFrame{"ack", f.N}
	case circle.Roster:
		out := rosterFrame{N: f.N, Type: "roster", Data: toText(f.Data), Host: told(f.Host)}
		for _, p := range f.People {
			out.People = append(out.People, circlePerson{p.PID.String(), p.Identity, p.Host})
		}
		return out
	case circle.Asking:
		out := askingFrame{N: f.N, Type: "asking", List: []candidate{}}
		for _, c := range f.List {
			out.List = append(out.List, candidate{
				c.PID.String(), c.Identity, toText(c.Knock.Octets()), toText(c.Proof), c.Key, c.MayHost,
			})
		}
		return out
	default:
		return relayedFrame{f.N, "message", toText(f.Data)}
	}
}

// circleSession is a page's socket in a circle.
type circleSession struct {
	signal
	*socket
	d      *Desk
	key    roomKey
	line   *circle.Line
	shares bucket
}

func (d *Desk) serveCircle(w http.ResponseWriter, r *http.Request, c Call) {
	d.serveSocket(w, r, c, func(ctx context.Context, s *socket, from *source) error {
		s.most = circleFramesPer10s
		var f circleFrame
		if err := d.first(s, &f); err != nil {
			return err
		}
		if f.Type != "hello" {
			return fail(CodeBadRequest)
		}
		session := &circleSession{signal: newSignal(), socket: s, d: d}
		err := session.sit(c, from, f)
		if errors.Is(err, circle.ErrBegin) {
			return s.write(ctx, plainFrame{"restart"})
		} else if err != nil {
			return err
		}
		defer d.hall.cut(session)
		return session.loop(ctx)
	})
}

// sit takes the page's place in the circle of its room. The media token says who
// it is, the proof that the token is its own.
func (s *circleSession) sit(c Call, from *source, f circleFrame) error {
	d, now := s.d, time.Now()
	claims, err := d.keys.VerifyMedia(c.SiteID, f.Token, now)
	if err != nil {
		return d.crowd.wrong(from, now, fail(CodeBadLink))
	}
	switch {
	case claims.Kind == token.KindTest:
		return fail(CodeNotAllowed)
	case claims.Key == "":
		return fail(CodeNoEncryption)
	}
	s.key = roomKey{c.SiteID, claims.Video.Room}
	if err := s.barred(claims.Subject); err != nil {
		return err
	}
	if f.Resume != "" {
		err = d.hall.resume(s, f.Resume, &claims, f.Got)
	} else {
		err = s.hello(&claims, from, f)
	}
	if err != nil {
		return err
	}
	d.crowd.right(from)
	// Who is removed is barred first and leaves the circle second: one of the two
	// is seen here.
	if err := s.barred(claims.Subject); err != nil {
		d.hall.remove(s.key, claims.Subject)
		return err
	}
	d.changed(s.key.site, s.key.id) // dashboards show keys
	return nil
}

// barred says why somebody with an authentic token must not be here: removed, or
// the room has ended, in this process or before it.
func (s *circleSession) barred(identity string) error {
	if err := s.d.Admitted(s.key.site, s.key.id, identity); err != nil {
		return err
	}
	err := s.d.rooms.Barred(s.key.site, s.key.id, identity)
	if errors.Is(err, ErrEnded) && s.d.Reopened(s.key.site, s.key.id) {
		return nil // another talk in a standing room
	}
	return err
}

func (s *circleSession) hello(claims *token.Claims, from *source, f circleFrame) error {
	raw, err := octets(f.Knock)
	if err != nil {
		return err
	}
	proof, err := octets(f.Proof)
	if err != nil {
		return err
	}
	key, err := token.ParseKey(claims.Key)
	if err != nil {
		return err
	}
	knock, err := circle.ParseKnock(raw)
	if err != nil {
		return err
	}
	if !knock.Proven(key, proof) {
		return s.d.crowd.wrong(from, time.Now(), fail(CodeNotAllowed))
	}
	return s.d.hall.hello(s, circle.Hello{
		Identity: claims.Subject, Key: claims.Key, MayHost: claims.Video.RoomAdmin, Knock: knock, Proof: proof,
	})
}

// loop passes on what comes and tells what is due, until the page leaves. A page
// that says what it may not leaves as well.
func (s *circleSession) loop(ctx context.Context) error {
	for {
		frames, end := s.d.hall.take(s)
		for _, f := range frames {
			if err := s.write(ctx, written(f)); err != nil {
				return err
			}
		}
		if end != circle.Running {
			return s.ended(ctx, end)
		}
		select {
		case <-s.signal:
		case <-s.d.leave:
			return errLeave
		case frame, ok := <-s.frames:
			if !ok {
				return errGone
			}
			if err := s.hear(ctx, frame); err != nil {
				if !errors.Is(err, errGone) {
					// Else a flood could go on on another socket.
					s.d.hall.bye(s)
				}
				return err
			}
		}
	}
}

func (s *circleSession) ended(ctx context.Context, end circle.End) error {
	switch end {
	case circle.Restart:
		return s.write(ctx, plainFrame{"restart"})
	case circle.Removed:
		return fail(CodeNotAllowed)
	case circle.Closed:
		return fail(CodeRoomClosed)
	}
	return nil
}

// heard is what pages may say after their hello.
var heard = map[string]func(*circleSession, circleFrame) error{
	"send":    (*circleSession).relay,
	"admit":   (*circleSession).admit,
	"missing": (*circleSession).missing,
	"bye":     (*circleSession).bye,
	"ping":    func(*circleSession, circleFrame) error { return nil },
}

func (s *circleSession) hear(ctx context.Context, frame []byte) error {
	var f circleFrame
	if err := s.accept(frame, &f); err != nil {
		return err
	}
	act := heard[f.Type]
	if act == nil {
		return fail(CodeBadRequest)
	}
	if f.Got > 0 {
		if err := s.d.hall.got(s, f.Got); err != nil {
			return err
		}
	}
	if err := act(s, f); err != nil || f.Type != "ping" {
		return err
	}
	return s.write(ctx, plainFrame{"pong"})
}

func (s *circleSession) relay(f circleFrame) error {
	data, err := octets(f.Data)
	if err != nil {
		return err
	}
	if f.To == "" {
		if wait := s.shares.take(time.Now(), circleSharesPer10s, 10*time.Second); wait > 0 {
			return retry(CodeTooMany, seconds(wait))
		}
		return s.d.hall.send(s, f.N, nil, data)
	}
	to, err := circle.ParsePID(f.To)
	if err != nil {
		return err
	}
	return s.d.hall.send(s, f.N, &to, data)
}

func (s *circleSession) admit(f circleFrame) error {
	raw, err := octets(f.Data)
	if err != nil {
		return err
	}
	pid, err := circle.ParsePID(f.PID)
	if err != nil {
		return err
	}
	a, err := circle.ParseAdmit(raw)
	if err != nil {
		return err
	}
	return s.d.hall.admit(s, f.N, pid, a)
}

func (s *circleSession) missing(f circleFrame) error {
	if len(f.PIDs) > circle.MaxMembers {
		return fail(CodeBadRequest)
	}
	pids := make([]circle.PID, len(f.PIDs))
	for i, text := range f.PIDs {
		pid, err := circle.ParsePID(text)
		if err != nil {
			return err
		}
		pids[i] = pid
	}
	return s.d.hall.missing(s, pids)
}

func (s *circleSession) bye(circleFrame) error {
	s.d.hall.bye(s)
	return nil
}
