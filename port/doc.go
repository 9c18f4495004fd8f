// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package port is where media meets the network. It moves datagrams between the
// kernel and a media loop, with batched reads and sends gathered per receiver
// into few system calls, and it takes media out of the ports that Caddy serves
// websites on: datagrams beside HTTP/3, ICE-TCP before TLS, TURN inside it. It
// owns the UDP sockets, their buffers, and the streams diverted to it. It looks
// no further into what it moves than is needed to tell whose it is, relays to
// nobody but the media plane, waits for nobody when sending, and allocates
// nothing per datagram.
package port
