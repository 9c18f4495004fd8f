// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"crypto/rand"
	"encoding/binary"
)

// readRandom fills b with random bytes.
func readRandom(b []byte) {
	_, _ = rand.Read(b) // never fails (crypto/rand)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	readRandom(b)
	return b
}

// random32 returns a random non-zero number, as SSRCs must be.
func random32() uint32 { return nonZero(readRandom) }

// random32 is the same from the core's own source.
func (c *core) random32() uint32 { return nonZero(c.entropy) }

// random16 returns a random first sequence number, in the lower half so that the
// first wrap is far away (RFC 3711 §3.3.1: a loss around it is ambiguous).
func (c *core) random16() uint16 { return uint16(c.random32()) & 0x7fff }

func nonZero(read func([]byte)) uint32 {
	var b [4]byte
	for {
		read(b[:])
		if v := binary.BigEndian.Uint32(b[:]); v != 0 {
			return v
		}
	}
}
