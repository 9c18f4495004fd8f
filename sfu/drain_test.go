// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"net/netip"

	"github.com/caddy-videoroom/videoroom/port"
)

// drainBox takes everything and counts it.
type drainBox struct {
	buf [port.MaxDatagram + 64]byte
	n   int
}

func (b *drainBox) Slot() []byte                               { return b.buf[:0] }
func (b *drainBox) Commit(*port.Dest, int)                     { b.n++ }
func (b *drainBox) Flush()                                     {}
func (b *drainBox) WriteTo([]byte, netip.AddrPort, netip.Addr) {}
