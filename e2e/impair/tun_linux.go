// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// inNetns calls act on a thread inside a named network namespace; what act
// opens belongs there. An empty name is the process's own.
func inNetns(name string, act func() error) error {
	if name == "" {
		return act()
	}
	done := make(chan error, 1)
	go func() { // ends with act; its thread, never unlocked, ends with it
		runtime.LockOSThread()
		done <- enter(name, act)
	}()
	return <-done
}

func enter(name string, act func() error) error {
	ns, err := os.Open("/run/netns/" + name)
	if err != nil {
		return fmt.Errorf("network namespace: %w", err)
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering network namespace %s: %w", name, err)
	}
	return act()
}

// openTUN makes a TUN device, which goes away when the descriptor is closed.
func openTUN(netns, device string) (fd int, err error) {
	err = inNetns(netns, func() error {
		fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("opening /dev/net/tun: %w", err)
		}
		req, err := unix.NewIfreq(device)
		if err != nil {
			return fmt.Errorf("device name %q: %w", device, err)
		}
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			_ = unix.Close(fd)
			return fmt.Errorf("making device %s: %w", device, err)
		}
		return nil
	})
	return fd, err
}
