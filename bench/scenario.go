// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"slices"
)

// scenario is a set of equal rooms.
type scenario struct {
	name string
	// rooms of participants each, of whom publishers send.
	rooms, participants, publishers int
	video, audio                    bool
	// late is how many join the first room while everything runs.
	late int
}

// Every camera sends 30 pictures per second of 5 packets of 1100 bytes
// (1.32 Mbit/s), every microphone 50 packets per second of 80 bytes.
const (
	picturesPerSecond = 30
	packetsPerPicture = 5
	pictureBytes      = 1100
	soundPerSecond    = 50
	soundBytes        = 80
)

var scenarios = map[string]scenario{
	"call20":  {name: "call20", rooms: 20, participants: 2, publishers: 2, video: true, audio: true, late: 1},
	"group12": {name: "group12", rooms: 1, participants: 12, publishers: 12, video: true, audio: true, late: 1},
	"stage40": {name: "stage40", rooms: 1, participants: 41, publishers: 1, video: true, audio: true, late: 1},
	"voice12": {name: "voice12", rooms: 1, participants: 12, publishers: 12, audio: true, late: 1},
}

func scenarioNames() []string { return slices.Sorted(maps.Keys(scenarios)) }

// expected is how many packets per second reach all subscribers together.
func (s scenario) expected() float64 {
	perPublisher := 0
	if s.video {
		perPublisher += picturesPerSecond * packetsPerPicture
	}
	if s.audio {
		perPublisher += soundPerSecond
	}
	return float64(s.rooms * s.publishers * (s.participants - 1) * perPublisher)
}
