// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// KindSetting is what a site says about one kind of conversation. What it
// leaves out stays as the table of kinds has it.
type KindSetting struct {
	// ID is the kind: `kurz`, `beratung`, `therapie`, `supervision`, `gruppe`,
	// `sitzung`, or one of the site's own: lower-case letters, digits and
	// hyphens, at most 32 characters. Required.
	ID string `json:"id"`

	// Disabled takes the kind out of the site's table. Default: false.
	Disabled bool `json:"disabled,omitempty"`

	// Name is what hosts and visitors read, at most 64 characters. Default: the
	// name in the table; required for kinds that are not in it.
	Name string `json:"name,omitempty"`

	// Recording is `off` or `consent`. Default and at present the only accepted
	// value: `off`. `kurz` can never be recorded.
	Recording string `json:"recording,omitempty"`

	// InPerson, `on` or `off`, says whether the host must confirm that first
	// meetings took place in person before inviting. Default: as the table has
	// it; `off` for other kinds.
	InPerson string `json:"in_person,omitempty"`

	// NamedList, `on` or `off`, says whether only invited people by name may
	// enter. Default: as the table has it; `off` for other kinds.
	NamedList string `json:"named_list,omitempty"`

	// HostFirst, `on` or `off`, says whether nobody enters before the host, even
	// with the waiting room switched off. Default: as the table has it; `off`
	// for other kinds.
	HostFirst string `json:"host_first,omitempty"`

	// MaxParticipants is the number of people in one room of this kind, hosts
	// included, from 2 up to the site's number. Default: as the table has it, but
	// never more than the site's.
	MaxParticipants int `json:"max_participants,omitempty"`

	// Duration is the planned length, from 5 minutes to 12 hours. Default: as the
	// table has it; 50 minutes for other kinds.
	Duration caddy.Duration `json:"duration,omitempty"`
}

// Kind is one kind of conversation with everything that applies to it on a
// site.
type Kind struct {
	ID, Name string
	// Recording is Off or Consent.
	Recording string
	// InPerson demands the host's word that first meetings took place in person.
	InPerson bool
	// NamedList lets in invited people only.
	NamedList bool
	// HostFirst lets nobody in before the host.
	HostFirst bool
	// MaxParticipants counts hosts as well.
	MaxParticipants int
	Duration        caddy.Duration
}

// KindShort is the kind of free short talks, which can never be recorded.
const KindShort = "kurz"

// kindTable is what applies where a site says nothing. A size of 0 is the
// site's own.
var kindTable = []struct {
	Kind
	english string
}{
	{Kind{ID: KindShort, Name: "Kurzes Gespräch", MaxParticipants: 4, Duration: minutes(20)}, "Short talk"},
	{Kind{ID: "beratung", Name: "Beratung", MaxParticipants: 6, Duration: minutes(50)}, "Counselling"},
	{Kind{ID: "therapie", Name: "Therapie", InPerson: true, MaxParticipants: 4, Duration: minutes(50)}, "Therapy"},
	{Kind{ID: "supervision", Name: "Supervision", MaxParticipants: 8, Duration: minutes(90)}, "Supervision"},
	{Kind{ID: "gruppe", Name: "Gruppe", HostFirst: true, MaxParticipants: 10, Duration: minutes(100)}, "Group"},
	{Kind{ID: "sitzung", Name: "Sitzung", NamedList: true, HostFirst: true, Duration: minutes(90)}, "Meeting"},
}

func minutes(n int) caddy.Duration { return caddy.Duration(time.Duration(n) * time.Minute) }

// Kind returns what applies to a kind of conversation on this site; false where
// the site does not have it. Call SetDefaults first.
func (s *Site) Kind(id string) (Kind, bool) {
	for _, k := range s.AllKinds() {
		if k.ID == id {
			return k, true
		}
	}
	return Kind{}, false
}

