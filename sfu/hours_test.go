// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// TestHours: a core that has served many calls, on good lines and bad ones,
// holds nothing of them, and needs no more memory than after the first ones.
// SIM_HOURS tells how many hours of calls are simulated; without it, a minute.
func TestHours(t *testing.T) {
	total := time.Minute
	if hours, err := strconv.ParseFloat(os.Getenv("SIM_HOURS"), 64); err == nil {
		total = time.Duration(hours * float64(time.Hour))
	}
	c := newCore(0, newDirectory(), new(counters))
	c.now = int64(time.Hour)
	session := total / 16
	var first, last uint64
	for i := range 16 {
		s := newSim(t, uint64(i))
		c.entropy = s.c.entropy
		delete(s.c.rooms, s.room)
		s.c = c
		c.rooms[s.room] = struct{}{}
		liveThrough(s, session, i)
		for len(c.order) > 0 {
			c.removeTransport(c.order[0])
		}
		delete(c.rooms, s.room)
		if n := len(c.byAddr) + len(c.byUfrag) + len(c.byProbe) + len(c.bySource) + len(c.all) + len(c.rooms); n != 0 {
			t.Fatalf("call %d: %d entries are left", i, n)
		}
		if n := len(c.pacing) + len(c.probing); n != 0 || len(c.spare) > paceSpare {
			t.Fatalf("call %d: %d transports still wait for something, %d buffers are kept", i, n, len(c.spare))
		}
		last = heapOf(c)
		if i == 1 {
			first = last
		}
	}
	t.Logf("%v of calls; heap after two of them %d KiB, after all %d KiB", total, first>>10, last>>10)
	if last > first+first/10+1<<20 {
		t.Errorf("the heap grew from %d to %d octets", first, last)
	}
}

// liveThrough is one call of three people whose lines change.
func liveThrough(s *sim, d time.Duration, i int) {
	people := []*simClient{s.client("PA_a"), s.client("PA_b"), s.client("PA_c")}
	s.ticking()
	for k, p := range people {
		if k > 0 {
			p.reports()
		}
		srcs := p.publish("TR_"+p.t.peerID, 3)
		for _, other := range people {
			if other != p {
				other.subscribe(srcs[0].track)
			}
		}
	}
	for step := range 8 {
		p := people[(i+step)%len(people)]
		p.down = netem{loss: float64(step%4) / 50, delay: 20 * time.Millisecond, rate: []float64{0, 3e6, 3e5, 1e6}[step%4]}
		s.run(d / 8)
	}
}

// heapOf is what is in use with the core alive and all else gone.
func heapOf(c *core) uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	runtime.KeepAlive(c)
	return m.HeapAlloc
}
