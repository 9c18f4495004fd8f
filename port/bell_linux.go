// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && !portable

package port

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// bell stands between a socket and the runtime's poller: an epoll instance that
// watches the socket and is itself watched by the runtime. Silencing it costs one
// system call, and then arriving datagrams wake no thread. The runtime's own
// poller cannot be told to look away.
type bell struct {
	file *os.File // the epoll instance
	raw  syscall.RawConn
	fd   int // the socket
}

// hang moves the socket from the runtime's poller to a bell. Nobody may use the
// socket at this time.
func (s *Socket) hang() error {
	fd := -1
	var errno error
	if err := s.sys.raw.Control(func(old uintptr) {
		fd, errno = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil {
		return err
	}
	if errno != nil {
		return errno
	}
	b, err := newBell(fd)
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	_ = s.conn.Close() // takes it out of the runtime's poller; the duplicate lives on
	s.conn, s.sys.raw, s.sys.bell = nil, b.raw, b
	return nil
}

func newBell(fd int) (*bell, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	err = unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN})
	if err == nil {
		err = unix.SetNonblock(ep, true)
	}
	if err != nil {
		_ = unix.Close(ep)
		return nil, err
	}
	b := &bell{file: os.NewFile(uintptr(ep), "datagrams"), fd: fd}
	if b.raw, err = b.file.SyscallConn(); err != nil {
		_ = b.file.Close()
		return nil, err
	}
	return b, nil
}

// silence stops the bell, or lets it ring again: at once if datagrams are there.
func (b *bell) silence(on bool) (err error) {
	events := uint32(unix.EPOLLIN)
	if on {
		events = 0
	}
	if outer := b.raw.Control(func(ep uintptr) {
		err = unix.EpollCtl(int(ep), unix.EPOLL_CTL_MOD, b.fd, &unix.EpollEvent{Events: events})
	}); outer != nil {
		return outer
	}
	return err
}

// close waits for those who are using the socket.
func (b *bell) close() error {
	if err := b.file.Close(); err != nil {
		return err
	}
	return unix.Close(b.fd)
}

// fd returns the socket's descriptor, given that of what the runtime watches.
func (y *socketSys) fd(watched uintptr) uintptr {
	if y.bell != nil {
		return uintptr(y.bell.fd)
	}
	return watched
}

// Silence stops datagrams from waking anybody, or ends that; they stay in the
// socket's buffer for ReadNow. It belongs to the reading goroutine. On a socket
// that Listen did not open it returns ErrShared.
func (s *Socket) Silence(on bool) error {
	if s.sys.bell == nil {
		return ErrShared
	}
	if err := s.sys.bell.silence(on); err != nil {
		return fmt.Errorf("silencing a socket: %w", err)
	}
	return nil
}

// ReadNow fills b with the datagrams that are there, maybe none. Errors are
// net.ErrClosed, ErrShared and the system's.
func (s *Socket) ReadNow(b *Batch) error {
	b.n = 0
	if s.shared {
		return ErrShared
	}
	y := &b.sys
	y.sock, y.errno = s, 0
	err := s.sys.raw.Control(y.now)
	y.sock = nil
	if err == nil && y.errno != 0 {
		err = y.errno
	}
	return s.readError(err)
}
