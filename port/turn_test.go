// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"

	pion "github.com/pion/stun/v4"
)

func TestTURNAllocate(t *testing.T) {
	leakFree(t)
	s, relays := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	challenge := c.ask(pion.MethodAllocate, udpTransport)
	var realm pion.Realm
	if code(challenge) != 401 || realm.GetFrom(challenge) != nil || realm.String() != TURNRealm || c.nonce == "" {
		t.Fatalf("challenge: %v", challenge)
	}
	m := c.ask(pion.MethodAllocate, udpTransport)
	var relayed, mapped pion.XORMappedAddress
	lifetime, err := m.Get(pion.AttrLifetime)
	if code(m) != 0 || err != nil || binary.BigEndian.Uint32(lifetime) != 600 {
		t.Errorf("%v, lifetime %x", m, lifetime)
	}
	if err := relayed.GetFromAs(m, pion.AttrXORRelayedAddress); err != nil {
		t.Error(err)
	}
	if err := mapped.GetFrom(m); err != nil {
		t.Error(err)
	}
	if !netip.MustParsePrefix("198.19.0.0/16").Contains(netip.AddrFrom4([4]byte(relayed.IP.To4()))) || relayed.Port < 49152 {
		t.Errorf("relayed address %v", relayed)
	}
	if len(relays.of) != 1 || relays.of[0] != "a" || s.Stats().Allocations != 1 {
		t.Errorf("relays of %v, %+v", relays.of, s.Stats())
	}
	if got := code(c.ask(pion.MethodAllocate, udpTransport)); got != 437 {
		t.Errorf("a second allocation: %d", got)
	}
	refresh := c.ask(pion.MethodRefresh, lifetimeAttr(0))
	if lifetime, err := refresh.Get(pion.AttrLifetime); err != nil || binary.BigEndian.Uint32(lifetime) != 0 {
		t.Errorf("ending the allocation: %v", refresh)
	}
	if relays.last().closed != 1 || s.Stats().Allocations != 0 {
		t.Errorf("closed %d times, %+v", relays.last().closed, s.Stats())
	}
	if got := code(c.ask(pion.MethodRefresh)); got != 437 {
		t.Errorf("refreshing nothing: %d", got)
	}
	c.allocate()
	c.conn.Close()
	if err := <-c.done; err != nil {
		t.Error(err)
	}
	if relays.last().closed != 1 || s.Stats().Allocations != 0 || len(s.users) != 0 || len(s.conns) != 0 {
		t.Errorf("left behind: %+v, %v", s.Stats(), s.users)
	}
}

func TestTURNRelayedAddressesDiffer(t *testing.T) {
	s := NewTURN(turnUsers{}, nil)
	seen := map[netip.AddrPort]bool{}
	for range 1 << 17 {
		a := s.relayedAddr()
		if seen[a] || !netip.MustParsePrefix("198.19.0.0/16").Contains(a.Addr()) || a.Port() < 49152 {
			t.Fatalf("relayed address %v", a)
		}
		seen[a] = true
	}
}

