// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"golang.org/x/sys/unix"
)

// proxyIP is where the proxy listens, on the very port of the site: Caddy has it
// on all other addresses.
const proxyIP = "127.0.0.2"

// TestProxyProtocol: a proxy in front passes TCP on and says in PROXY protocol
// whom it has it from. UDP does not pass. Calls need proxy_protocol before all
// else; what is in order otherwise still relays, or is told what to write.
func TestProxyProtocol(t *testing.T) {
	const accepts = "proxy_protocol {\n\t\t\t\tallow 127.0.0.0/8\n\t\t\t}"
	for _, tc := range []struct {
		name     string
		wrappers []string
		ways     []way
		advised  bool
	}{
		{"before all", []string{accepts, "videoroom_pre", "tls", "videoroom"}, []way{overTLS, overTCP}, false},
		{"between", []string{"videoroom_pre", accepts, "tls", "videoroom"}, []way{overTLS}, false},
		{"alone", []string{accepts, "tls"}, nil, true},
		{"without videoroom_pre", []string{accepts, "tls", "videoroom"}, nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t)
			s.globals = fmt.Sprintf("servers {\n\t\tlistener_wrappers {\n\t\t\t%s\n\t\t}\n\t\tpacket_conn_wrappers {\n\t\t\tvideoroom\n\t\t}\n\t}",
				strings.Join(tc.wrappers, "\n\t\t\t"))
			s.start(site("localhost", "respond /whose {remote_host}", ""))
			s.proxy()
			s.client = s.newClient(proxyIP, "127.0.0.77")
			if who, err := s.get(fmt.Sprintf("https://localhost:%d/whose", s.https)); err != nil || who != "127.0.0.77" {
				t.Errorf("the site takes the visitor for %q, %v", who, err)
			}
			for _, w := range tc.ways {
				s.callThroughProxy(t, w)
			}
			if advised := strings.Contains(s.logTail(1<<20), "calls cannot use the port of the site"); advised != tc.advised {
				t.Errorf("advised = %t, want %t", advised, tc.advised)
			}
		})
	}
}

// callThroughProxy holds a call whose participants reach the proxy alone.
func (s *server) callThroughProxy(t *testing.T, w way) {
	t.Helper()
	c := &calls{t: t, server: s}
	s.begun++
	for i := range 2 {
		g := s.guest("localhost", fmt.Sprintf("room-%d", s.begun), fmt.Sprintf("guest-%d", i), w)
		g.ip = proxyIP
		g.http = &http.Client{Transport: s.client.Transport}
		c.guests = append(c.guests, g)
	}
	c.run()
	defer c.end()
	took := c.awaitMedia(time.Now(), 8*time.Second)
	path, err := c.guests[0].path()
	t.Logf("%s: sound and picture after %s over %s", w.name, ms(took), path)
	if err != nil || w.relayed == strings.Contains(path, proxyIP) {
		t.Errorf("%s: media goes over %q, %v", w.name, path, err)
	}
	c.unharmed()
}

// proxy passes TCP connections on until the test ends.
func (s *server) proxy() {
	s.t.Helper()
	share := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return errors.Join(err, failed)
	}}
	l, err := share.Listen(s.t.Context(), "tcp4", net.JoinHostPort(proxyIP, fmt.Sprint(s.https)))
	if err != nil {
		s.t.Fatal(err)
	}
	var all sync.WaitGroup
	s.t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	all.Go(func() { // ends when l is closed
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go s.pass(in) // ends with either connection
		}
	})
}

func (s *server) pass(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", s.https))
	if err != nil {
		return
	}
	defer out.Close()
	head := proxyproto.HeaderProxyFromAddrs(2, in.RemoteAddr(), in.LocalAddr())
	if _, err := head.WriteTo(out); err != nil {
		return
	}
	ended := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() { // ends with either connection
			_, _ = io.Copy(pair[0], pair[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}
