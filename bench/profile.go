// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// adminAddress is where videoroom's Caddy is administered.
const adminAddress = "http://127.0.0.1:17885"

// takeProfiles keeps profiles of videoroom's processor time, during most of the
// window, and of its memory.
func takeProfiles(dir, name string, window time.Duration) {
	seconds := max(1, int(window/time.Second)-1)
	for kind, path := range map[string]string{
		"cpu":  fmt.Sprintf("/debug/pprof/profile?seconds=%d", seconds),
		"heap": "/debug/pprof/heap",
	} {
		if err := keep(adminAddress+path, filepath.Join(dir, name+"."+kind)); err != nil {
			fmt.Fprintln(os.Stderr, "profile:", err)
		}
	}
}

// keep writes what an address answers to a file.
func keep(url, path string) error {
	res, err := http.Get(url) //nolint:gosec // this machine's own
	if err != nil {
		return fmt.Errorf("asking for a profile: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making a file: %w", err)
	}
	_, err = io.Copy(f, res.Body)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("keeping a profile: %w", err)
	}
	return nil
}
