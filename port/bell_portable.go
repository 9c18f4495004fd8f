// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux || portable

package port

import "time"

// hang does nothing here.
func (*Socket) hang() error { return nil }

// Silence returns ErrShared: datagrams cannot be kept from waking their reader.
func (*Socket) Silence(bool) error { return ErrShared }

// ReadNow refuses.
func (*Socket) ReadNow(b *Batch) error {
	b.n = 0
	return ErrShared
}

func (s *Socket) setDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

func (s *Socket) close() error { return s.conn.Close() }
