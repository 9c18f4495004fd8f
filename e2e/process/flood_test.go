// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	silent, slow = 5000, 500
	// sayTime is what a connection has to say what it is, from when the server
	// takes it, and sayMore what that may take.
	sayTime, sayMore = 5 * time.Second, 2 * time.Second
	// enterTime is what a visitor may need to get in beside all that.
	enterTime = 2 * time.Second
	maxGrowth = 200 << 20
)

// TestHalfOpen: thousands of connections that never say what they want stand
// before the door, and a visitor gets in all the same.
func TestHalfOpen(t *testing.T) {
	s := serve(t, site("localhost", "respond /page hello", ""))
	// A first call makes what is made once.
	first := s.begin("localhost", [][2]way{{overUDP, overTLS}})
	for _, tc := range []struct {
		name    string
		sources int
	}{
		{"one source", 1},
		{"50 sources", 50},
	} {
		t.Run(tc.name, func(t *testing.T) {
			time.Sleep(time.Second)
			before := s.load()
			began := time.Now()
			f := s.flood(tc.sources)
			f.awaitFull(t)
			most := before.rss
			for _, w := range []way{overUDP, overTLS, overTCP} {
				s.enter(t, w, "")
				most = max(most, s.rss())
			}
			if tc.sources > 1 { // somebody behind the same router as a part of it
				s.enter(t, overTLS, floodSource(0).String())
			}
			t.Logf("%d connections stand, %d in all; RSS grew by %.1f MiB", f.standing.Load(), f.opened.Load(), mib(most-before.rss))
			if grown := most - before.rss; grown > maxGrowth {
				t.Errorf("RSS grew by %.1f MiB", mib(grown))
			}
			gone := f.end()
			t.Logf("the last one was closed by the server %s after it had been opened", ms(gone))
			if _, stall := first.stalls.sum(began); gone > sayTime+sayMore+stall {
				t.Errorf("a connection was left open for %s, want %s", gone, sayTime)
			}
			s.backTo(before, 10*time.Second)
		})
	}
	first.unharmed()
	first.awaitMedia(time.Now(), time.Second)
}

// flood is many connections to the port of the site. Whatever the server closes
// is opened again until the flood ends.
type flood struct {
	addr     string
	stop     context.CancelFunc
	all      sync.WaitGroup
	standing atomic.Int64
	opened   atomic.Int64
	longest  atomic.Int64 // that a connection stood, in nanoseconds
}

func (s *server) flood(sources int) *flood {
	ctx, cancel := context.WithCancel(context.Background())
	f := &flood{addr: fmt.Sprintf("127.0.0.1:%d", s.https), stop: cancel}
	for i := range silent + slow {
		source := floodSource(i % sources)
		f.all.Go(func() { f.keep(ctx, source, i >= silent) })
	}
	s.t.Cleanup(cancel)
	return f
}

func floodSource(n int) net.IP { return net.IPv4(127, 0, 2, byte(1+n)) }

// awaitFull waits until every connection has been opened once.
func (f *flood) awaitFull(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for f.opened.Load() < silent+slow {
		if time.Now().After(deadline) {
			t.Fatalf("only %d connections could be opened", f.opened.Load())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// end opens no more, waits until the server has closed those that stand, and
// returns how long the one stood that stood longest.
func (f *flood) end() time.Duration {
	f.stop()
	f.all.Wait()
	return time.Duration(f.longest.Load())
}

// keep holds one connection and opens it again when it is closed.
func (f *flood) keep(ctx context.Context, source net.IP, talks bool) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: source}, Timeout: 10 * time.Second}
	time.Sleep(rand.N(2 * time.Second))
	for ctx.Err() == nil {
		conn, err := d.DialContext(ctx, "tcp4", f.addr)
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		began := time.Now()
		f.opened.Add(1)
		f.standing.Add(1)
		f.stand(conn, talks)
		f.standing.Add(-1)
		for took := int64(time.Since(began)); ; {
			most := f.longest.Load()
			if took <= most || f.longest.CompareAndSwap(most, took) {
				break
			}
		}
		// Who has been evicted comes no sooner than who has not.
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(began.Add(sayTime))):
		}
	}
}

// stand reads until the server closes conn. Who talks sends the beginning of a
// TLS handshake, an octet each five seconds.
func (f *flood) stand(conn net.Conn, talks bool) {
	defer conn.Close()
	if talks {
		opening := []byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}
		done := make(chan struct{})
		defer close(done)
		go func() { // ends with done
			tick := time.NewTicker(5 * time.Second)
			defer tick.Stop()
			for _, b := range opening {
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
				select {
				case <-tick.C:
				case <-done:
					return
				}
			}
		}()
	}
	// What is not closed within a minute is a fault that the test tells of.
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	_, _ = io.Copy(io.Discard, conn)
}

// enter is a visitor on new connections: page, join, first sound and picture of
// somebody who is there already. Its connections come from source, or anywhere.
func (s *server) enter(t *testing.T, w way, source string) {
	t.Helper()
	s.begun++
	room := fmt.Sprintf("room-%d", s.begun)
	there := &calls{t: t, server: s, guests: []*guest{s.guest("localhost", room, "there", overUDP)}}
	there.run()
	defer there.end()
	for deadline := time.Now().Add(10 * time.Second); there.guests[0].sessions() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("not even the first one got in")
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	began := time.Now()
	visitor := s.guest("localhost", room, "visitor", w)
	visitor.source, visitor.http = source, s.newClient("127.0.0.1", source)
	resp, err := visitor.http.Get(fmt.Sprintf("https://localhost:%d/page", s.https))
	if err != nil {
		t.Fatalf("the visitor (%s) gets no page: %v", w.name, err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the visitor (%s) gets HTTP status %d", w.name, resp.StatusCode)
	}
	page := time.Since(began)
	visitor.http = &http.Client{Transport: visitor.http.Transport}
	in := &calls{t: t, server: s, guests: []*guest{visitor}}
	in.run()
	defer in.end()
	took := in.awaitMedia(began, 10*time.Second)
	withheld, _ := there.stalls.sum(began)
	t.Logf("a visitor (%s) had the page after %s and sound and picture after %s; of these the machine withheld %s",
		w.name, ms(page), ms(took), ms(withheld))
	took -= withheld
	if took > enterTime {
		t.Errorf("it took a visitor (%s) %s to get in", w.name, took)
	}
}
