// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socketSys is what a Socket has on Linux.
type socketSys struct {
	raw syscall.RawConn
	// bell is nil where the runtime watches the socket itself.
	bell *bell
	// v6 tells an AF_INET6 socket; it carries IPv4 in mapped form.
	v6 bool
	// gso is cleared when an egress device turns out not to segment.
	gso atomic.Bool
	// sendmmsg is the system call; tests put failures in front of it.
	sendmmsg func(fd uintptr, msgs []unix.Mmsghdr) (int, unix.Errno)
}

func (y *socketSys) init(s *Socket) error {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	y.raw = raw
	y.sendmmsg = sendmmsg
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = y.configure(int(fd), s.wildcard) }); err != nil {
		return err
	}
	return inner
}

// configure reads what the socket is and sets its options.
func (y *socketSys) configure(fd int, wildcard bool) error {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return err
	}
	y.v6 = domain == unix.AF_INET6
	growBuffer(fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF)
	growBuffer(fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF)
	// A kernel without segmentation does not know the option.
	_, err = unix.GetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT)
	y.gso.Store(err == nil)
	if !wildcard {
		return nil
	}
	if y.v6 {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
}

// growBuffer asks for bufferSize, beyond the system's limit where the process
// may. A smaller buffer loses packets earlier, nothing else.
func growBuffer(fd, force, plain int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, bufferSize) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, bufferSize)
	}
}

func (y *socketSys) segments() bool { return y.gso.Load() }

func (s *Socket) setDeadline(t time.Time) error {
	if b := s.sys.bell; b != nil {
		return b.file.SetReadDeadline(t)
	}
	return s.conn.SetReadDeadline(t)
}

func (s *Socket) close() error {
	if b := s.sys.bell; b != nil {
		return b.close()
	}
	return s.conn.Close()
}
