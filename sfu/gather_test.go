// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestLoopGathers: where datagrams come densely a loop reads its socket without
// being woken, and loses none; when they come singly again, it is woken by one.
func TestLoopGathers(t *testing.T) {
	p, err := NewPlane(PlaneConfig{Loops: 1, Addr: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l := p.loops[0]
	if l.own.sock.Silence(false) != nil {
		t.Skip("sockets cannot be silenced here")
	}
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(l.own.sock.LocalAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := uint64(0)
	send := func(n int) {
		for range n {
			if _, err := conn.Write([]byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}); err == nil {
				sent++
			}
		}
	}
	arrived := func() bool { return p.stats.dropped.Load() == sent } // of nobody's transport
	dense := func() bool {
		answer := make(chan bool, 1)
		l.post(func(*core) { answer <- l.gauge.Dense() })
		return <-answer
	}
	wait := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %d of %d datagrams arrived", what, p.stats.dropped.Load(), sent)
			}
		}
	}
	wait("dense", func() bool { send(8); return dense() })
	wait("what came densely", arrived)
	wait("sparse", func() bool { return !dense() })
	for range 3 {
		send(1)
		wait("one that wakes", arrived)
	}
}