func TestTURNRefusesAllocation(t *testing.T) {
	leakFree(t)
	token := rawAttr{pion.AttrReservationToken, make([]byte, 8)}
	even := rawAttr{pion.AttrEvenPort, []byte{0x80}}
	family := func(n byte) pion.Setter { return rawAttr{pion.AttrRequestedAddressFamily, []byte{n, 0, 0, 0}} }
	for _, c := range []struct {
		name  string
		attrs []pion.Setter
		want  int
	}{
		{"no transport", nil, 400},
		{"short transport", []pion.Setter{rawAttr{pion.AttrRequestedTransport, []byte{protocolUDP}}}, 400},
		{"TCP", []pion.Setter{rawAttr{pion.AttrRequestedTransport, []byte{6, 0, 0, 0}}}, 442},
		{"IPv4", []pion.Setter{udpTransport, family(familyIPv4)}, 0},
		{"IPv6", []pion.Setter{udpTransport, family(familyIPv6)}, 440},
		{"unknown family", []pion.Setter{udpTransport, family(9)}, 440},
		{"malformed family", []pion.Setter{udpTransport, rawAttr{pion.AttrRequestedAddressFamily, []byte{1}}}, 400},
		{"even port", []pion.Setter{udpTransport, even}, 508},
		{"reservation", []pion.Setter{udpTransport, token}, 508},
		{"both", []pion.Setter{udpTransport, even, token}, 400},
		{"reservation and family", []pion.Setter{udpTransport, token, family(familyIPv4)}, 400},
		{"do not fragment", []pion.Setter{udpTransport, rawAttr{pion.AttrDontFragment, nil}}, 420},
		{"unknown attribute", []pion.Setter{udpTransport, rawAttr{0x7abc, []byte("what")}}, 420},
		{"optional attribute", []pion.Setter{udpTransport, rawAttr{0xC057, []byte("what")}}, 0},
		{"any lifetime", []pion.Setter{udpTransport, lifetimeAttr(7200)}, 0},
	} {
		s, relays := newTURN()
		client := dialTURN(t, s, "anna")
		client.ask(pion.MethodAllocate, udpTransport)
		m := client.ask(pion.MethodAllocate, c.attrs...)
		if got := code(m); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if c.want == 420 && !m.Contains(pion.AttrUnknownAttributes) {
			t.Errorf("%s: which is not said", c.name)
		}
		if v, err := m.Get(pion.AttrLifetime); err == nil && binary.BigEndian.Uint32(v) != 600 {
			t.Errorf("%s: lifetime %x", c.name, v)
		}
		if c.want != 0 && (len(relays.relays) != 0 || s.Stats().Allocations != 0) {
			t.Errorf("%s: there is a relay", c.name)
		}
		s.Close()
	}
}

// The media plane has the last word.
func TestTURNRelayRefused(t *testing.T) {
	leakFree(t)
	s, relays := newTURN()
	defer s.Close()
	relays.refuse = true
	c := dialTURN(t, s, "anna")
	c.ask(pion.MethodAllocate, udpTransport)
	for range turnPerParticipant + 1 {
		if got := code(c.ask(pion.MethodAllocate, udpTransport)); got != 508 {
			t.Errorf("got %d", got)
		}
	}
	relays.refuse = false
	c.allocate()
}

