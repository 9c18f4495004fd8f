// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// What quic-go asks of a connection before it takes its fast path.
var _ quic.OOBCapablePacketConn = (*sharedConn)(nil)

// counting looks at what quic-go does with a shared socket.
type counting struct {
	*sharedConn
	sends, trains, single atomic.Int64
}

func (c *counting) WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (int, int, error) {
	c.sends.Add(1)
	if segmented(oob) {
		c.trains.Add(1)
	}
	return c.sharedConn.WriteMsgUDP(b, oob, addr)
}

func (c *counting) ReadFrom(b []byte) (int, net.Addr, error) {
	c.single.Add(1)
	return c.sharedConn.ReadFrom(b)
}

// h3 is an HTTP/3 server on a shared socket, and a client.
type h3 struct {
	conn   *counting
	hub    *Hub
	sink   *media
	client *http.Client
	url    string
}

// download is what the server sends for /download, in octets.
const download = 8 << 20

func newH3(t testing.TB, shared bool) *h3 {
	t.Helper()
	x := &h3{hub: new(Hub), sink: &media{reply: true}}
	t.Cleanup(x.hub.Attach(x.sink))
	inner := udp(t, "udp4", "127.0.0.1:0")
	tr := &quic.Transport{Conn: inner}
	if shared {
		pc, err := x.hub.WrapPacketConn(inner)
		if err != nil {
			t.Fatal(err)
		}
		x.conn = &counting{sharedConn: pc.(*sharedConn)}
		tr.Conn = x.conn
	}
	ln, err := tr.ListenEarly(http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate(t)}}), nil)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("/download", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, download)) })
	server := &http3.Server{Handler: mux}
	served := make(chan struct{})
	go func() { // ends with server
		defer close(served)
		_ = server.ServeListener(ln)
	}()
	rt := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // a certificate of the test's own
	x.client = &http.Client{Transport: rt, Timeout: 30 * time.Second}
	x.url = "https://" + inner.LocalAddr().String()
	t.Cleanup(func() {
		rt.Close()
		server.Close()
		<-served
		ln.Close()
		inner.Close() // as Caddy does
		await(t, func() bool { return len(x.hub.SharedSockets()) == 0 })
		tr.Close()
	})
	return x
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// fetch asks for an echo of body.
func (x *h3) fetch(body []byte) error {
	resp, err := x.client.Post(x.url+"/echo", "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err == nil && (!bytes.Equal(got, body) || resp.ProtoMajor != 3) {
		err = fmt.Errorf("got %d octets of %d over %s", len(got), len(body), resp.Proto)
	}
	return err
}

// download fetches what the server has.
func (x *h3) download(t testing.TB) {
	t.Helper()
	resp, err := x.client.Get(x.url + "/download")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != download || err != nil {
		t.Fatalf("got %d octets: %v", n, err)
	}
}

// BenchmarkSharedHTTP3 compares what downloads cost: look at cpu-ns/op.
func BenchmarkSharedHTTP3(b *testing.B) {
	for _, shared := range []bool{false, true} {
		b.Run(fmt.Sprintf("shared=%v", shared), func(b *testing.B) {
			x := newH3(b, shared)
			x.download(b)
			b.SetBytes(download)
			before := cpuTime()
			for b.Loop() {
				x.download(b)
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// call sends STUN, DTLS and media until ctx ends, and counts the answers.
func (x *h3) call(ctx context.Context, t *testing.T, sent, answered *atomic.Int64) {
	conn, from := sender(t, x.conn.sharedConn)
	x.sink.known.Store(from, true)
	var wg sync.WaitGroup
	wg.Go(func() { // ends with the deadline below
		buf := make([]byte, 1500)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
			answered.Add(1)
		}
	})
	kinds := [][]byte{stun(), starting(22, 300), starting(0x80, 172), starting(0x90, 1100), starting(0x80, 800)}
	for i := 0; ctx.Err() == nil; i++ {
		if _, err := conn.Write(kinds[i%len(kinds)]); err == nil {
			sent.Add(1)
		}
		time.Sleep(500 * time.Microsecond)
	}
	time.Sleep(50 * time.Millisecond)
	_ = conn.SetReadDeadline(time.Now())
	wg.Wait()
}

// TestSharedHTTP3 makes requests beside calls on the same socket.
func TestSharedHTTP3(t *testing.T) {
	x := newH3(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sent, answered atomic.Int64
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() { x.call(ctx, t, &sent, &answered) })
	}
	const requests, users = 300, 6
	var wg sync.WaitGroup
	var failed atomic.Int64
	for user := range users {
		wg.Go(func() {
			for i := range requests / users {
				if err := x.fetch(bytes.Repeat([]byte{byte(user)}, 10+i*300)); err != nil {
					failed.Add(1)
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	cancel()
	calls.Wait()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d of %d requests failed", n, requests)
	}
	got := x.sink.taken()
	if n := int64(len(got)); n != sent.Load() || n == 0 || answered.Load() != n {
		t.Errorf("of %d datagrams the sink got %d, and %d answers came back", sent.Load(), n, answered.Load())
	}
	for _, d := range got {
		if d.Data[0]&quicBit != 0 || d.Local != v4 {
			t.Fatalf("the sink got %x to %v", d.Data[0], d.Local)
		}
	}
	if s := x.hub.SharedStats(); s.QUIC < requests || s.Other != 0 {
		t.Errorf("counted %+v", s)
	}
}

// TestSharedKeepsTheFastPath sees whether quic-go still sends trains.
func TestSharedKeepsTheFastPath(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("quic-go has it on Linux only")
	}
	x := newH3(t, true)
	x.download(t)
	sends, trains := x.conn.sends.Load(), x.conn.trains.Load()
	if x.conn.single.Load() > 0 {
		t.Error("quic-go reads datagram by datagram")
	}
	if !x.conn.sock.GSO() {
		t.Skip("this kernel does not segment")
	}
	if packets := int64(download / 1300); trains == 0 || sends > packets/2 {
		t.Errorf("%d sends, %d of them trains, for about %d packets", sends, trains, packets)
	}
}
