// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package vp8

const (
	filtered     = 64 // pictures whose decision is kept for packets that come late
	filteredMask = filtered - 1

	// A timestamp this far behind the newest begins another time line.
	filterRestart = 10 * 90_000

	allLayers = 3
)

// TemporalFilter decides which pictures of a stream with temporal layers (RFC
// 7741 section 4.2, TID and Y) are forwarded to one subscriber. What is decided
// for a picture, by the first packet of it that comes, holds for all its packets.
// Streams without temporal layers pass as they are.
//
// Down with the next picture. Up to the target with a key frame, and to the next
// layer with a picture of it that has the layer-sync bit: it depends on the base
// layer only. Other pictures of the base layer are no such points, for those of
// higher layers that follow may depend on ones from before.
//
// Order of use, for a packet of the source that the subscriber is on: for a
// packet that is not Forwarded call Munger.Skipped and sequence's Skip, and
// nothing else, so that picture ids and sequence numbers close up and a receiver
// misses nothing; for one that is, sequence's Map, then Munger.Map. Where Skip
// reports a hole the number is filled by an empty packet, as for padding. At a
// switch to another source (Munger.Switch) call Restart first: the timestamps of
// the sources have nothing in common.
//
// H.264 over RTP has no temporal ids (RFC 6184): its frame rate cannot be lowered
// this way.
//
// The zero value forwards the base layer. Not safe for concurrent use.
type TemporalFilter struct {
	target  uint8
	current uint8

	running bool
	newest  uint32
	head    int
	count   int
	kept    [filtered]decided
}

// decided is the layer that was current for the picture with a timestamp.
type decided struct {
	ts      uint32
	current uint8
}

// Target sets the highest temporal layer wanted; 3 or more is all of them.
func (f *TemporalFilter) Target(tid uint8) { f.target = min(tid, allLayers) }

// Current returns the highest temporal layer that is being forwarded.
func (f *TemporalFilter) Current() uint8 { return f.current }

// Restart forgets the source. The next picture is taken for a point to switch to
// the target, as the key frame is that a source begins with.
func (f *TemporalFilter) Restart() { f.running = false }

// Forward tells whether the packet with d and timestamp ts is forwarded.
func (f *TemporalFilter) Forward(d *Descriptor, ts uint32) bool {
	current := f.locate(d, ts)
	return !d.HasTID || d.TID <= current
}

// locate returns the layer that is current for d's picture.
func (f *TemporalFilter) locate(d *Descriptor, ts uint32) uint8 {
	behind := int32(f.newest - ts)
	switch {
	case !f.running:
		f.running, f.count = true, 0
		f.current = f.target
		return f.begin(ts)
	case behind == 0:
		return f.kept[f.head].current
	case behind > 0 && behind < filterRestart:
		return f.late(ts)
	case behind > 0:
		f.count = 0
	}
	switch {
	case f.target < f.current || d.KeyFrame:
		f.current = f.target
	case f.current < f.target && d.HasTID && d.LayerSync && d.TID == f.current+1:
		f.current = d.TID
	}
	return f.begin(ts)
}

func (f *TemporalFilter) begin(ts uint32) uint8 {
	f.newest = ts
	f.head = (f.head + 1) & filteredMask
	f.count = min(f.count+1, filtered)
	f.kept[f.head] = decided{ts, f.current}
	return f.current
}

// late returns the layer for an earlier picture; for one of which no packet came
// so far that of the picture before it.
func (f *TemporalFilter) late(ts uint32) uint8 {
	for i := range f.count {
		k := &f.kept[(f.head-i)&filteredMask]
		if int32(ts-k.ts) >= 0 {
			return k.current
		}
	}
	return 0
}
