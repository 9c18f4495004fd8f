// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import (
	"bufio"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	pion "github.com/pion/stun/v4"
)

const (
	// channelHeader is the length of a ChannelData header in octets.
	channelHeader = 4
	// Channel numbers of RFC 8656 section 12.
	minChannel, maxChannel = 0x4000, 0x4FFF
)

// turnReader takes the messages out of a TURN stream (RFC 8656 section 12.5).
type turnReader struct {
	r    *bufio.Reader
	last int // octets to discard before the next message
}

// next returns the next message, ChannelData or STUN, without padding; it holds
// until the next call. Errors are ErrFrame for what is neither or longer than
// maxTURN octets, io.ErrUnexpectedEOF for a stream that ends in a message,
// io.EOF, or those of the reader.
func (t *turnReader) next() (b []byte, isChannel bool, err error) {
	// Never fails: exactly this much has been peeked.
	_, _ = t.r.Discard(t.last)
	t.last = 0
	head, err := t.r.Peek(channelHeader)
	if err != nil {
		return nil, false, shortRead(err, len(head))
	}
	first, size := binary.BigEndian.Uint16(head), int(binary.BigEndian.Uint16(head[2:]))
	var padded int
	switch {
	case first < 0x4000 && size&3 == 0:
		size += stunHeader
		padded = size
	case first >= minChannel && first <= maxChannel:
		isChannel = true
		size += channelHeader
		padded = (size + 3) &^ 3
	default:
		return nil, false, ErrFrame
	}
	if size > maxTURN {
		return nil, false, ErrFrame
	}
	if b, err = t.r.Peek(padded); err != nil {
		return nil, false, shortRead(err, len(b))
	}
	t.last = padded
	if !isChannel && binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return nil, false, ErrFrame
	}
	// Without capacity beyond its end nobody can write into the next message.
	return b[:size:size], isChannel, nil
}

// peerHeader is what comes before the payload of a Data indication.
const peerHeader = stunHeader + 4 + 8 + 4

// dataIndication returns the beginning of a Data indication (RFC 8656 section
// 11.6) with size octets from VirtualPeer.
func dataIndication(size int) (h [peerHeader]byte) {
	be := binary.BigEndian
	be.PutUint16(h[0:], pion.NewType(pion.MethodData, pion.ClassIndication).Value())
	be.PutUint16(h[2:], uint16(peerHeader-stunHeader+(size+3)&^3))
	be.PutUint32(h[4:], stunCookie)
	// Nobody answers an indication: its transaction is told apart from others,
	// not kept from being guessed.
	be.PutUint64(h[8:], rand.Uint64())
	be.PutUint32(h[16:], rand.Uint32())
	peer := h[stunHeader:]
	be.PutUint16(peer[0:], uint16(pion.AttrXORPeerAddress))
	be.PutUint16(peer[2:], 8)
	be.PutUint16(peer[4:], familyIPv4)
	ip := VirtualPeer.Addr().As4()
	be.PutUint16(peer[6:], VirtualPeer.Port()^stunCookie>>16)
	be.PutUint32(peer[8:], be.Uint32(ip[:])^stunCookie)
	be.PutUint16(peer[12:], uint16(pion.AttrData))
	be.PutUint16(peer[14:], uint16(size))
	return h
}

// Address families of STUN (RFC 8489 section 14.1).
const familyIPv4, familyIPv6 = 1, 2

// xorAddr decodes the value of an XOR-PEER-ADDRESS attribute of IPv4 (RFC 8489
// section 14.2). Everything else yields an invalid address: no other family can
// name VirtualPeer, IPv4 in its IPv6-mapped form included.
func xorAddr(v []byte) netip.AddrPort {
	if len(v) != 8 || binary.BigEndian.Uint16(v) != familyIPv4 {
		return netip.AddrPort{}
	}
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(v[4:])^stunCookie)
	return netip.AddrPortFrom(netip.AddrFrom4(ip), binary.BigEndian.Uint16(v[2:])^stunCookie>>16)
}

// wellFormedAddr tells whether v is the value of an XOR-PEER-ADDRESS attribute
// of either family.
func wellFormedAddr(v []byte) bool {
	if len(v) < 2 {
		return false
	}
	switch binary.BigEndian.Uint16(v) {
	case familyIPv4:
		return len(v) == 8
	case familyIPv6:
		return len(v) == 20
	}
	return false
}

// xorAddrAttr is an attribute with an address.
type xorAddrAttr struct {
	kind pion.AttrType
	addr netip.AddrPort
}

func (a xorAddrAttr) AddTo(m *pion.Message) error {
	v := pion.XORMappedAddress{IP: a.addr.Addr().AsSlice(), Port: int(a.addr.Port())}
	return v.AddToAs(m, a.kind)
}

// lifetimeAttr is LIFETIME, in seconds.
type lifetimeAttr uint32

func (l lifetimeAttr) AddTo(m *pion.Message) error {
	m.Add(pion.AttrLifetime, binary.BigEndian.AppendUint32(nil, uint32(l)))
	return nil
}
