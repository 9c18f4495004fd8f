// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package port

import "net"

// setUnsent does the nearest thing that every system has: a send buffer that
// also holds what is on its way, hence four times as large.
func setUnsent(t *net.TCPConn, octets int) {
	_ = t.SetWriteBuffer(4 * octets)
}
