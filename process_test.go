// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// caddyCommand returns this test binary as Caddy, with a home of its own.
func (l *lab) caddyCommand(ctx context.Context, args ...string) *exec.Cmd {
	l.t.Helper()
	self, err := os.Executable()
	if err != nil {
		l.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), "VIDEOROOM_TEST_AS_CADDY=1", "HOME="+l.dir, "XDG_DATA_HOME="+l.dir, "XDG_CONFIG_HOME="+l.dir)
	cmd.Dir = l.dir
	return cmd
}

// TestProcess runs a Caddy process: a link from the command line, a reload,
// and an end in bounded time.
func TestProcess(t *testing.T) {
	l := newLab(t)
	file := filepath.Join(l.dir, "Caddyfile")
	write := func(practice string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(l.config(fmt.Sprintf(oneSite, practice))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("A")
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	run := func(args ...string) (string, error) {
		cmd := l.caddyCommand(ctx, args...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			return string(out), fmt.Errorf("%w: %s", err, &errs)
		}
		return string(out), nil
	}

	if out, err := run("validate", "--config", file); err != nil {
		t.Fatalf("validate: %v %s", err, out)
	}
	if out, err := run("videoroom", "host-link", "--config", file); err == nil {
		t.Errorf("host-link without a running Caddy printed %s", out)
	}

	server := l.caddyCommand(ctx, "run", "--config", file)
	var log bytes.Buffer
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }() // ends with the process, which ctx ends at the latest
	l.awaitHTTP()

	link, err := run("videoroom", "host-link", "--config", file)
	if prefix := fmt.Sprintf("http://localhost:%d/video/host/#k=", l.http); err != nil || !strings.HasPrefix(link, prefix) || strings.Count(link, "\n") != 1 {
		t.Errorf("host-link = %q, %v, want one line with %s", link, err, prefix)
	}
	if again, err := run("videoroom", "host-link", "--address", fmt.Sprintf("localhost:%d", l.admin), "--site", "localhost", "--host", "praxis"); err != nil || again != link {
		t.Errorf("host-link = %q, %v, want %q", again, err, link)
	}
	if _, err := run("videoroom", "host-link", "--config", file, "--host", "nobody"); err == nil || !strings.Contains(err.Error(), "there is no host") {
		t.Errorf("host-link for nobody: %v", err)
	}
	write("B")
	if out, err := run("reload", "--config", file); err != nil {
		t.Errorf("reload: %v %s", err, out)
	}
	l.expect("http://localhost:HTTP/video/api/v1/site", http.StatusOK, "Praxis B")

	key := strings.TrimSpace(link[strings.Index(link, "#k=")+3:])
	host := l.signIn("http://localhost:HTTP/video", fmt.Sprintf(`{"key":%q}`, key))
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := host.awaitClose(); code != websocket.StatusServiceRestart {
		t.Errorf("the host's socket was closed with %v, want 1012", code)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the process ended with %v", err)
		}
	case <-time.After(drainTime + 5*time.Second):
		t.Fatal("the process did not end")
	}
	for _, want := range []string{fmt.Sprintf("http://localhost:%d/video/", l.http), "caddy videoroom host-link"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s", want)
		}
	}
	if strings.Contains(log.String(), key) {
		t.Error("the log holds the host's key")
	}
}

// TestRevokedHostLink raises link_generation in a running process: the page that
// the old link opened is signed out, the link is refused, and another is printed.
func TestRevokedHostLink(t *testing.T) {
	l := newLab(t)
	file := filepath.Join(l.dir, "Caddyfile")
	write := func(line string) {
		t.Helper()
		text := l.config("http://localhost:HTTP {\n\tvideoroom {\n\t\thost muster {\n\t\t\tname A\n\t\t\t" + line + "\n\t\t}\n\t}\n}\n")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	run := func(args ...string) string {
		t.Helper()
		out, err := l.caddyCommand(ctx, args...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	write("")
	l.startProcess(ctx, file)
	key := func() string {
		t.Helper()
		_, key, ok := strings.Cut(run("videoroom", "host-link", "--config", file), "#k=")
		if !ok {
			t.Fatal("no link was printed")
		}
		return key
	}
	old := key()
	const base = "http://localhost:HTTP/video"
	host := l.signIn(base, fmt.Sprintf(`{"key":%q}`, old))
	write("link_generation 2")
	run("reload", "--config", file)
	if code := host.awaitClose(); code != websocket.StatusPolicyViolation {
		t.Errorf("the page of the old link was closed with %v, want 1008", code)
	}
	post := []func(*http.Request){body(fmt.Sprintf(`{"key":%q}`, old)), header("Origin", fmt.Sprintf("http://localhost:%d", l.http))}
	if resp, _ := l.do(http.MethodPost, base+"/api/v1/host/session", post...); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the old link: %d, want 401", resp.StatusCode)
	}
	renewed := key()
	if renewed == old {
		t.Error("the same link is printed again")
	}
	l.signIn(base, fmt.Sprintf(`{"key":%q}`, renewed))
	// A restart does not bring the old link back.
	run("reload", "--config", file, "--force")
	if again := key(); again != renewed {
		t.Error("the link changes without need")
	}
}

// startProcess runs a Caddy process until the test ends.
func (l *lab) startProcess(ctx context.Context, file string) {
	l.t.Helper()
	l.start(ctx, file)
	l.awaitHTTP()
}

// startTLSProcess is startProcess for sites with HTTPS.
func (l *lab) startTLSProcess(ctx context.Context, file string) {
	l.t.Helper()
	l.start(ctx, file)
	l.awaitTLS()
}

// start runs a Caddy process until the test ends, or stop before that.
func (l *lab) start(ctx context.Context, file string) (stop func()) {
	l.t.Helper()
	server := l.caddyCommand(ctx, "run", "--config", file)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		l.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait() // an end by the context is no failure here
	})
	l.t.Cleanup(func() {
		stop()
		if l.t.Failed() {
			l.t.Logf("the process said: %s", &log)
		}
	})
	return stop
}

func (l *lab) awaitHTTP() {
	l.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		resp, err := l.client.Get(fmt.Sprintf("http://localhost:%d/video/api/v1/site", l.http))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("Caddy does not answer: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
