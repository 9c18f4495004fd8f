// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a client's signaling and the server, and can cut it.
// Media does not pass through it.
type proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	refuse int // so many of the next connections are closed at once
	closed bool
	wg     sync.WaitGroup
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	u, err := url.Parse(serverURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: u.Host, conns: make(map[net.Conn]struct{})}
	p.wg.Add(1)
	go func() { // ends when close closes the listener
		defer p.wg.Done()
		p.accept()
	}()
	t.Cleanup(p.close)
	return p
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, ok := p.admit(in)
		if !ok {
			_ = in.Close()
			continue
		}
		p.wg.Add(2)
		go p.pipe(in, out) // both end when either connection is closed
		go p.pipe(out, in)
	}
}

// admit opens the other half of a connection, unless it is to be refused.
func (p *proxy) admit(in net.Conn) (out net.Conn, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false
	}
	if p.refuse > 0 {
		p.refuse--
		return nil, false
	}
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		return nil, false
	}
	p.conns[in], p.conns[out] = struct{}{}, struct{}{}
	return out, true
}

func (p *proxy) pipe(from, to net.Conn) {
	defer p.wg.Done()
	_, _ = io.Copy(to, from)
	_, _ = from.Close(), to.Close()
	p.mu.Lock()
	delete(p.conns, from)
	p.mu.Unlock()
}

// cut ends all connections without a word and refuses the next n.
func (p *proxy) cut(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = n
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	_ = p.listener.Close()
	p.wg.Wait()
}
