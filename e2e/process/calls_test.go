// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// maxGap is how long sound may be away while something happens to the server.
const maxGap = 200 * time.Millisecond

// mixed are five calls of two, by the ways of their media.
var mixed = [][2]way{
	{overUDP, overUDP},
	{overUDP, overUDP},
	{overTCP, overTCP},
	{overTLS, overTLS},
	{overUDP, overTLS},
}

// calls are running calls of two.
type calls struct {
	t      *testing.T
	server *server
	guests []*guest
	stalls stalls
	end    func() // ends all, and waits
}

// begin starts calls at a site and waits until sound and picture go both ways
// in all of them.
func (s *server) begin(host string, ways [][2]way) *calls {
	s.t.Helper()
	c := &calls{t: s.t, server: s}
	for _, pair := range ways {
		s.begun++
		for i, w := range pair {
			c.guests = append(c.guests, s.guest(host, fmt.Sprintf("room-%d", s.begun), fmt.Sprintf("guest-%d-%d", s.begun, i), w))
		}
	}
	c.run()
	c.awaitMedia(time.Now(), 15*time.Second)
	return c
}

// run lets all guests stay until the test or end ends.
func (c *calls) run() {
	ctx, cancel := context.WithCancel(context.Background())
	c.stalls.pid = c.server.cmd.Process.Pid
	var all sync.WaitGroup
	for _, g := range c.guests {
		all.Go(func() { g.stay(ctx) })
	}
	all.Go(func() { c.stalls.watch(ctx.Done()) })
	c.end = func() {
		cancel()
		all.Wait()
	}
	c.t.Cleanup(c.end)
}

// awaitMedia waits until sound and picture have come to everybody after a
// moment, and returns how long after it that was.
func (c *calls) awaitMedia(moment time.Time, patience time.Duration) time.Duration {
	c.t.Helper()
	for {
		var without []string
		for _, g := range c.guests {
			if !g.sound.cameAfter(moment) || !g.picture.cameAfter(moment) {
				without = append(without, fmt.Sprintf("%s (%s): %s", g.identity, g.way.name, g.history()))
			}
		}
		took := time.Since(moment)
		if len(without) == 0 {
			return took
		}
		if took > patience {
			c.t.Fatalf("after %s no sound or picture at %s", patience, strings.Join(without, "; "))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// history is what has happened to a guest.
func (g *guest) history() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return fmt.Sprintf("%d joins, %d paths lost, ends %v", len(g.joined), g.paths, g.ends)
}

// unharmed fails the test where somebody's session or media path has ended.
func (c *calls) unharmed() {
	c.t.Helper()
	cut, dropped := 0, 0
	for _, g := range c.guests {
		g.mu.Lock()
		ends, paths := len(g.ends), g.paths
		g.mu.Unlock()
		if ends > 0 {
			cut++
		}
		if ends > 0 || paths > 0 {
			dropped++
			c.t.Errorf("%s (%s): %s", g.identity, g.way.name, g.history())
		}
	}
	c.t.Logf("%d of %d participants dropped, %d WebSockets cut", dropped, len(c.guests), cut)
}

// gaps returns all gaps in the sound of all, and the longest of each stream in
// each of the periods that begin at the given moments, without the machine's
// stalls.
func (c *calls) gaps(periods []time.Time) (all, longest []time.Duration) {
	for _, g := range c.guests {
		gaps := g.sound.since(periods[0])
		for i := range gaps {
			gaps[i] = c.stalls.without(gaps[i])
			all = append(all, gaps[i].gap)
		}
		longest = append(longest, worst(gaps, periods)...)
	}
	return all, longest
}

// steady fails the test where sound was away for too long in 1 of 100 periods
// of a stream, or for a second at all.
func (c *calls) steady(what string, periods []time.Time) {
	c.t.Helper()
	all, longest := c.gaps(periods)
	lost := 0
	for _, g := range c.guests {
		lost += g.sound.lost()
	}
	each, most := spreadOf(all), spreadOf(longest)
	if sum, longest := c.stalls.sum(periods[0]); sum > 0 {
		c.t.Logf("the machine withheld %s from the test and Caddy, at most %s at a time: that is not counted", ms(sum), ms(longest))
	}
	c.t.Logf("gaps between packets of sound: %s; longest per %s and stream: %s; %d packets lost", each, what, most, lost)
	if each.p99 > maxGap || most.p99 > maxGap {
		c.t.Errorf("sound was away for more than %s: gaps %s; per %s %s", maxGap, each, what, most)
	}
	if most.max > time.Second {
		c.t.Errorf("sound was away for %s", most.max)
	}
}

// goTheirWays fails the test where media goes another way than it should.
func (c *calls) goTheirWays(s *server) {
	c.t.Helper()
	prefix := map[string]string{overUDP.name: "udp ", overTCP.name: "tcp ", overTLS.name: "udp 198.18.0.1:"}
	for _, g := range c.guests {
		path, err := g.path()
		direct := strings.HasSuffix(path, fmt.Sprintf(":%d", s.https))
		if err != nil || !strings.HasPrefix(path, prefix[g.way.name]) || direct == g.way.relayed {
			c.t.Errorf("the media of %s goes over %q, %v, want %s on port %d", g.identity, path, err, g.way.name, s.https)
		}
	}
}
