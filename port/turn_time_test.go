// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/stun/v4"
)

// A client without an allocation has ten seconds, one with an allocation may be
// silent for a minute.
func TestTURNTimes(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(c *turnClient)
		want time.Duration
	}{
		{"nothing", func(*turnClient) {}, handshakeTime},
		{"no allocation", func(c *turnClient) {
			time.Sleep(6 * time.Second)
			c.ask(pion.MethodAllocate, udpTransport)
		}, handshakeTime},
		{"idle", func(c *turnClient) { c.allocate() }, turnIdle},
		{"allocation ended", func(c *turnClient) {
			c.allocate()
			time.Sleep(30 * time.Second)
			c.must(pion.MethodRefresh, lifetimeAttr(0))
		}, 30*time.Second + handshakeTime},
		{"not refreshed", func(c *turnClient) {
			c.allocate()
			for range 59 {
				time.Sleep(10 * time.Second)
				c.sendChannel(0x4000, []byte("keep"))
			}
		}, TURNLifetime},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := newTURN()
			begin := time.Now()
			client := dialTURN(t, s, "anna")
			c.run(client)
			go io.Copy(io.Discard, client.conn) // ends with the connection
			err := <-client.done
			took := time.Since(begin)
			if !errors.Is(err, os.ErrDeadlineExceeded) || took > c.want || took < c.want-deadlineStep {
				t.Errorf("%s: %v after %v, want %v", c.name, err, took, c.want)
			}
			if s.unknown.len() != 0 || s.Stats().Allocations != 0 {
				t.Errorf("%s: left behind", c.name)
			}
		})
	}
}

// A call may last longer than its credentials, its nonce, a permission and a
// channel.
func TestTURNLongCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, relays := newTURN()
		c := dialTURN(t, s, "anna")
		c.allocate()
		relay := relays.last()
		c.must(pion.MethodChannelBind, channelAttr(0x4000), peerAttr(VirtualPeer))
		stale := 0
		refresh := func(method pion.Method, attrs ...pion.Setter) {
			got := code(c.ask(method, attrs...))
			if got == 438 {
				stale++
				got = code(c.ask(method, attrs...))
			}
			if got != 0 {
				t.Fatalf("%v after %d stale nonces: %d", method, stale, got)
			}
		}
		begin := time.Now()
		for time.Since(begin) < 3*time.Hour {
			for range 9 {
				time.Sleep(30 * time.Second)
				c.sendChannel(0x4000, []byte("voice"))
			}
			refresh(pion.MethodRefresh)
			refresh(pion.MethodChannelBind, channelAttr(0x4000), peerAttr(VirtualPeer))
		}
		if stale != 3 && stale != 2 {
			t.Errorf("%d stale nonces in three hours", stale)
		}
		n := len(relays.all())
		if want := 40 * 9; n < want {
			t.Errorf("%d packets, want %d", n, want)
		}
		// Left alone, the permission ends after five minutes and the channel
		// after ten; the client may then bind another number.
		for range 31 {
			time.Sleep(10 * time.Second)
			c.sync()
		}
		if relay.deliver([]byte("late")) {
			t.Error("delivered without a permission")
		}
		c.sendChannel(0x4000, []byte("late"))
		for range 30 {
			time.Sleep(10 * time.Second)
			refresh(pion.MethodRefresh)
		}
		if got := len(relays.all()); got != n {
			t.Errorf("%d packets, want %d", got, n)
		}
		refresh(pion.MethodChannelBind, channelAttr(0x4001), peerAttr(VirtualPeer))
		c.sendChannel(0x4001, []byte("again"))
		c.sync()
		if got := len(relays.all()); got != n+1 {
			t.Errorf("%d packets, want %d", got, n+1)
		}
		c.conn.Close()
		<-c.done
	})
}

// A participant's flow is limited to 12 Mbit/s in each direction, over all
// their allocations, and nobody else's.
func TestTURNRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, relays := newTURN()
		var deliver []*relaySpy
		for range 2 {
			c := dialTURN(t, s, "anna")
			c.allocate()
			c.must(pion.MethodCreatePermission, peerAttr(VirtualPeer))
			deliver = append(deliver, relays.last())
			go io.Copy(io.Discard, c.conn) // ends with the connection
		}
		packet := make([]byte, 1000)
		octets := 0
		for range 10_000 {
			for _, r := range deliver {
				if r.deliver(packet) {
					octets += len(packet)
				}
			}
			time.Sleep(time.Millisecond / 2)
		}
		if want := 5*turnRate + turnBurst; octets > want+want/50 || octets < 5*turnRate*98/100 {
			t.Errorf("%d octets in 5 s, want %d", octets, want)
		}
		bert := dialTURN(t, s, "bert")
		bert.allocate()
		bert.must(pion.MethodCreatePermission, peerAttr(VirtualPeer))
		go io.Copy(io.Discard, bert.conn) // ends with the connection
		if !relays.last().deliver(packet) {
			t.Error("another participant pays for it")
		}
		s.Close()
	})
}

func TestBucket(t *testing.T) {
	var b bucket
	now := time.Now()
	taken := 0
	for b.take(1000, now) {
		taken += 1000
	}
	if taken != turnBurst {
		t.Errorf("%d octets at once", taken)
	}
	for range 1000 {
		now = now.Add(time.Millisecond)
		for b.take(100, now) {
			taken += 100
		}
	}
	if want := turnBurst + turnRate; taken > want+want/50 || taken < want-want/50 {
		t.Errorf("%d octets in a second, want %d", taken, want)
	}
}

// What ended a stream may be logged: it names nobody.
func TestStreamErrorsNameNoAddress(t *testing.T) {
	leakFree(t)
	ln := tcpListener(t)
	defer ln.Close()
	for name, run := range map[string]func(net.Conn) error{
		"TURN": func(conn net.Conn) error {
			s, _ := newTURN()
			return s.Serve(conn, nil)
		},
		"framed": func(conn net.Conn) error {
			return ServeFramed(conn, nil, func(func([]byte) bool) (Relay, error) { return &relaySpy{}, nil })
		},
	} {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		client.(*net.TCPConn).SetLinger(0)
		time.AfterFunc(10*time.Millisecond, func() { client.Close() })
		if err = run(conn); !errors.Is(err, syscall.ECONNRESET) || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
