// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package rtpx reads and writes RTP headers (RFC 3550 section 5.1) with the
// one- and two-byte header extensions of RFC 8285, without allocating.
//
// It owns no memory: a Packet refers to the caller's buffer. It refuses
// anything that does not fit its own length fields, and it never copies or
// interprets a payload.
package rtpx

import "encoding/binary"

const (
	fixedLen = 12
	version2 = 2 << 6

	bitPadding   = 0x20
	bitExtension = 0x10
	bitMarker    = 0x80
	maskCSRC     = 0x0F
	maskPT       = 0x7F

	profileOneByte     = 0xBEDE
	profileTwoByte     = 0x1000
	profileTwoByteMask = 0xFFF0 // the low four bits are application bits

	maxOneByteID = 14 // 15 is reserved
)

// Packet is a parsed view of one RTP packet. It stays valid as long as Buf is
// not changed. A Packet is reused by calling Parse again.
type Packet struct {
	Buf       []byte // the whole packet as given to Parse
	HeaderLen int    // bytes before the payload: fixed header, CSRCs, extension
	PT        uint8  // payload type, 7 bits
	Marker    bool
	Seq       uint16
	TS, SSRC  uint32
	Padding   int // bytes of padding at the end, the count byte included

	extProfile uint16
	extStart   int // first byte of the extension elements
	extEnd     int // one past the last
}

// Parse reads the header of b and keeps a reference to b. The errors are
// ErrShort, ErrVersion and ErrPadding; after an error the content of p is
// undefined. The elements of a header extension are not checked here: Ext
// ignores from the first malformed one on.
func (p *Packet) Parse(b []byte) error {
	if len(b) < fixedLen {
		return ErrShort
	}
	first := b[0]
	if first&0xC0 != version2 {
		return ErrVersion
	}
	header := fixedLen + 4*int(first&maskCSRC)
	if len(b) < header {
		return ErrShort
	}
	p.extProfile, p.extStart, p.extEnd = 0, 0, 0
	if first&bitExtension != 0 {
		if len(b) < header+4 {
			return ErrShort
		}
		p.extProfile = binary.BigEndian.Uint16(b[header:])
		p.extStart = header + 4
		p.extEnd = p.extStart + 4*int(binary.BigEndian.Uint16(b[header+2:]))
		if len(b) < p.extEnd {
			return ErrShort
		}
		header = p.extEnd
	}
	p.Padding = 0
	if first&bitPadding != 0 {
		p.Padding = int(b[len(b)-1])
		if p.Padding == 0 || p.Padding > len(b)-header {
			return ErrPadding
		}
	}
	p.Buf = b
	p.HeaderLen = header
	p.PT = b[1] & maskPT
	p.Marker = b[1]&bitMarker != 0
	p.Seq = binary.BigEndian.Uint16(b[2:])
	p.TS = binary.BigEndian.Uint32(b[4:])
	p.SSRC = binary.BigEndian.Uint32(b[8:])
	return nil
}

// Payload returns the payload without padding; it is empty for a packet that
// holds padding only. It shares memory with Buf.
func (p *Packet) Payload() []byte {
	end := len(p.Buf) - p.Padding
	return p.Buf[p.HeaderLen:end:end]
}

// Ext returns the data of the header extension element id (RFC 8285 sections
// 4.2 and 4.3), or nil where the packet has none. An element of the two-byte
// form may be empty without being nil. The result shares memory with Buf.
// Id 0 is padding and never found.
func (p *Packet) Ext(id uint8) []byte {
	if p.extEnd == p.extStart || id == 0 {
		return nil
	}
	elements := p.Buf[p.extStart:p.extEnd:p.extEnd]
	switch {
	case p.extProfile == profileOneByte:
		return oneByteExt(elements, id)
	case p.extProfile&profileTwoByteMask == profileTwoByte:
		return twoByteExt(elements, id)
	}
	return nil
}

func oneByteExt(b []byte, id uint8) []byte {
	for i := 0; i < len(b); {
		head := b[i]
		i++
		if head == 0 {
			continue
		}
		// Id 15, and id 0 with a length, end the processing of the whole
		// extension (RFC 8285 section 4.2).
		got, n := head>>4, int(head&0x0F)+1
		if got == 0 || got > maxOneByteID || i+n > len(b) {
			return nil
		}
		if got == id {
			return b[i : i+n : i+n]
		}
		i += n
	}
	return nil
}

func twoByteExt(b []byte, id uint8) []byte {
	for i := 0; i < len(b); {
		got := b[i]
		i++
		if got == 0 {
			continue
		}
		if i >= len(b) {
			return nil
		}
		n := int(b[i])
		i++
		if i+n > len(b) {
			return nil
		}
		if got == id {
			return b[i : i+n : i+n]
		}
		i += n
	}
	return nil
}

// ExtElement is one header extension element of the one-byte form with at most
// four bytes of data. ID is 1..14 and Len 1..4.
type ExtElement struct {
	ID   uint8
	Data [4]byte
	Len  uint8
}

// HeaderSpec describes a header to write: no CSRCs, no padding, and the first
// NExt elements of Ext.
type HeaderSpec struct {
	PT       uint8
	Marker   bool
	Seq      uint16
	TS, SSRC uint32
	Ext      [2]ExtElement
	NExt     int
}

// MaxHeaderLen is the longest header PutHeader writes, in bytes: the fixed
// header, the extension's own four bytes and two elements padded to a multiple
// of four.
const MaxHeaderLen = fixedLen + 4 + 12

// PutHeader writes h at the start of dst and returns the header's length in
// bytes, a multiple of four and at most MaxHeaderLen. It returns 0 and leaves
// dst in an undefined state where dst is too short, or where an element's ID or
// Len is outside the range of ExtElement.
func PutHeader(dst []byte, h *HeaderSpec) int {
	if len(dst) < fixedLen || h.NExt < 0 || h.NExt > len(h.Ext) {
		return 0
	}
	dst[0] = version2
	dst[1] = h.PT & maskPT
	if h.Marker {
		dst[1] |= bitMarker
	}
	binary.BigEndian.PutUint16(dst[2:], h.Seq)
	binary.BigEndian.PutUint32(dst[4:], h.TS)
	binary.BigEndian.PutUint32(dst[8:], h.SSRC)
	if h.NExt == 0 {
		return fixedLen
	}
	dst[0] |= bitExtension
	return putExt(dst, h)
}

func putExt(dst []byte, h *HeaderSpec) int {
	const start = fixedLen + 4
	end := start
	for i := range h.NExt {
		e := &h.Ext[i]
		n := int(e.Len)
		if e.ID == 0 || e.ID > maxOneByteID || n == 0 || n > len(e.Data) || end+1+n > len(dst) {
			return 0
		}
		dst[end] = e.ID<<4 | uint8(n-1)
		copy(dst[end+1:], e.Data[:n])
		end += 1 + n
	}
	for end%4 != 0 {
		if end == len(dst) {
			return 0
		}
		dst[end] = 0
		end++
	}
	binary.BigEndian.PutUint16(dst[fixedLen:], profileOneByte)
	binary.BigEndian.PutUint16(dst[fixedLen+2:], uint16((end-start)/4))
	return end
}
