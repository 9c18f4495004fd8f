// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Package process_test runs the real binary as a process of its own and does to
// it what happens to servers: reloads, renewed certificates, restarts, floods,
// forgeries, a proxy in front; with calls going on, whose participants are the
// independent client of package check/client.
package process_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// caddyBinary is the Caddy that the tests run: what VIDEOROOM_CADDY names, otherwise
// built from this module.
var caddyBinary = os.Getenv("VIDEOROOM_CADDY")

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Fprintln(os.Stderr, "the tests of whole processes are left out with -short")
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "videoroom-process")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if caddyBinary == "" {
		caddyBinary = filepath.Join(dir, "caddy")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", caddyBinary, "./cmd/caddy")
		build.Dir = filepath.Join("..", "..")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building Caddy: %v\n%s", err, out)
			return 1
		}
	}
	if err := raiseFiles(); err != nil {
		fmt.Fprintln(os.Stderr, "raising the limit of open files:", err)
		return 1
	}
	return m.Run()
}

// raiseFiles allows as many open files as may be had; child processes inherit
// the limit.
func raiseFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
