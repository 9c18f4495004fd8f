// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"net/netip"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The bounds of one segmented message.
const (
	maxSegments = 64
	maxTrain    = 65000
)

// outboxSys is the header side of an Outbox. A message carries one datagram, or
// a run of them that the kernel cuts apart.
type outboxSys struct {
	msgs []unix.Mmsghdr
	iovs []unix.Iovec
	ctls []ancillary
	// dests and runs describe message i: its receiver and its datagrams.
	dests []*Dest
	runs  []int
	n     int // messages
	iov   int // buffers

	// singles carry the datagrams of one run that the kernel refused whole.
	singles [maxSegments]unix.Mmsghdr

	// fn is Outbox.transmit, made once so that a Flush does not allocate it.
	fn   func(fd uintptr)
	sock *Socket
	sent int
}

func (y *outboxSys) init(o *Outbox) {
	n := len(o.slots)
	y.msgs = make([]unix.Mmsghdr, n)
	y.iovs = make([]unix.Iovec, n)
	y.ctls = make([]ancillary, n)
	y.dests = make([]*Dest, n)
	y.runs = make([]int, n)
	y.fn = o.transmit
}

// flush turns the trains into messages and hands them to the kernel.
func (s *Socket) flush(o *Outbox) (sent int) {
	y := &o.sys
	y.n, y.iov, y.sent = 0, 0, 0
	gso := s.sys.gso.Load()
	for i := range o.trains {
		t := &o.trains[i]
		if !t.dst.resolve(s) {
			continue
		}
		for j := t.head; j >= 0; {
			j = o.addRun(t.dst, j, gso && !t.dst.sys.whole)
		}
	}
	if y.n > 0 {
		y.sock = s
		// The only error is that of a closed socket: nothing is sent then.
		// Control, unlike Write, holds no lock that other loops would wait for.
		_ = s.sys.raw.Control(y.fn)
		y.sock = nil
	}
	clear(y.dests[:y.n])
	for i := range y.msgs[:y.n] {
		y.msgs[i].Hdr.Name = nil
	}
	return y.sent
}

// addRun makes one message of slot i and, with segmentation, of the slots after
// it that fit: equally long ones, and one shorter as the last. It returns the
// slot after them.
func (o *Outbox) addRun(d *Dest, i int32, gso bool) int32 {
	y := &o.sys
	first := y.iov
	size, total, count := o.slots[i].n, int32(0), 0
	for i >= 0 {
		n := o.slots[i].n
		if count > 0 && (!gso || n > size || count == maxSegments || total+n > maxTrain) {
			break
		}
		buf := o.data(i)
		y.iovs[y.iov].Base = &buf[0]
		y.iovs[y.iov].SetLen(len(buf))
		y.iov++
		count++
		total += n
		i = o.slots[i].next
		if n < size {
			break
		}
	}
	k := y.n
	y.n++
	y.dests[k], y.runs[k] = d, count
	h := &y.msgs[k].Hdr
	h.Name = (*byte)(unsafe.Pointer(&d.sys.name))
	h.Namelen = d.sys.nameLen
	h.Iov = &y.iovs[first]
	h.SetIovlen(count)
	c := &y.ctls[k]
	length := copy(c.b[:d.sys.ctlLen], d.sys.ctl.b[:])
	if count > 1 {
		var p []byte
		p, length = c.put(length, unix.SOL_UDP, unix.UDP_SEGMENT, 2)
		*(*uint16)(unsafe.Pointer(&p[0])) = uint16(size)
	}
	setControl(h, c, length)
	return i
}

// setControl attaches the first n octets of c to h.
func setControl(h *unix.Msghdr, c *ancillary, n int) {
	h.Control = nil
	if n > 0 {
		h.Control = &c.b[0]
	}
	h.SetControllen(n)
}

