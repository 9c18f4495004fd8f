// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// That a call is encrypted from end to end is signed with its link: the mark can
// neither be taken off nor put on.
func TestConfidentialLinks(t *testing.T) {
	k, now, room := NewKeys(), time.Now().UTC().Truncate(time.Second), NewID()
	for _, e2ee := range []bool{false, true} {
		v := Visit{Host: "muster", Expires: now.Add(time.Hour), E2EE: e2ee}
		text, err := k.Visit("a.example", room, v)
		if err != nil || strings.HasPrefix(text, Confidential) != e2ee {
			t.Fatalf("%q, %v", text, err)
		}
		if got, err := k.VerifyVisit("a.example", room, text, now); err != nil || got != v {
			t.Errorf("%+v, %v, want %+v", got, err, v)
		}
		other := Confidential + text
		if e2ee {
			other = strings.TrimPrefix(text, Confidential)
		}
		for _, forged := range []string{other, Confidential + Confidential + text, strings.ToUpper(Confidential) + text} {
			if _, err := k.VerifyVisit("a.example", room, forged, now); !errors.Is(err, ErrBadCapability) {
				t.Errorf("%q: %v", forged, err)
			}
		}
	}
	_, plain := k.Standing("a.example", "muster", "team", 1, false)
	_, marked := k.Standing("a.example", "muster", "team", 1, true)
	for name, pair := range map[string][2]string{
		"guest":    {k.Guest("a.example", room, "g", 1, false), k.Guest("a.example", room, "g", 1, true)},
		"standing": {plain, marked},
	} {
		rest, is := strings.CutPrefix(pair[1], Confidential)
		if !is || strings.HasPrefix(pair[0], Confidential) || rest == pair[0] || !IsGuestSecret(pair[0]) || !IsGuestSecret(pair[1]) {
			t.Errorf("%s: %q and %q", name, pair[0], pair[1])
		}
	}
	if IsGuestSecret(Confidential) || IsGuestSecret(Confidential+Confidential+plain) {
		t.Error("a mark alone is no secret")
	}
}
