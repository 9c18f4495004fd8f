// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// tick is how long the loop rests after each round, so that packets are
	// handled in small batches. It is the error of all times.
	tick = time.Millisecond
	// batch bounds how many packets a round reads from one device.
	batch = 256
	// patience bounds how long the loop waits without looking up.
	patience = 200 * time.Millisecond
)

// loop carries the packets of all lines, on one thread that owns all pipes. It
// waits in raw system calls: handing the thread's processor to somebody else
// and back, hundreds of times a second, would cost more than the packets do.
type loop struct {
	ends  []*end
	bell  int // eventfd: there are orders
	start time.Time
	over  bool // the loop's
	gone  chan struct{}

	mu     sync.Mutex
	orders []func(now time.Duration)
}

func newLoop(lines map[string]*line) (*loop, error) {
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	l := &loop{bell: bell, start: time.Now(), gone: make(chan struct{})}
	for _, line := range lines {
		for _, e := range line.ends {
			l.ends = append(l.ends, e)
		}
	}
	return l, nil
}

// tell has the loop do something and waits for it. A loop whose device has
// gone does nothing more.
func (l *loop) tell(do func(now time.Duration)) {
	done := make(chan struct{})
	l.mu.Lock()
	l.orders = append(l.orders, func(now time.Duration) {
		do(now)
		close(done)
	})
	l.mu.Unlock()
	one := [8]byte{1}
	_, _ = unix.Write(l.bell, one[:]) // full only when it is ringing already
	select {
	case <-done:
	case <-l.gone:
	}
}

// close ends the loop.
func (l *loop) close() {
	l.tell(func(time.Duration) { l.over = true })
	<-l.gone
	_ = unix.Close(l.bell)
}

func (l *loop) obey() {
	var word [8]byte
	_, _ = unix.Read(l.bell, word[:]) // silenced; nothing to read is fine
	l.mu.Lock()
	orders := l.orders
	l.orders = nil
	l.mu.Unlock()
	for _, do := range orders {
		do(l.now())
	}
}

func (l *loop) now() time.Duration { return time.Since(l.start) }

// run carries packets until close, or until a device is gone.
func (l *loop) run() {
	runtime.LockOSThread()
	defer close(l.gone)
	fds := make([]unix.PollFd, len(l.ends)+1)
	for i, e := range l.ends {
		fds[i] = unix.PollFd{Fd: int32(e.from), Events: unix.POLLIN}
	}
	bell := &fds[len(l.ends)]
	*bell = unix.PollFd{Fd: int32(l.bell), Events: unix.POLLIN}
	for !l.over {
		poll(fds, l.idle())
		for i, e := range l.ends {
			if fds[i].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
				return // its namespace was removed
			}
			if fds[i].Revents != 0 {
				e.read(l.now())
			}
			e.write(l.now())
		}
		if bell.Revents != 0 {
			l.obey()
		}
		pause(tick)
	}
}

// idle is how long nothing happens by itself.
func (l *loop) idle() time.Duration {
	wait, now := patience, l.now()
	for _, e := range l.ends {
		if at, ok := e.pipe.next(); ok {
			wait = min(wait, max(0, at-now))
		}
	}
	return wait
}

func (e *end) read(now time.Duration) {
	for range batch {
		b := e.pipe.buffer()
		n, err := rawIO(unix.SYS_READ, e.from, b)
		if err != 0 || n == 0 {
			e.pipe.free(b)
			return
		}
		e.pipe.push(now, b[:n])
	}
}

func (e *end) write(now time.Duration) {
	for b := e.pipe.pop(now); b != nil; b = e.pipe.pop(now) {
		_, _ = rawIO(unix.SYS_WRITE, e.to, b) // a device that is down takes nothing
		e.pipe.free(b)
	}
}

// rawIO reads or writes without waiting: the descriptors never block.
func rawIO(call uintptr, fd int, b []byte) (int, unix.Errno) {
	n, _, err := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), err
}

// poll waits for packets or orders. An error is no news: nothing is ready then.
func poll(fds []unix.PollFd, wait time.Duration) {
	ts := unix.NsecToTimespec(int64(wait))
	for i := range fds {
		fds[i].Revents = 0
	}
	_, _, _ = unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)),
		uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
}

func pause(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0) // cut short by a signal: fine
}
