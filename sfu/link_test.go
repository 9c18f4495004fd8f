// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/caddy-videoroom/videoroom/port"
)

// These planes have no port of their own: everything comes in through a socket
// that somebody else reads, or through links.

// sharedPlane is fed by a reader that stands for a listener shared with HTTP/3.
func sharedPlane(t *testing.T, loops int) (*Plane, *port.Socket) {
	t.Helper()
	sock, err := port.Listen(netip.AddrPortFrom(netip.IPv6Unspecified(), 0), false)
	if err != nil {
		t.Fatal(err)
	}
	p := planeWithout(t, loops, sock)
	done := make(chan struct{})
	go func() { // ends with the socket
		defer close(done)
		b := port.NewBatch(32)
		for {
			err := sock.Read(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			ds := make([]port.Datagram, b.Len())
			for i := range ds {
				ds[i] = *b.At(i)
			}
			p.Datagrams(sock, ds)
		}
	}()
	t.Cleanup(func() {
		if err := sock.Close(); err != nil {
			t.Error(err)
		}
		<-done
		p.Forget(sock)
	})
	return p, sock
}

// linkedPlane is fed by one link per remote address.
func linkedPlane(t *testing.T, loops int) *Plane {
	t.Helper()
	sock, err := port.Listen(netip.AddrPortFrom(netip.IPv6Unspecified(), 0), false)
	if err != nil {
		t.Fatal(err)
	}
	p := planeWithout(t, loops, sock)
	var mu sync.Mutex
	links := map[netip.AddrPort]*Link{}
	done := make(chan struct{})
	go func() { // ends with the socket
		defer close(done)
		b := port.NewBatch(32)
		for {
			err := sock.Read(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			for i := range b.Len() {
				d := b.At(i)
				mu.Lock()
				l := links[d.Addr]
				if l == nil {
					to, local := d.Addr, d.Local
					l = p.OpenLink(func(b []byte) bool { return sock.WriteTo(b, to, local) == nil })
					links[d.Addr] = l
				}
				mu.Unlock()
				l.Receive(d.Data)
			}
		}
	}()
	t.Cleanup(func() {
		for _, l := range links {
			l.Close()
		}
		if err := sock.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return p
}

func planeWithout(t *testing.T, loops int, sock *port.Socket) *Plane {
	t.Helper()
	p, err := NewPlane(PlaneConfig{Port: NoPort, Loops: loops, answerTime: slowAnswer, Reach: func() Reach {
		return Reach{UDP: []netip.AddrPort{sock.LocalAddr()}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, goleak.IgnoreCurrent())
	})
	return p
}

func TestCallThroughSharedSocket(t *testing.T) {
	p, sock := sharedPlane(t, 2)
	for range 2 {
		callOfTwo(t, p)
	}
	if p.Known(netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), 1)) {
		t.Error("a stranger counts as known")
	}
	if sent := p.Stats().PacketsOut; sent == 0 || !sock.LocalAddr().IsValid() {
		t.Error("nothing was sent")
	}
}

func TestCallThroughLinks(t *testing.T) {
	p := linkedPlane(t, 2)
	for range 2 {
		callOfTwo(t, p)
	}
}

// A closed link takes its paths along, and the transport goes on over another.
func TestClosedLinkLeavesThePath(t *testing.T) {
	s := newSim(t, 1)
	a, b := s.client("PA_a"), s.client("PA_b")
	s.ticking()
	src := a.publish("TR_v", 1)[0]
	k := b.subscribe(src.track)
	s.run(time.Second)
	l := &Link{plane: &Plane{}, addr: netip.MustParseAddrPort("240.0.0.1:9"), send: func([]byte) bool { return true }}
	p := b.t.addPath(s.c, l.addr, l)
	p.nominated, p.seen = true, s.c.now
	b.t.selectPath(p)
	before := k.frames
	s.run(time.Second)
	if k.frames > before+2 {
		t.Fatal("media did not move to the link")
	}
	s.c.dropVia(l)
	s.run(2 * time.Second)
	if k.frames < before+20 {
		t.Error("media did not come back from the closed link")
	}
	if s.c.byAddr[l.addr] != nil {
		t.Error("the link's address is still known")
	}
	s.c.dropVia(s.box)
	if b.t.ready() || len(b.t.paths) != 0 {
		t.Error("a transport without paths still sends")
	}
}
