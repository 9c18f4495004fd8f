// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp9

const (
	remembered     = 64 // pictures whose selection is kept for packets that come late
	rememberedMask = remembered - 1

	// A timestamp this far behind the newest begins another time line.
	restart = 10 * 90_000
)

// Selector decides which packets of a scalable stream are forwarded to one
// subscriber. What is decided for a picture, by the first packet of it that
// comes, holds for all its packets, so that no picture is cut.
//
// Spatial layers: down with the next picture; up with a key picture (RFC 9628
// section 4.2, P), and at once to layers that the stream did not have so far. A
// layer frame with P = 0 in a later picture would do as well, but cannot be
// known when the marker bit of the layer below, sent before it, is decided.
//
// Temporal layers: down with the next picture, but not before a higher spatial
// layer that is wanted as well, for a larger picture takes more; up with a key picture, to the
// target behind a switching-up point (U) at or below the current layer, and to
// the next layer with a switching-up point in it.
//
// All spatial layers below the selected one are forwarded even where the stream
// does not need them (the _KEY modes), so that going down needs no key frame.
//
// The zero value selects the base layer from the first key picture on.
type Selector struct {
	targetSpatial, targetTemporal uint8

	running           bool
	spatial, temporal uint8 // of the newest picture
	layers            uint8 // spatial layers in the stream, 0 as long as unknown
	newest            uint32
	head              int // place of the newest picture
	count             int
	pictures          [remembered]picture
}

type picture struct {
	ts                uint32
	spatial, temporal uint8
}

// Target sets the highest layers wanted.
func (s *Selector) Target(spatial, temporal uint8) {
	s.targetSpatial, s.targetTemporal = spatial, temporal
}

// Stop ends the selection. It begins again with the next key picture.
func (s *Selector) Stop() { s.running = false }

// Current returns the layers being forwarded, and whether any are.
func (s *Selector) Current() (spatial, temporal uint8, running bool) {
	return s.spatial, s.temporal, s.running
}

// WantsKey tells that only a key picture gets the stream to its target.
func (s *Selector) WantsKey() bool {
	return !s.running || s.targetSpatial > s.spatial && !s.open()
}

// Missed tells that the packet with d is of the base layer of the newest picture,
// a key picture that was not taken for one because a packet of another layer came
// first: by then the target's layers were left out. The caller may Stop the
// selection and begin anew with this packet, as far as it still has those after.
func (s *Selector) Missed(d *Descriptor, ts uint32) bool {
	return s.running && ts == s.newest && d.KeyPicture() && s.pictures[s.head].spatial < s.targetSpatial && !s.open()
}

// Falling tells that the next picture will have fewer spatial layers.
func (s *Selector) Falling() bool { return s.running && s.targetSpatial < s.spatial }

// Select tells whether the packet with d, timestamp ts and marker bit marker is
// forwarded, and with which marker bit: it is set on the last packet of the
// highest layer that is forwarded of a picture. A picture that ends below it, as
// encoders make some, keeps the source's marker. The caller closes the sequence
// numbers up over a packet that is not forwarded.
func (s *Selector) Select(d *Descriptor, ts uint32, marker bool) (forward, mark bool) {
	p := s.locate(d, ts)
	if p == nil {
		return false, false
	}
	if ts == s.newest {
		s.learn(d)
	}
	if d.SID > p.spatial || d.TID > p.temporal {
		return false, false
	}
	return true, marker || d.End && d.SID == p.spatial
}

// locate returns the selection for d's picture, making it where it is new. It
// is nil as long as nothing can be forwarded.
func (s *Selector) locate(d *Descriptor, ts uint32) *picture {
	if !s.running {
		if !d.KeyPicture() || !d.Start {
			return nil
		}
		s.running, s.count, s.layers = true, 0, 0
		s.spatial, s.temporal = s.targetSpatial, s.targetTemporal
		return s.begin(ts)
	}
	behind := int32(s.newest - ts)
	switch {
	case behind == 0:
		return &s.pictures[s.head]
	case behind > 0 && behind < restart:
		return s.late(ts)
	case behind > 0:
		s.count = 0
	}
	s.adapt(d)
	return s.begin(ts)
}

// begin notes the selection for a new picture.
func (s *Selector) begin(ts uint32) *picture {
	s.newest = ts
	s.head = (s.head + 1) & rememberedMask
	s.count = min(s.count+1, remembered)
	p := &s.pictures[s.head]
	*p = picture{ts, s.spatial, s.temporal}
	return p
}

// late returns the selection for an earlier picture: its own, or for one of
// which no packet came so far that of the picture before it.
func (s *Selector) late(ts uint32) *picture {
	for i := range s.count {
		p := &s.pictures[(s.head-i)&rememberedMask]
		if int32(ts-p.ts) >= 0 {
			return p
		}
	}
	return nil
}

// adapt brings the current layers nearer to the target, as far as a picture that
// begins with d allows.
func (s *Selector) adapt(d *Descriptor) {
	key := d.KeyPicture()
	if s.targetSpatial < s.spatial || key || s.open() {
		s.spatial = s.targetSpatial
	}
	switch {
	case key:
		s.temporal = s.targetTemporal
	case s.targetTemporal <= s.temporal:
		if s.targetSpatial <= s.spatial {
			s.temporal = s.targetTemporal
		}
	case !d.SwitchUp:
	case d.TID <= s.temporal:
		s.temporal = s.targetTemporal
	case d.TID == s.temporal+1:
		s.temporal = d.TID
	}
}

// open tells that the stream has no layers above the current one so far. Where
// they appear, they begin with frames that need nothing that was left out.
func (s *Selector) open() bool { return s.layers != 0 && s.layers <= s.spatial+1 }

// learn notes which layers the stream has.
func (s *Selector) learn(d *Descriptor) {
	switch {
	case d.Layers != 0:
		s.layers = d.Layers
	case s.layers != 0:
		s.layers = max(s.layers, d.SID+1)
	}
}
