// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/stun/v4"
)

// A stream that is not one of TURN ends.
func TestTURNFraming(t *testing.T) {
	leakFree(t)
	stunHead := func(kind, size uint16, cookie uint32) []byte {
		b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, kind), size)
		return append(binary.BigEndian.AppendUint32(b, cookie), make([]byte, 12)...)
	}
	for name, b := range map[string][]byte{
		"HTTP":               []byte("GET / HTTP/1.1\r\n\r\n"),
		"no cookie":          stunHead(3, 0, 1),
		"odd length":         stunHead(3, 2, stunCookie),
		"long message":       stunHead(3, maxTURN, stunCookie),
		"long channel data":  {0x40, 0, 0xff, 0xff},
		"reserved channel":   {0x50, 0, 0, 4, 1, 2, 3, 4},
		"media":              {0x80, 0, 0, 4, 1, 2, 3, 4},
		"TLS inside the TLS": clientHello(t, &tls.Config{}),
	} {
		s, _ := newTURN()
		c := dialTURN(t, s, "anna")
		go c.conn.Write(b) // ends with the connection
		if err := <-c.done; !errors.Is(err, ErrFrame) {
			t.Errorf("%s: %v", name, err)
		}
		c.conn.Close()
		s.Close()
	}
}

// What is a message but makes no sense is dropped.
func TestTURNIgnores(t *testing.T) {
	leakFree(t)
	s, relays := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	c.sendIndication(VirtualPeer, []byte("no allocation"))
	c.sendChannel(0x4000, []byte("no allocation"))
	c.allocate()
	badFingerprint := c.build(pion.ClassRequest, pion.MethodRefresh)
	badFingerprint.Raw[len(badFingerprint.Raw)-1] ^= 1
	badAttribute := c.build(pion.ClassRequest, pion.MethodRefresh)
	binary.BigEndian.PutUint16(badAttribute.Raw[stunHeader+2:], 0xfff0)
	noData, err := pion.Build(pion.TransactionID, pion.NewType(pion.MethodSend, pion.ClassIndication), peerAttr(VirtualPeer))
	if err != nil {
		t.Fatal(err)
	}
	noPeer := c.build(pion.ClassIndication, pion.MethodSend, rawAttr{pion.AttrData, []byte("data")})
	response := c.build(pion.ClassSuccessResponse, pion.MethodRefresh)
	data := c.build(pion.ClassIndication, pion.MethodData, peerAttr(VirtualPeer), rawAttr{pion.AttrData, []byte("data")})
	c.must(pion.MethodCreatePermission, peerAttr(VirtualPeer))
	for _, m := range []*pion.Message{badFingerprint, badAttribute, noData, noPeer, response, data} {
		if _, err := c.conn.Write(m.Raw); err != nil {
			t.Fatal(err)
		}
	}
	c.sync() // its answer is the next one
	if got := relays.all(); len(got) != 0 {
		t.Errorf("relayed %q", got)
	}
}

// 40 addresses by three ways, and our own with ports of services: nothing
// leaves, and every refusal is clean.
func TestTURNAbuse(t *testing.T) {
	leakFree(t)
	s, relays := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	c.allocate()
	c.must(pion.MethodCreatePermission, peerAttr(VirtualPeer))
	targets := abuseTargets(t)
	if len(targets) < 40 {
		t.Fatalf("%d targets", len(targets))
	}
	secret := []byte("leak")
	for i, target := range targets {
		if got := code(c.ask(pion.MethodCreatePermission, peerAttr(target))); got != 403 {
			t.Errorf("CreatePermission %v: %d", target, got)
		}
		if got := code(c.ask(pion.MethodCreatePermission, peerAttr(VirtualPeer), peerAttr(target))); got != 403 {
			t.Errorf("CreatePermission %v beside the peer: %d", target, got)
		}
		if got := code(c.ask(pion.MethodChannelBind, channelAttr(uint16(0x4000+i)), peerAttr(target))); got != 403 {
			t.Errorf("ChannelBind %v: %d", target, got)
		}
		c.sendIndication(target, secret)
		c.sendChannel(uint16(0x4000+i), secret)
	}
	// The first address of several counts, and it counts alone.
	c.sendIndication(targets[0], secret, peerAttr(VirtualPeer))
	c.sync()
	if got := relays.all(); len(got) != 0 {
		t.Errorf("%d packets have left", len(got))
	}
	if got := s.Stats().Denied; got != uint64(4*len(targets)+1) {
		t.Errorf("%d denials counted, want %d", got, 4*len(targets)+1)
	}
	// The connection is still good for what it is for.
	c.sendIndication(VirtualPeer, []byte("voice"))
	c.sync()
	if got := relays.all(); !samePackets(got, [][]byte{[]byte("voice")}) {
		t.Errorf("got %q", got)
	}
}

// abuseTargets are addresses that a TURN server has been used to reach.
func abuseTargets(t *testing.T) (targets []netip.AddrPort) {
	for _, ip := range []string{
		"127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0.0.0.1", "10.0.0.1", "10.255.255.255", "172.16.0.1",
		"172.31.255.254", "192.168.0.1", "192.168.178.1", "100.64.0.1", "169.254.0.1", "169.254.169.254", "192.0.0.1",
		"192.0.2.1", "198.18.0.0", "198.18.0.2", "198.19.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250",
		"240.0.0.1", "255.255.255.255", "8.8.8.8", "1.1.1.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:198.18.0.1",
		"::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::c612:1", "2002:7f00:1::", "fe80::1", "fc00::1", "fd00::1",
		"fd00:ec2::254", "ff02::1", "2001:db8::1", "2001:4860:4860::8888",
	} {
		targets = append(targets, netip.AddrPortFrom(netip.MustParseAddr(ip), 40000))
	}
	own := []netip.Addr{VirtualPeer.Addr(), netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, p.Addr())
		}
	}
	for _, ip := range own {
		for _, p := range []uint16{0, 22, 80, 443, 2019} {
			targets = append(targets, netip.AddrPortFrom(ip, p))
		}
	}
	return targets
}

