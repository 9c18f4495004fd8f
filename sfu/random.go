// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"crypto/rand"
	"encoding/binary"
)

// random32 returns a random non-zero number, as SSRCs must be.
func random32() uint32 {
	var b [4]byte
	for {
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		if v := binary.BigEndian.Uint32(b[:]); v != 0 {
			return v
		}
	}
}

// random16 returns a random first sequence number, in the lower half so that the
// first wrap is far away (RFC 3711 §3.3.1: a loss around it is ambiguous).
func random16() uint16 { return uint16(random32()) & 0x7fff }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}
