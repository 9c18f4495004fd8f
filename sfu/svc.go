// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"github.com/caddy-videoroom/videoroom/sfu/internal/allocation"
	"github.com/caddy-videoroom/videoroom/sfu/internal/h264"
	"github.com/caddy-videoroom/videoroom/sfu/internal/meter"
	"github.com/caddy-videoroom/videoroom/sfu/internal/vp8"
	"github.com/caddy-videoroom/videoroom/sfu/internal/vp9"
)

// This file is about layers within one source: the spatial layers of VP9 and the
// temporal ones of VP8 and VP9. Of the pictures only the payload descriptor is
// read: what follows it may be encrypted end to end.

// scalable is what is known of a track that carries all its spatial layers in one
// source (RFC 9628).
type scalable struct {
	layers [allocation.Spatial]spatialLayer
	// count is the number of spatial layers that the stream has, 0 as long as it
	// has not told.
	count uint8
	sizes [vp9.MaxSpatial]vp9.Resolution
}

// spatialLayer is one spatial layer of a scalable track.
type spatialLayer struct {
	meter      meter.Layer
	measured   [allocation.Temporal]uint32
	measuredAt int64
	meteredTS  uint32
	lastPacket int64
	started    bool
}

// newScalable returns the state of a track that has its layers in one source,
// nil for any other.
func newScalable(u *upTrack) *scalable {
	if u.codec != codecVP9 || len(u.rids) > 1 {
		return nil
	}
	return new(scalable)
}

// inspect reads what the codec's descriptor tells of a packet; false where the
// payload is none of the codec.
func (f *forwarding) inspect(codec codec) bool {
	f.key, f.tid = false, 0
	switch codec {
	case codecVP8:
		if vp8.Parse(f.payload, &f.vp8) != nil {
			return false
		}
		f.key, f.tid = f.vp8.KeyFrame, f.vp8.TID
	case codecVP9:
		if vp9.Parse(f.payload, &f.vp9) != nil {
			return false
		}
		f.key, f.tid = f.vp9.KeyPicture() && f.vp9.Start, f.vp9.TID
	case codecH264:
		f.key = h264.IsKeyFrame(f.payload)
	}
	return true
}

// hasParameters tells that a key frame of H.264 does not lack its parameter sets:
// they are in this packet, or no packet of its picture is missing before it.
func (f *forwarding) hasParameters() bool {
	if h264.HasParameters(f.payload) {
		return true
	}
	e, ok := f.layer.cache.Get(f.seq - 1)
	return ok && e.TS != f.ts
}

// measure counts a packet for the rates of its layer.
func (l *upLayer) measure(c *core, f *forwarding) {
	size := len(c.pkt.Buf) + datagramOverhead
	if s := l.track.svc; s != nil {
		s.measure(c.now, f, size)
		return
	}
	if l.meter != nil {
		l.meter.Add(c.now, f.tid, size, f.ts != l.meteredTS)
		l.meteredTS = f.ts
	}
}

func (s *scalable) measure(now int64, f *forwarding, size int) {
	s.learn(f)
	if int(f.vp9.SID) >= len(s.layers) {
		return
	}
	l := &s.layers[f.vp9.SID]
	l.meter.Add(now, f.tid, size, !l.started || f.ts != l.meteredTS)
	l.meteredTS, l.lastPacket, l.started = f.ts, now, true
}

// learn notes which layers the stream has, and how large they are.
func (s *scalable) learn(f *forwarding) {
	var told vp9.Structure
	switch {
	case vp9.ParseStructure(f.payload, &f.vp9, &told):
		s.count = told.Layers
		if told.Resolutions[0] != (vp9.Resolution{}) {
			s.sizes = told.Resolutions
		}
	case s.count != 0:
		s.count = max(s.count, f.vp9.SID+1)
	}
}

// top is the highest spatial layer that can be forwarded.
func (s *scalable) top() int {
	if s.count == 0 {
		return allocation.Spatial - 1
	}
	return min(int(s.count), allocation.Spatial) - 1
}

// wanted is the spatial layer that settings ask for: the smallest that covers the
// place, whichever way up, by the sizes in the stream, else by those announced.
func (s *scalable) wanted(want Settings, spec []LayerSpec) int {
	top := s.top()
	if want.Width == 0 || want.Height == 0 {
		return min(max(want.Quality, 0), top)
	}
	short, long := min(want.Width, want.Height), max(want.Width, want.Height)
	for i := range top {
		w, h := uint32(s.sizes[i].Width), uint32(s.sizes[i].Height)
		if w == 0 && i < len(spec) {
			w, h = spec[i].Width, spec[i].Height
		}
		if min(w, h) >= short && max(w, h) >= long {
			return i
		}
	}
	return top
}

// encodings describes the spatial layers to the allocator.
func (s *scalable) encodings(now int64) (out [allocation.Spatial]allocation.Encoding) {
	for i := range s.layers {
		l := &s.layers[i]
		out[i] = allocation.Encoding{Live: l.started && now-l.lastPacket < layerSilence, Rate: l.rates(now)}
	}
	return out
}

