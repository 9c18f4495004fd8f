// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"time"

	"github.com/caddy-videoroom/videoroom/sfu/internal/allocation"
)

// Route is how a client's media comes in.
type Route string

// The routes. NoRoute is that of a client without a path.
const (
	NoRoute    Route = ""
	RouteUDP   Route = "udp"
	RouteTCP   Route = "tcp"
	RouteRelay Route = "relay"
)

// Halt tells why nothing is sent of a picture.
type Halt string

// The reasons. Running is that of a track that is being sent, or would be if its
// publisher sent; HaltLine that the path does not carry it, HaltLimit that the
// client's own limit (Peer.Limit) does not allow it, HaltFaces that more faces
// are visible than are sent at once, HaltHidden that the client asked for none.
const (
	Running    Halt = ""
	HaltLine   Halt = "line"
	HaltLimit  Halt = "limit"
	HaltFaces  Halt = "faces"
	HaltHidden Halt = "hidden"
	HaltMuted  Halt = "muted"
)

// Report is what is known of one client's media path. Losses are shares from 0
// to 1, smoothed over some seconds.
type Report struct {
	Route Route
	// RTT is 0 where it is not known.
	RTT time.Duration
	// Up is the way to the server, Down the way to the client.
	Up, Down Way
	// Capacity is what the way down is estimated to carry in bit/s, 0 where the
	// client does not report on packets; Limit is the client's own bound, 0 for
	// none.
	Capacity, Limit uint32
	// Sent are the tracks that the client publishes, Received those it gets.
	Sent, Received []TrackReport
}

// Way is one direction of a path.
type Way struct {
	Loss   float64
	Jitter time.Duration
}

// TrackReport is one track on its way.
type TrackReport struct {
	SID string
	// Bytes counts with all headers since the track began on this way.
	Bytes uint64
	Loss  float64
	// Layer is the one being sent, lowest 0, of Layers; -1 for none. Width and
	// Height are its announced size, 0 where unknown. They are set for pictures
	// that the client receives.
	Layer, Layers int
	Width, Height uint32
	// Halted tells why a received picture is not sent.
	Halted Halt
}

// Report has tell called once with the present state, from the media plane's
// goroutine; it must not block. It is not called when the plane ends before.
func (p *Peer) Report(tell func(Report)) {
	up, down := p.t, p.outgoing()
	p.room.post(func(c *core) { tell(reportOn(up, down, c.now)) })
}

// reportOn reports on a peer's path, or on both of its paths.
func reportOn(up, down *transport, now int64) Report {
	r := Report{
		Route: up.route(), RTT: time.Duration(up.roundTrip()), Limit: down.saver,
		Up:   Way{Loss: up.quality.lost, Jitter: toDuration(up.quality.up.seconds(now))},
		Down: Way{Loss: down.loss, Jitter: toDuration(down.quality.down.seconds(now))},
	}
	if down.line != nil {
		r.Capacity = clamp32(down.line.est.Target())
	}
	for _, u := range up.ups {
		r.Sent = append(r.Sent, u.describe())
	}
	for _, d := range down.downs {
		r.Received = append(r.Received, d.describe())
	}
	return r
}

func toDuration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// route tells how datagrams leave for the client.
func (t *transport) route() Route {
	switch via := t.via.(type) {
	case nil:
		return NoRoute
	case *Link:
		if via.relay {
			return RouteRelay
		}
		return RouteTCP
	}
	return RouteUDP
}

func (u *upTrack) describe() TrackReport {
	r := TrackReport{SID: u.sid, Layer: noLayer, Layers: len(u.layers)}
	for _, l := range u.layers {
		r.Bytes += l.octets
		r.Loss = max(r.Loss, l.lost)
	}
	return r
}

func (d *downTrack) describe() TrackReport {
	r := TrackReport{SID: d.track.sid, Bytes: d.wire, Loss: d.lost, Layer: noLayer}
	if d.track.kind != Video {
		return r
	}
	r.Layer, r.Layers, r.Halted = d.current, len(d.track.layers), d.halted()
	if d.current >= 0 && d.current < len(d.track.spec) {
		r.Width, r.Height = d.track.spec[d.current].Width, d.track.spec[d.current].Height
	}
	return r
}

func (d *downTrack) halted() Halt {
	switch {
	case d.benched:
		return HaltFaces
	case d.reason == allocation.Hidden:
		return HaltHidden
	case d.reason == allocation.Muted:
		return HaltMuted
	case d.reason != allocation.Starved:
		return Running
	case d.to.allot.in.Saver != 0 && d.to.allot.in.Saver <= d.to.allot.in.Budget:
		return HaltLimit
	}
	return HaltLine
}