func TestTURNCredentials(t *testing.T) {
	leakFree(t)
	for _, c := range []struct {
		name string
		set  func(*turnClient)
		want int
	}{
		{"good", func(*turnClient) {}, 0},
		{"unknown user", func(c *turnClient) { c.user = "eve" }, 401},
		{"wrong password", func(c *turnClient) { c.pass = "guess" }, 401},
		{"no password", func(c *turnClient) { c.pass = "" }, 401},
		{"another's name", func(c *turnClient) { c.user, c.pass = "bert", "anna" }, 401},
		{"expired", func(c *turnClient) { c.user = "old" }, 401},
		{"another realm", func(c *turnClient) { c.realm = "example.org" }, 401},
		{"forged nonce", func(c *turnClient) { c.nonce = "AAAAAAAAAAAAAAAAAAAAAAAAAA" }, 438},
		{"unsigned", func(c *turnClient) { c.unsigned = true }, 401},
	} {
		s, relays := newTURN()
		client := dialTURN(t, s, "anna")
		client.ask(pion.MethodAllocate, udpTransport)
		c.set(client)
		if got := code(client.ask(pion.MethodAllocate, udpTransport)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if n := len(relays.relays); (n == 1) != (c.want == 0) {
			t.Errorf("%s: %d relays", c.name, n)
		}
		s.Close()
	}
}

// What is missing beside a signature is the client's mistake.
func TestTURNIncompleteCredentials(t *testing.T) {
	leakFree(t)
	s, _ := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	c.ask(pion.MethodAllocate, udpTransport)
	key := pion.NewLongTermIntegrity("anna", TURNRealm, "secret")
	parts := []pion.Setter{pion.NewUsername("anna"), pion.NewRealm(TURNRealm), pion.NewNonce(c.nonce)}
	c.unsigned = true
	for i := range parts {
		attrs := []pion.Setter{udpTransport}
		for j, part := range parts {
			if i != j {
				attrs = append(attrs, part)
			}
		}
		if got := code(c.ask(pion.MethodAllocate, append(attrs, key)...)); got != 400 {
			t.Errorf("without %T: %d", parts[i], got)
		}
	}
}

// An allocation belongs to the username that made it.
func TestTURNAnotherUser(t *testing.T) {
	leakFree(t)
	s, _ := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	c.allocate()
	c.user = "bert"
	for _, method := range []pion.Method{pion.MethodRefresh, pion.MethodCreatePermission, pion.MethodAllocate} {
		if got := code(c.ask(method, peerAttr(VirtualPeer))); got != 441 {
			t.Errorf("%v: %d", method, got)
		}
	}
	c.user, c.pass = "anna", "guess"
	if got := code(c.ask(pion.MethodRefresh)); got != 401 {
		t.Errorf("wrong password: %d", got)
	}
}

// A nonce is of no use on another connection.
func TestTURNNonceIsTheConnections(t *testing.T) {
	leakFree(t)
	s, _ := newTURN()
	defer s.Close()
	a, b := dialTURN(t, s, "anna"), dialTURN(t, s, "anna")
	a.ask(pion.MethodAllocate, udpTransport)
	b.nonce = a.nonce
	if got := code(b.ask(pion.MethodAllocate, udpTransport)); got != 438 {
		t.Errorf("got %d", got)
	}
	b.allocate()
}

// The patience with a client without credentials ends.
func TestTURNPatience(t *testing.T) {
	leakFree(t)
	for _, kind := range []string{"unsigned", "wrong", "binding", "unknown method"} {
		s, _ := newTURN()
		c := dialTURN(t, s, "anna")
		c.unsigned = kind == "unsigned"
		c.pass = "guess"
		method := pion.MethodAllocate
		switch kind {
		case "binding":
			method = pion.MethodBinding
		case "unknown method":
			method = pion.MethodConnect
		}
		answers := 0
		for {
			m := c.build(pion.ClassRequest, method)
			if _, err := c.conn.Write(m.Raw); err != nil {
				break
			}
			b, _, err := c.r.next()
			if err != nil {
				break
			}
			answer := new(pion.Message)
			answer.Write(b)
			var nonce pion.Nonce
			if nonce.GetFrom(answer) == nil {
				c.nonce = nonce.String()
			}
			answers++
		}
		if answers != turnStrikes+1 {
			t.Errorf("%s: %d answers", kind, answers)
		}
		if err := <-c.done; !errors.Is(err, errTURNEnd) {
			t.Errorf("%s: %v", kind, err)
		}
		s.Close()
	}
}

func TestTURNBinding(t *testing.T) {
	leakFree(t)
	s, _ := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	m := c.ask(pion.MethodBinding)
	var mapped pion.XORMappedAddress
	if err := mapped.GetFrom(m); err != nil || code(m) != 0 {
		t.Errorf("%v, %v", m, err)
	}
	if got := code(c.ask(pion.MethodBinding, rawAttr{0x7abc, nil})); got != 420 {
		t.Errorf("unknown attribute: %d", got)
	}
	c.unsigned = true
	for _, method := range []pion.Method{pion.MethodConnect, pion.MethodConnectionBind, 0x123} {
		if got := code(c.ask(method)); got != 400 {
			t.Errorf("%v: %d", method, got)
		}
	}
}

// Packets of every length go both ways, as indications and in a channel.
func TestTURNRelays(t *testing.T) {
	leakFree(t)
	s, relays := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	c.allocate()
	relay := relays.last()
	c.sendIndication(VirtualPeer, []byte("early"))
	if relay.deliver([]byte("early")) {
		t.Error("delivered without a permission")
	}
	c.must(pion.MethodCreatePermission, peerAttr(VirtualPeer))
	var want [][]byte
	packet := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, n) }
	sizes := []int{1, 2, 3, 4, 5, 1199, 1200, MaxDatagram - 1, MaxDatagram}
	for _, n := range sizes {
		c.sendIndication(VirtualPeer, packet(n))
		want = append(want, packet(n))
	}
	c.sendIndication(VirtualPeer, []byte("whole"), rawAttr{pion.AttrDontFragment, nil})
	c.sendIndication(VirtualPeer, packet(MaxDatagram+1))
	c.sync()
	if got := relays.all(); !samePackets(got, want) {
		t.Fatalf("got %d packets, want %d", len(got), len(want))
	}
	for _, n := range sizes {
		if !relay.deliver(packet(n)) {
			t.Fatalf("%d octets not delivered", n)
		}
		testDataIndication(t, c, packet(n))
	}
	c.must(pion.MethodChannelBind, channelAttr(0x4001), peerAttr(VirtualPeer))
	for _, n := range sizes {
		c.sendChannel(0x4001, packet(n))
		want = append(want, packet(n))
		if !relay.deliver(packet(n)) {
			t.Fatalf("%d octets not delivered", n)
		}
		b, isChannel, err := c.r.next()
		if err != nil || !isChannel || binary.BigEndian.Uint16(b) != 0x4001 || !bytes.Equal(b[channelHeader:], packet(n)) {
			t.Fatalf("got %x, %v", b, err)
		}
	}
	c.sendChannel(0x4002, []byte("not bound"))
	c.sync()
	if got := relays.all(); !samePackets(got, want) {
		t.Fatalf("got %d packets, want %d", len(got), len(want))
	}
	if relay.deliver(packet(MaxDatagram + 1)) {
		t.Error("delivered too long a packet")
	}
	if got := s.Stats(); got.Dropped != 2 || got.Denied != 0 {
		t.Errorf("%+v", got)
	}
	// A relay of the past has no part in the next allocation.
	c.must(pion.MethodRefresh, lifetimeAttr(0))
	c.allocate()
	c.must(pion.MethodCreatePermission, peerAttr(VirtualPeer))
	if relay.deliver([]byte("late")) || !relays.last().deliver([]byte("new")) {
		t.Error("the wrong relay delivers")
	}
}

