// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package vp9 reads the payload descriptor of VP9 over RTP (RFC 9628 section
// 4.2) and selects, of a scalable stream in one SSRC, the packets of the layers
// that one subscriber is to get.
//
// A Descriptor, a Selector and a Munger own nothing but their numbers. The package
// refuses to look into the picture. Picture ids of a stream with layers left out
// need no rewriting, for they count pictures of the source: only the marker bit
// changes, and the caller closes the sequence numbers up. A change of the source
// needs it.
// Nothing in it is safe for concurrent use.
package vp9

import "encoding/binary"

// First byte of the descriptor, and bits of the bytes that it announces.
const (
	bitI = 0x80
	bitP = 0x40
	bitL = 0x20
	bitF = 0x10
	bitB = 0x08
	bitE = 0x04
	bitV = 0x02
	bitZ = 0x01

	bitM = 0x80 // picture id of 15 bits
	bitU = 0x10
	bitD = 0x01
	bitN = 0x01 // another reference follows

	bitY = 0x10 // scalability structure: resolutions
	bitG = 0x08 // scalability structure: picture group

	mask7  = 1<<7 - 1
	mask15 = 1<<15 - 1

	maxReferences = 3
	// MaxSpatial is how many spatial layers a stream can have.
	MaxSpatial = 8
)

// Descriptor is a parsed payload descriptor.
type Descriptor struct {
	InterPicture bool // P: depends on other pictures
	Flexible     bool // F: references stand in each packet
	Start        bool // B: first packet of a layer frame
	End          bool // E: last packet of a layer frame
	NoUpperRef   bool // Z: no spatial layer above depends on this one
	HasPictureID bool
	Wide         bool // the picture id has 15 bits instead of 7
	PictureID    uint16
	HasLayers    bool  // L: TID, SID, SwitchUp and InterLayer are known
	TID          uint8 // temporal layer, 0..7
	SID          uint8 // spatial layer, 0..7
	SwitchUp     bool  // U: a higher frame rate may begin behind this picture
	InterLayer   bool  // D: depends on the next lower spatial layer
	HasTL0       bool  // only in non-flexible mode
	TL0          uint8 // TL0PICIDX
	// References holds the distances, in pictures, to those depended on. Only in
	// flexible mode.
	References [maxReferences]uint8
	Referenced uint8 // how many References there are
	// Layers is the number of spatial layers that the scalability structure in
	// this packet announces, 0 where there is none.
	Layers uint8
	Len    int // bytes of the descriptor

	structureAt int
}

// Resolution is the size of a spatial layer in pixels.
type Resolution struct{ Width, Height uint16 }

// Structure is a scalability structure (RFC 9628 section 4.2.1), less the
// references within the picture group.
type Structure struct {
	// Layers is the number of spatial layers, 1 to 8.
	Layers uint8
	// Resolutions of the layers; all zero where they are not told.
	Resolutions [MaxSpatial]Resolution
	// Pictures is the length of the picture group, 0 where it is not told.
	Pictures uint8
	// Temporal is the number of temporal layers in the picture group, 0 where
	// it is not told.
	Temporal uint8
}

// KeyPicture tells that a packet with d is of a base layer that depends on
// nothing: the picture can be begun with, in all its spatial layers.
func (d *Descriptor) KeyPicture() bool { return !d.InterPicture && d.SID == 0 }

// KeyFrame tells that d is of the first packet of a layer frame that depends on
// no other picture. For the base layer a decoder can begin here; for a layer
// above it can if it has the next lower one of the same picture.
func (d *Descriptor) KeyFrame() bool { return !d.InterPicture && d.Start }

// Parse reads the descriptor at the start of payload. It returns ErrShort where
// the payload ends inside it or directly behind it, and ErrReferences where it
// has more than three references; then d is undefined.
func Parse(payload []byte, d *Descriptor) error {
	if len(payload) == 0 {
		return ErrShort
	}
	b := payload[0]
	*d = Descriptor{
		InterPicture: b&bitP != 0, Flexible: b&bitF != 0, Start: b&bitB != 0,
		End: b&bitE != 0, NoUpperRef: b&bitZ != 0, Len: 1,
	}
	if b&bitI != 0 && !d.parsePictureID(payload) || b&bitL != 0 && !d.parseLayers(payload) {
		return ErrShort
	}
	if b&(bitP|bitF) == bitP|bitF {
		if err := d.parseReferences(payload); err != nil {
			return err
		}
	}
	if b&bitV != 0 {
		d.structureAt = d.Len
		var s Structure
		n := parseStructure(payload[d.Len:], &s)
		if n == 0 {
			return ErrShort
		}
		d.Layers, d.Len = s.Layers, d.Len+n
	}
	if d.Len >= len(payload) {
		return ErrShort
	}
	return nil
}

func (d *Descriptor) parsePictureID(payload []byte) bool {
	d.HasPictureID = true
	rest := payload[d.Len:]
	if len(rest) == 0 {
		return false
	}
	if rest[0]&bitM == 0 {
		d.PictureID = uint16(rest[0])
		d.Len++
		return true
	}
	if len(rest) < 2 {
		return false
	}
	d.Wide, d.PictureID = true, binary.BigEndian.Uint16(rest)&mask15
	d.Len += 2
	return true
}

func (d *Descriptor) parseLayers(payload []byte) bool {
	rest := payload[d.Len:]
	if len(rest) == 0 {
		return false
	}
	d.HasLayers = true
	d.TID, d.SwitchUp = rest[0]>>5, rest[0]&bitU != 0
	d.SID, d.InterLayer = rest[0]>>1&7, rest[0]&bitD != 0
	d.Len++
	if d.Flexible {
		return true
	}
	if len(rest) < 2 {
		return false
	}
	d.HasTL0, d.TL0 = true, rest[1]
	d.Len++
	return true
}

func (d *Descriptor) parseReferences(payload []byte) error {
	for more := true; more; {
		if d.Len >= len(payload) {
			return ErrShort
		}
		if d.Referenced == maxReferences {
			return ErrReferences
		}
		b := payload[d.Len]
		d.References[d.Referenced] = b >> 1
		d.Referenced++
		d.Len++
		more = b&bitN != 0
	}
	return nil
}

// ParseStructure reads the scalability structure of payload, whose descriptor d
// was parsed from it. It returns false where there is none.
func ParseStructure(payload []byte, d *Descriptor, s *Structure) bool {
	return d.Layers != 0 && d.structureAt < len(payload) && parseStructure(payload[d.structureAt:], s) != 0
}

// parseStructure returns the bytes that the structure at the start of b takes, 0
// where it is not complete.
func parseStructure(b []byte, s *Structure) (n int) {
	if len(b) == 0 {
		return 0
	}
	*s = Structure{Layers: b[0]>>5 + 1}
	flags := b[0]
	n = 1
	if flags&bitY != 0 {
		if len(b) < n+4*int(s.Layers) {
			return 0
		}
		for i := range s.Layers {
			s.Resolutions[i] = Resolution{binary.BigEndian.Uint16(b[n:]), binary.BigEndian.Uint16(b[n+2:])}
			n += 4
		}
	}
	if flags&bitG == 0 {
		return n
	}
	if len(b) <= n {
		return 0
	}
	s.Pictures = b[n]
	n++
	for range s.Pictures {
		if len(b) <= n {
			return 0
		}
		s.Temporal = max(s.Temporal, b[n]>>5+1)
		n += 1 + int(b[n]>>2&3)
	}
	if len(b) < n {
		return 0
	}
	return n
}
