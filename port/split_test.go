// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"go.uber.org/goleak"
)

// leakFree fails the test if goroutines that it started outlive it. It comes
// first, so that its check comes last.
func leakFree(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// diverted is a connection that a listener gave to the sink.
type diverted struct {
	conn  net.Conn
	first []byte
}

// tcpSink is a Sink that keeps what it gets until the test is over.
type tcpSink struct {
	streams, tlss chan diverted
	done          chan struct{}
}

func attachSink(t testing.TB, h *Hub) *tcpSink {
	s := &tcpSink{make(chan diverted, 100), make(chan diverted, 100), make(chan struct{})}
	detach := h.Attach(s)
	t.Cleanup(func() {
		detach()
		close(s.done)
	})
	return s
}

func (s *tcpSink) Datagrams(*Socket, []Datagram) {}
func (s *tcpSink) Known(netip.AddrPort) bool     { return false }

func (s *tcpSink) Stream(conn net.Conn, first []byte) { s.keep(s.streams, conn, first) }
func (s *tcpSink) TLS(conn net.Conn, first []byte)    { s.keep(s.tlss, conn, first) }

func (s *tcpSink) keep(to chan diverted, conn net.Conn, first []byte) {
	to <- diverted{conn, first}
	<-s.done
	conn.Close()
}

// next returns what comes next.
func next(t testing.TB, from chan diverted) diverted {
	t.Helper()
	select {
	case d := <-from:
		return d
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was diverted")
		return diverted{}
	}
}

var selfSigned = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"a.example"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// site is an HTTPS server behind the wrappers.
type site struct {
	hub    *Hub
	sink   *tcpSink
	addr   string
	server *http.Server
	native atomic.Int64 // connections that net/http got as *tls.Conn
	wraps  atomic.Int64 // others
}

type siteConfig struct {
	proxyFirst, proxyAfterPre, noPre, noPost bool
}

func tcpListener(t testing.TB) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func newSite(t testing.TB, cfg siteConfig) *site {
	s := &site{hub: new(Hub)}
	s.sink = attachSink(t, s.hub)
	ln := tcpListener(t)
	s.addr = ln.Addr().String()
	trusted := func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) { return proxyproto.REQUIRE, nil }
	if cfg.proxyFirst {
		ln = &proxyproto.Listener{Listener: ln, ConnPolicy: trusted}
	}
	if !cfg.noPre {
		ln = s.hub.WrapBeforeTLS(ln)
	}
	if cfg.proxyAfterPre {
		ln = &proxyproto.Listener{Listener: ln, ConnPolicy: trusted}
	}
	ln = tls.NewListener(ln, &tls.Config{
		Certificates: []tls.Certificate{selfSigned()}, NextProtos: []string{"h2", "http/1.1"},
	})
	if !cfg.noPost {
		ln = s.hub.WrapAfterTLS(ln)
	}
	s.server = &http.Server{
		Handler:           http.HandlerFunc(s.answer),
		ReadHeaderTimeout: 3 * time.Second,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnState: func(c net.Conn, state http.ConnState) {
			if state != http.StateNew {
				return
			}
			if _, ok := c.(*tls.Conn); ok {
				s.native.Add(1)
			} else {
				s.wraps.Add(1)
			}
		},
	}
	s.server.Protocols = new(http.Protocols)
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetHTTP2(true)
	served := make(chan struct{})
	go func() {
		defer close(served)
		s.server.Serve(ln)
	}()
	t.Cleanup(func() {
		s.server.Close()
		<-served
	})
	return s
}

func (s *site) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/hijack" {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		line, _ := rw.ReadString('\n')
		conn.Write([]byte("echo " + line))
		return
	}
	io.WriteString(w, r.Proto+" "+r.RemoteAddr)
}

// dial returns a TLS connection to the site.
func (s *site) dial(t testing.TB, before string, alpn ...string) *tls.Conn {
	t.Helper()
	raw, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	io.WriteString(raw, before)
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: alpn})
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return conn
}

