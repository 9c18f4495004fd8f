// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/caddy-videoroom/videoroom/sfu/internal/demux"
)

// directory tells which loop owns a remote address, and which one a source of
// media. It is asked only for datagrams that the receiving loop does not know, and
// written only when an address passes its first connectivity check, a source is
// heard for the first time, or one of them goes away; readers never lock.
type directory struct {
	mu    sync.Mutex
	addrs atomic.Pointer[addresses]
	// sources holds the loop of each SSRC. The first to use one keeps it.
	sources sync.Map
}

// addresses never changes once it is stored.
type addresses struct {
	loop map[netip.AddrPort]int
	// hosts counts the addresses in loop by host.
	hosts map[netip.Addr]int
}

func newDirectory() *directory {
	d := new(directory)
	d.addrs.Store(&addresses{map[netip.AddrPort]int{}, map[netip.Addr]int{}})
	return d
}

func (d *directory) owner(a netip.AddrPort) (loop int, ok bool) {
	loop, ok = d.addrs.Load().loop[a]
	return loop, ok
}

// host tells whether an address of this host, on whatever port, is owned.
func (d *directory) host(a netip.Addr) bool { return d.addrs.Load().hosts[a] > 0 }

func (d *directory) set(a netip.AddrPort, loop int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.addrs.Load()
	was, known := old.loop[a]
	if known && was == loop {
		return
	}
	next := addresses{maps.Clone(old.loop), old.hosts}
	next.loop[a] = loop
	if !known {
		next.hosts = maps.Clone(old.hosts)
		next.hosts[a.Addr()]++
	}
	d.addrs.Store(&next)
}

func (d *directory) remove(addrs []netip.AddrPort, loop int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.addrs.Load()
	next := addresses{maps.Clone(old.loop), maps.Clone(old.hosts)}
	for _, a := range addrs {
		if was, ok := next.loop[a]; !ok || was != loop {
			continue
		}
		delete(next.loop, a)
		if next.hosts[a.Addr()]--; next.hosts[a.Addr()] == 0 {
			delete(next.hosts, a.Addr())
		}
	}
	d.addrs.Store(&next)
}

func (d *directory) setSource(ssrc uint32, loop int) { d.sources.LoadOrStore(ssrc, loop) }

func (d *directory) removeSource(ssrc uint32, loop int) { d.sources.CompareAndDelete(ssrc, loop) }

// source returns the loop of media from an address that nobody knows.
func (d *directory) source(class demux.Class, data []byte) (loop int, ok bool) {
	ssrc, ok := demux.Source(class, data)
	if !ok {
		return 0, false
	}
	v, ok := d.sources.Load(ssrc)
	if !ok {
		return 0, false
	}
	loop, ok = v.(int)
	return loop, ok
}

// ownerOf tells which loop a datagram is for: a check and the answer to a probe
// name their owner, anything else belongs to whoever knows the address, or else
// the source.
func (d *directory) ownerOf(data []byte, from netip.AddrPort) (loop int, ok bool) {
	class := demux.Classify(data)
	if class != demux.STUN {
		if loop, ok = d.owner(from); ok {
			return loop, true
		}
		return d.source(class, data)
	}
	if id, ok := stunAnswer(data); ok {
		return int(id[0]), true
	}
	ufrag, ok := stunUfrag(data)
	if !ok {
		return 0, false
	}
	return ufragLoop(ufrag)
}
