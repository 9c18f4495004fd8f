// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package port

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// SharesPorts tells whether several sockets of this process may have one port.
const SharesPorts = true

// control lets other sockets of the user have the socket's port too. On a bound
// socket it counts for those that come later.
func control(c syscall.RawConn, reusePort bool) error {
	if !reusePort {
		return nil
	}
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); e != nil {
		return e
	}
	if err != nil {
		return fmt.Errorf("sharing the port: %w", err)
	}
	return nil
}
