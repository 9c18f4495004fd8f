// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// arrival is one packet with how long after the one before it came.
type arrival struct {
	at  time.Time
	gap time.Duration
}

// meter records the arrivals of one kind of packets at one participant.
type meter struct {
	mu       sync.Mutex
	arrivals []arrival
	last     time.Time
	counter  uint64 // the highest that has come
	missing  int    // counters that were jumped over and have not come since
}

// take records a packet that carries a counter.
func (m *meter) take(payload []byte, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.last.IsZero() {
		m.arrivals = append(m.arrivals, arrival{now, now.Sub(m.last)})
	}
	m.last = now
	if len(payload) < 8 {
		return
	}
	switch n := binary.BigEndian.Uint64(payload); {
	case m.counter == 0 || n > m.counter:
		if m.counter != 0 {
			m.missing += int(n - m.counter - 1)
		}
		m.counter = n
	default:
		m.missing-- // it has only been overtaken
	}
}

// lost is how many of the sender's packets have not come.
func (m *meter) lost() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.missing
}

// since returns the gaps that ended after a moment, and the one that is open.
func (m *meter) since(begin time.Time) (gaps []arrival) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.arrivals {
		if a.at.After(begin) {
			gaps = append(gaps, a)
		}
	}
	open := m.last
	if open.Before(begin) {
		open = begin
	}
	return append(gaps, arrival{now, now.Sub(open)})
}

// cameAfter tells whether a packet has come after a moment.
func (m *meter) cameAfter(moment time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last.After(moment)
}

// spread sums up durations.
type spread struct {
	n             int
	p50, p99, max time.Duration
}

func spreadOf(ds []time.Duration) (s spread) {
	if len(ds) == 0 {
		return s
	}
	slices.SortFunc(ds, cmp.Compare[time.Duration])
	at := func(share float64) time.Duration { return ds[int(math.Ceil(share*float64(len(ds))))-1] } // nearest rank
	return spread{len(ds), at(0.5), at(0.99), ds[len(ds)-1]}
}

func (s spread) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, max %s of %d", ms(s.p50), ms(s.p99), ms(s.max), s.n)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/1e6) }

// stalls records when the machine withheld the processor from this process or
// from the server: other work on it, and neither's doing.
type stalls struct {
	pid int // of the server

	mu     sync.Mutex
	all    []arrival // ends of stalls, and how long they were, without overlaps
	waited map[string]time.Duration
}

// stallTick is how often stalls looks; less than stallMin is usual.
const stallTick, stallMin = 5 * time.Millisecond, 15 * time.Millisecond

// watch looks until done is closed.
func (s *stalls) watch(done <-chan struct{}) {
	s.queued()
	last := time.Now()
	for {
		select {
		case <-done:
			return
		case <-time.After(stallTick):
		}
		now := time.Now()
		s.add(now, max(now.Sub(last)-stallTick, s.queued()))
		last = now
	}
}

func (s *stalls) add(now time.Time, length time.Duration) {
	if length < stallMin {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.all); n > 0 {
		length = min(length, now.Sub(s.all[n-1].at))
	}
	s.all = append(s.all, arrival{now, length})
}

// queued is the longest that a thread of the server has been ready to run, and
// did not, since it was asked last; 0 where the kernel does not tell.
func (s *stalls) queued() (longest time.Duration) {
	tasks := fmt.Sprintf("/proc/%d/task", s.pid)
	threads, err := os.ReadDir(tasks)
	if err != nil {
		return 0 // the process has ended
	}
	now := make(map[string]time.Duration, len(threads))
	for _, thread := range threads {
		var ran, waited int64
		text, err := os.ReadFile(filepath.Join(tasks, thread.Name(), "schedstat"))
		if _, scanned := fmt.Sscan(string(text), &ran, &waited); err != nil || scanned != nil {
			continue
		}
		now[thread.Name()] = time.Duration(waited)
		if before, ok := s.waited[thread.Name()]; ok {
			longest = max(longest, time.Duration(waited)-before)
		}
	}
	s.waited = now
	return longest
}

// without returns a gap without the stalls in it.
func (s *stalls) without(g arrival) arrival {
	begin := g.at.Add(-g.gap)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stall := range slices.Backward(s.all) {
		if stall.at.Before(begin) {
			break
		}
		from := stall.at.Add(-stall.gap)
		if from.Before(begin) {
			from = begin
		}
		to := stall.at
		if to.After(g.at) {
			to = g.at
		}
		g.gap -= max(0, to.Sub(from))
	}
	g.gap = max(0, g.gap)
	return g
}

// sum is how long the stalls since a moment were together, and the longest.
func (s *stalls) sum(since time.Time) (sum, longest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stall := range s.all {
		if stall.at.After(since) {
			sum += stall.gap
			longest = max(longest, stall.gap)
		}
	}
	return sum, longest
}

// worst returns the longest gap within each period, for gaps of one stream.
func worst(gaps []arrival, periods []time.Time) (longest []time.Duration) {
	for i, begin := range periods {
		var most time.Duration
		for _, g := range gaps {
			ends := i+1 == len(periods) || g.at.Add(-g.gap).Before(periods[i+1])
			if g.at.After(begin) && ends {
				most = max(most, g.gap)
			}
		}
		longest = append(longest, most)
	}
	return longest
}
