// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/quic-go/quic-go/http3"

	"github.com/caddy-videoroom/videoroom/port"
)

// TestWrappersProvision loads what the golden files adapt to: two `tls` in one
// list are no error before that.
func TestWrappersProvision(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/wrappers_*.caddyfiletest")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d golden files: %v", len(files), err)
	}
	files = append(files, "testdata/adapt/two_sites.caddyfiletest")
	l := newLab(t)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in, _, _ := bytes.Cut(data, []byte("----------\n"))
		adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt(in, map[string]any{"filename": "Caddyfile"})
		if err != nil {
			t.Fatal(err)
		}
		var cfg caddy.Config
		if err := json.Unmarshal(adapted, &cfg); err != nil {
			t.Fatal(err)
		}
		cfg.StorageRaw = fmt.Appendf(nil, `{"module":"file_system","root":%q}`, l.dir)
		if err := caddy.Validate(&cfg); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	sharing.Lock()
	defer sharing.Unlock()
	if n := len(sharing.servers); n != 0 {
		t.Errorf("%d servers are remembered after their end", n)
	}
}

// stunSink takes datagrams and reports the addresses they were sent to.
type stunSink struct{ got chan netip.Addr }

func (s stunSink) Datagrams(via *port.Socket, ds []port.Datagram) {
	for _, d := range ds {
		_ = via.WriteTo(d.Data, d.Addr, d.Local) // who waits for the answer will say so
		s.got <- d.Local
	}
}
func (stunSink) Known(netip.AddrPort) bool      { return false }
func (stunSink) Stream(conn net.Conn, _ []byte) { conn.Close() }
func (stunSink) TLS(conn net.Conn, _ []byte)    { conn.Close() }

const sharedSite = `https://localhost:HTTPS {
	videoroom
	respond "number %d"
}
`

// TestPortIsShared makes requests over HTTP/3 and over TCP, and sends STUN to
// the same port, across reloads.
func TestPortIsShared(t *testing.T) {
	l := newLab(t)
	l.load(fmt.Sprintf(sharedSite, 0))
	l.awaitTLS()
	sink := stunSink{make(chan netip.Addr, 10)}
	hub := port.Shared()
	defer hub.Attach(sink)()
	sockets := hub.SharedSockets()
	if len(sockets) != 1 || int(sockets[0].LocalAddr().Port()) != l.https {
		t.Fatalf("%d sockets are shared", len(sockets))
	}
	h3 := l.http3()
	for i := range 6 {
		if i > 0 {
			if err := caddy.Load(l.adapt(fmt.Sprintf(sharedSite, i)), true); err != nil {
				t.Fatal(err)
			}
		}
		text := fmt.Sprintf("number %d", i)
		l.await(h3, text)
		l.expect("https://localhost:HTTPS/", http.StatusOK, text)
		l.echoSTUN(sink)
		if again := hub.SharedSockets(); !slices.Equal(again, sockets) {
			t.Errorf("after %d reloads the sockets are %v, want %v", i, again, sockets)
		}
		if !slices.ContainsFunc(hub.TCPPorts(), func(a netip.AddrPort) bool { return int(a.Port()) == l.https }) {
			t.Errorf("after %d reloads TCP is shared on %v only", i, hub.TCPPorts())
		}
	}
	if err := caddy.Load([]byte(`{"admin":{"disabled":true}}`), true); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for len(hub.SharedSockets())+len(hub.TCPPorts()) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("at the end there are still %v and %v", hub.SharedSockets(), hub.TCPPorts())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// await asks over HTTP/3 until the newest configuration answers: a connection
// that is there stays with the server before it, which says goodbye in its own
// time, and a request that meets the goodbye fails.
func (l *lab) await(h3 *http.Client, text string) {
	l.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got, err := fetch(h3, fmt.Sprintf("https://localhost:%d/", l.https))
		if err == nil && got == "HTTP/3.0 "+text {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("%q, %v, want %q", got, err, text)
		}
	}
}

// fetch returns the protocol of an answer and its text.
func fetch(client *http.Client, url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.Proto + " " + string(text), err
}

// http3 returns a client that speaks nothing else.
func (l *lab) http3() *http.Client {
	rt := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}} // the lab's own authority
	l.t.Cleanup(func() { rt.Close() })
	return &http.Client{Transport: rt, Timeout: 10 * time.Second}
}