// transmit hands all messages over, stepping across those that fail.
func (o *Outbox) transmit(fd uintptr) {
	y := &o.sys
	fd = y.sock.sys.fd(fd)
	for i := 0; i < y.n; {
		n, errno := y.sock.sys.sendmmsg(fd, y.msgs[i:y.n])
		switch errno {
		case 0:
			if n == 0 {
				return
			}
			for _, run := range y.runs[i : i+n] {
				y.sent += run
			}
			i += n
		case unix.EINTR:
		case unix.EAGAIN:
			// The send buffer is full: what follows would not fit either.
			return
		case unix.EIO, unix.EINVAL:
			if y.runs[i] > 1 {
				o.apart(fd, i, errno)
			}
			i++
		default:
			i++
		}
	}
}

// apart sends the datagrams of message i one by one after the kernel refused
// them as a run, and remembers that: EIO means that the egress device cannot
// segment, EINVAL that this path cannot carry segments of that length.
func (o *Outbox) apart(fd uintptr, i int, errno unix.Errno) {
	y := &o.sys
	if errno == unix.EIO {
		y.sock.sys.gso.Store(false)
	} else {
		y.dests[i].sys.whole = true
	}
	whole := &y.msgs[i].Hdr
	iovs := unsafe.Slice(whole.Iov, y.runs[i])
	for j := range iovs {
		h := &y.singles[j].Hdr
		h.Name, h.Namelen = whole.Name, whole.Namelen
		h.Iov = &iovs[j]
		h.SetIovlen(1)
		setControl(h, &y.ctls[i], y.dests[i].sys.ctlLen)
	}
	defer clear(y.singles[:len(iovs)])
	for j := 0; j < len(iovs); {
		n, errno := y.sock.sys.sendmmsg(fd, y.singles[j:len(iovs)])
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN || errno == 0 && n == 0:
			return
		case errno != 0:
			j++
		default:
			y.sent += n
			j += n
		}
	}
}

// sendmmsg is the system call.
func sendmmsg(fd uintptr, msgs []unix.Mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd,
		uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// letter is what a single send needs; letters pools them.
type letter struct {
	dest  Dest
	hdr   unix.Msghdr
	iov   unix.Iovec
	errno unix.Errno
	fn    func(fd uintptr)
	sock  *Socket
}

var letters = sync.Pool{New: func() any {
	l := new(letter)
	l.fn = l.post
	return l
}}

// write sends one datagram.
func (s *Socket) write(b []byte, addr netip.AddrPort, local netip.Addr) error {
	l := letters.Get().(*letter)
	defer letters.Put(l)
	l.dest.Set(addr, local)
	l.dest.sys.ready = false // the pool serves sockets of all kinds
	if !l.dest.resolve(s) {
		return ErrAddress
	}
	l.iov.Base = nil
	if len(b) > 0 {
		l.iov.Base = &b[0]
	}
	l.iov.SetLen(len(b))
	l.hdr.Name, l.hdr.Namelen = (*byte)(unsafe.Pointer(&l.dest.sys.name)), l.dest.sys.nameLen
	l.hdr.Iov = &l.iov
	l.hdr.SetIovlen(1)
	setControl(&l.hdr, &l.dest.sys.ctl, l.dest.sys.ctlLen)
	l.sock = s
	err := s.sys.raw.Control(l.fn)
	l.iov.Base, l.sock = nil, nil
	switch {
	case err != nil:
		return err
	case l.errno == unix.EAGAIN || l.errno == unix.ENOBUFS:
		return ErrDropped
	case l.errno == unix.EMSGSIZE:
		return ErrTooBig
	case l.errno != 0:
		return l.errno
	}
	return nil
}

// post is the system call of a letter.
func (l *letter) post(fd uintptr) {
	fd = l.sock.sys.fd(fd)
	for {
		_, _, l.errno = unix.Syscall(unix.SYS_SENDMSG, fd,
			uintptr(unsafe.Pointer(&l.hdr)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if l.errno != unix.EINTR {
			return
		}
	}
}
