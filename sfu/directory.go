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

// directory tells which loop owns a remote address. It is asked only for
// datagrams that the receiving loop does not know, and written only when an
// address passes its first connectivity check or goes away; readers never lock.
type directory struct {
	mu     sync.Mutex
	byAddr atomic.Pointer[map[netip.AddrPort]int]
}

func newDirectory() *directory {
	d := new(directory)
	d.byAddr.Store(&map[netip.AddrPort]int{})
	return d
}

func (d *directory) owner(a netip.AddrPort) (loop int, ok bool) {
	loop, ok = (*d.byAddr.Load())[a]
	return loop, ok
}

func (d *directory) set(a netip.AddrPort, loop int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := *d.byAddr.Load()
	if was, ok := old[a]; ok && was == loop {
		return
	}
	next := maps.Clone(old)
	next[a] = loop
	d.byAddr.Store(&next)
}

func (d *directory) remove(addrs []netip.AddrPort, loop int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := maps.Clone(*d.byAddr.Load())
	for _, a := range addrs {
		if next[a] == loop {
			delete(next, a)
		}
	}
	d.byAddr.Store(&next)
}

// ownerOf tells which loop a datagram is for: a check names its owner, anything
// else belongs to whoever knows the address.
func (d *directory) ownerOf(data []byte, from netip.AddrPort) (loop int, ok bool) {
	if demux.Classify(data) != demux.STUN {
		return d.owner(from)
	}
	ufrag, ok := stunUfrag(data)
	if !ok {
		return 0, false
	}
	return ufragLoop(ufrag)
}
