// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/turn/v5"
	"github.com/pion/webrtc/v4"
)

// turnSink is a Sink that runs the TURN server.
type turnSink struct{ turn *TURN }

func (turnSink) Datagrams(*Socket, []Datagram)     {}
func (turnSink) Known(netip.AddrPort) bool         { return false }
func (turnSink) Stream(conn net.Conn, _ []byte)    { conn.Close() }
func (s turnSink) TLS(conn net.Conn, first []byte) { s.turn.Serve(conn, first) }

// turnSite is an HTTPS server whose listener also serves TURN.
func turnSite(t *testing.T, s *TURN) (addr string) {
	h := new(Hub)
	detach := h.Attach(turnSink{s})
	under := tcpListener(t)
	ln := h.WrapAfterTLS(tls.NewListener(h.WrapBeforeTLS(under), &tls.Config{
		Certificates: []tls.Certificate{selfSigned()}, NextProtos: []string{"h2", "http/1.1"},
	}))
	server := &http.Server{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(ln)
	}()
	t.Cleanup(func() {
		detach()
		server.Close()
		<-served
		s.Close()
	})
	return under.Addr().String()
}

func TestTURNInteropPion(t *testing.T) {
	leakFree(t)
	s, relays := newTURN()
	addr := turnSite(t, s)
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: addr, TURNServerAddr: addr, Username: "anna", Password: "secret",
		Conn: turn.NewSTUNConn(conn), LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	defer client.Close()
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	if mapped, err := client.SendBindingRequest(); err != nil || mapped.String() != conn.LocalAddr().String() {
		t.Errorf("our address is %v, %v; it is %v", mapped, err, conn.LocalAddr())
	}
	if _, err := client.AllocateTCP(); err == nil {
		t.Error("a relay over TCP")
	}
	relayed, err := client.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	if !startsWith(relayed.LocalAddr().String(), "198.19.") {
		t.Errorf("relayed address %v", relayed.LocalAddr())
	}
	relays.last().echo = true
	peer := net.UDPAddrFromAddrPort(VirtualPeer)
	buf := make([]byte, 2*MaxDatagram)
	for i := range 50 {
		// The first go as indications, the others through a channel.
		packet := bytes.Repeat([]byte{byte(i)}, 20+i*20) // pion waits for more after shorter frames
		if _, err := relayed.WriteTo(packet, peer); err != nil {
			t.Fatal(err)
		}
		relayed.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, from, err := relayed.ReadFrom(buf)
		if err != nil || !bytes.Equal(buf[:n], packet) || from.String() != VirtualPeer.String() {
			t.Fatalf("packet %d: %d octets from %v, %v", i, n, from, err)
		}
		time.Sleep(time.Millisecond)
	}
	if _, err := relayed.WriteTo([]byte("leak"), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2999}); err == nil {
		t.Error("sent to another peer")
	}
	if got := relays.all(); len(got) != 50 {
		t.Errorf("%d packets", len(got))
	}
	if err := relayed.Close(); err != nil {
		t.Error(err)
	}
	await(t, func() bool { return s.Stats().Allocations == 0 })
}

// memoryNet is a socket on VirtualPeer whose network is the TURN server.
type memoryNet struct {
	in   chan memoryPacket
	done chan struct{}
	once sync.Once

	mu    sync.Mutex
	links map[netip.AddrPort]func([]byte) bool
	next  byte
}

type memoryPacket struct {
	b    []byte
	from netip.AddrPort
}

type memoryLink struct {
	net  *memoryNet
	addr netip.AddrPort
}

func newMemoryNet() *memoryNet {
	return &memoryNet{
		in: make(chan memoryPacket, 1000), done: make(chan struct{}), links: make(map[netip.AddrPort]func([]byte) bool),
	}
}

func (m *memoryNet) open(_ string, deliver func([]byte) bool) (Relay, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{240, 0, 0, m.next}), 1)
	m.links[addr] = deliver
	return &memoryLink{m, addr}, nil
}

func (l *memoryLink) Send(b []byte) bool {
	select {
	case l.net.in <- memoryPacket{bytes.Clone(b), l.addr}:
		return true
	default:
		return false
	}
}

func (l *memoryLink) Close() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	delete(l.net.links, l.addr)
}

func (m *memoryNet) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case packet := <-m.in:
		return copy(p, packet.b), net.UDPAddrFromAddrPort(packet.from), nil
	case <-m.done:
		return 0, nil, net.ErrClosed
	}
}

func (m *memoryNet) WriteTo(p []byte, addr net.Addr) (int, error) {
	m.mu.Lock()
	deliver := m.links[addr.(*net.UDPAddr).AddrPort()]
	m.mu.Unlock()
	if deliver != nil {
		deliver(p)
	}
	return len(p), nil
}