// The TURN server has no way to a network of its own.
func TestTURNOpensNoSocket(t *testing.T) {
	files, err := filepath.Glob("turn*.go")
	if err != nil {
		t.Fatal(err)
	}
	door := regexp.MustCompile(`\b(net|tls|syscall|unix)\.(Dial|Listen|File|Socket|ListenConfig)|unsafe|os\.`)
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if found := door.Find(text); found != nil {
			t.Errorf("%s: %s", name, found)
		}
	}
	if seen < 5 {
		t.Errorf("looked at %d files", seen)
	}
}

func TestXORAddr(t *testing.T) {
	for _, v := range [][]byte{nil, {0}, {0, 1}, {0, 1, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0, 0, 0, 0}, {0, 3, 0, 0, 0, 0, 0, 0}} {
		if xorAddr(v).IsValid() || wellFormedAddr(v) {
			t.Errorf("%x passes", v)
		}
	}
	for _, addr := range []netip.AddrPort{VirtualPeer, netip.MustParseAddrPort("[::ffff:198.18.0.1]:40000")} {
		m := pion.MustBuild(pion.TransactionID, peerAttr(addr))
		v, err := m.Get(pion.AttrXORPeerAddress)
		if err != nil || !wellFormedAddr(v) || (xorAddr(v) == VirtualPeer) != addr.Addr().Is4() {
			t.Errorf("%v: %v, %v", addr, xorAddr(v), err)
		}
	}
}

func FuzzTURNStream(f *testing.F) {
	c := &turnClient{t: f, user: "anna", pass: "secret", realm: TURNRealm, nonce: "n"}
	var all []byte
	for _, m := range []*pion.Message{
		c.build(pion.ClassRequest, pion.MethodBinding),
		c.build(pion.ClassRequest, pion.MethodAllocate, udpTransport),
		c.build(pion.ClassIndication, pion.MethodSend, peerAttr(VirtualPeer), rawAttr{pion.AttrData, []byte("x")}),
		c.build(pion.ClassRequest, pion.MethodCreatePermission, peerAttr(VirtualPeer)),
	} {
		f.Add(m.Raw, uint16(7))
		all = append(all, m.Raw...)
	}
	all = append(all, 0x40, 0, 0, 3, 1, 2, 3, 0)
	f.Add(all, uint16(100))
	f.Add([]byte("\x40\x00\xff\xff"), uint16(1))
	f.Fuzz(func(t *testing.T, stream []byte, cut uint16) {
		whole, err := readTURN(stream, len(stream))
		parts, errParts := readTURN(stream, int(cut)%(len(stream)+1))
		if !samePackets(whole, parts) || err != errParts {
			t.Errorf("%d messages, %v; cut %d, %v", len(whole), err, len(parts), errParts)
		}
		for _, m := range whole {
			if len(m) > maxTURN {
				t.Errorf("a message of %d octets", len(m))
			}
		}
		// Whoever has no credentials gets nothing but answers, and not many.
		s, relays := newTURN()
		out := &answers{}
		s.Serve(&turnFuzzConn{readOnlyConn{r: bytes.NewReader(stream)}, out}, nil)
		if len(relays.relays) != 0 || s.Stats().Allocations != 0 {
			t.Error("an allocation without credentials")
		}
		if out.n > (turnStrikes+1)*300 {
			t.Errorf("answered with %d octets", out.n)
		}
		// With an allocation, whatever comes has to be for the peer.
		s, relays = newTURN()
		c := newTURNConn(s, &turnFuzzConn{readOnlyConn{}, &answers{}}, nil)
		c.q = newSendQueue(c.conn)
		c.now = time.Now()
		relay, _ := relays.open("a", nil)
		c.alloc = &allocation{
			c: c, username: "anna", participant: "a", user: &turnUser{}, relay: relay, until: c.now.Add(time.Hour),
			key: pion.NewLongTermIntegrity("anna", TURNRealm, "secret"), channelUntil: c.now.Add(time.Hour),
		}
		c.alloc.channel.Store(0x4000)
		c.alloc.permit(c.now)
		for _, m := range whole {
			if binary.BigEndian.Uint16(m) >= minChannel {
				c.channelData(m)
			} else if c.message(m) != nil {
				break
			}
		}
		c.q.close()
		for _, p := range relays.all() {
			if !bytes.Contains(stream, p) {
				t.Errorf("relayed %x", p)
			}
		}
	})
}

func readTURN(stream []byte, cut int) (got [][]byte, err error) {
	r := turnReader{r: bufio.NewReaderSize(io.MultiReader(bytes.NewReader(stream[:cut]), bytes.NewReader(stream[cut:])), streamBuffer)}
	for {
		b, _, err := r.next()
		if err != nil {
			return got, err
		}
		got = append(got, bytes.Clone(b))
	}
}

// answers counts what is written.
type answers struct{ n int }

type turnFuzzConn struct {
	readOnlyConn
	out *answers
}

func (c *turnFuzzConn) Write(p []byte) (int, error) {
	c.out.n += len(p)
	return len(p), nil
}
