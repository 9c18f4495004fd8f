// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package red takes redundant audio payloads (RFC 2198) apart, for subscribers
// that take plain audio: the primary block of each packet, and from the
// redundant ones what the network lost.
//
// It owns no payload: every slice it returns is part of the packet given to it.
// It refuses to build RED, and to look into the audio. A payload that the
// publisher encrypted as a whole (end-to-end encryption of frames) is not RED to
// anybody but its receivers: such packets must not come here. Nothing in it is
// safe for concurrent use.
package red

const (
	// MaxRedundant is how many redundant blocks are kept, those nearest to the
	// primary one. Older ones are of no use in a conversation.
	MaxRedundant = 3

	maxHeaders = 16

	bitMore    = 0x80
	headerSize = 4
)

// Block is one redundant block.
type Block struct {
	PT uint8
	// Offset is how much older than the packet it is, in units of its timestamp.
	Offset  uint16
	Payload []byte
}

// Packet is a payload taken apart.
type Packet struct {
	// PT and Payload are those of the primary block. The payload may be empty.
	PT      uint8
	Payload []byte

	redundant [MaxRedundant]Block
	count     int
}

// Redundant returns the last MaxRedundant redundant blocks, the oldest first.
func (p *Packet) Redundant() []Block { return p.redundant[:p.count] }

// Parse takes payload apart. It returns ErrShort or ErrBlocks for what is not
// RED; then p is undefined.
func Parse(payload []byte, p *Packet) error {
	headers, size := 0, 0
	at := 0
	for ; at < len(payload) && payload[at]&bitMore != 0; at += headerSize {
		if len(payload) < at+headerSize {
			return ErrShort
		}
		size += int(payload[at+2]&3)<<8 | int(payload[at+3])
		if headers++; headers > maxHeaders {
			return ErrBlocks
		}
	}
	if at >= len(payload) || len(payload)-at-1 < size {
		return ErrShort
	}
	p.PT, p.count = payload[at], 0
	rest := payload[at+1:]
	for i := range headers {
		h := payload[i*headerSize:]
		n := int(h[2]&3)<<8 | int(h[3])
		if i >= headers-MaxRedundant {
			p.redundant[p.count] = Block{PT: h[0] &^ bitMore, Offset: uint16(h[1])<<6 | uint16(h[2])>>2, Payload: rest[:n:n]}
			p.count++
		}
		rest = rest[n:]
	}
	p.Payload = rest
	return nil
}
