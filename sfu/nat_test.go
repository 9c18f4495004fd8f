// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// nat stands between a client and the plane, and can forget its mapping.
type nat struct {
	t      *testing.T
	inside *net.UDPConn
	plane  *net.UDPAddr
	wg     sync.WaitGroup

	mu      sync.Mutex
	outside *net.UDPConn
	client  netip.AddrPort
}

func newNAT(t *testing.T, port uint16) *nat {
	t.Helper()
	n := &nat{t: t, plane: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)}}
	var err error
	if n.inside, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	n.rebind()
	n.wg.Add(1)
	go n.outgoing() // ends when inside is closed
	t.Cleanup(func() {
		_ = n.inside.Close()
		n.mu.Lock()
		_ = n.outside.Close()
		n.mu.Unlock()
		n.wg.Wait()
	})
	return n
}

// rebind gives the client another port; the old one leads nowhere.
func (n *nat) rebind() {
	c, err := net.DialUDP("udp4", nil, n.plane)
	if err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	old := n.outside
	n.outside = c
	n.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	n.wg.Add(1)
	go n.incoming(c) // ends when c is closed, by the next rebind or the test's end
}

func (n *nat) outgoing() {
	defer n.wg.Done()
	b := make([]byte, 2048)
	for {
		size, from, err := n.inside.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		n.mu.Lock()
		n.client = from
		_, _ = n.outside.Write(b[:size]) // a mapping on its way out loses datagrams
		n.mu.Unlock()
	}
}

func (n *nat) incoming(c *net.UDPConn) {
	defer n.wg.Done()
	b := make([]byte, 2048)
	for {
		size, err := c.Read(b)
		if err != nil {
			return
		}
		n.mu.Lock()
		to := n.client
		n.mu.Unlock()
		_, _ = n.inside.WriteToUDPAddrPort(b[:size], to)
	}
}

// mapped is what the plane knows the client by.
func (n *nat) mapped() netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.outside.LocalAddr().(*net.UDPAddr)
	if !ok {
		n.t.Fatal("not a UDP address")
	}
	return a.AddrPort()
}

var candidateLine = regexp.MustCompile(`(a=candidate:\S+ 1 udp \d+ )\S+ \d+`)

// through leads the client to the NAT instead of the plane.
func (n *nat) through(sdp string) string {
	to, ok := n.inside.LocalAddr().(*net.UDPAddr)
	if !ok {
		n.t.Fatal("not a UDP address")
	}
	return candidateLine.ReplaceAllString(sdp, fmt.Sprintf("${1}127.0.0.1 %d", to.Port))
}

// A NAT gives a client another port again and again; calls go on, whichever loop
// the new port leads to.
func TestRebindingOverSockets(t *testing.T) {
	planes := map[string]func() (*Plane, uint16){
		"own sockets": func() (*Plane, uint16) {
			p := testPlane(t, 3)
			return p, uint16(p.Port())
		},
		"shared socket": func() (*Plane, uint16) {
			p, sock := sharedPlane(t, 2)
			return p, sock.LocalAddr().Port()
		},
	}
	for name, open := range planes {
		t.Run(name, func(t *testing.T) {
			plane, port := open()
			room := plane.NewRoom(new(simRoomEvents))
			defer room.Close()
			a, b := newRTCClient(t, room, "PA_a"), newRTCClient(t, room, "PA_b")
			a.nat = newNAT(t, port)
			a.publish("TR_a", webrtc.MimeTypeOpus)
			b.publish("TR_b", webrtc.MimeTypeOpus)
			a.negotiate()
			b.negotiate()
			a.connected()
			b.connected()
			if err := a.peer.Subscribe("PA_b", "TR_b"); err != nil {
				t.Fatal(err)
			}
			if err := b.peer.Subscribe("PA_a", "TR_a"); err != nil {
				t.Fatal(err)
			}
			a.negotiate()
			b.negotiate()
			a.untilReceived("TR_b", 50)
			b.untilReceived("TR_a", 50)
			for range 6 {
				a.nat.rebind()
				if !plane.Known(a.nat.mapped()) {
					t.Error("media from the new port would be left to HTTP/3")
				}
				begin := time.Now()
				a.untilReceived("TR_b", a.received("TR_b")+20)
				b.untilReceived("TR_a", b.received("TR_a")+20)
				// Simulated time tells how quick it is (TestRebinding); here the
				// machine may be busy.
				if d := time.Since(begin); d > 6*time.Second {
					t.Errorf("media came back after %v", d)
				}
			}
			a.events.mu.Lock()
			defer a.events.mu.Unlock()
			if slices.Contains(a.events.state, PeerDisconnected) {
				t.Errorf("states %v", a.events.state)
			}
		})
	}
}
