// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp8

const (
	pictures    = 128 // remembered for packets that come late
	pictureMask = pictures - 1
)

// Munger maps the picture ids and TL0PICIDX values of changing sources to one
// continuous run. Packets reach it only if the packet sequence accepts them:
// it cannot tell those of another source. The zero value is ready to use.
type Munger struct {
	running bool
	hasID   bool // the source has picture ids, and base is set
	lastID  uint16
	lastTL0 uint8

	// Positions count the source's pictures from the one of the switch on.
	base   uint16 // outgoing id of position 0
	newest uint16 // source id of position high
	high   int64
	closed uint16 // pictures skipped up to high

	closedAt [pictures]uint16 // per position: how many were skipped before it

	tl0Offset uint8 // outgoing minus source
}

// Switch makes the picture of d, the first of another source, follow the newest
// outgoing one: picture id and TL0PICIDX each go on with the last plus one. The
// very first source keeps its own values.
func (m *Munger) Switch(d *Descriptor) {
	m.restart(d, 1)
}

// restart begins a source at d, whose values follow the last ones by step.
func (m *Munger) restart(d *Descriptor, step uint8) {
	id, tl0 := m.lastID+uint16(step), m.lastTL0+step
	if !m.running {
		id, tl0 = d.PictureID, d.TL0
		m.lastID, m.lastTL0 = id-1, tl0-1
	}
	m.running = true
	m.hasID = d.HasPictureID
	m.base, m.newest = id&mask15, d.PictureID
	m.high, m.closed = 0, 0
	m.closedAt[0] = 0
	m.tl0Offset = tl0 - d.TL0
}

// Map returns the outgoing picture id and TL0PICIDX of d's picture; a field
// that d lacks is 0. All packets of a picture get the same values, also those
// that come late, as long as not more than 128 pictures lie between. Pictures
// the source lost leave a gap. Where the ids of a source jump back further than
// that, they go on with a gap of one.
func (m *Munger) Map(d *Descriptor) (pictureID uint16, tl0 uint8) {
	pos := m.locate(d)
	if d.HasPictureID {
		if pos > m.high {
			m.advance(pos)
		}
		pictureID = (m.base + uint16(pos) - m.closedAt[pos&pictureMask]) & mask15
		if int16((pictureID-m.lastID)<<1) > 0 {
			m.lastID = pictureID
		}
		if !d.Wide {
			pictureID &= mask7
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

// Skipped says that d's picture is not forwarded, so that the ids behind it
// close up. Further packets of the picture, and pictures with later ones
// already out, change nothing. TL0PICIDX stays as it is: a picture of the base
// layer is not to be left out. Whether a picture is forwarded is decided once,
// for all its packets: one mapped after being skipped shares the next one's id.
func (m *Munger) Skipped(d *Descriptor) {
	pos := m.locate(d)
	if !d.HasPictureID || pos <= m.high && !m.untouched(pos) {
		return
	}
	if pos > m.high {
		m.advance(pos)
	}
	m.closed++
}

// untouched reports whether pos is the switch's own picture, with nothing out.
func (m *Munger) untouched(pos int64) bool {
	first := m.lastID + 1
	return pos == 0 && m.high == 0 && m.closed == 0 && m.base == first&mask15
}

// locate returns the position of d's picture within what is remembered,
// beginning a source where there is none.
func (m *Munger) locate(d *Descriptor) int64 {
	if !m.running {
		m.restart(d, 1)
	}
	if !d.HasPictureID {
		return m.high
	}
	if !m.hasID {
		m.restart(d, 1)
	}
	// Sign extension from 15 or 7 bits, for ids are compared modulo their size.
	diff := int64(int16((d.PictureID-m.newest)<<1) >> 1)
	if !d.Wide {
		diff = int64(int8(uint8(d.PictureID-m.newest)<<1) >> 1)
	}
	if diff <= -pictures {
		m.restart(d, 2)
		return 0
	}
	return max(m.high+diff, 0)
}

// advance moves high to pos. The positions between are missing pictures.
func (m *Munger) advance(pos int64) {
	for p := max(m.high+1, pos-pictureMask); p <= pos; p++ {
		m.closedAt[p&pictureMask] = m.closed
	}
	m.newest = (m.newest + uint16(pos-m.high)) & mask15
	m.high = pos
}
