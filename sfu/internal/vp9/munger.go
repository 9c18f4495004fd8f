// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp9

import "encoding/binary"

// Munger maps the picture ids and TL0PICIDX values of changing sources to one
// run that never goes back, so that a receiver does not take a picture of one
// source for what a picture of another depends on. A stream that stays with its
// source needs none. The zero value is ready to use.
type Munger struct {
	running   bool
	idOffset  uint16 // outgoing minus source
	tl0Offset uint8
	lastID    uint16
	lastTL0   uint8
}

// Switch makes the picture of d, the first of another source, follow the newest
// outgoing one. The very first source keeps its own values.
func (m *Munger) Switch(d *Descriptor) {
	if !m.running {
		m.running, m.lastID, m.lastTL0 = true, d.PictureID, d.TL0
		return
	}
	m.idOffset, m.tl0Offset = m.lastID+1-d.PictureID, m.lastTL0+1-d.TL0
}

// Map returns the outgoing picture id and TL0PICIDX of d's picture; a field that
// d lacks is 0.
func (m *Munger) Map(d *Descriptor) (pictureID uint16, tl0 uint8) {
	if d.HasPictureID {
		pictureID = (d.PictureID + m.idOffset) & mask15
		ahead := int16((pictureID-m.lastID)<<1) >> 1
		if !d.Wide {
			pictureID &= mask7
			ahead = int16(int8(uint8(pictureID-m.lastID)<<1) >> 1)
		}
		if ahead > 0 {
			m.lastID = pictureID
		}
	}
	if d.HasTL0 {
		tl0 = d.TL0 + m.tl0Offset
		if int8(tl0-m.lastTL0) > 0 {
			m.lastTL0 = tl0
		}
	}
	return pictureID, tl0
}

// Rewrite writes pictureID and tl0 over those of payload, whose descriptor d was
// parsed from it or from an equal one. The size stays the same: a field that is
// absent stays absent, and a picture id of 7 bits takes the low 7.
func Rewrite(payload []byte, d *Descriptor, pictureID uint16, tl0 uint8) {
	if len(payload) < d.Len {
		return
	}
	at := 1
	switch {
	case d.HasPictureID && d.Wide:
		binary.BigEndian.PutUint16(payload[at:], bitM<<8|pictureID&mask15)
		at += 2
	case d.HasPictureID:
		payload[at] = uint8(pictureID & mask7)
		at++
	}
	if d.HasTL0 {
		payload[at+1] = tl0
	}
}
