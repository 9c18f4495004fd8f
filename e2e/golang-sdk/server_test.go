// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
)

const (
	apiKey    = "sdkkey"
	apiSecret = "sdk-secret-of-at-least-thirty-two-characters"
)

// serverURL is where the server under test answers.
var serverURL string

const caddyfile = `{
	admin off
	auto_https off
	persist_config off
	videoroom {
		media_port %d
	}
	log {
		level ERROR
	}
}
http://127.0.0.1:%d {
	videoroom / {
		e2ee off
		waiting_room off
		max_participants 50
		api_key %s %s
	}
}
`

func TestMain(m *testing.M) {
	if os.Getenv("SDK_LOG") == "" {
		lksdk.SetLogger(logger.GetDiscardLogger())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "videoroom-sdk-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	stop, err := serve(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stop()
	return m.Run()
}

// serve starts Caddy with all its state in dir. The returned function ends it
// and shows what it complained of.
func serve(dir string) (stop func(), err error) {
	if serverURL = os.Getenv("SERVER"); serverURL != "" {
		return func() {}, nil
	}
	binary, err := build(dir)
	if err != nil {
		return nil, err
	}
	media, err := freePort()
	if err != nil {
		return nil, err
	}
	web, err := freePort()
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(conf, fmt.Appendf(nil, caddyfile, media, web, apiKey, apiSecret), 0o600); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	var log complaints
	cmd := exec.Command(binary, "run", "--config", conf)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting caddy: %w", err)
	}
	stop = func() {
		end(cmd)
		if text := log.String(); text != "" {
			fmt.Fprintf(os.Stderr, "--- the server's log\n%s", text)
		}
	}
	serverURL = fmt.Sprintf("http://127.0.0.1:%d", web)
	if err := answering(serverURL); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

func build(dir string) (string, error) {
	if given := os.Getenv("CADDY"); given != "" {
		return given, nil
	}
	out := filepath.Join(dir, "caddy")
	cmd := exec.Command("go", "build", "-o", out, "./cmd/caddy")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building caddy: %w\n%s", err, text)
	}
	return out, nil
}

// freePort finds a port that is free for datagrams and streams.
func freePort() (int, error) {
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("looking for a port: %w", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
		_ = l.Close()
		if err == nil {
			_ = u.Close()
			return port, nil
		}
	}
	return 0, fmt.Errorf("looking for a port: none is free")
}

// answering waits until calls are served, which is later than the first page.
func answering(url string) error {
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		res, err := http.Get(url + "/rtc/v1/validate") //nolint:gosec // our own server
		if err != nil {
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusUnauthorized {
			return nil
		}
	}
	return fmt.Errorf("caddy does not answer")
}

// end asks a process to end and waits for it.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { // ends with the process, killed below at the latest
		defer close(done)
		_ = cmd.Wait()
	}()
	select {
	case <-done:
	case <-time.After(8 * time.Second):
		_ = cmd.Process.Kill()
		<-done
	}
}

// complaints collects a process's output.
type complaints struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *complaints) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(p)
}

func (c *complaints) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.TrimLeft(c.buf.String(), "\n")
}
