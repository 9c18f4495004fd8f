// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package vp8 reads and rewrites the payload descriptor of VP8 over RTP (RFC
// 7741 section 4.2), so that a stream put together from several layers keeps
// continuous picture ids and TL0PICIDX values.
//
// A Descriptor and a Munger own nothing but their numbers. The package refuses
// to look into the picture, apart from the one bit that tells a key frame, and
// to change the length of a packet. Nothing in it is safe for concurrent use.
package vp8

import "encoding/binary"

// First byte of the descriptor, extension byte, and the bytes these announce.
const (
	bitX    = 0x80
	bitN    = 0x20
	bitS    = 0x10
	maskPID = 0x07

	bitI = 0x80
	bitL = 0x40
	bitT = 0x20
	bitK = 0x10

	bitM = 0x80 // picture id of 15 bits
	bitY = 0x20 // layer sync

	bitInterFrame = 0x01 // P of the payload header (section 4.3)

	mask7  = 1<<7 - 1
	mask15 = 1<<15 - 1
)

// Descriptor is a parsed payload descriptor.
type Descriptor struct {
	Start        bool // first packet of a picture: S set and partition 0
	HasPictureID bool
	Wide         bool // the picture id has 15 bits instead of 7
	PictureID    uint16
	HasTL0       bool
	TL0          uint8 // TL0PICIDX: running index of the base layer's pictures
	HasTID       bool
	TID          uint8 // temporal layer, 0..3
	LayerSync    bool  // Y: depends on the base layer only; with HasTID
	KeyFrame     bool  // first packet of a key frame
	NonReference bool  // N: no other picture depends on this one
	Len          int   // bytes of the descriptor

	pictureIDAt int
	tl0At       int
}

// Parse reads the descriptor at the start of payload. It returns ErrShort where
// the payload ends inside it or directly behind it; then d is undefined.
func Parse(payload []byte, d *Descriptor) error {
	if len(payload) < 2 {
		return ErrShort
	}
	*d = Descriptor{
		Start:        payload[0]&(bitS|maskPID) == bitS,
		NonReference: payload[0]&bitN != 0,
		Len:          1,
	}
	if payload[0]&bitX != 0 {
		d.parseExtension(payload)
	}
	if d.Len >= len(payload) {
		return ErrShort
	}
	d.KeyFrame = d.Start && payload[d.Len]&bitInterFrame == 0
	return nil
}

// parseExtension reads the optional bytes. It leaves Len at or behind the end
// of a payload that is too short.
func (d *Descriptor) parseExtension(payload []byte) {
	flags := payload[1]
	d.Len = 2
	if flags&bitI != 0 {
		d.HasPictureID, d.pictureIDAt = true, d.Len
		d.Wide = d.Len < len(payload) && payload[d.Len]&bitM != 0
		d.Len++
		if d.Wide {
			d.Len++
		}
		if d.Len > len(payload) {
			return
		}
		d.PictureID = uint16(payload[d.pictureIDAt]) & mask7
		if d.Wide {
			d.PictureID = binary.BigEndian.Uint16(payload[d.pictureIDAt:]) & mask15
		}
	}
	if flags&bitL != 0 {
		d.HasTL0, d.tl0At = true, d.Len
		d.Len++
		if d.Len > len(payload) {
			return
		}
		d.TL0 = payload[d.tl0At]
	}
	if flags&(bitT|bitK) != 0 {
		if d.Len < len(payload) && flags&bitT != 0 {
			d.HasTID = true
			d.TID = payload[d.Len] >> 6
			d.LayerSync = payload[d.Len]&bitY != 0
		}
		d.Len++
	}
}

// Rewrite writes pictureID and tl0 over those of payload, whose descriptor d
// was parsed from it or from an equal one. The size stays the same: a field
// that is absent stays absent, and a picture id of 7 bits takes the low 7.
func Rewrite(payload []byte, d *Descriptor, pictureID uint16, tl0 uint8) {
	if len(payload) < d.Len {
		return
	}
	if d.HasPictureID {
		if d.Wide {
			binary.BigEndian.PutUint16(payload[d.pictureIDAt:], bitM<<8|pictureID&mask15)
		} else {
			payload[d.pictureIDAt] = uint8(pictureID & mask7)
		}
	}
	if d.HasTL0 {
		payload[d.tl0At] = tl0
	}
}
