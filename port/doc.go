// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package port moves datagrams between the kernel and a media loop: batched
// reads, and sends gathered per receiver into few system calls. It owns the
// UDP sockets and the buffers that the kernel fills and empties. It refuses to
// look inside a datagram, to wait for anything when sending, and to allocate
// while media runs.
package port
