// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// sharedBatch is how many datagrams one read takes at most. quic-go alone
	// would take 8, which costs media a system call for each few packets.
	sharedBatch = 32
	// sharedControl is as long as quic-go's: it asks for the destination in
	// both families and for ECN.
	sharedControl = 128
)

const (
	flagCut        = unix.MSG_TRUNC
	flagControlCut = unix.MSG_CTRUNC
)

// control messages of one datagram, aligned as the kernel wants it.
type sharedAncillary struct {
	_ [0]unix.Cmsghdr
	b [sharedControl]byte
}

// intake reads the shared socket in batches of its own and keeps what HTTP/3
// has not fetched yet. Until that is gone it does not read again.
type intake struct {
	msgs  []unix.Mmsghdr
	iovs  []unix.Iovec
	names []unix.RawSockaddrInet6
	ctls  []sharedAncillary
	bufs  []byte
	// dirty is the number of headers that the kernel has written to.
	dirty int
	// fn is intake.recv, made once so that a read does not allocate it.
	fn    func(fd uintptr) bool
	errno unix.Errno

	rtc []Datagram // of the last read
	// held are the messages for HTTP/3 of the last read, from the one that is
	// fetched next.
	held  []int
	queue []int // held's beginning

	// media tells whether RTC datagrams come densely; now and http are the times
	// of the last read and of the last one with something for HTTP/3.
	media     Gauge
	began     time.Time
	now, http time.Duration

	senders senders
}

func (in *intake) init() {
	in.msgs = make([]unix.Mmsghdr, sharedBatch)
	in.iovs = make([]unix.Iovec, sharedBatch)
	in.names = make([]unix.RawSockaddrInet6, sharedBatch)
	in.ctls = make([]sharedAncillary, sharedBatch)
	in.bufs = make([]byte, sharedBatch*MaxDatagram)
	in.rtc = make([]Datagram, 0, sharedBatch)
	in.queue = make([]int, 0, sharedBatch)
	for i := range in.msgs {
		in.iovs[i].Base = &in.bufs[i*MaxDatagram]
		in.iovs[i].SetLen(MaxDatagram)
		h := &in.msgs[i].Hdr
		h.Iov = &in.iovs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&in.names[i]))
	}
	in.dirty = sharedBatch
	in.fn = in.recv
	in.began = time.Now()
}

// gathers tells whether the next read may wait: media comes densely, and nothing
// else has come for a while, so that HTTP/3 is not kept waiting.
func (in *intake) gathers() bool {
	return in.media.Dense() && in.now-in.http > gatherWindow && in.dirty < sharedBatch
}

// idle tells that nothing for HTTP/3 is left of the last read.
func (in *intake) idle() bool { return len(in.held) == 0 }

// await returns the next datagram for HTTP/3 and hands what comes before it
// over to the sink.
func (c *sharedConn) await() (packet, error) {
	in := &c.in
	for in.idle() {
		if in.gathers() {
			time.Sleep(gatherSpan)
		}
		in.errno = 0
		if err := c.sock.sys.raw.Read(in.fn); err != nil {
			return packet{}, err
		}
		if in.errno != 0 {
			return packet{}, os.NewSyscallError("recvmmsg", in.errno)
		}
		c.sort()
	}
	i := in.held[0]
	in.held = in.held[1:]
	m := &in.msgs[i]
	addr := readName(&in.names[i])
	if c.sock.sys.v6 {
		addr = netip.AddrPortFrom(in6(addr.Addr()), addr.Port())
	}
	return packet{data: in.data(i), oob: in.control(i), flags: int(m.Hdr.Flags), addr: addr}, nil
}

// in6 returns an IPv4 address in the form that it has on an IPv6 socket.
func in6(ip netip.Addr) netip.Addr {
	if ip.Is4() {
		return netip.AddrFrom16(ip.As16())
	}
	return ip
}

// recv is called whenever the socket is readable; false means to wait again.
func (in *intake) recv(fd uintptr) bool {
	for {
		for i := range in.msgs[:in.dirty] {
			h := &in.msgs[i].Hdr
			h.Namelen = unix.SizeofSockaddrInet6
			h.Control = &in.ctls[i].b[0]
			h.SetControllen(sharedControl)
		}
		in.dirty = 0
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd,
			uintptr(unsafe.Pointer(&in.msgs[0])), uintptr(len(in.msgs)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			in.dirty = int(n)
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			in.errno = errno
			return true
		}
	}
}

// sort divides the last read between HTTP/3 and the sink. Empty datagrams and
// those longer than MaxDatagram are of use to neither.
func (c *sharedConn) sort() {
	in := &c.in
	sink := c.hub.Sink()
	var count [kinds]uint64
	in.held, in.rtc = in.queue[:0], in.rtc[:0]
	for i := range in.msgs[:in.dirty] {
		m := &in.msgs[i]
		if m.Len == 0 || m.Hdr.Flags&unix.MSG_TRUNC != 0 {
			continue
		}
		b, k := in.data(i), kindQUIC
		var from netip.AddrPort
		if sink != nil && b[0]&quicBit == 0 {
			from = readName(&in.names[i])
			k = divide(b, from, sink)
		}
		count[k]++
		if k == kindQUIC {
			in.held = append(in.held, i)
			continue
		}
		local := c.sock.local.Addr()
		if c.sock.wildcard {
			local = readLocal(in.control(i))
		}
		in.rtc = append(in.rtc, Datagram{Data: b, Addr: from, Local: local})
	}
	c.hub.counters.add(&count)
	in.now = time.Since(in.began)
	in.media.Count(in.now, len(in.rtc))
	if len(in.held) > 0 {
		in.http = in.now
	}
	if len(in.rtc) > 0 {
		sink.Datagrams(c.sock, in.rtc)
	}
}

// data returns the octets of message i.
func (in *intake) data(i int) []byte {
	off, n := i*MaxDatagram, int(in.msgs[i].Len)
	return in.bufs[off : off+n : off+MaxDatagram]
}

// control returns the control messages of message i.
func (in *intake) control(i int) []byte {
	return in.ctls[i].b[:min(int(in.msgs[i].Hdr.Controllen), sharedControl)]
}
