// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// forgery makes one datagram that nobody asked for.
type forgery struct {
	name string
	make func(r *rand.Rand) []byte
	// quic marks what belongs to HTTP/3 by its first octet; that may answer
	// packets of 1,200 octets with the versions it speaks.
	quic bool
}

// TestNoAmplification: datagrams with sources that may be forged never bring
// about more than they are, and nothing of the calls beside them.
func TestNoAmplification(t *testing.T) {
	const perKind = 1000
	s := serve(t, site("localhost", "", ""))
	c := s.begin("localhost", [][2]way{{overUDP, overUDP}, {overUDP, overTLS}})
	forgeries := forgeriesWith(c.guests[0].serverName(t))
	began := time.Now()
	sent, in, out := 0, 0, 0
	for _, f := range forgeries {
		i, o := s.forge(f, perKind)
		t.Logf("%-44s %8d octets in, %6d out", f.name, i, o)
		if o > i {
			t.Errorf("%s: %d octets bring about %d", f.name, i, o)
		}
		if !f.quic && o > 0 {
			t.Errorf("%s: %d octets came back, want silence", f.name, o)
		}
		sent, in, out = sent+perKind, in+i, out+o
	}
	t.Logf("%d datagrams, %d octets in, %d out: %.4f", sent, in, out, float64(out)/float64(in))
	c.steady("forgeries", []time.Time{began})
	c.unharmed()
	c.awaitMedia(time.Now(), time.Second)
}

// serverName is the server's half of the ICE user name in the present session.
func (g *guest) serverName(t *testing.T) string {
	t.Helper()
	g.mu.Lock()
	sdp := g.client.Peer().RemoteDescription().SDP
	g.mu.Unlock()
	for line := range strings.Lines(sdp) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "a=ice-ufrag:"); ok {
			return name
		}
	}
	t.Fatal("the answer has no ice-ufrag")
	return ""
}

// forge sends n datagrams from a few sockets and counts the octets that come
// back to them.
func (s *server) forge(f forgery, n int) (in, out int) {
	s.t.Helper()
	const sockets = 4
	var back atomic.Int64
	var conns []net.Conn
	for i := range sockets {
		d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 0, 1, byte(1+i))}}
		conn, err := d.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", s.https))
		if err != nil {
			s.t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
		go func() { // ends when conn is closed
			b := make([]byte, 64<<10)
			for {
				n, err := conn.Read(b)
				if err != nil {
					return
				}
				back.Add(int64(n))
			}
		}()
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		b := f.make(r)
		if _, err := conns[i%sockets].Write(b); err != nil {
			s.t.Fatal(err)
		}
		in += len(b)
		if i%20 == 19 {
			time.Sleep(2 * time.Millisecond) // the socket's buffer is finite
		}
	}
	time.Sleep(300 * time.Millisecond)
	return in, int(back.Load())
}

// forgeriesWith returns all forgeries; serverName is known to no stranger.
func forgeriesWith(serverName string) []forgery {
	return []forgery{
		{"STUN Binding, unknown user name", binding("abcd:efgh", "no password of this server"), false},
		{"STUN Binding, known user name, wrong integrity", binding(serverName+":abcd", "no password of this server"), false},
		{"STUN Binding, known user name, no integrity", binding(serverName+":abcd", ""), false},
		{"STUN Binding without user name", binding("", ""), false},
		{"STUN Binding, truncated", func(r *rand.Rand) []byte {
			b := binding(serverName+":abcd", "no password")(r)
			return b[:1+r.IntN(len(b)-1)]
		}, false},
		{"TURN Allocate", allocate, false},
		{"like SRTP and SRTCP", beginning(128, 191, 12, 1100), false},
		{"like DTLS", hello, false},
		{"like DTLS, random", beginning(20, 63, 1, 1200), false},
		{"like STUN, random", beginning(0, 3, 1, 600), false},
		{"like TURN ChannelData (HTTP/3's short header)", beginning(64, 79, 4, 1200), true},
		{"other first octets", beginning(4, 19, 1, 1200), false},
		{"HTTP/3's long header, unknown version", beginning(192, 255, 1200, 1200), true},
	}
}

// beginning makes random octets with a first octet and length within bounds.
func beginning(first, last, short, long int) func(*rand.Rand) []byte {
	return func(r *rand.Rand) []byte {
		b := make([]byte, short+r.IntN(long-short+1))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		b[0] = byte(first + r.IntN(last-first+1))
		return b
	}
}

// binding makes a connectivity check of ICE.
func binding(name, password string) func(*rand.Rand) []byte {
	return func(*rand.Rand) []byte {
		setters := []stun.Setter{stun.TransactionID, stun.BindingRequest}
		if name != "" {
			setters = append(setters, stun.NewUsername(name))
		}
		setters = append(setters, stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{110, 0, 1, 255}})
		if password != "" {
			setters = append(setters, stun.NewShortTermIntegrity(password))
		}
		return stun.MustBuild(append(setters, stun.Fingerprint)...).Raw
	}
}

// allocate makes what a TURN server over UDP would answer with a challenge.
func allocate(*rand.Rand) []byte {
	return stun.MustBuild(
		stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest),
		stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}},
	).Raw
}

// hello makes the beginning of a DTLS handshake.
func hello(r *rand.Rand) []byte {
	body := beginning(0, 255, 160, 160)(r)
	record := []byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(record[11:], uint16(len(body)))
	copy(body, []byte{1, 0, 0, 148, 0, 0, 0, 0, 0, 0, 0, 148, 254, 253})
	return append(record, body...)
}
