// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	benchKey    = "benchkey"
	benchSecret = "bench-secret-of-thirty-two-characters"
	// liveKitVersion is the newest release that the Go module proxy serves with
	// everything it needs.
	liveKitVersion = "v1.13.5"
)

// server is one contestant.
type server struct {
	name string
	// build makes the binary in dir and returns its path.
	build func(dir string) (string, error)
	// command prepares a start with all state in dir.
	command func(binary, dir string) (*exec.Cmd, error)
	// url is where it answers. Over HTTPS, calls are below /video.
	url string
}

var servers = map[string]server{
	"videoroom": {name: "videoroom", build: buildVideoroom, command: startVideoroom, url: "http://127.0.0.1:17881"},
	// The same, with media on the socket of HTTP/3.
	"videoroom-shared": {name: "videoroom-shared", build: buildVideoroom, command: startShared, url: "https://localhost:17891"},
	// What HTTP/3 costs, with and without the directive.
	"caddy":       {name: "caddy", build: buildVideoroom, command: startCaddy, url: "https://localhost:17891"},
	"caddy-calls": {name: "caddy-calls", build: buildVideoroom, command: startShared, url: "https://localhost:17891"},
	"livekit":     {name: "livekit", build: buildLiveKit, command: startLiveKit, url: "http://127.0.0.1:17880"},
}

func buildVideoroom(dir string) (string, error) {
	out := filepath.Join(dir, "caddy")
	if given := os.Getenv("VIDEOROOM_SERVER"); given != "" {
		return given, nil
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./cmd/caddy")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return out, loud(cmd)
}

func buildLiveKit(dir string) (string, error) {
	if given := os.Getenv("LIVEKIT_SERVER"); given != "" {
		return given, nil
	}
	cmd := exec.Command("go", "install", "-trimpath", "-ldflags=-s -w",
		"github.com/livekit/livekit-server/cmd/server@"+liveKitVersion)
	cmd.Dir = dir // outside any module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+dir, "GOFLAGS=-mod=mod")
	return filepath.Join(dir, "server"), loud(cmd)
}

func loud(cmd *exec.Cmd) error {
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return nil
}

// site is a site on this machine; %s is what it serves.
const (
	plainSite = `{
	admin 127.0.0.1:17885
	auto_https off
	persist_config off
	videoroom {
		media_port 17882
	}
	log {
		level ERROR
	}
}
http://127.0.0.1:17881 {
	%s
}
`
	httpsSite = `{
	admin off
	auto_https disable_redirects
	persist_config off
	skip_install_trust
	https_port 17891
	log {
		level ERROR
	}
}
https://localhost:17891 {
	bind 127.0.0.1
	tls internal
	root * {env.HOME}
	%s
	file_server
}
`
	directive = `videoroom /video {
		e2ee off
		waiting_room off
		max_participants 100
		api_key ` + benchKey + " " + benchSecret + `
	}`
)

func startVideoroom(binary, dir string) (*exec.Cmd, error) {
	return startSite(binary, dir, plainSite, strings.Replace(directive, "/video", "/", 1))
}

func startShared(binary, dir string) (*exec.Cmd, error) {
	return startSite(binary, dir, httpsSite, directive)
}

func startCaddy(binary, dir string) (*exec.Cmd, error) {
	return startSite(binary, dir, httpsSite, "")
}

func startSite(binary, dir, site, serves string) (*exec.Cmd, error) {
	conf := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(conf, fmt.Appendf(nil, site, serves), 0o600); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	cmd := exec.Command(binary, "run", "--config", conf)
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	return cmd, nil
}

func startLiveKit(binary, dir string) (*exec.Cmd, error) {
	conf := filepath.Join(dir, "livekit.yaml")
	text := fmt.Sprintf(`port: 17880
bind_addresses: ["127.0.0.1"]
rtc:
  udp_port: 17883
  tcp_port: 17884
  use_external_ip: false
  enable_loopback_candidate: true
  interfaces:
    includes: [lo]
logging:
  level: error
keys:
  %s: %s
`, benchKey, benchSecret)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return exec.Command(binary, "--config", conf), nil
}

// trusting takes the certificates that servers make themselves.
var trusting = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // this machine's own

// start runs a server on some processors, such as "0" or "0,1", and waits until it
// answers.
func (s server) start(binary, dir, processors string) (*exec.Cmd, error) {
	cmd, err := s.command(binary, dir)
	if err != nil {
		return nil, err
	}
	pinned := exec.Command("taskset", append([]string{"-c", processors, cmd.Path}, cmd.Args[1:]...)...)
	pinned.Env, pinned.Stderr, pinned.SysProcAttr = cmd.Env, os.Stderr, endsWithUs()
	if err := pinned.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.name, err)
	}
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		if res, err := trusting.Get(s.url); err == nil {
			_ = res.Body.Close()
			return pinned, nil
		}
	}
	stop(pinned)
	return nil, fmt.Errorf("%s does not answer", s.name)
}

// stop ends a server and waits for it, so that no two ever run at once.
func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { // ends with the process, killed below at the latest
		_ = cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(8 * time.Second):
		_ = cmd.Process.Kill()
		<-done
	}
}
