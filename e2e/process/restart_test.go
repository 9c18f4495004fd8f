// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// backTime is what everybody has to be back in their calls after the process
// has been told to end, or has been killed.
const backTime = 10 * time.Second

// TestRestart: a new process takes the place of the old one, and everybody comes
// back by themselves, with the newest token that they were given.
func TestRestart(t *testing.T) {
	for _, tc := range []struct {
		name   string
		signal syscall.Signal
	}{
		{"asked to end", syscall.SIGTERM},
		{"killed", syscall.SIGKILL},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sites := site("localhost", "", "")
			s := serve(t, sites)
			c := s.begin("localhost", mixed)
			c.awaitTokens()
			s.visit()
			began := time.Now()
			s.signal(tc.signal)
			select {
			case <-s.ended:
			case <-time.After(stopTime):
				t.Fatalf("the process has not ended after %s", stopTime)
			}
			ended := time.Since(began)
			s.start(sites)
			up := time.Since(began)
			back := c.awaitMedia(time.Now(), backTime) + up
			t.Logf("the old process ended after %s, the new one answered after %s, sound and picture at all %d after %s",
				ms(ended), ms(up), len(c.guests), ms(back))
			if back > backTime {
				t.Errorf("it took %s until everybody was back, want %s", back, backTime)
			}
			c.came(tc.signal == syscall.SIGTERM, began)
			c.goTheirWays(s)
		})
	}
}

// TestPause: the machine under the process stands still for a while, as virtual
// machines do when they are moved. Nobody is taken for gone.
func TestPause(t *testing.T) {
	const pause = 3 * time.Second
	s := serve(t, site("localhost", "", ""))
	c := s.begin("localhost", mixed)
	s.signal(syscall.SIGSTOP)
	time.Sleep(pause)
	s.signal(syscall.SIGCONT)
	t.Logf("after a pause of %s sound and picture were back after %s", pause, ms(c.awaitMedia(time.Now(), 5*time.Second)))
	time.Sleep(2 * time.Second)
	c.unharmed()
	c.awaitMedia(time.Now(), time.Second)
}

// visit leaves open connections to the site, as browsers do.
func (s *server) visit() {
	s.t.Helper()
	if _, err := s.get(s.base("localhost") + "/api/v1/site"); err != nil {
		s.t.Fatal(err)
	}
	resp, err := s.http3().Get(s.base("localhost") + "/api/v1/site")
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
}

// awaitTokens waits until the server has given everybody a token.
func (c *calls) awaitTokens() {
	c.t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for _, g := range c.guests {
		for {
			g.mu.Lock()
			got := g.tokens
			g.mu.Unlock()
			if got > 0 {
				break
			}
			if time.Now().After(deadline) {
				c.t.Fatalf("%s was given no token", g.identity)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// came fails the test where somebody needed more than one session to come back,
// or was not told to where the process had the time to.
func (c *calls) came(told bool, began time.Time) {
	c.t.Helper()
	var back []time.Duration
	for _, g := range c.guests {
		g.mu.Lock()
		back = append(back, g.joined[len(g.joined)-1].Sub(began))
		if len(g.joined) != 2 {
			c.t.Errorf("%s joined %d times, want twice: %v", g.identity, len(g.joined), g.ends)
		}
		switch {
		case told && len(g.leaves) != 1:
			c.t.Errorf("%s was told to leave %d times, want once", g.identity, len(g.leaves))
		case told && (g.leaves[0].Reason != wire.DisconnectReason_SERVER_SHUTDOWN || g.leaves[0].Action != wire.LeaveRequest_RECONNECT):
			c.t.Errorf("%s was told %v", g.identity, g.leaves[0])
		case !told && len(g.leaves) != 0:
			c.t.Errorf("%s was told %v by a process that was killed", g.identity, g.leaves)
		}
		g.mu.Unlock()
	}
	c.t.Logf("rejoined: %s", spreadOf(back))
}
