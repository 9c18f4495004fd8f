// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"slices"
	"time"
)

// scenario is a set of equal rooms.
type scenario struct {
	name string
	// rooms of participants each, of whom publishers send.
	rooms, participants, publishers int
	video, audio                    bool
	// layers of each camera, lowest first; the last is what everybody wants.
	layers []layer
	// thumbnails are what all but the first camera are shown at; false: all are
	// shown large.
	thumbnails bool
	// faces bounds the cameras that one sees at once, 0: all. videoroom sends no
	// more; other servers may.
	faces int
	// speakers are how many talk, 0 for all; the others are silent.
	speakers int
	// late is how many join the first room, one after the other, while everything
	// runs.
	late int
	// wide gives the server and the load both processors, otherwise each has one.
	wide bool
}

// layer is one encoding of a camera.
type layer struct {
	rid           string
	pictures      int // per second
	packets, size int // per picture, and the payload of one in bytes
}

// Cameras send three layers as browsers do: 0.12, 0.46 and 1.32 Mbit/s; cameras of
// the larger kind 1.5 Mbit/s on top. Microphones send 50 packets per second of 80
// bytes, silent ones a packet every 400 ms.
var (
	camera = []layer{{"q", 20, 1, 750}, {"h", 24, 2, 1190}, {"f", 30, 5, 1100}}
	hd     = []layer{{"q", 20, 1, 750}, {"h", 24, 2, 1190}, {"f", 30, 6, 1040}}
)

const (
	soundPerSecond = 50
	soundBytes     = 80
	silence        = 400 * time.Millisecond
)

var scenarios = map[string]scenario{}

func init() {
	for _, s := range []scenario{
		{name: "calls", rooms: 20, participants: 2, publishers: 2, late: 1},
		{name: "group", rooms: 1, participants: 12, publishers: 12, late: 1},
		{name: "stage", rooms: 1, participants: 63, publishers: 3, late: 1},
		{name: "growth2", rooms: 1, participants: 3, publishers: 1},
		{name: "growth10", rooms: 1, participants: 11, publishers: 1},
		{name: "growth30", rooms: 1, participants: 31, publishers: 1},
		{name: "growth60", rooms: 1, participants: 61, publishers: 1},
		{name: "load30", rooms: 30, participants: 2, publishers: 2, layers: hd, wide: true},
		{name: "meeting", rooms: 1, participants: 75, publishers: 25, thumbnails: true, faces: 12, speakers: 3, wide: true},
		{name: "late", rooms: 1, participants: 4, publishers: 4, late: 40},
		{name: "voice", rooms: 1, participants: 12, publishers: 12, late: 1},
	} {
		s.audio, s.video = true, s.name != "voice"
		if s.video && s.layers == nil {
			s.layers = camera
		}
		scenarios[s.name] = s
	}
}

// families are names for several scenarios.
var families = map[string][]string{
	"growth": {"growth2", "growth10", "growth30", "growth60"},
}

func scenarioNames() []string { return slices.Sorted(maps.Keys(scenarios)) }

// plain is the scenario with one layer per camera, the highest.
func (s scenario) plain() scenario {
	if n := len(s.layers); n > 0 {
		only := s.layers[n-1]
		only.rid = ""
		s.layers = []layer{only}
	}
	return s
}

// shown is the layer that publisher p's camera is shown at.
func (s scenario) shown(p int) layer {
	if s.thumbnails && p > 0 {
		return s.layers[0]
	}
	return s.layers[len(s.layers)-1]
}

// streams is how many tracks reach all subscribers together, at least.
func (s scenario) streams() int {
	n := 0
	for i := range s.participants {
		others := s.publishers
		if i < s.publishers {
			others--
		}
		if s.audio {
			n += others
		}
		if s.video && s.faces > 0 {
			n += min(others, s.faces)
		} else if s.video {
			n += others
		}
	}
	return s.rooms * n
}

// talks tells whether publisher p speaks.
func (s scenario) talks(p int) bool { return s.speakers == 0 || p < s.speakers }

// expected is how many packets per second reach all subscribers together where
// everybody gets what is shown.
func (s scenario) expected() float64 {
	perSecond := 0.0
	for p := range s.publishers {
		if s.video && (s.faces == 0 || p < s.faces) {
			l := s.shown(p)
			perSecond += float64(l.pictures * l.packets)
		}
		switch {
		case !s.audio:
		case s.talks(p):
			perSecond += soundPerSecond
		default:
			perSecond += float64(time.Second) / float64(silence)
		}
	}
	return float64(s.rooms*(s.participants-1)) * perSecond
}
