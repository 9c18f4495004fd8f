// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import "net/netip"

// slotSize leaves room beyond MaxDatagram for what sealing may append before
// the sender notices that a packet is too long.
const slotSize = MaxDatagram + 64

// Dest is where one peer's datagrams go. It belongs to one loop. The zero
// Dest has no address: what is committed to it is dropped and counted.
type Dest struct {
	// Addr is the receiver.
	Addr netip.AddrPort
	// Local is the source address to send from, on a socket that is bound to
	// all addresses. Invalid: the kernel chooses.
	Local netip.Addr

	box   *Outbox // where datagrams are pending, nil for nowhere
	train int32   // index into box.trains
	sys   destSys
}

// Set changes the address. Pending datagrams follow it.
func (d *Dest) Set(addr netip.AddrPort, local netip.Addr) {
	d.Addr, d.Local = addr, local
}

// slot is the description of one send buffer.
type slot struct {
	n    int32 // octets
	next int32 // next slot of the same train, -1 at its end
}

// train is the queue of one Dest, in the order of Commit.
type train struct {
	dst        *Dest
	head, tail int32
}

// Outbox holds the send buffers of one loop. It is used by one goroutine at a
// time. NewOutbox makes it.
type Outbox struct {
	bufs   []byte
	slots  []slot
	used   int
	trains []train
	sys    outboxSys
}

// NewOutbox returns an outbox for up to slots datagrams (at least 1) between
// two calls of Flush.
func NewOutbox(slots int) *Outbox {
	slots = max(slots, 1)
	o := &Outbox{
		bufs:   make([]byte, slots*slotSize),
		slots:  make([]slot, slots),
		trains: make([]train, 0, slots),
	}
	o.sys.init(o)
	return o
}

// Slot returns the next free buffer, of length 0 and capacity MaxDatagram+64,
// or nil when the outbox is full and must be flushed first. The same buffer
// comes again until Commit takes it.
func (o *Outbox) Slot() []byte {
	if o.used == len(o.slots) {
		return nil
	}
	off := o.used * slotSize
	return o.bufs[off : off : off+slotSize]
}

// Commit queues the first n octets of the buffer that Slot returned last for
// dst. dst must stay untouched by other goroutines until Flush. n <= 0 and a
// full outbox queue nothing; n beyond the slot's capacity is cut to it.
func (o *Outbox) Commit(dst *Dest, n int) {
	if n <= 0 || o.used == len(o.slots) {
		return
	}
	i := int32(o.used)
	o.used++
	o.slots[i] = slot{n: int32(min(n, slotSize)), next: -1}
	if dst.box == o {
		t := &o.trains[dst.train]
		o.slots[t.tail].next = i
		t.tail = i
		return
	}
	// A Dest that is pending in another outbox starts a train here too; that
	// keeps the order within this one.
	dst.box, dst.train = o, int32(len(o.trains))
	o.trains = append(o.trains, train{dst: dst, head: i, tail: i})
}

// Pending returns the number of datagrams committed since the last Flush.
func (o *Outbox) Pending() int { return o.used }

// data returns the octets of slot i.
func (o *Outbox) data(i int32) []byte {
	off := int(i) * slotSize
	return o.bufs[off : off+int(o.slots[i].n)]
}

// reset empties the outbox and lets go of its destinations.
func (o *Outbox) reset() {
	for i := range o.trains {
		if d := o.trains[i].dst; d.box == o {
			d.box = nil
		}
		o.trains[i].dst = nil
	}
	o.trains = o.trains[:0]
	o.used = 0
}
