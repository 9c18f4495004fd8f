// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"time"

	"github.com/caddy-videoroom/videoroom/config"
)

// auditCondition is one technical demand of the German agreement on video
// consultation. The list helps whoever examines a site; it is no certificate.
type auditCondition struct {
	Demand string `json:"demand"`
	// State is met, open, or outside: what no program can show of itself.
	State string `json:"state"`
	// Because names the setting or the property that decides.
	Because string `json:"because"`
}

// States of conditions.
const (
	conditionMet     = "met"
	conditionOpen    = "open"
	conditionOutside = "outside"
)

// anlage31b judges a site by its effective settings.
func anlage31b(s *config.Site) []auditCondition {
	decide := func(met bool) string {
		if met {
			return conditionMet
		}
		return conditionOpen
	}
	recorded := false
	for _, k := range s.AllKinds() {
		recorded = recorded || k.Recording != config.Off
	}
	return []auditCondition{
		{"contents are encrypted from end to end by the state of the art", decide(s.E2EERequired()), "e2ee " + s.E2EE},
		{"everybody is let in by the practice, no signals of further callers in a talk", decide(s.WaitingRoomOn()), "waiting_room " + s.WaitingRoom},
		{"nothing is recorded", decide(!recorded), "kind: recording"},
		{"metadata is deleted after three months at the latest", decide(s.Retention > 0 && s.Retention <= config.MaxRetention), "retention " + time.Duration(s.Retention).String()},
		{"information is in German and readable without signing in", decide(s.Language == config.German), "language " + s.Language + ", page /privacy"},
		{"patients need no account", conditionMet, "links; there are no accounts"},
		{"no advertising, nothing is passed on", conditionMet, "pages load nothing from other hosts"},
		{"sound and picture adapt to the line", conditionMet, "bandwidth estimation for each listener"},
		{"servers stand in the European Union", conditionOutside, "to be shown by the operator"},
		{"certificates on data protection and information security", conditionOutside, "to be obtained by the operator; this list is none"},
	}
}
