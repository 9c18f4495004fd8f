// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bufio"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/stun/v4"
)

// turnUsers is a TURNAuth; anybody's password is "secret".
type turnUsers map[string]TURNUser

func (u turnUsers) TURNUser(username string) (TURNUser, bool) {
	user, ok := u[username]
	user.Password = "secret"
	return user, ok
}

// turnRelays makes relays and keeps them.
type turnRelays struct {
	mu     sync.Mutex
	relays []*relaySpy
	of     []string
	refuse bool
}

func (r *turnRelays) open(participant string, deliver func([]byte) bool) (Relay, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse {
		return nil, errors.New("not there")
	}
	relay := &relaySpy{deliver: deliver}
	r.relays, r.of = append(r.relays, relay), append(r.of, participant)
	return relay, nil
}

// all returns what all relays got.
func (r *turnRelays) all() (got [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, relay := range r.relays {
		got = append(got, relay.packets()...)
	}
	return got
}

func (r *turnRelays) last() *relaySpy {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.relays[len(r.relays)-1]
}

// newTURN returns a server whose users are "anna" and "bert", and "old", whose
// time is over.
func newTURN() (*TURN, *turnRelays) {
	relays := &turnRelays{}
	later := time.Now().Add(5 * time.Minute)
	users := turnUsers{
		"anna": {Participant: "a", Expires: later},
		"bert": {Participant: "b", Expires: later},
		"old":  {Participant: "o", Expires: time.Now()},
	}
	return NewTURN(users, relays.open), relays
}

// turnClient speaks TURN over conn.
type turnClient struct {
	t                        testing.TB
	conn                     net.Conn
	r                        turnReader
	user, pass, realm, nonce string
	unsigned                 bool
	done                     chan error // the result of Serve
}

// dialTURN connects a client over a pipe.
func dialTURN(t testing.TB, s *TURN, user string) *turnClient {
	near, far := net.Pipe()
	c := &turnClient{t: t, conn: near, user: user, pass: "secret", realm: TURNRealm, done: make(chan error, 1)}
	c.r.r = bufio.NewReaderSize(near, streamBuffer)
	go func() { c.done <- s.Serve(far, nil) }()
	return c
}

func (c *turnClient) build(class pion.MessageClass, method pion.Method, attrs ...pion.Setter) *pion.Message {
	c.t.Helper()
	setters := append([]pion.Setter{pion.TransactionID, pion.NewType(method, class)}, attrs...)
	if c.nonce != "" && !c.unsigned && class == pion.ClassRequest {
		setters = append(setters, pion.NewUsername(c.user), pion.NewRealm(c.realm), pion.NewNonce(c.nonce),
			pion.NewLongTermIntegrity(c.user, c.realm, c.pass))
	}
	m, err := pion.Build(append(setters, pion.Fingerprint)...)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// ask sends a request and returns the answer.
func (c *turnClient) ask(method pion.Method, attrs ...pion.Setter) *pion.Message {
	c.t.Helper()
	m := c.build(pion.ClassRequest, method, attrs...)
	if _, err := c.conn.Write(m.Raw); err != nil {
		c.t.Fatalf("%v: %v", method, err)
	}
	b, isChannel, err := c.r.next()
	if err != nil || isChannel {
		c.t.Fatalf("%v: %v", method, err)
	}
	answer := new(pion.Message)
	if _, err := answer.Write(b); err != nil {
		c.t.Fatal(err)
	}
	if answer.TransactionID != m.TransactionID || answer.Type.Method != method {
		c.t.Fatalf("answer to another request: %v", answer)
	}
	if answer.Contains(pion.AttrSoftware) {
		c.t.Error("the answer has SOFTWARE")
	}
	var nonce pion.Nonce
	if nonce.GetFrom(answer) == nil {
		c.nonce = nonce.String()
	}
	if answer.Type.Class == pion.ClassSuccessResponse && method != pion.MethodBinding {
		if err := pion.NewLongTermIntegrity(c.user, c.realm, c.pass).Check(answer); err != nil {
			c.t.Errorf("%v: %v", method, err)
		}
	}
	return answer
}

// code returns the error code of an answer, 0 for success.
func code(m *pion.Message) int {
	var e pion.ErrorCodeAttribute
	if e.GetFrom(m) != nil {
		return 0
	}
	return int(e.Code)
}

var udpTransport = rawAttr{pion.AttrRequestedTransport, []byte{protocolUDP, 0, 0, 0}}

type rawAttr struct {
	kind  pion.AttrType
	value []byte
}

func (a rawAttr) AddTo(m *pion.Message) error {
	m.Add(a.kind, a.value)
	return nil
}

// peerAttr is XOR-PEER-ADDRESS. Unlike pion's it leaves IPv4 in its IPv6-mapped
// form as it is.
type peerAttr netip.AddrPort

func (a peerAttr) AddTo(m *pion.Message) error {
	addr := netip.AddrPort(a)
	ip := addr.Addr().AsSlice()
	key := append(binary.BigEndian.AppendUint32(nil, stunCookie), m.TransactionID[:]...)
	for i := range ip {
		ip[i] ^= key[i]
	}
	family := uint16(familyIPv4)
	if len(ip) > 4 {
		family = familyIPv6
	}
	v := binary.BigEndian.AppendUint16(nil, family)
	v = binary.BigEndian.AppendUint16(v, addr.Port()^stunCookie>>16)
	m.Add(pion.AttrXORPeerAddress, append(v, ip...))
	return nil
}

func channelAttr(n uint16) pion.Setter {
	return rawAttr{pion.AttrChannelNumber, append(binary.BigEndian.AppendUint16(nil, n), 0, 0)}
}

// allocate makes an allocation, through the challenge.
func (c *turnClient) allocate() {
	c.t.Helper()
	if c.nonce == "" {
		if got := code(c.ask(pion.MethodAllocate, udpTransport)); got != 401 {
			c.t.Fatalf("without credentials: %d", got)
		}
	}
	if got := code(c.ask(pion.MethodAllocate, udpTransport)); got != 0 {
		c.t.Fatalf("allocating: %d", got)
	}
}

func (c *turnClient) must(method pion.Method, attrs ...pion.Setter) {
	c.t.Helper()
	if got := code(c.ask(method, attrs...)); got != 0 {
		c.t.Fatalf("%v: %d", method, got)
	}
}

func (c *turnClient) sendIndication(to netip.AddrPort, data []byte, more ...pion.Setter) {
	c.t.Helper()
	attrs := append([]pion.Setter{peerAttr(to), rawAttr{pion.AttrData, data}}, more...)
	if _, err := c.conn.Write(c.build(pion.ClassIndication, pion.MethodSend, attrs...).Raw); err != nil {
		c.t.Fatal(err)
	}
}

func (c *turnClient) sendChannel(number uint16, data []byte) {
	c.t.Helper()
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, number), uint16(len(data)))
	b = append(append(b, data...), make([]byte, -len(data)&3)...)
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// sync waits until the server has worked off everything before.
func (c *turnClient) sync() {
	c.t.Helper()
	c.must(pion.MethodRefresh)
}