// get asks for a page over conn with HTTP/1.1.
func get(t testing.TB, conn net.Conn) string {
	t.Helper()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	defer conn.SetDeadline(time.Time{})
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fetchH2 fetches a page with HTTP/2.
func (s *site) fetchH2(ctx context.Context) (string, error) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.addr+"/", nil)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

const proxyLine = "PROXY TCP4 192.0.2.77 192.0.2.1 4711 443\r\n"

// Both halves of the split, in every order in which they may stand.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name   string
		cfg    siteConfig
		before string
		from   string
		ice    bool // ICE-TCP is diverted
		turn   bool // TURN is diverted
		native int64
	}{
		{"both", siteConfig{}, "", "127.0.0.1:", true, true, 1},
		{"after TLS only", siteConfig{noPre: true}, "", "127.0.0.1:", false, true, 0},
		{"before TLS only", siteConfig{noPost: true}, "", "127.0.0.1:", true, false, 3},
		{"proxy protocol first", siteConfig{proxyFirst: true}, proxyLine, "192.0.2.77:4711", true, true, 1},
		{"proxy protocol second", siteConfig{proxyAfterPre: true}, proxyLine, "192.0.2.77:4711", false, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			leakFree(t)
			s := newSite(t, c.cfg)
			for _, protocols := range [][]string{{"other", "http/1.1"}, {"http/1.1"}, nil} {
				if got := get(t, s.dial(t, c.before, protocols...)); !startsWith(got, "HTTP/1.1 "+c.from) {
					t.Errorf("with ALPN %q: %q", protocols, got)
				}
			}
			if got := s.native.Load(); got != c.native {
				t.Errorf("%d connections came as *tls.Conn, want %d", got, c.native)
			}
			for _, protocols := range [][]string{nil, {"http/1.1"}} {
				if !c.turn {
					break
				}
				conn := s.dial(t, c.before, protocols...)
				message := bindingFrame(12)[frameHeader:]
				conn.Write(message)
				d := next(t, s.sink.tlss)
				if !bytes.Equal(d.first, message) {
					t.Errorf("first is %x, want %x", d.first, message)
				}
				if got := d.conn.RemoteAddr().String(); !startsWith(got, c.from) {
					t.Errorf("diverted from %s", got)
				}
				talk(t, conn, d.conn)
			}
			if c.ice {
				testICE(t, s, c.before)
			}
		})
	}
}

func startsWith(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

func testICE(t *testing.T, s *site, before string) {
	t.Helper()
	raw, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	frame := bindingFrame(100)
	io.WriteString(raw, before) // has to come at once
	for _, octet := range frame {
		raw.Write([]byte{octet})
	}
	d := next(t, s.sink.streams)
	if !bytes.Equal(d.first, frame[frameHeader:]) {
		t.Errorf("first is %x", d.first)
	}
	talk(t, raw, d.conn)
}

// talk sends something both ways.
func talk(t testing.TB, a, b net.Conn) {
	t.Helper()
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		go way[0].Write([]byte("hello"))
		way[1].SetReadDeadline(time.Now().Add(5 * time.Second))
		got := make([]byte, 5)
		if _, err := io.ReadFull(way[1], got); err != nil || string(got) != "hello" {
			t.Fatalf("got %q, %v", got, err)
		}
		way[1].SetReadDeadline(time.Time{})
	}
}

func TestSplitHTTP2StaysNative(t *testing.T) {
	leakFree(t)
	s := newSite(t, siteConfig{})
	got, err := s.fetchH2(t.Context())
	if err != nil || !startsWith(got, "HTTP/2.0 ") {
		t.Fatalf("got %q, %v", got, err)
	}
	if s.native.Load() != 1 || s.wraps.Load() != 0 {
		t.Errorf("%d native, %d not", s.native.Load(), s.wraps.Load())
	}
}

