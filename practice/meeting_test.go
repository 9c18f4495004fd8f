// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package practice

import "testing"

// TestLargeMeetingKnocksTogether: as many as the room takes may knock in one
// minute and wait together.
func TestLargeMeetingKnocksTogether(t *testing.T) {
	const people = 40
	b := newBench(t, Options{})
	b.site.MaxParticipants = people
	host := b.host("muster")
	room := b.open(host)
	var visitors []*wire
	for i := range people {
		visitors = append(visitors, b.knock(room, "Ann", client(i)))
	}
	for _, v := range visitors {
		v.next("waiting")
	}
	b.knock(room, "Bob", client(people)).refused(CodeTooMany)
}
