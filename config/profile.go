// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// Profile names.
const (
	ProfilePractice    = "praxis"
	ProfileCounselling = "beratung"
	ProfileMPU         = "mpu"
	ProfileAssociation = "verband"
	// ProfileAnlage31b presets what can be preset of the technical demands of
	// the German agreement on video consultation. It is a list to check, not a
	// certificate.
	ProfileAnlage31b = "anlage31b"
)

// preset is what a profile says; zero values say nothing.
type preset struct {
	maxParticipants                               int
	opensBefore, closesAfter, reminder, retention caddy.Duration
	// kinds are the ids of the kinds that the site has; nil: all of the table.
	kinds []string
	// rows replace single values of kinds.
	rows []presetKind
}

type presetKind struct {
	id, german, english string
	maxParticipants     int
	duration            caddy.Duration
}

var profiles = map[string]preset{
	ProfilePractice: {
		kinds: []string{KindShort, "beratung", "therapie", "supervision", "gruppe"},
	},
	ProfileCounselling: {
		opensBefore: minutes(15),
		kinds:       []string{KindShort, "beratung", "supervision", "gruppe"},
	},
	ProfileMPU: {
		maxParticipants: 8,
		kinds:           []string{KindShort, "beratung", "gruppe"},
		rows: []presetKind{
			{id: "beratung", german: "MPU-Vorbereitung", english: "MPU preparation", duration: minutes(60)},
			{id: "gruppe", german: "MPU-Gruppe", english: "MPU group", maxParticipants: 8, duration: minutes(120)},
		},
	},
	ProfileAssociation: {
		maxParticipants: 50,
		opensBefore:     minutes(15),
		kinds:           []string{KindShort, "beratung", "gruppe", "sitzung"},
		rows: []presetKind{
			{id: "beratung", german: "Besprechung", english: "Discussion", maxParticipants: 12, duration: minutes(60)},
			{id: "gruppe", german: "Arbeitsgruppe", english: "Working group", maxParticipants: 25},
		},
	},
	ProfileAnlage31b: {
		retention: minutes(24 * 60),
		kinds:     []string{KindShort, "beratung", "therapie", "gruppe"},
		rows: []presetKind{
			{id: "beratung", german: "Videosprechstunde", english: "Video consultation", duration: minutes(30)},
			{id: "gruppe", german: "Gruppentherapie", english: "Group therapy", maxParticipants: 10},
		},
	},
}

// over returns a kind with what the profile says about it.
func (p preset) over(k Kind, language string) Kind {
	for _, row := range p.rows {
		if row.id != k.ID {
			continue
		}
		k.Name = row.german
		if language == English {
			k.Name = row.english
		}
		if row.maxParticipants > 0 {
			k.MaxParticipants = row.maxParticipants
		}
		if row.duration > 0 {
			k.Duration = row.duration
		}
	}
	return k
}

func (s *Site) validateProfile() error {
	names := []string{ProfilePractice, ProfileCounselling, ProfileMPU, ProfileAssociation, ProfileAnlage31b}
	if s.Profile != "" && !slices.Contains(names, s.Profile) {
		return invalid("profile", "there is no such profile; write one of "+strings.Join(names, ", ")+", or leave the line out")
	}
	return nil
}
