// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

// TestMain lets the test binary be Caddy itself, for tests of a whole process.
func TestMain(m *testing.M) {
	if os.Getenv("VIDEOROOM_TEST_AS_CADDY") != "" {
		caddycmd.Main()
		return
	}
	os.Exit(m.Run())
}

// lab is one configuration on free ports of the loopback interface, with a
// storage of its own.
type lab struct {
	t                          *testing.T
	dir                        string
	http, https, admin, media  int
	ip                         string // where the client finds every name
	client                     *http.Client
	extraGlobal, extraAppLines string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "videoroom")
	if err != nil {
		t.Fatal(err)
	}
	// Certificate maintenance may still write when the test ends; what it
	// leaves behind is the system's to clear.
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ports := freePorts(t, 4)
	l := &lab{t: t, dir: dir, http: ports[0], https: ports[1], admin: ports[2], media: ports[3], ip: "127.0.0.1"}
	l.client = &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}, // the lab's own authority
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(addr)
				if err != nil {
					return nil, err
				}
				return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(l.ip, port))
			},
		},
	}
	t.Cleanup(l.client.CloseIdleConnections)
	return l
}

// config returns a Caddyfile with the lab's ports around the sites, in which
// HTTP and HTTPS stand for the ports.
func (l *lab) config(sites string) string {
	sites = strings.NewReplacer("HTTPS", fmt.Sprint(l.https), "HTTP", fmt.Sprint(l.http), "DIR", l.dir).Replace(sites)
	return fmt.Sprintf(`{
	admin localhost:%d
	persist_config off
	storage file_system %s/storage
	http_port %d
	https_port %d
	skip_install_trust
	local_certs
	grace_period 1s
	%s
	videoroom {
		media_port %d
		%s
	}
}
%s`, l.admin, l.dir, l.http, l.https, l.extraGlobal, l.media, l.extraAppLines, sites)
}

func (l *lab) adapt(sites string) []byte {
	l.t.Helper()
	json, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(l.config(sites)), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		l.t.Fatal(err)
	}
	return json
}

// load runs the configuration until the test ends.
func (l *lab) load(sites string) {
	l.t.Helper()
	if err := caddy.Load(l.adapt(sites), true); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			l.t.Error(err)
		}
	})
}

// reload changes the configuration that runs.
func (l *lab) reload(sites string) {
	l.t.Helper()
	if err := caddy.Load(l.adapt(sites), true); err != nil {
		l.t.Fatal(err)
	}
}

// awaitTLS waits until the lab's own authority has issued a certificate.
func (l *lab) awaitTLS() {
	l.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		resp, err := l.client.Get(fmt.Sprintf("https://localhost:%d/", l.https))
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// do sends a request and returns the response with its body.
func (l *lab) do(method, url string, edit ...func(*http.Request)) (*http.Response, string) {
	l.t.Helper()
	url = strings.NewReplacer("HTTPS", fmt.Sprint(l.https), "HTTP", fmt.Sprint(l.http), "ADMIN", fmt.Sprint(l.admin)).Replace(url)
	var resp *http.Response
	for attempt := range 4 {
		req, err := http.NewRequest(method, url, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, f := range edit {
			f(req)
		}
		if resp, err = l.client.Do(req); err == nil {
			break
		}
		// A reload resets connections that the old listener has not accepted, and
		// closes those that it has but not read: what they carried has reached nobody.
		lost := errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
		if attempt == 3 || method != http.MethodGet && !lost {
			l.t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp, string(body)
}

// expect fails the test where a GET does not give the status and the text.
func (l *lab) expect(url string, status int, text string, edit ...func(*http.Request)) *http.Response {
	l.t.Helper()
	resp, body := l.do(http.MethodGet, url, edit...)
	if resp.StatusCode != status || !strings.Contains(body, text) {
		l.t.Errorf("GET %s = %d %.200q, want %d with %q", url, resp.StatusCode, body, status, text)
	}
	return resp
}

func body(text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(text))
		r.ContentLength = int64(len(text))
		r.Header.Set("Content-Type", "application/json")
	}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// freePorts returns different ports that are free in both protocols.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range 20 * n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(ports, port) && portIsFree(port) {
			ports = append(ports, port)
		}
		if len(ports) == n {
			return ports
		}
	}
	t.Fatalf("found only %d free ports", len(ports))
	return nil
}

func portIsFree(port int) bool {
	addr := fmt.Sprintf(":%d", port)
	pc, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	defer pc.Close()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	return l.Close() == nil
}
