// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package allocation decides which layer of every subscribed picture one
// subscriber gets for the bandwidth there is.
//
// It is pure: rates, wishes, budget and time come in, layers come out, the same
// for the same history on every machine. A State owns the memory that this
// needs (what was decided, how rates varied, when steps failed) and no packet,
// clock, lock or goroutine. Sound is not its business: the caller subtracts it
// first, see Video. It is not safe for concurrent use.
//
// The order in which the budget is given out, each step only if it fits:
//
//  1. the lowest layer of the first camera (by Priority, Face, SpeakerRank),
//  2. screens, spatial layer by spatial layer at their lowest frame rate,
//  3. the lowest layer of all other cameras,
//  4. the frame rate of screens,
//  5. the further steps of the first camera,
//  6. the further steps of the others, in turn.
//
// A higher explicit Priority goes before a lower one in 1 to 3 and again in 4 to
// 6. What does not fit is passed over, so that a costly track does not keep a
// cheap one behind it from being shown.
package allocation

const (
	// Spatial bounds the spatial layers of a track.
	Spatial = 3
	// Temporal bounds the temporal layers of a spatial one.
	Temporal = 4

	// Pause stands for no layer at all.
	Pause int8 = -1
)

// Kind tells what a picture shows.
type Kind uint8

// The kinds of pictures. A Screen wants sharpness before frame rate.
const (
	Camera Kind = iota
	Screen
)

// Layer is a choice: the highest spatial and temporal layer that is forwarded.
// Spatial is Pause where nothing is.
type Layer struct {
	Spatial, Temporal int8
}

// Paused is the choice of nothing.
var Paused = Layer{Pause, Pause}

// Encoding is what is known of one spatial layer.
type Encoding struct {
	// Live tells that it is being received. One that is not cannot be chosen.
	Live bool
	// Rate is what each temporal layer alone carries, in bit/s, with the
	// headers that count against the budget. Temporal layers without a rate
	// above the highest with one do not exist.
	Rate [Temporal]uint32
}

// Track is one subscribed picture.
type Track struct {
	// ID tells tracks apart over time. Unique within a list.
	ID   uint64
	Kind Kind
	// Priority is the explicit one, for example of a pinned tile; 0 by default.
	Priority uint8
	// Face says that this camera shows the only other person.
	Face bool
	// SpeakerRank is 1 for the loudest active speaker, 2 for the next, and 0
	// for who is silent. A change counts once it lasts (Tuning.RankHold).
	SpeakerRank uint8
	// MaxSpatial and MaxTemporal are the highest layers that are of use in the
	// place where the picture is shown. Where nothing so low is live, the lowest
	// live spatial layer is used.
	MaxSpatial, MaxTemporal int8
	// Hidden says that the picture is not shown at all.
	Hidden bool
	// Muted says that the publisher has switched it off.
	Muted bool
	// SVC says that a spatial layer needs all those below it, as in VP9 SVC.
	// Otherwise they are alternatives, as in simulcast.
	SVC bool
	// Sent is what is forwarded now. It seeds the memory of a track that the
	// State does not know yet; Paused for one that begins.
	Sent      Layer
	Encodings [Spatial]Encoding
}

// Input is the situation of one subscriber.
type Input struct {
	// Budget is what pictures may take, in bit/s; see Video.
	Budget uint32
	// Saver bounds Budget on the subscriber's own wish, in bit/s; 0 is no bound.
	Saver  uint32
	Tracks []Track
}

// Reason tells why a track has no picture.
type Reason uint8

// Sending is the reason of tracks that are not paused. Waiting means that
// nothing of the track is live: Choice is then what to begin with.
const (
	Sending Reason = iota
	Waiting
	Hidden
	Muted
	Starved
)

// Decision is what one track gets.
type Decision struct {
	// Choice is what to forward. Its temporal layer is the highest wished for
	// where nothing is to be left out, also if the encoding has fewer.
	Choice Layer
	Reason Reason
	// Cost is what the choice takes of the budget, in bit/s: the mean of what was
	// measured, which follows a lasting change within 1.5 s.
	Cost uint32
}

// Result is the outcome for one subscriber.
type Result struct {
	// Decisions are in the order of the input. They belong to the State and are
	// valid until its next Allocate.
	Decisions []Decision
	// Total is the sum of all costs, in bit/s. It never exceeds the budget, but
	// for one case: the lowest layer of the first track alone may, for a small
	// picture is worth more than none. It begins within Tuning.FloorStart of the
	// budget and stays within Tuning.FloorGrace of it.
	Total uint32
	// Wanted is the budget in bit/s at which the cheapest next step up would be
	// made, for a sender that probes. 0 where all wishes are met, where Saver is
	// what holds the step back, and while a failed step is not to be repeated.
	Wanted uint32
	// Starved tells that a picture is paused for want of budget.
	Starved bool
}

// Video returns what is left for pictures of an estimate of the path in bit/s:
// sound goes first, unconditionally, and 1/32 of the rest stays for RTCP and
// retransmissions.
func Video(estimate, sound uint32) uint32 {
	if estimate <= sound {
		return 0
	}
	rest := estimate - sound
	return rest - rest/32
}

// Estimate is the inverse of Video: the estimate of the path at which pictures may
// take this much. It turns Result.Wanted into a target for probing.
func Estimate(pictures, sound uint32) uint32 {
	return saturate(uint64(pictures) + uint64(pictures)/31 + 1 + uint64(sound))
}

// TemporalCap returns the highest temporal layer whose frame rate, that of all
// layers below included, is within the wish for at most fps frames per second,
// with a quarter to spare for encoders that are not exact. frames are in frames
// per 1000 s, as meter.Layer.FrameRates has them. fps 0 is no bound.
func TemporalCap(fps uint32, frames [Temporal]uint32) int8 {
	top := int8(Temporal - 1)
	if fps == 0 {
		return top
	}
	for top > 0 && uint64(frames[top]) > uint64(fps)*1250 {
		top--
	}
	return top
}
