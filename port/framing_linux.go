// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"net"

	"golang.org/x/sys/unix"
)

// setUnsent sets TCP_NOTSENT_LOWAT. A kernel that refuses it buffers more.
func setUnsent(t *net.TCPConn, octets int) {
	raw, err := t.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, octets)
	})
}