// rates returns what each temporal layer carries, measured at most once per
// decision.
func (l *spatialLayer) rates(now int64) [allocation.Temporal]uint32 {
	if now-l.measuredAt >= reliefPeriod || l.measuredAt == 0 {
		l.measured, l.measuredAt = l.meter.Rates(now), now
	}
	return l.measured
}

// demandScalable completes the demand for a track with its layers in one source.
func (d *downTrack) demandScalable(c *core, out *allocation.Track) {
	s := d.track.svc
	out.SVC, out.Encodings = true, s.encodings(c.now)
	if d.current == noLayer {
		return
	}
	spatial, _, _ := d.selector.Current()
	out.Sent = allocation.Layer{Spatial: int8(min(spatial, allocation.Spatial-1)), Temporal: int8(d.temporal())}
	if d.settings.FPS > 0 {
		out.MaxTemporal = allocation.TemporalCap(d.settings.FPS, s.layers[0].meter.FrameRates(c.now))
	}
}

// sending is what the layers that are being forwarded take, in bit/s.
func (d *downTrack) sending(c *core) (n uint64) {
	l := d.layer(d.current)
	if l == nil {
		return 0
	}
	if s := d.track.svc; s != nil {
		spatial, _, _ := d.selector.Current()
		for i := range s.layers[:min(int(spatial)+1, len(s.layers))] {
			n += sum(s.layers[i].rates(c.now))
		}
		return n
	}
	return sum(l.rates(c))
}

func sum(rates [allocation.Temporal]uint32) (n uint64) {
	for _, r := range rates {
		n += uint64(r)
	}
	return n
}

// temporal is the highest temporal layer that is being forwarded.
func (d *downTrack) temporal() uint8 {
	if d.selector == nil {
		return d.filter.Current()
	}
	_, temporal, _ := d.selector.Current()
	return min(temporal, allocation.Temporal-1)
}

// aim passes a choice on to what selects the layers within a source. It returns
// which source to forward.
func (d *downTrack) aim(choice allocation.Layer) (source int) {
	source = int(choice.Spatial) // allocation.Pause is noLayer
	if source == noLayer {
		return noLayer
	}
	d.filter.Target(uint8(choice.Temporal))
	if d.selector == nil {
		return source
	}
	spatial := uint8(vp9.MaxSpatial - 1)
	if d.track.svc != nil {
		spatial, source = uint8(choice.Spatial), 0
	}
	d.selector.Target(spatial, uint8(choice.Temporal))
	return source
}

// falling tells that a layer within the source is about to be given up. Over
// budget what waits of it is not waited for: beginning anew with a key picture is
// sooner than sending the rest and repairing what the path has lost.
func (d *downTrack) falling() bool {
	return d.track.svc != nil && d.current != noLayer && d.selector.Falling()
}

// reached tells that no key frame is needed to get to what is to be forwarded.
func (d *downTrack) reached() bool {
	return d.target == d.current && (d.track.svc == nil || d.current == noLayer || !d.selector.WantsKey())
}

// restartSelection has the selection of layers begin anew with the next packet,
// which is of a key frame.
func (d *downTrack) restartSelection(f *forwarding) {
	switch d.track.codec {
	case codecVP8:
		d.filter.Restart()
		d.munger.Switch(&f.vp8)
	case codecVP9:
		d.selector.Stop()
		if d.joint != nil {
			d.joint.Switch(&f.vp9)
		}
	}
}

// selected tells whether a packet is of the layers that the subscriber gets of
// its source, and sets the marker bit that it leaves with.
func (d *downTrack) selected(f *forwarding) (ok bool) {
	f.mark = f.marker
	switch d.track.codec {
	case codecVP8:
		if !d.filter.Forward(&f.vp8, f.ts) {
			d.munger.Skipped(&f.vp8)
			return false
		}
	case codecVP9:
		ok, f.mark = d.selector.Select(&f.vp9, f.ts, f.marker)
		return ok
	}
	return true
}

// renumber writes the picture numbers of the subscriber's stream into the body of
// a packet, and notes them in s.
func (d *downTrack) renumber(f *forwarding, s *sentPacket, body []byte) {
	switch {
	case d.track.codec == codecVP8:
		s.pictureID, s.tl0 = d.munger.Map(&f.vp8)
		vp8.Rewrite(body, &f.vp8, s.pictureID, s.tl0)
	case d.joint != nil:
		s.pictureID, s.tl0 = d.joint.Map(&f.vp9)
		vp9.Rewrite(body, &f.vp9, s.pictureID, s.tl0)
	}
}

// renumberAgain writes the numbers that s has into another copy of the body.
func (d *downTrack) renumberAgain(s *sentPacket, body []byte) bool {
	switch {
	case d.track.codec == codecVP8:
		var v vp8.Descriptor
		if vp8.Parse(body, &v) != nil {
			return false
		}
		vp8.Rewrite(body, &v, s.pictureID, s.tl0)
	case d.joint != nil:
		var v vp9.Descriptor
		if vp9.Parse(body, &v) != nil {
			return false
		}
		vp9.Rewrite(body, &v, s.pictureID, s.tl0)
	}
	return true
}
