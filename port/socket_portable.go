// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux || portable

package port

import (
	"errors"
	"net/netip"
	"os"
	"time"
)

// writeWait bounds how long a datagram may wait for the kernel where a send
// cannot be asked not to wait at all.
const writeWait = 5 * time.Millisecond

// The plain path has no state beyond the shared one.
type (
	batchSys  struct{}
	outboxSys struct{}
	destSys   struct{}
	socketSys struct{}
)

func (batchSys) init(*Batch) {}

func (outboxSys) init(*Outbox) {}

func (socketSys) init(s *Socket) error {
	// Best effort: a smaller buffer loses packets earlier, nothing else.
	_ = s.conn.SetReadBuffer(bufferSize)
	_ = s.conn.SetWriteBuffer(bufferSize)
	return nil
}

func (socketSys) segments() bool { return false }

// read brings one datagram.
func (s *Socket) read(b *Batch) error {
	for {
		// One octet more than a datagram may have tells a longer one.
		buf := b.bufs[:MaxDatagram+1]
		n, addr, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		if n == 0 || n > MaxDatagram {
			continue
		}
		d := &b.dgrams[0]
		d.Data = buf[:n:MaxDatagram]
		d.Addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
		d.Local = netip.Addr{}
		if !s.wildcard {
			d.Local = s.local.Addr()
		}
		b.n = 1
		return nil
	}
}

// flush sends datagram by datagram.
func (s *Socket) flush(o *Outbox) (sent int) {
	for i := range o.trains {
		t := &o.trains[i]
		for j := t.head; j >= 0; j = o.slots[j].next {
			if s.write(o.data(j), t.dst.Addr, t.dst.Local) == nil {
				sent++
			}
		}
	}
	return sent
}

// write sends one datagram; the source address is the kernel's choice. On a
// shared socket it may wait for the kernel: a deadline would hit the other
// writer too.
func (s *Socket) write(b []byte, addr netip.AddrPort, _ netip.Addr) error {
	if !addr.IsValid() {
		return ErrAddress
	}
	if !s.shared {
		if err := s.conn.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
			return err
		}
	}
	_, err := s.conn.WriteToUDPAddrPort(b, addr)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrDropped
	}
	return err
}
