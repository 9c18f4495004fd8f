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
	"github.com/caddy-videoroom/videoroom/sfu/internal/demux"
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

// loop runs one core on one socket in one goroutine. With several loops the
// kernel spreads flows over their sockets by hash; datagrams that land on
// another loop than their room's are handed over in batches.
type loop struct {
	core     *core
	sock     *port.Socket
	box      *port.Outbox
	stats    *counters
	siblings []*loop
	commands chan func(*core)
	foreign  chan *parcel
	outgoing []*parcel // by sibling, filled during one batch
	log      *slog.Logger
	started  time.Time
	quit     chan struct{}
	done     chan struct{}
	once     sync.Once
}

// parcel is a batch of datagrams on its way to another loop.
type parcel struct {
	n     int
	sizes [batchSize]int
	from  [batchSize]netip.AddrPort
	local [batchSize]netip.Addr
	data  [batchSize][port.MaxDatagram]byte
}

var parcels = sync.Pool{New: func() any { return new(parcel) }}

func newLoop(i int, sock *port.Socket, dir *directory, stats *counters, log *slog.Logger) *loop {
	l := &loop{
		sock: sock, box: port.NewOutbox(outSlots), stats: stats, log: log,
		commands: make(chan func(*core), commandQueue),
		foreign:  make(chan *parcel, foreignQueue),
		started:  time.Now(),
		quit:     make(chan struct{}), done: make(chan struct{}),
	}
	l.core = newCore(i, l, dir, stats)
	return l
}

// Slot, Commit, Flush and WriteTo implement outbox on the loop's socket.
func (l *loop) Slot() []byte               { return l.box.Slot() }
func (l *loop) Commit(d *port.Dest, n int) { l.box.Commit(d, n) }
func (l *loop) Flush() {
	if _, dropped := l.sock.Flush(l.box); dropped > 0 {
		l.stats.dropped.Add(uint64(dropped))
	}
}

func (l *loop) WriteTo(b []byte, to netip.AddrPort, local netip.Addr) {
	if l.sock.WriteTo(b, to, local) != nil {
		l.stats.dropped.Add(1)
	}
}

// post has f run by the loop. It waits while the queue is full and drops f after
// the loop has ended.
func (l *loop) post(f func(*core)) {
	select {
	case l.commands <- f:
		l.sock.Wake()
	case <-l.quit:
	}
}

func (l *loop) start() {
	l.outgoing = make([]*parcel, len(l.siblings))
	go l.run() // ends when stop closes quit
}

func (l *loop) stop() {
	l.once.Do(func() { close(l.quit) })
	l.sock.Wake()
	if l.outgoing != nil {
		<-l.done
	}
	_ = l.sock.Close()
}

func (l *loop) run() {
	defer close(l.done)
	batch := port.NewBatch(batchSize)
	next := time.Now().Add(tickPeriod)
	for {
		select {
		case <-l.quit:
			l.shutdown()
			return
		default:
		}
		if l.core.idle() {
			_ = l.sock.SetReadDeadline(time.Time{})
		} else {
			_ = l.sock.SetReadDeadline(next)
		}
		err := l.sock.Read(batch)
		now := time.Now()
		l.core.now = int64(now.Sub(l.started))
		switch {
		case err == nil:
			l.batch(batch)
		case errors.Is(err, net.ErrClosed):
			l.shutdown()
			return
		case !expired(err):
			l.stats.dropped.Add(1) // an ICMP error of some destination: go on
		}
		l.drain()
		if !now.Before(next) {
			next = now.Add(tickPeriod)
			l.core.tick()
		}
		l.Flush()
	}
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
		l.guard(d.Data, d.Addr, d.Local)
	}
	for i, p := range l.outgoing {
		if p == nil {
			continue
		}
		l.outgoing[i] = nil
		select {
		case l.siblings[i].foreign <- p:
			l.siblings[i].sock.Wake()
		default:
			l.stats.dropped.Add(uint64(p.n))
			parcels.Put(p)
		}
	}
}

// guard handles one datagram and keeps a fault in the handling of one from
// ending the calls of all: the peer it came from is closed.
func (l *loop) guard(data []byte, from netip.AddrPort, local netip.Addr) {
	defer func() {
		if r := recover(); r != nil {
			l.fault(from)
		}
	}()
	if !l.core.receive(data, from, local) {
		l.handOver(data, from, local)
	}
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
	owner, ok := 0, false
	if demux.Classify(data) == demux.STUN {
		var ufrag string
		if ufrag, ok = stunUfrag(data); ok {
			owner, ok = ufragLoop(ufrag)
		}
	} else {
		owner, ok = l.core.dir.owner(from)
	}
	if !ok || owner == l.core.index || owner >= len(l.siblings) || len(data) > port.MaxDatagram {
		l.stats.dropped.Add(1)
		return
	}
	p := l.outgoing[owner]
	if p == nil {
		p = parcels.Get().(*parcel)
		p.n = 0
		l.outgoing[owner] = p
	}
	if p.n == batchSize {
		l.stats.dropped.Add(1)
		return
	}
	p.sizes[p.n] = copy(p.data[p.n][:], data)
	p.from[p.n], p.local[p.n] = from, local
	p.n++
}

// drain runs what other goroutines have posted.
func (l *loop) drain() {
	for {
		select {
		case f := <-l.commands:
			f(l.core)
		case p := <-l.foreign:
			for i := range p.n {
				data := p.data[i][:p.sizes[i]]
				if !l.received(data, p.from[i], p.local[i]) {
					l.stats.dropped.Add(1)
				}
			}
			parcels.Put(p)
		default:
			return
		}
	}
}

// received handles a datagram that a sibling handed over.
func (l *loop) received(data []byte, from netip.AddrPort, local netip.Addr) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			l.fault(from)
		}
	}()
	return l.core.receive(data, from, local)
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
