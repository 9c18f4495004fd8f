// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"strings"
	"testing"
	"time"
)

func TestRelay(t *testing.T) {
	k, now := NewKeys(), time.Unix(1_800_000_000, 0)
	name, password := k.Relay("a.example", "room", "ann", now)
	got, who, expires, ok := k.RelayUser(name)
	if !ok || got != password || who != k.RelayParticipant("a.example", "room", "ann") || !expires.Equal(now.Add(RelayLife)) {
		t.Errorf("%q: %q %q %v %v", name, got, who, expires, ok)
	}
	for what, other := range map[string]string{
		"another identity": k.RelayParticipant("a.example", "room", "bob"),
		"another room":     k.RelayParticipant("a.example", "moor", "ann"),
		"another site":     k.RelayParticipant("b.example", "room", "ann"),
		"shifted border":   k.RelayParticipant("a.example", "room\x00a", "nn"),
		"another key":      NewKeys().RelayParticipant("a.example", "room", "ann"),
	} {
		if other == who {
			t.Errorf("%s has the same name", what)
		}
	}
	later := strings.Replace(name, "1", "2", 1)
	if stretched, _, _, ok := k.RelayUser(later); ok && stretched == password {
		t.Error("a longer life has the same password")
	}
	for _, bad := range []string{"", ":", "1", "x:" + who, "1:", "-5:" + who, "1:" + who + "a", "1:" + strings.ToUpper(who), strings.Repeat("1", 90) + ":" + who} {
		if _, _, _, ok := k.RelayUser(bad); ok {
			t.Errorf("%q passed", bad)
		}
	}
	if strings.Contains(name, "ann") || strings.Contains(name, "room") {
		t.Errorf("%q tells who it is", name)
	}
}
