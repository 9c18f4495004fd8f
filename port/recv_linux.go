// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchSys is the header side of a Batch: one message with one buffer, one name
// and one block of control messages for each datagram.
type batchSys struct {
	msgs  []unix.Mmsghdr
	iovs  []unix.Iovec
	names []unix.RawSockaddrInet6
	ctls  []ancillary
	// dirty is the number of headers that the kernel has written to.
	dirty int
	// fn is Batch.recv, made once so that a Read does not allocate it; now is the
	// same without waiting.
	fn    func(fd uintptr) bool
	now   func(fd uintptr)
	errno unix.Errno
	// sock is set while a Read runs.
	sock *Socket
}

func (y *batchSys) init(b *Batch) {
	n := len(b.dgrams)
	y.msgs = make([]unix.Mmsghdr, n)
	y.iovs = make([]unix.Iovec, n)
	y.names = make([]unix.RawSockaddrInet6, n)
	y.ctls = make([]ancillary, n)
	for i := range y.msgs {
		y.iovs[i].Base = &b.buf(i)[0]
		y.iovs[i].SetLen(MaxDatagram)
		h := &y.msgs[i].Hdr
		h.Iov = &y.iovs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&y.names[i]))
	}
	y.dirty = n
	y.fn = b.recv
	y.now = func(fd uintptr) { b.recv(fd) }
}

// read waits for datagrams and takes as many as there are.
func (s *Socket) read(b *Batch) error {
	y := &b.sys
	y.sock, y.errno = s, 0
	err := s.sys.raw.Read(y.fn)
	y.sock = nil
	if err != nil {
		return err
	}
	if y.errno != 0 {
		return y.errno
	}
	return nil
}

// recv is called whenever the socket is readable; false means to wait again.
func (b *Batch) recv(fd uintptr) bool {
	y := &b.sys
	fd = y.sock.sys.fd(fd)
	for {
		for i := range y.msgs[:y.dirty] {
			h := &y.msgs[i].Hdr
			h.Namelen = unix.SizeofSockaddrInet6
			h.Control = &y.ctls[i].b[0]
			h.SetControllen(controlSize)
		}
		y.dirty = 0
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd,
			uintptr(unsafe.Pointer(&y.msgs[0])), uintptr(len(y.msgs)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		default:
			y.errno = errno
			return true
		}
		y.dirty = int(n)
		if b.collect(int(n)); b.n > 0 {
			return true
		}
	}
}

// collect describes the n datagrams received, without those that were empty or
// longer than MaxDatagram.
func (b *Batch) collect(n int) {
	y := &b.sys
	b.n = 0
	for i := range y.msgs[:n] {
		m := &y.msgs[i]
		if m.Len == 0 || m.Hdr.Flags&unix.MSG_TRUNC != 0 {
			continue
		}
		d := &b.dgrams[b.n]
		d.Data = b.buf(i)[:m.Len]
		d.Addr = readName(&y.names[i])
		if y.sock.wildcard {
			d.Local = readLocal(y.ctls[i].b[:min(int(m.Hdr.Controllen), controlSize)])
		} else {
			d.Local = y.sock.local.Addr()
		}
		b.n++
	}
}