// Messages that come at once do not get into each other's way.
func TestTURNPipelined(t *testing.T) {
	leakFree(t)
	s, relays := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	c.allocate()
	sign := []pion.Setter{
		pion.NewUsername(c.user), pion.NewRealm(c.realm), pion.NewNonce(c.nonce),
		pion.NewLongTermIntegrity(c.user, c.realm, c.pass),
	}
	var all []byte
	for range 5 {
		m := pion.MustBuild(append([]pion.Setter{
			pion.TransactionID, pion.NewType(pion.MethodChannelBind, pion.ClassRequest), channelAttr(0x4000), peerAttr(VirtualPeer),
		}, sign...)...)
		all = append(append(all, m.Raw...), 0x40, 0, 0, 5, 'v', 'o', 'i', 'c', 'e', 0, 0, 0)
	}
	go c.conn.Write(all) // ends when it has been read
	for range 5 {
		b, _, err := c.r.next()
		if err != nil {
			t.Fatal(err)
		}
		answer := new(pion.Message)
		if _, err := answer.Write(b); err != nil || code(answer) != 0 {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	c.sync()
	if got := relays.all(); len(got) != 5 || string(got[4]) != "voice" {
		t.Errorf("got %q", got)
	}
}

func testDataIndication(t *testing.T, c *turnClient, want []byte) {
	t.Helper()
	b, isChannel, err := c.r.next()
	if err != nil || isChannel {
		t.Fatal(err)
	}
	m := new(pion.Message)
	if _, err := m.Write(b); err != nil {
		t.Fatal(err)
	}
	var peer pion.XORMappedAddress
	if err := peer.GetFromAs(m, pion.AttrXORPeerAddress); err != nil {
		t.Fatal(err)
	}
	data, err := m.Get(pion.AttrData)
	if err != nil || !bytes.Equal(data, want) || m.Type != pion.NewType(pion.MethodData, pion.ClassIndication) ||
		peer.String() != VirtualPeer.String() {
		t.Fatalf("%v from %v: %d octets, %v; want %d", m.Type, peer, len(data), err, len(want))
	}
}

func TestTURNChannelBind(t *testing.T) {
	leakFree(t)
	s, _ := newTURN()
	defer s.Close()
	c := dialTURN(t, s, "anna")
	c.ask(pion.MethodAllocate, udpTransport)
	if got := code(c.ask(pion.MethodChannelBind, channelAttr(0x4000), peerAttr(VirtualPeer))); got != 437 {
		t.Errorf("without an allocation: %d", got)
	}
	if got := code(c.ask(pion.MethodCreatePermission, peerAttr(VirtualPeer))); got != 437 {
		t.Errorf("without an allocation: %d", got)
	}
	c.allocate()
	for _, step := range []struct {
		name  string
		attrs []pion.Setter
		want  int
	}{
		{"no channel", []pion.Setter{peerAttr(VirtualPeer)}, 400},
		{"no peer", []pion.Setter{channelAttr(0x4000)}, 400},
		{"malformed peer", []pion.Setter{channelAttr(0x4000), rawAttr{pion.AttrXORPeerAddress, []byte{0, 1, 0}}}, 400},
		{"malformed channel", []pion.Setter{rawAttr{pion.AttrChannelNumber, []byte{0x40}}, peerAttr(VirtualPeer)}, 400},
		{"too low", []pion.Setter{channelAttr(0x3fff), peerAttr(VirtualPeer)}, 400},
		{"too high", []pion.Setter{channelAttr(0x5000), peerAttr(VirtualPeer)}, 400},
		{"bound", []pion.Setter{channelAttr(0x4fff), peerAttr(VirtualPeer)}, 0},
		{"again", []pion.Setter{channelAttr(0x4fff), peerAttr(VirtualPeer)}, 0},
		{"another number", []pion.Setter{channelAttr(0x4000), peerAttr(VirtualPeer)}, 400},
	} {
		if got := code(c.ask(pion.MethodChannelBind, step.attrs...)); got != step.want {
			t.Errorf("%s: %d, want %d", step.name, got, step.want)
		}
	}
	if got := code(c.ask(pion.MethodCreatePermission)); got != 400 {
		t.Errorf("a permission for nobody: %d", got)
	}
	if got := code(c.ask(pion.MethodRefresh, rawAttr{pion.AttrRequestedAddressFamily, []byte{familyIPv6, 0, 0, 0}})); got != 443 {
		t.Errorf("refreshing another family: %d", got)
	}
	if got := code(c.ask(pion.MethodRefresh, rawAttr{pion.AttrLifetime, []byte{1}})); got != 400 {
		t.Errorf("malformed lifetime: %d", got)
	}
}

func TestTURNQuota(t *testing.T) {
	leakFree(t)
	s, _ := newTURN()
	defer s.Close()
	var clients []*turnClient
	for range 50 {
		c := dialTURN(t, s, "anna")
		c.ask(pion.MethodAllocate, udpTransport)
		want := 486
		if len(clients) < turnPerParticipant {
			want = 0
			clients = append(clients, c)
		}
		if got := code(c.ask(pion.MethodAllocate, udpTransport)); got != want {
			t.Fatalf("allocation %d: %d, want %d", len(clients), got, want)
		}
	}
	dialTURN(t, s, "bert").allocate()
	clients[0].conn.Close()
	<-clients[0].done
	dialTURN(t, s, "anna").allocate()
	if got := s.Stats(); got.OverQuota != 46 || got.Allocations != turnPerParticipant+1 {
		t.Errorf("%+v", got)
	}
}

func TestTURNRevoke(t *testing.T) {
	leakFree(t)
	s, relays := newTURN()
	anna, other, bert := dialTURN(t, s, "anna"), dialTURN(t, s, "anna"), dialTURN(t, s, "bert")
	anna.allocate()
	other.allocate()
	bert.allocate()
	s.Revoke("a")
	s.Revoke("nobody")
	<-anna.done
	<-other.done
	bert.sync()
	if relays.relays[0].closed != 1 || relays.relays[1].closed != 1 || relays.relays[2].closed != 0 {
		t.Error("the wrong relays are closed")
	}
	s.Close()
	<-bert.done
	late := dialTURN(t, s, "bert")
	if err := <-late.done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