// echoSTUN sends a binding request to the HTTPS port and waits for it to come
// back from the address that it went to.
func (l *lab) echoSTUN(sink stunSink) {
	l.t.Helper()
	request := slices.Concat([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 12))
	for _, ip := range []string{"127.0.0.1", "127.0.0.5"} {
		conn, err := net.Dial("udp4", net.JoinHostPort(ip, fmt.Sprint(l.https)))
		if err != nil {
			l.t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			l.t.Fatal(err)
		}
		if _, err := conn.Write(request); err != nil {
			l.t.Fatal(err)
		}
		answer := make([]byte, 100)
		n, err := conn.Read(answer)
		if err != nil || !bytes.Equal(answer[:n], request) {
			l.t.Fatalf("STUN to %s: %x, %v", ip, answer[:n], err)
		}
		if got := <-sink.got; got.String() != ip {
			l.t.Errorf("STUN to %s came for %v", ip, got)
		}
	}
}

// otherWrapper stands for somebody else's module.
type otherWrapper struct{}

func init() { caddy.RegisterModule(otherWrapper{}) }

func (otherWrapper) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.packetconns.videoroom_test_other", New: func() caddy.Module { return new(otherWrapper) }}
}
func (otherWrapper) UnmarshalCaddyfile(d *caddyfile.Dispenser) error { d.Next(); return nil }
func (otherWrapper) WrapPacketConn(pc net.PacketConn) net.PacketConn {
	return struct{ net.PacketConn }{pc}
}

// TestAdvice sees what the log says where Caddy has not added the wrappers.
func TestAdvice(t *testing.T) {
	const (
		inSite     = "https://localhost:HTTPS {\n\tvideoroom\n}\n"
		inHandle   = "https://localhost:HTTPS {\n\thandle {\n\t\tvideoroom\n\t}\n}\nhttps://127.0.0.1:HTTPS {\n\troute {\n\t\tvideoroom\n\t}\n}\n"
		named      = "&(video) {\n\tvideoroom\n}\nhttps://localhost:HTTPS {\n\tinvoke video\n}\n"
		without    = "https://localhost:HTTPS {\n\trespond hello\n}\n"
		plain      = "http://localhost:HTTP {\n\thandle {\n\t\tvideoroom\n\t}\n}\n"
		proxies    = "servers {\n\ttrusted_proxies static private_ranges\n}\n"
		listeners  = "listener_wrappers {\n\tvideoroom_pre\n\ttls\n\tvideoroom\n}\n"
		datagrams  = "packet_conn_wrappers {\n\tvideoroom\n}\n"
		otherFirst = "packet_conn_wrappers {\n\tvideoroom_test_other\n\tvideoroom\n}\n"
	)
	for _, test := range []struct{ name, global, before, sites, want string }{
		{"in the site", "", "", inSite, ""},
		{"in blocks of two sites", "", "", inHandle, adviceWrappers},
		{"in a named route", "", "", named, adviceWrappers},
		{"in blocks beside one that is not", "", "", inHandle + strings.Replace(inSite, "localhost", "example.localhost", 1), ""},
		{"servers option", proxies, "", inSite, adviceWrappers},
		{"written", "servers {\n" + listeners + datagrams + "}\n", "", inHandle, ""},
		{"half written", "servers {\n" + listeners + "}\n", "", inSite, adviceWrappers},
		{"in the wrong order", "servers {\nlistener_wrappers {\n\tvideoroom_pre\n\tvideoroom\n}\n" + datagrams + "}\n", "", inSite, adviceWrappers},
		{"another wrapper first", "servers {\n" + listeners + otherFirst + "}\n", "", inSite, adviceFirst},
		{"no HTTP/3", "servers {\n\tprotocols h1 h2\n" + listeners + "}\n", "", inSite, ""},
		{"added by a reload", "", without, inSite, adviceRestart},
		{"plain HTTP", "", "", plain, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t)
			file := filepath.Join(l.dir, "log")
			l.extraGlobal = fmt.Sprintf("log {\n\toutput file %s\n}\n%s", file, test.global)
			if test.before != "" {
				l.load(test.before)
			}
			l.load(test.sites)
			log, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Count(string(log), "calls cannot use")
			if test.want == "" && said != 0 || test.want != "" && (said != 1 || !strings.Contains(string(log), test.want)) {
				t.Errorf("said %d times, want %q:\n%s", said, test.want, log)
			}
		})
	}
}

// The wrappers of a server that is not Caddy's own, or not there, do no harm.
func TestWrappersAlone(t *testing.T) {
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	defer cancel()
	var w SharedUDP
	if err := w.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	once := w.WrapPacketConn(pc)
	if twice := w.WrapPacketConn(once); once == pc || twice != once {
		t.Errorf("wrapped %T, then %T", once, twice)
	}
	if err := w.Cleanup(); err != nil {
		t.Error(err)
	}
	pc.Close()
	if _, _, err := once.ReadFrom(make([]byte, 10)); err == nil {
		t.Error("read from a closed socket")
	}
}
