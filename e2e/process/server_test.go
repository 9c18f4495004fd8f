// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	apiKey    = "process"
	apiSecret = "the secret of the tests of whole processes"
	// stopTime is what a process has to end after SIGTERM.
	stopTime = 20 * time.Second
)

// server is one Caddy on free ports of the loopback interface, with files of
// its own. Its process may be replaced; ports and files stay.
type server struct {
	t                  *testing.T
	dir                string
	storage            string // its storage's directory
	http, https, admin int
	globals            string // further global options
	env                []string
	key                string // signs the tokens of new guests
	begun              int    // calls
	client             *http.Client

	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has
}

// newServer prepares a server that does not run yet.
func newServer(t *testing.T) *server {
	t.Helper()
	ports := freePorts(t, 3)
	s := &server{t: t, dir: t.TempDir(), key: apiKey, http: ports[0], https: ports[1], admin: ports[2]}
	s.storage = filepath.Join(s.dir, "storage")
	s.client = s.newClient("127.0.0.1", "")
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("the end of Caddy's log:\n%s", s.logTail(4000))
		}
	})
	return s
}

// serve runs a server with these sites until the test ends.
func serve(t *testing.T, sites string) *server {
	t.Helper()
	s := newServer(t)
	s.start(sites)
	return s
}

// site is a Caddyfile block whose rooms are open to the tests' tokens. lines
// stand in the site, options in the directive.
func site(address, lines, options string) string {
	return fmt.Sprintf("%s {\n\ttls internal\n\t%s\n\tvideoroom {\n\t\te2ee off\n\t\twaiting_room off\n\t\tapi_key %s %q\n\t\tmax_participants 50\n\t\t%s\n\t}\n}\n",
		address, lines, apiKey, apiSecret, options)
}

// config is the Caddyfile around sites; every port is the one of HTTPS.
func (s *server) config(sites string) string {
	return fmt.Sprintf(`{
	admin localhost:%d
	persist_config off
	storage file_system %s
	http_port %d
	https_port %d
	skip_install_trust
	%s
	videoroom {
		media_port 443
	}
}
%s`, s.admin, s.storage, s.http, s.https, s.globals, sites)
}

// start runs a new process and waits until the site answers.
func (s *server) start(sites string) {
	s.t.Helper()
	file := filepath.Join(s.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(s.config(sites)), 0o600); err != nil {
		s.t.Fatal(err)
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(caddyBinary, "run", "--config", file, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "XDG_DATA_HOME="+s.dir, "XDG_CONFIG_HOME="+s.dir)
	cmd.Env = append(cmd.Env, s.env...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.cmd, s.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) { // ends with the process, which stop ends
		_ = cmd.Wait()
		close(ended)
	}(s.ended)
	s.awaitSite()
}

func (s *server) awaitSite() {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		resp, err := s.client.Get(s.base("localhost") + "/api/v1/site")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("HTTP status %d", resp.StatusCode)
		}
		select {
		case <-s.ended:
			s.t.Fatalf("Caddy has ended:\n%s", s.logTail(2000))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("Caddy does not answer: %v", err)
		}
	}
}

// stop ends the process as a service manager does; ending it again does nothing.
func (s *server) stop() {
	if s.cmd == nil {
		return
	}
	s.signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopTime):
		s.t.Errorf("Caddy has not ended %s after SIGTERM", stopTime)
		s.signal(syscall.SIGKILL)
		<-s.ended
	}
}

func (s *server) signal(sig syscall.Signal) { _ = s.cmd.Process.Signal(sig) }

// base is where the videoroom of a site is.
func (s *server) base(host string) string { return fmt.Sprintf("https://%s:%d/video", host, s.https) }

func (s *server) logFile() string { return filepath.Join(s.dir, "caddy.log") }

func (s *server) logTail(n int) string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-n):])
}

// newClient returns an HTTP/1.1 client that finds every host at ip, and comes
// from source where it is given.
func (s *server) newClient(ip, source string) *http.Client {
	dialer := dialerFrom(source)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}, // the server's own authority
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort(ip, port))
		},
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// dialerFrom dials TCP from an address, or from any where it is empty.
func dialerFrom(source string) *net.Dialer {
	d := &net.Dialer{Timeout: 10 * time.Second}
	if source != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(source)}
	}
	return d
}

// get returns the body of what an address of the site serves.
func (s *server) get(url string) (string, error) {
	resp, err := s.client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP status %d: %.200s", resp.StatusCode, text)
	}
	return string(text), err
}

// ask sends a request to the admin interface, each on a connection of its own:
// reloads replace the interface.
func (s *server) ask(method, path, kind, body string) (string, error) {
	req, err := http.NewRequest(method, fmt.Sprintf("http://localhost:%d%s", s.admin, path), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Close = true
	req.Header.Set("Content-Type", kind)
	resp, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP status %d: %.1000s", resp.StatusCode, text)
	}
	return string(text), err
}

// reload replaces the configuration of the running process.
func (s *server) reload(sites string) error {
	_, err := s.ask(http.MethodPost, "/load", "text/caddyfile", s.config(sites))
	return err
}

// load is what a process takes at a moment.
type load struct {
	goroutines int
	heap, rss  int // bytes
}

func (l load) String() string {
	return fmt.Sprintf("%d goroutines, heap %.1f MiB, RSS %.1f MiB", l.goroutines, mib(l.heap), mib(l.rss))
}

func mib(n int) float64 { return float64(n) / (1 << 20) }

var (
	goroutineTotal = regexp.MustCompile(`(?m)^goroutine profile: total (\d+)$`)
	heapAlloc      = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)
	residentSet    = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)
)

// load measures the process, after a garbage collection.
func (s *server) load() load {
	s.t.Helper()
	heap, err := s.ask(http.MethodGet, "/debug/pprof/heap?gc=1&debug=1", "", "")
	if err != nil {
		s.t.Fatal(err)
	}
	routines, err := s.ask(http.MethodGet, "/debug/pprof/goroutine?debug=1", "", "")
	if err != nil {
		s.t.Fatal(err)
	}
	return load{s.number(goroutineTotal, routines), s.number(heapAlloc, heap), s.rss()}
}

// rss is the process's resident set in bytes.
func (s *server) rss() int {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.number(residentSet, string(status)) << 10
}

func (s *server) number(in *regexp.Regexp, text string) int {
	s.t.Helper()
	found := in.FindStringSubmatch(text)
	if found == nil {
		s.t.Fatalf("no %s in %.300q", in, text)
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// stacks counts the goroutines by what they do, the most frequent first.
func (s *server) stacks() string {
	text, err := s.ask(http.MethodGet, "/debug/pprof/goroutine?debug=1", "", "")
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace([]byte(text[:min(len(text), 3000)])))
}

// freePorts returns different ports that are free in both protocols, none of
// those that the system gives to outgoing connections.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range 50 * n {
		port := 20000 + rand.N(12000)
		if slices.Contains(ports, port) {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		l.Close()
		pc, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		pc.Close()
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatalf("found only %d free ports", len(ports))
	return nil
}
