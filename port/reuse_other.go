// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package port

import "syscall"

// SharesPorts tells whether several sockets of this process may have one port.
const SharesPorts = false

// control sets nothing: this system has no sharing of ports that spreads them.
func control(syscall.RawConn, bool) error { return nil }
