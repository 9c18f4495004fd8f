// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

// finder finds what a picture depends on by its descriptor, as receivers do:
// picture ids and the index of the base layer for VP8 (RFC 7741 §4.2), the
// distances for VP9 in flexible mode (RFC 9628 §4.2), the unbroken sequence for
// H.264.
type finder struct {
	started bool
	id      int64 // newest picture id
	tl0     int64
	groups  map[int64][3]int64 // VP8: by TL0PICIDX, the newest picture of each temporal layer
	done    map[[2]int64]bool  // decoded, by picture id and spatial layer
	lastTS  int64
}

func (f *finder) decodable(codec codec, p *chainPacket, before int64) bool {
	d := &p.desc
	id := int64(d.id) + 1<<20
	tl0 := int64(d.tl0) + 1<<20
	if f.started {
		id = f.id + int64(int16((d.id-uint16(f.id))<<1)>>1)
		tl0 = f.tl0 + int64(int8(d.tl0-uint8(f.tl0)))
	}
	ok := false
	switch {
	case d.key && d.sid == 0:
		ok = true
		if codec == codecVP8 {
			f.groups[tl0] = [3]int64{id, id, id}
		}
	case !f.started:
	case codec == codecVP8:
		ok = f.vp8(d, id, tl0)
	case codec == codecVP9:
		ok = f.vp9(d, id)
	default:
		ok = before == f.lastTS
	}
	if ok {
		f.started, f.id, f.tl0, f.lastTS = true, max(f.id, id), max(f.tl0, tl0), p.ts
		f.done[[2]int64{id, int64(d.sid)}] = true
	}
	return ok
}

func (f *finder) vp8(d *chainDescriptor, id, tl0 int64) bool {
	if d.tid == 0 {
		g, ok := f.groups[tl0-1]
		if !ok {
			return false
		}
		g[0] = id
		f.groups[tl0] = g
		return true
	}
	g, ok := f.groups[tl0]
	if !ok {
		return false
	}
	for layer := range d.tid + 1 {
		if d.sync && layer > 0 {
			break
		}
		if g[layer] > id {
			return false
		}
		if !d.sync {
			for between := g[layer] + 1; between < id; between++ {
				if !f.done[[2]int64{between, 0}] {
					return false
				}
			}
		}
	}
	g[d.tid] = id
	f.groups[tl0] = g
	return true
}

func (f *finder) vp9(d *chainDescriptor, id int64) bool {
	for _, back := range d.diffs {
		if !f.done[[2]int64{id - int64(back), int64(d.sid)}] {
			return false
		}
	}
	return !d.inter || f.done[[2]int64{id, int64(d.sid) - 1}]
}
