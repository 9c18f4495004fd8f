// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Who is honest gets through while 2,000 connections say nothing and 200 say
// one octet per second.
func TestSplitFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	leakFree(t)
	s := newSite(t, siteConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	defer flood.Wait()
	defer cancel()
	attack := func(source byte, slow bool) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, source)}}
		conn, err := d.DialContext(ctx, "tcp", s.addr)
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			return
		}
		flood.Add(1)
		go func() {
			defer flood.Done()
			defer conn.Close()
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				if slow {
					conn.Write([]byte{recordHandshake})
				}
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		}()
	}
	for i := range 2000 {
		attack(byte(1+i%40), false)
	}
	for i := range 200 {
		attack(byte(50+i%10), true)
	}
	await(t, func() bool { return s.hub.split.half.len() > 2000 })
	worst := time.Duration(0)
	for range 20 {
		begin := time.Now()
		if got, err := s.fetchH2(ctx); err != nil || !startsWith(got, "HTTP/2.0 ") {
			t.Fatalf("got %q, %v", got, err)
		}
		testICE(t, s, "")
		worst = max(worst, time.Since(begin))
		time.Sleep(20 * time.Millisecond)
	}
	if worst > time.Second {
		t.Errorf("the slowest took %v", worst)
	}
	t.Logf("the slowest took %v", worst)
	// After their time they are gone, although their clients hold on.
	deadline := time.Now().Add(sniffTime + 5*time.Second)
	for s.hub.split.half.len() > 0 && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	if n := s.hub.split.half.len(); n > 0 {
		t.Errorf("%d connections are still waited for", n)
	}
}

// closeCounter is a connection from an address of its own that notes Close.
type closeCounter struct {
	net.Conn
	from   net.Addr
	mu     sync.Mutex
	closed bool
}

func (c *closeCounter) RemoteAddr() net.Addr { return c.from }

func (c *closeCounter) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *closeCounter) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func enterFrom(r *waitingRoom, ip string) (*waiting, *closeCounter) {
	c := &closeCounter{from: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 4711))}
	w := r.enter(c)
	w.from(c.RemoteAddr())
	return w, c
}

func TestWaitingRoom(t *testing.T) {
	r := &waitingRoom{perSource: 2, all: 5}
	_, a1 := enterFrom(r, "192.0.2.1")
	wa2, a2 := enterFrom(r, "::ffff:192.0.2.1")
	if a1.isClosed() || a2.isClosed() {
		t.Fatal("closed below the limit")
	}
	_, a3 := enterFrom(r, "192.0.2.1")
	if !a1.isClosed() || a2.isClosed() || a3.isClosed() {
		t.Error("the oldest of the source should have gone")
	}
	wa2.leave()
	wa2.leave()
	_, a4 := enterFrom(r, "192.0.2.1")
	if a3.isClosed() || a4.isClosed() {
		t.Error("who has left still counts")
	}
	_, b1 := enterFrom(r, "2001:db8::1")
	_, b2 := enterFrom(r, "2001:db8::ffff:1")
	_, b3 := enterFrom(r, "2001:db8:0:1::1")
	if b1.isClosed() || b2.isClosed() || b3.isClosed() {
		t.Error("closed below the limit")
	}
	if _, b4 := enterFrom(r, "2001:db8::2"); !a3.isClosed() || b4.isClosed() {
		t.Error("above the limit of all, the oldest should have gone")
	}
	if !b1.isClosed() || b2.isClosed() || b3.isClosed() {
		t.Error("a /64 is one source")
	}
	// Without an address of the internet only the limit of all counts.
	var local []*closeCounter
	for range 6 {
		c := &closeCounter{from: &net.UnixAddr{Name: "@"}}
		r.enter(c).from(c.RemoteAddr())
		local = append(local, c)
	}
	if !local[0].isClosed() || local[1].isClosed() || r.len() != 5 {
		t.Errorf("%d in the room", r.len())
	}
	if len(r.sources) != 0 {
		t.Errorf("sources are left behind: %v", r.sources)
	}
}

// A client that does not say what it is has five seconds.
func TestSniffTime(t *testing.T) {
	for _, sent := range []string{"", "\x16", "\x00\x14\x00\x01"} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			room := &waitingRoom{perSource: 1, all: 1}
			begin := time.Now()
			if sent != "" {
				go near.Write([]byte(sent)) // ends when it has been read
			}
			_, _, err := readOpening(far, room.enter(far))
			if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != sniffTime {
				t.Errorf("%q: %v after %v", sent, err, took)
			}
		})
	}
}

// Once it has said so the time does not bind it any more.
func TestSniffTimeEnds(t *testing.T) {
	hello := clientHello(t, &tls.Config{})
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		room := &waitingRoom{perSource: 1, all: 1}
		go near.Write(hello) // ends when it has been read
		if _, kind, err := readOpening(far, room.enter(far)); err != nil || kind != openingTLSPlain {
			t.Fatalf("%d, %v", kind, err)
		}
		time.Sleep(2 * sniffTime)
		go near.Write([]byte("late")) // ends when it has been read
		if _, err := io.ReadFull(far, make([]byte, 4)); err != nil {
			t.Error(err)
		}
	})
}

// An ICE-TCP connection that the media plane does not answer is closed after
// five seconds; an answered one is not.
func TestStrangerTime(t *testing.T) {
	for _, answered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := new(Hub)
			h.split.init()
			sink := &tcpSink{make(chan diverted, 1), make(chan diverted, 1), make(chan struct{})}
			defer synctest.Wait()
			defer close(sink.done)
			near, far := net.Pipe()
			defer near.Close()
			h.split.stranger(sink, far, bindingFrame(0))
			d := <-sink.streams
			if answered {
				go d.conn.Write([]byte("answer"))
				if _, err := io.ReadFull(near, make([]byte, 6)); err != nil {
					t.Fatal(err)
				}
			}
			if waits := h.split.strangers.len() == 1; waits == answered {
				t.Errorf("answered %t, waits %t", answered, waits)
			}
			near.SetReadDeadline(time.Now().Add(time.Hour))
			begin := time.Now()
			_, err := near.Read(make([]byte, 1))
			switch took := time.Since(begin); {
			case answered && !errors.Is(err, os.ErrDeadlineExceeded):
				t.Errorf("closed after %v: %v", took, err)
			case !answered && (err != io.EOF || took != proofTime):
				t.Errorf("%v after %v", err, took)
			}
		})
	}
}

// Of one source ten strangers are heard at a time.
func TestStrangersPerSource(t *testing.T) {
	leakFree(t)
	s := newSite(t, siteConfig{})
	var clients []net.Conn
	for range 12 {
		raw, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		raw.Write(bindingFrame(0))
		next(t, s.sink.streams)
		clients = append(clients, raw)
	}
	if n := s.hub.split.strangers.len(); n != strangersPerSource {
		t.Errorf("%d strangers", n)
	}
	for i, c := range clients {
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		if open := errors.Is(err, os.ErrDeadlineExceeded); open != (i >= 2) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}

func TestShakeHandsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(Hub)
		under := &stubListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
		ln := h.WrapAfterTLS(newTLSListener(under))
		accepted := make(chan error)
		go func() {
			_, err := ln.Accept()
			accepted <- err
		}()
		near, far := net.Pipe()
		under.conns <- far
		begin := time.Now()
		if _, err := near.Read(make([]byte, 1)); err != io.EOF || time.Since(begin) != handshakeTime {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		ln.Close()
		if err := <-accepted; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}
