// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// numbered is a site that says its number, with a second site beside it every
// other time.
func numbered(n int) string {
	sites := site("localhost", fmt.Sprintf("respond /number \"number %d\"", n), "")
	if n%2 == 0 {
		sites += fmt.Sprintf("even.localhost {\n\ttls internal\n\trespond \"even %d\"\n}\n", n)
	}
	return sites
}

func TestReloads(t *testing.T) {
	const warmUp, reloads, period = 5, 100, 200 * time.Millisecond
	s := serve(t, numbered(0))
	c := s.begin("localhost", mixed)
	c.goTheirWays(s)
	for n := range warmUp {
		if err := s.reload(numbered(n + 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(period)
	}
	time.Sleep(2 * time.Second)
	before := s.load()

	var begins []time.Time
	var took []time.Duration
	tick := time.NewTicker(period)
	defer tick.Stop()
	for n := range reloads {
		begins = append(begins, time.Now())
		if err := s.reload(numbered(warmUp + n + 1)); err != nil {
			t.Fatalf("reload %d: %v", n, err)
		}
		took = append(took, time.Since(begins[n]))
		<-tick.C
	}
	rate := reloads / time.Since(begins[0]).Seconds()
	time.Sleep(time.Second)
	c.steady("reload", begins)
	c.unharmed()
	c.awaitMedia(time.Now(), time.Second)
	t.Logf("%d reloads, %.1f per second, each took %s", reloads, rate, spreadOf(took))

	want := fmt.Sprintf("number %d", warmUp+reloads)
	if text, err := s.get(fmt.Sprintf("https://localhost:%d/number", s.https)); err != nil || text != want {
		t.Errorf("the site says %q, %v, want %q", text, err, want)
	}
	s.backTo(before, 10*time.Second)
	t.Run("refused", func(t *testing.T) { refusedReloads(t, s, c) })
}

// backTo waits until the process takes as much as before, with a little room
// for what comes and goes.
func (s *server) backTo(before load, patience time.Duration) {
	s.t.Helper()
	const (
		moreGoroutines = 10
		moreHeap       = 8 << 20
		moreRSS        = 64 << 20
	)
	deadline := time.Now().Add(patience)
	now := s.load()
	over := func() bool {
		return now.goroutines > before.goroutines+moreGoroutines || now.heap > before.heap+moreHeap || now.rss > before.rss+moreRSS
	}
	for over() && time.Now().Before(deadline) {
		time.Sleep(500 * time.Millisecond)
		now = s.load()
	}
	s.t.Logf("before: %s; after: %s", before, now)
	if over() {
		s.t.Errorf("the process takes %s, before it was %s\n%s", now, before, s.stacks())
	}
}

// refusedReloads: configurations that cannot be, whether that shows when they
// are read or when everything else has been set up.
func refusedReloads(t *testing.T, s *server, c *calls) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	good := numbered(0)
	for _, bad := range []struct{ name, sites, says string }{
		{"unknown directive", good + "no.localhost {\n\tvideorooom\n}\n", "videorooom"},
		{"unknown word in the directive", site("localhost", "", "waiting_rom on"), "waiting_rom"},
		{"provisioning fails", good + "no.localhost {\n\ttls internal\n\t@bad path_regexp \"(\"\n\trespond @bad no\n}\n", "missing closing )"},
		{"certificate is missing", good + "no.localhost {\n\ttls missing.crt missing.key\n\trespond no\n}\n", "missing.crt"},
		{"port is taken", good + fmt.Sprintf("http://127.0.0.1:%d {\n\tbind 127.0.0.1\n\trespond no\n}\n", busy.Addr().(*net.TCPAddr).Port), "address already in use"},
	} {
		var begins []time.Time
		for range 3 { // Caddy starts its parts in a random order
			begins = append(begins, time.Now())
			if err := s.reload(bad.sites); err == nil || !strings.Contains(err.Error(), bad.says) {
				t.Errorf("%s: the reload ended with %v", bad.name, err)
			}
			time.Sleep(200 * time.Millisecond)
		}
		c.steady("refused reload ("+bad.name+")", begins)
	}
	c.unharmed()
	c.awaitMedia(time.Now(), time.Second)
	if err := s.reload(numbered(1)); err != nil {
		t.Errorf("a good configuration after all that: %v", err)
	}
	time.Sleep(500 * time.Millisecond)
	c.unharmed()
}