// A connection without ALPN is as good as any other for HTTP.
func TestSplitHijack(t *testing.T) {
	leakFree(t)
	s := newSite(t, siteConfig{})
	conn := s.dial(t, "")
	io.WriteString(conn, "GET /hijack HTTP/1.1\r\nHost: a.example\r\n\r\n")
	io.WriteString(conn, "line\n")
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if got, err := io.ReadAll(conn); err != nil || string(got) != "echo line\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSplitDivertedOutlivesTheServer(t *testing.T) {
	leakFree(t)
	s := newSite(t, siteConfig{})
	conn := s.dial(t, "")
	message := bindingFrame(0)[frameHeader:]
	// Octet by octet, and with the server's header timeout already running.
	for _, octet := range message {
		conn.Write([]byte{octet})
		time.Sleep(time.Millisecond)
	}
	d := next(t, s.sink.tlss)
	raw, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.Write(bindingFrame(0))
	stream := next(t, s.sink.streams)
	if err := s.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.server.Close()
	first := append(d.first, make([]byte, len(message)-len(d.first))...)
	if _, err := io.ReadFull(d.conn, first[len(d.first):]); err != nil || !bytes.Equal(first, message) {
		t.Errorf("got %x, %v", first, err)
	}
	talk(t, conn, d.conn)
	talk(t, raw, stream.conn)
}

