// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
)

// StandingRoom is a room that a host keeps: its link stays the same, for groups,
// supervision and teams that meet again and again.
type StandingRoom struct {
	// ID identifies the room in its link: lower-case letters, digits and hyphens,
	// at most 32 characters. Another id is another room with another link. Required.
	ID string `json:"id"`

	// Name is what the host reads, at most 64 characters; visitors do not see it.
	// Default: the id.
	Name string `json:"name,omitempty"`

	// Kind is the kind of conversation: it says how many people the room takes and
	// whether anybody enters before the host. Default: none, and then the rules of
	// the site alone apply.
	Kind string `json:"kind,omitempty"`

	// LinkGeneration counts the links of the room, from 1 to 1000000. Raise it to
	// make the link that was handed out invalid; the host's page then shows the new
	// one. Default: 1.
	LinkGeneration int `json:"link_generation,omitempty"`
}

const maxStandingRooms = 20

// withDefaults returns the rooms with what is absent filled in.
func withDefaults(rooms []StandingRoom) []StandingRoom {
	rooms = slices.Clone(rooms)
	for i := range rooms {
		setDefault(&rooms[i].Name, rooms[i].ID)
		orDefault(&rooms[i].LinkGeneration, FirstLinkGeneration)
	}
	return rooms
}

func validateRooms(rooms []StandingRoom) error {
	if len(rooms) > maxStandingRooms {
		return invalid("room", fmt.Sprintf("there are more than %d; spread them over several hosts", maxStandingRooms))
	}
	seen := make(map[string]bool)
	for _, r := range rooms {
		if !hostIDPattern.MatchString(r.ID) {
			return invalid("room", fmt.Sprintf("the id %q must consist of lower-case letters a-z, digits and hyphens, at most 32, for example room team \"Teamsitzung\"", r.ID))
		}
		if seen[r.ID] {
			return invalid("room", fmt.Sprintf("there are two rooms with the id %q; give each its own", r.ID))
		}
		seen[r.ID] = true
		if fix := checkText(r.Name, maxNameRunes); fix != "" {
			return ownedBy(invalid("name", fix), "room "+r.ID)
		}
		if r.LinkGeneration < FirstLinkGeneration || r.LinkGeneration > maxLinkGeneration {
			return ownedBy(invalid("link_generation", fmt.Sprintf("must be a number from %d to %d; raise it by one to make the old link invalid", FirstLinkGeneration, maxLinkGeneration)), "room "+r.ID)
		}
	}
	return nil
}

// missingKinds reports a room of a kind that the site does not have, or that such
// a room cannot be of. Kinds may stand below the hosts.
func (s *Site) missingKinds() error {
	for _, h := range s.Hosts {
		for _, r := range h.Rooms {
			if r.Kind == "" {
				continue
			}
			kind, ok := s.Kind(r.Kind)
			switch {
			case !ok:
				return ownedBy(ownedBy(invalid("kind", fmt.Sprintf("the site has no kind %q; write one of its kinds or leave the line out", r.Kind)), "room "+r.ID), "host "+h.ID)
			case kind.NamedList:
				return ownedBy(ownedBy(invalid("kind", fmt.Sprintf("%q lets in invited people by name, and a room with one link for all has no list of them; choose another kind", r.Kind)), "room "+r.ID), "host "+h.ID)
			}
		}
	}
	return nil
}
