// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux || portable

package port

import "net/netip"

// Portable code cannot ask for these.
const (
	flagCut        = 0
	flagControlCut = 0
)

// portableControl is as long as quic-go's.
const portableControl = 128

// intake reads the shared socket one datagram at a time.
type intake struct {
	buf     []byte
	oob     []byte
	rtc     [1]Datagram
	senders senders
}

func (in *intake) init() {
	// Some systems fail a read that does not have room for the datagram.
	in.buf = make([]byte, maxPayload)
	in.oob = make([]byte, portableControl)
}

// idle tells that a read would wait.
func (in *intake) idle() bool { return true }

// await returns the next datagram for HTTP/3 and hands what comes before it
// over to the sink. Where a datagram was sent to is not known here unless the
// socket is bound to one address.
func (c *sharedConn) await() (packet, error) {
	in := &c.in
	for {
		n, oobn, flags, addr, err := c.UDPConn.ReadMsgUDPAddrPort(in.buf, in.oob)
		if err != nil {
			return packet{}, err
		}
		if n == 0 || n > MaxDatagram {
			continue
		}
		b, k := in.buf[:n:MaxDatagram], kindQUIC
		from := netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
		sink := c.hub.Sink()
		if sink != nil {
			k = divide(b, from, sink)
		}
		var count [kinds]uint64
		count[k] = 1
		c.hub.counters.add(&count)
		if k == kindQUIC {
			return packet{data: b, oob: in.oob[:oobn], flags: flags, addr: addr}, nil
		}
		in.rtc[0] = Datagram{Data: b, Addr: from}
		if !c.sock.wildcard {
			in.rtc[0].Local = c.sock.local.Addr()
		}
		sink.Datagrams(c.sock, in.rtc[:])
	}
}
