// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"testing"
	"time"
)

func TestStanding(t *testing.T) {
	k := NewKeys()
	id, secret := k.Standing("a.example", "muster", "team", 1, false)
	if again, same := k.Standing("a.example", "muster", "team", 1, false); again != id || same != secret || !ValidID(id) || !IsGuestSecret(secret) {
		t.Errorf("%q %q, then %q %q", id, secret, again, same)
	}
	if renewed, other := k.Standing("a.example", "muster", "team", 2, false); renewed != id || other == secret {
		t.Errorf("another generation is %q %q", renewed, other)
	}
	for _, of := range [][3]string{{"b.example", "muster", "team"}, {"a.example", "zweit", "team"}, {"a.example", "muster", "teams"}, {"a.example", "mustert", "eam"}} {
		if other, theirs := k.Standing(of[0], of[1], of[2], 1, false); other == id || theirs == secret {
			t.Errorf("%v shares a room", of)
		}
	}
	if other, _ := NewKeys().Standing("a.example", "muster", "team", 1, false); other == id {
		t.Error("other keys make the same room")
	}
}

func TestGrantOfAKeptRoom(t *testing.T) {
	k, now := NewKeys(), time.Now()
	for _, kept := range []bool{false, true} {
		g := Grant{Room: NewID(), Host: "muster", Opened: now.UTC().Truncate(time.Second), Expires: now.Add(time.Hour).UTC().Truncate(time.Second), Kept: kept}
		text, err := k.Grant("a.example", g)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.VerifyGrant("a.example", text, now); err != nil || got != g {
			t.Errorf("%+v, %v, want %+v", got, err, g)
		}
	}
}
