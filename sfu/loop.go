// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/caddy-videoroom/videoroom/port"
)

const (
	batchSize = 64
	outSlots  = 1024
	// commandQueue bounds control commands waiting for a loop. Posting waits
	// while it is full: a loop never waits for anybody, so it always drains.
	commandQueue = 1024
	// foreignQueue bounds batches handed over by sibling loops; more are dropped.
	foreignQueue = 256
)

// loop runs one core in one goroutine, on a socket of its own where the plane
// has a port of its own. What comes in elsewhere (on sibling loops' sockets, on
// sockets shared with HTTP/3, on links) is handed over in batches.
type loop struct {
	core     *core
	own      *sockBox // nil: no port of our own
	shared   map[*port.Socket]*sockBox
	stats    *counters
	siblings []*loop
	commands chan func(*core)
	foreign  chan *parcel
	outgoing []*parcel // by sibling, filled during one batch
	gauge    port.Gauge
	log      *slog.Logger
	started  time.Time
	running  bool
	quit     chan struct{}
	done     chan struct{}
	once     sync.Once
}

// sockBox sends a loop's datagrams through one socket.
type sockBox struct {
	*port.Outbox
	sock  *port.Socket
	stats *counters
}

func newSockBox(sock *port.Socket, stats *counters) *sockBox {
	return &sockBox{Outbox: port.NewOutbox(outSlots), sock: sock, stats: stats}
}

// Flush implements outbox.
func (b *sockBox) Flush() {
	if b.Pending() == 0 {
		return
	}
	if _, dropped := b.sock.Flush(b.Outbox); dropped > 0 {
		b.stats.dropped.Add(uint64(dropped))
	}
}

// WriteTo implements outbox.
func (b *sockBox) WriteTo(p []byte, to netip.AddrPort, local netip.Addr) {
	if b.sock.WriteTo(p, to, local) != nil {
		b.stats.dropped.Add(1)
	}
}

func newLoop(i int, sock *port.Socket, dir *directory, stats *counters, log *slog.Logger) *loop {
	l := &loop{
		core: newCore(i, dir, stats), stats: stats, log: log,
		shared:   make(map[*port.Socket]*sockBox),
		commands: make(chan func(*core), commandQueue),
		foreign:  make(chan *parcel, foreignQueue),
		started:  time.Now(),
		quit:     make(chan struct{}), done: make(chan struct{}),
	}
	if sock != nil {
		l.own = newSockBox(sock, stats)
	}
	return l
}

// wake ends the loop's waiting for its socket.
func (l *loop) wake() {
	if l.own != nil {
		l.own.sock.Wake()
	}
}

// flush sends what the loop has queued anywhere.
func (l *loop) flush() {
	if l.own != nil {
		l.own.Flush()
	}
	for _, b := range l.shared {
		b.Flush()
	}
}

// post has f run by the loop. It waits while the queue is full and drops f after
// the loop has ended.
func (l *loop) post(f func(*core)) {
	select {
	case l.commands <- f:
		l.wake()
	case <-l.quit:
	}
}

// deliver hands a parcel over; when the loop is too far behind it is lost.
func (l *loop) deliver(p *parcel) {
	select {
	case l.foreign <- p:
		l.wake()
	default:
		l.stats.dropped.Add(uint64(p.n))
		parcels.Put(p)
	}
}

func (l *loop) start() {
	l.outgoing = make([]*parcel, len(l.siblings))
	l.running = true
	go l.run() // ends when stop closes quit
}

func (l *loop) stop() {
	l.once.Do(func() { close(l.quit) })
	l.wake()
	if l.running {
		<-l.done
	}
	if l.own != nil {
		_ = l.own.sock.Close()
	}
}

func (l *loop) run() {
	defer close(l.done)
	defer l.shutdown()
	wait := l.waitForQueues
	if l.own != nil {
		wait = l.waitForSocket()
	}
	next := time.Now().Add(tickPeriod)
	for {
		select {
		case <-l.quit:
			return
		default:
		}
		due := next
		if at := l.core.nextDue(); at != 0 {
			if pad := l.started.Add(time.Duration(at)); pad.Before(due) {
				due = pad
			}
		}
		if !wait(due) {
			return
		}
		now := time.Now()
		l.core.now = int64(now.Sub(l.started))
		l.drain()
		l.core.pad()
		l.core.pace()
		if !now.Before(next) {
			next = now.Add(tickPeriod)
			l.core.tick()
		}
		l.flush()
	}
}

