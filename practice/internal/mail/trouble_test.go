// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// steps are what a server hears, and what a good one answers.
var steps = []struct{ hears, answers string }{
	{"", "220 mail.test"},
	{"EHLO", "250 mail.test"},
	{"MAIL", "250 ok"},
	{"RCPT", "250 ok"},
	{"DATA", "354 go on"},
	{".", "250 taken"},
	{"QUIT", "221 bye"},
}

// spoiled serves one connection by the steps up to the one numbered at, then
// lets spoil have the connection. It tells whether it had the whole message.
func spoiled(c net.Conn, at int, spoil func(net.Conn)) (whole bool) {
	defer c.Close()
	r := bufio.NewReader(c)
	for i, s := range steps {
		for s.hears != "" {
			l, err := r.ReadString('\n')
			if err != nil {
				return whole
			}
			if l = strings.TrimRight(l, "\r\n"); l == s.hears || s.hears != "." && strings.HasPrefix(l, s.hears) {
				break
			}
		}
		whole = whole || s.hears == "."
		if i == at {
			spoil(c)
			return whole
		}
		if _, err := io.WriteString(c, s.answers+"\r\n"); err != nil {
			return whole
		}
	}
	return whole
}

// piped is a sender whose every connection is served by spoiled.
func piped(t testing.TB, at int, spoil func(net.Conn), whole chan<- bool) *Sender {
	return sender(t, Server{Address: "localhost:25", TLS: Off, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() { whole <- spoiled(there, at, spoil) }()
		return here, nil
	}})
}

// A server may go silent, cut the line, drip, babble or talk nonsense at every
// step. Sending ends in bounded time with the right class, and only where the
// message was handed over whole it is unclear.
func TestTroubleAtEveryStep(t *testing.T) {
	troubles := map[string]func(net.Conn){
		"cut":    func(net.Conn) {},
		"silent": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"drip": func(c net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for {
				time.Sleep(5 * time.Second)
				if _, err := io.WriteString(c, "2"); err != nil {
					return
				}
			}
		},
		"babble": func(c net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for {
				if _, err := io.WriteString(c, "250-and another thing\r\n"); err != nil {
					return
				}
			}
		},
		"nonsense": func(c net.Conn) { _, _ = io.WriteString(c, "hello there\r\n") },
		"half":     func(c net.Conn) { _, _ = io.WriteString(c, "25") },
	}
	m := compose(t, letter(t, Invitation, German, Formal))
	dot := len(steps) - 2
	for name, spoil := range troubles {
		for at := range steps {
			synctest.Test(t, func(t *testing.T) {
				whole := make(chan bool, 1)
				start := time.Now()
				err := piped(t, at, spoil, whole).Send(t.Context(), m)
				took := time.Since(start)
				want := Temporary
				switch {
				case at == dot:
					want = Unclear
				case at > dot:
					want = "" // delivered
				}
				if got := ClassOf(err); got != want {
					t.Errorf("%s at step %d: %q (%v), want %q", name, at, got, err, want)
				}
				if took > wholeTime {
					t.Errorf("%s at step %d took %v", name, at, took)
				}
				if got := <-whole; got != (at >= dot) {
					t.Errorf("%s at step %d: the server had the whole message: %v", name, at, got)
				}
			})
		}
	}
}

// A connection that breaks within the message: it was not handed over.
func TestCutWithinTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sender(t, Server{Address: "localhost:25", TLS: Off, Dial: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				r := bufio.NewReader(there)
				for _, st := range steps[:5] {
					if st.hears != "" {
						_, _ = r.ReadString('\n')
					}
					_, _ = io.WriteString(there, st.answers+"\r\n")
				}
				_, _ = io.CopyN(io.Discard, r, 5000)
			}()
			return here, nil
		}})
		err := s.Send(t.Context(), compose(t, letter(t, Invitation, German, Formal)))
		if got, want := failure(t, err), (SendError{Temporary, ReasonLost, 0}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// A delivery that is called off ends at once, and says whether it may be
// repeated.
func TestCalledOff(t *testing.T) {
	m := compose(t, letter(t, Invitation, German, Formal))
	for at, want := range map[int]Class{1: Temporary, 3: Temporary, 5: Unclear} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			whole := make(chan bool, 1)
			done := make(chan error, 1)
			s := piped(t, at, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, whole)
			start := time.Now()
			go func() { done <- s.Send(ctx, m) }()
			time.Sleep(time.Second)
			cancel()
			if got := ClassOf(<-done); got != want {
				t.Errorf("called off at step %d: %q, want %q", at, got, want)
			}
			if took := time.Since(start); took != time.Second {
				t.Errorf("it took %v", took)
			}
			<-whole
		})
	}
}

func TestCalledOffBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := sender(t, Server{Address: "127.0.0.1:1", TLS: Off})
	err := s.Send(ctx, compose(t, letter(t, Invitation, German, Formal)))
	if ClassOf(err) != Temporary || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// On real sockets with TLS, a line that is cut leaves the same verdicts.
func TestCutOnRealSockets(t *testing.T) {
	ca := newAuthority(t, "127.0.0.1")
	m := compose(t, letter(t, Invitation, German, Formal))
	hangUp := func(c net.Conn) { c.Close() }
	for name, c := range map[string]struct {
		office *office
		want   map[Class]bool
	}{
		"after the dot": {&office{afterDot: hangUp}, map[Class]bool{Unclear: true}},
		// What the kernel has taken counts as sent: whether the dot was among it
		// depends on when the break is noticed. Both verdicts are safe.
		"within the message": {&office{duringBody: hangUp}, map[Class]bool{Unclear: true, Temporary: true}},
	} {
		s := sender(t, Server{Address: c.office.serve(t, ca.tls, true), TLS: Implicit, Roots: ca.roots})
		if err := s.Send(t.Context(), m); !c.want[ClassOf(err)] {
			t.Errorf("%s: %v", name, err)
		}
	}
}