// What the HTTP server does to a connection that is not its own any more has no
// effect.
func TestLazyConnAfterDiverting(t *testing.T) {
	leakFree(t)
	h := new(Hub)
	sink := attachSink(t, h)
	near, far := net.Pipe()
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	lazy := &lazyConn{Conn: tls.Server(far, &tls.Config{Certificates: []tls.Certificate{selfSigned()}}), hub: h}
	soon := time.Now().Add(time.Second)
	lazy.SetDeadline(soon)
	go client.Write(bindingFrame(0)[frameHeader:])
	for range 2 {
		if n, err := lazy.Read(make([]byte, 100)); n != 0 || err != io.EOF {
			t.Fatalf("Read: %d, %v", n, err)
		}
	}
	past := time.Unix(1, 0)
	for _, err := range []error{
		lazy.SetDeadline(past), lazy.SetReadDeadline(past), lazy.SetWriteDeadline(past),
		lazy.CloseWrite(), lazy.Close(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := lazy.Write([]byte("HTTP/1.1 408")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
	time.Sleep(time.Until(soon))
	talk(t, client, next(t, sink.tlss).conn)
	near.Close()
}

// The sink gets no connection that the HTTP server has closed.
func TestLazyConnClosedFirst(t *testing.T) {
	leakFree(t)
	h := new(Hub)
	sink := attachSink(t, h)
	near, far := net.Pipe()
	defer near.Close()
	lazy := &lazyConn{Conn: tls.Server(far, &tls.Config{}), hub: h}
	lazy.Close()
	if err := lazy.divert(sink); !errors.Is(err, net.ErrClosed) || len(sink.tlss) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestLazyConnWithoutSink(t *testing.T) {
	leakFree(t)
	near, far := net.Pipe()
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	lazy := &lazyConn{Conn: tls.Server(far, &tls.Config{Certificates: []tls.Certificate{selfSigned()}}), hub: new(Hub)}
	message := bindingFrame(0)[frameHeader:]
	go client.Write(message)
	got := make([]byte, len(message))
	if _, err := io.ReadFull(lazy, got); err != nil || !bytes.Equal(got, message) {
		t.Errorf("got %x, %v", got, err)
	}
	near.Close()
	lazy.Close()
}

// Closing a connection that is about to be diverted ends it, one way or the
// other, and both at once do no harm.
func TestLazyConnCloseRace(t *testing.T) {
	leakFree(t)
	h := new(Hub)
	sink := attachSink(t, h)
	for range 50 {
		near, far := net.Pipe()
		client := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
		lazy := &lazyConn{Conn: tls.Server(far, &tls.Config{Certificates: []tls.Certificate{selfSigned()}}), hub: h}
		var all sync.WaitGroup
		all.Add(2)
		go func() {
			defer all.Done()
			client.Write(bindingFrame(0)[frameHeader:])
			near.Close()
		}()
		go func() {
			defer all.Done()
			lazy.SetReadDeadline(time.Now().Add(time.Minute))
			lazy.Close()
		}()
		lazy.Read(make([]byte, 100))
		near.Close()
		all.Wait()
		for len(sink.tlss) > 0 {
			<-sink.tlss
		}
	}
}

func TestSplitWithoutSink(t *testing.T) {
	leakFree(t)
	h := new(Hub)
	ln := h.WrapBeforeTLS(tcpListener(t))
	defer ln.Close()
	raw, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.Write(bindingFrame(0))
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := make([]byte, len(bindingFrame(0)))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, bindingFrame(0)) {
		t.Errorf("got %x, %v", got, err)
	}
}

// Before TLS everything that is not ours comes through as it is.
func TestSplitReplays(t *testing.T) {
	leakFree(t)
	h := new(Hub)
	attachSink(t, h)
	ln := h.WrapBeforeTLS(tcpListener(t))
	defer ln.Close()
	for _, c := range openingCases(t) {
		if c.want == openingICE {
			continue
		}
		sent := append(bytes.Clone(c.b), bytes.Repeat([]byte("tail"), 1000)...)
		go func() {
			raw, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				return
			}
			defer raw.Close()
			raw.Write(sent[:len(c.b)/2])
			raw.Write(sent[len(c.b)/2:])
			raw.(*net.TCPConn).CloseWrite()
			io.ReadAll(raw)
		}()
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%s: %d octets, %v; want %d", c.name, len(got), err, len(sent))
		}
		if err := conn.(*replayConn).CloseWrite(); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

// Connections that a closing listener has not handed out yet come out of its
// successor.
func TestSplitSuccessor(t *testing.T) {
	leakFree(t)
	h := new(Hub)
	under := &stubListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	old := h.WrapBeforeTLS(under)
	accepted := make(chan error)
	go func() {
		_, err := old.Accept()
		accepted <- err
	}()
	near, far := net.Pipe()
	defer near.Close()
	under.conns <- far
	near.Write([]byte{recordHandshake})
	fresh := h.WrapBeforeTLS(&stubListener{conns: make(chan net.Conn), done: make(chan struct{})})
	defer fresh.Close()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := old.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	hello := clientHello(t, &tls.Config{})
	go near.Write(hello[1:])
	conn, err := fresh.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := make([]byte, len(hello))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, hello) {
		t.Errorf("got %x, %v", got, err)
	}
}

// stubListener is a listener on 192.0.2.1:443.
type stubListener struct {
	conns chan net.Conn
	errs  chan error
	once  sync.Once
	done  chan struct{}
}

func (l *stubListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case err := <-l.errs:
		return nil, err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *stubListener) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
}

func (l *stubListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func TestSplitAcceptErrors(t *testing.T) {
	leakFree(t)
	h := new(Hub)
	under := &stubListener{conns: make(chan net.Conn, 1), errs: make(chan error, 1), done: make(chan struct{})}
	ln := h.WrapAfterTLS(under)
	if got := h.TCPPorts(); len(got) != 0 {
		t.Errorf("TCPPorts with one half: %v", got)
	}
	pre := h.WrapBeforeTLS(&stubListener{done: make(chan struct{})})
	if got := h.TCPPorts(); !slices.Equal(got, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:443")}) {
		t.Errorf("TCPPorts: %v", got)
	}
	full := errors.New("too many open files")
	under.errs <- full
	if _, err := ln.Accept(); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	near, far := net.Pipe()
	defer near.Close()
	under.conns <- far
	if conn, err := ln.Accept(); err != nil || conn != far {
		t.Errorf("without TLS: got %T, %v", conn, err)
	}
	ln.Close()
	ln.Close()
	pre.Close()
	if got := h.TCPPorts(); len(got) != 0 {
		t.Errorf("TCPPorts after Close: %v", got)
	}
}

func newTLSListener(under net.Listener) net.Listener {
	return tls.NewListener(under, &tls.Config{Certificates: []tls.Certificate{selfSigned()}})
}