func (m *memoryNet) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

func (m *memoryNet) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(VirtualPeer) }
func (m *memoryNet) SetDeadline(time.Time) error      { return nil }
func (m *memoryNet) SetReadDeadline(time.Time) error  { return nil }
func (m *memoryNet) SetWriteDeadline(time.Time) error { return nil }

// peerOn returns a PeerConnection with settings of its own.
func peerOn(t *testing.T, cfg webrtc.Configuration, set func(*webrtc.SettingEngine)) *webrtc.PeerConnection {
	t.Helper()
	engine := webrtc.SettingEngine{LoggerFactory: &logging.DefaultLoggerFactory{Writer: os.Stderr, DefaultLogLevel: logging.LogLevelDisabled}}
	set(&engine)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(engine)).NewPeerConnection(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// connect exchanges descriptions with all their candidates.
func connect(t *testing.T, offerer, answerer *webrtc.PeerConnection) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	gathered := webrtc.GatheringCompletePromise(offerer)
	offer, err := offerer.CreateOffer(nil)
	must(err)
	must(offerer.SetLocalDescription(offer))
	<-gathered
	must(answerer.SetRemoteDescription(*offerer.LocalDescription()))
	gathered = webrtc.GatheringCompletePromise(answerer)
	answer, err := answerer.CreateAnswer(nil)
	must(err)
	must(answerer.SetLocalDescription(answer))
	<-gathered
	must(offerer.SetRemoteDescription(*answerer.LocalDescription()))
}

// tlsDialer brings the client's connection into TLS with the site, whose
// certificate it has no other way to trust.
type tlsDialer struct{}

func (tlsDialer) Dial(network, addr string) (net.Conn, error) {
	return tls.Dial(network, addr, &tls.Config{InsecureSkipVerify: true})
}

// A WebRTC client that may only relay reaches the media plane over TLS on the
// port of the website.
func TestTURNInteropWebRTC(t *testing.T) {
	leakFree(t)
	memory := newMemoryNet()
	s := NewTURN(turnUsers{"anna": {Participant: "a", Expires: time.Now().Add(time.Minute)}}, memory.open)
	addr := turnSite(t, s)

	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: memory})
	defer mux.Close()
	plane := peerOn(t, webrtc.Configuration{}, func(e *webrtc.SettingEngine) {
		e.SetICEUDPMux(mux)
		e.SetLite(true)
		e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	})
	defer plane.GracefulClose()
	client := peerOn(t, webrtc.Configuration{
		ICETransportPolicy: webrtc.ICETransportPolicyRelay,
		ICEServers: []webrtc.ICEServer{{
			URLs: []string{"turns:" + addr + "?transport=tcp"}, Username: "anna", Credential: "secret",
		}},
	}, func(e *webrtc.SettingEngine) {
		e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
		e.SetICEProxyDialer(tlsDialer{})
	})
	defer client.GracefulClose()

	plane.OnDataChannel(func(d *webrtc.DataChannel) {
		d.OnMessage(func(m webrtc.DataChannelMessage) { d.Send(m.Data) })
	})
	channel, err := client.CreateDataChannel("echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	opened, echoed := make(chan struct{}), make(chan []byte, 100)
	channel.OnOpen(func() { close(opened) })
	channel.OnMessage(func(m webrtc.DataChannelMessage) { echoed <- m.Data })
	begin := time.Now()
	connect(t, client, plane)
	if err := within(opened, 15*time.Second); err != nil {
		t.Fatalf("no connection: %v, %+v", err, s.Stats())
	}
	t.Logf("connected after %v", time.Since(begin))
	for i := range 20 {
		message := bytes.Repeat([]byte{byte(i)}, 1+i*1000)
		if err := channel.Send(message); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-echoed:
			if !bytes.Equal(got, message) {
				t.Fatalf("message %d came back as %d octets", i, len(got))
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("message %d did not come back", i)
		}
	}
	pair, err := client.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil {
		t.Fatal(err)
	}
	if pair.Local.Typ != webrtc.ICECandidateTypeRelay ||
		fmt.Sprint(pair.Remote.Address, ":", pair.Remote.Port) != VirtualPeer.String() {
		t.Errorf("selected %v", pair)
	}
	if got := s.Stats(); got.Allocations != 1 || got.Denied != 0 || got.Dropped != 0 {
		t.Errorf("%+v", got)
	}
}

func within(done <-chan struct{}, limit time.Duration) error {
	select {
	case <-done:
		return nil
	case <-time.After(limit):
		return errors.New("too late")
	}
}