// waitForSocket returns the wait of a loop with a socket: it handles one batch
// of datagrams, or returns at the deadline or when woken. False: the socket has
// been closed.
func (l *loop) waitForSocket() func(time.Time) bool {
	batch := port.NewBatch(batchSize)
	silent := false
	return func(next time.Time) bool {
		var err error
		if silent {
			if batch.Len() < batchSize { // else there is more already
				port.Gather(next)
			}
			err = l.own.sock.ReadNow(batch)
		} else {
			if l.core.idle() {
				next = time.Time{}
			}
			_ = l.own.sock.SetReadDeadline(next)
			err = l.own.sock.Read(batch)
		}
		l.core.now = int64(time.Since(l.started))
		switch {
		case err == nil:
			l.batch(batch)
		case errors.Is(err, net.ErrClosed):
			return false
		case !expired(err):
			l.stats.dropped.Add(1) // an ICMP error of some destination: go on
		}
		if l.gauge.Count(time.Duration(l.core.now), batch.Len()) {
			// A socket that cannot be silenced is read as before.
			dense := l.gauge.Dense()
			silent = l.own.sock.Silence(dense) == nil && dense
		}
		return true
	}
}

// waitForQueues is the wait of a loop without a socket.
func (l *loop) waitForQueues(next time.Time) bool {
	var tick <-chan time.Time
	if !l.core.idle() {
		tick = time.After(time.Until(next))
	}
	select {
	case f := <-l.commands:
		l.core.now = int64(time.Since(l.started))
		f(l.core)
	case p := <-l.foreign:
		l.core.now = int64(time.Since(l.started))
		l.unpack(p)
	case <-tick:
	case <-l.quit:
		return false
	}
	return true
}

// expired tells a deadline or a wake-up from a fault.
func expired(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// batch handles one read's datagrams, run to completion.
func (l *loop) batch(b *port.Batch) {
	for i := range b.Len() {
		d := b.At(i)
		if !l.guard(d.Data, d.Addr, d.Local, l.own) {
			l.handOver(d.Data, d.Addr, d.Local)
		}
	}
	for i, p := range l.outgoing {
		if p != nil {
			l.outgoing[i] = nil
			l.siblings[i].deliver(p)
		}
	}
}

// guard handles one datagram and keeps a fault in the handling of one from
// ending the calls of all: the peer it came from is closed.
func (l *loop) guard(data []byte, from netip.AddrPort, local netip.Addr, via outbox) (taken bool) {
	defer func() {
		if r := recover(); r != nil {
			l.fault(from)
			taken = true
		}
	}()
	return l.core.receive(data, from, local, via)
}

func (l *loop) fault(from netip.AddrPort) {
	l.stats.faults.Add(1)
	l.log.Error("media: fault while handling a packet; its participant is disconnected", "stack", stackNames())
	if t := l.core.byAddr[from]; t != nil {
		l.core.removeTransport(t)
	}
}

// handOver queues a datagram for the sibling that owns it, if any does.
func (l *loop) handOver(data []byte, from netip.AddrPort, local netip.Addr) {
	owner, ok := l.core.dir.ownerOf(data, from)
	if !ok || owner == l.core.index || owner >= len(l.siblings) {
		l.stats.dropped.Add(1)
		return
	}
	if l.outgoing[owner] == nil {
		l.outgoing[owner] = newParcel(nil, nil)
	}
	if !l.outgoing[owner].add(data, from, local) {
		l.stats.dropped.Add(1)
	}
}

// drain runs what other goroutines have posted.
func (l *loop) drain() {
	for {
		select {
		case f := <-l.commands:
			f(l.core)
		case p := <-l.foreign:
			l.unpack(p)
		default:
			return
		}
	}
}

// unpack handles the datagrams of a parcel.
func (l *loop) unpack(p *parcel) {
	via := l.viaOf(p)
	for i := range p.n {
		data := p.data[i][:p.sizes[i]]
		if via == nil || !l.guard(data, p.from[i], p.local[i], via) {
			l.stats.dropped.Add(1)
		}
	}
	p.socket, p.link = nil, nil
	parcels.Put(p)
}

// viaOf returns where answers to a parcel's datagrams leave.
func (l *loop) viaOf(p *parcel) outbox {
	switch {
	case p.link != nil:
		return p.link
	case p.socket == nil && l.own != nil:
		return l.own
	case p.socket == nil:
		return nil
	}
	b := l.shared[p.socket]
	if b == nil {
		b = newSockBox(p.socket, l.stats)
		l.shared[p.socket] = b
	}
	return b
}

// forget drops a shared socket that has been closed.
func (l *loop) forget(s *port.Socket) {
	if b := l.shared[s]; b != nil {
		delete(l.shared, s)
		l.core.dropVia(b)
	}
}

// stackNames lists the functions of the faulting stack without their arguments,
// which could hold addresses.
func stackNames() []string {
	pcs := make([]uintptr, 24)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var out []string
	for {
		f, more := frames.Next()
		out = append(out, f.Function+":"+strconv.Itoa(f.Line))
		if !more {
			return out
		}
	}
}

func (l *loop) shutdown() {
	for t := range l.core.all {
		l.core.removeTransport(t)
	}
}