// AllKinds returns the kinds of conversation of this site: those of the table
// or of the profile, then the site's own. Call SetDefaults first.
func (s *Site) AllKinds() []Kind {
	var kinds []Kind
	preset := profiles[s.Profile]
	for _, row := range kindTable {
		k := row.Kind
		if s.Language == English {
			k.Name = row.english
		}
		setting := s.kindSetting(k.ID)
		if setting == nil && preset.kinds != nil && !slices.Contains(preset.kinds, k.ID) {
			continue
		}
		if setting == nil {
			setting = &KindSetting{}
		}
		if setting.Disabled {
			continue
		}
		kinds = append(kinds, setting.over(preset.over(k, s.Language), s.MaxParticipants))
	}
	for i := range s.Kinds {
		if !inKindTable(s.Kinds[i].ID) && !s.Kinds[i].Disabled {
			own := Kind{ID: s.Kinds[i].ID, Duration: minutes(50)}
			kinds = append(kinds, s.Kinds[i].over(own, s.MaxParticipants))
		}
	}
	return kinds
}

func (s *Site) kindSetting(id string) *KindSetting {
	for i := range s.Kinds {
		if s.Kinds[i].ID == id {
			return &s.Kinds[i]
		}
	}
	return nil
}

// over returns what applies where the setting meets a row of the table on a site
// of this size.
func (k *KindSetting) over(row Kind, size int) Kind {
	row.Name = cmp.Or(k.Name, row.Name)
	row.Recording = cmp.Or(k.Recording, row.Recording, Off)
	for _, f := range []struct {
		word string
		flag *bool
	}{{k.InPerson, &row.InPerson}, {k.NamedList, &row.NamedList}, {k.HostFirst, &row.HostFirst}} {
		if f.word != "" {
			*f.flag = f.word == On
		}
	}
	row.MaxParticipants = min(cmp.Or(k.MaxParticipants, row.MaxParticipants, size), size)
	row.Duration = cmp.Or(k.Duration, row.Duration)
	return row
}

func inKindTable(id string) bool {
	for _, row := range kindTable {
		if row.ID == id {
			return true
		}
	}
	return false
}

func (s *Site) validateKinds() error {
	seen := make(map[string]bool)
	for i := range s.Kinds {
		k := &s.Kinds[i]
		if !hostIDPattern.MatchString(k.ID) {
			return invalid("kind", fmt.Sprintf("the id %q must consist of lower-case letters a-z, digits and hyphens, at most 32, for example kind beratung", k.ID))
		}
		if seen[k.ID] {
			return invalid("kind", fmt.Sprintf("%q stands twice; put its lines into one block", k.ID))
		}
		seen[k.ID] = true
		if err := k.validate(s.MaxParticipants); err != nil {
			return ownedBy(err, "kind "+k.ID)
		}
	}
	return nil
}

// Missing reports a line that must be written and is not.
func (k *KindSetting) Missing() error {
	if k.Name == "" && !inKindTable(k.ID) && !k.Disabled {
		return ownedBy(invalid("name", "is missing; a kind of your own needs one, for example name Paarberatung"), "kind "+k.ID)
	}
	return nil
}

func (k *KindSetting) validate(size int) error {
	if fix := checkText(k.Name, maxNameRunes); fix != "" {
		return invalid("name", fix)
	}
	for _, c := range []struct {
		field, value string
		words        []string
	}{
		{"recording", cmp.Or(k.Recording, Off), []string{Off, Consent}},
		{"in_person", cmp.Or(k.InPerson, Off), []string{On, Off}},
		{"named_list", cmp.Or(k.NamedList, Off), []string{On, Off}},
		{"host_first", cmp.Or(k.HostFirst, Off), []string{On, Off}},
	} {
		if err := choose(c.field, c.value, c.words); err != nil {
			return err
		}
	}
	switch {
	case k.Recording == Consent && k.ID == KindShort:
		return invalid("recording", "short talks are never recorded; leave the line out")
	case k.Recording == Consent:
		return notYet("recording", "nothing is recorded in this version; write recording off or leave the line out")
	case k.MaxParticipants != 0 && (k.MaxParticipants < MinParticipants || k.MaxParticipants > size):
		return invalid("max_participants", fmt.Sprintf("must be a number from %d to %d, the number of the site; write a larger max_participants for the site above, or fewer here", MinParticipants, size))
	}
	return within("duration", k.Duration, minKindDuration, maxKindDuration)
}
