// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

var opusLine = regexp.MustCompile(`(?m)^a=rtpmap:(\d+) opus/48000/2\r?$`)

const nackOfOpus = "a=rtcp-fb:111 nack\r\n"

// keen has a description ask for lost Opus again where wanted.
func keen(sdp string, wanted bool) string {
	sdp = strings.ReplaceAll(sdp, nackOfOpus, "")
	if !wanted {
		return sdp
	}
	return opusLine.ReplaceAllString(sdp, "a=rtpmap:$1 opus/48000/2\r\na=rtcp-fb:$1 nack\r")
}

// Lost sound is asked for where the client has agreed to that, in either
// direction and in both versions, and nowhere else.
func TestNegotiateNackOfSound(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		plane := testPlane(t, 1)
		room := plane.NewRoom(new(simRoomEvents))
		defer room.Close()
		a, b := newRTCClient(t, room, "PA_a"), newRTCClient(t, room, "PA_b")
		offer := func(c *rtcClient) string {
			o, err := c.pc.CreateOffer(nil)
			if err != nil {
				t.Fatal(err)
			}
			ans, err := c.peer.Offer(keen(o.SDP, wanted))
			if err != nil {
				t.Fatal(err)
			}
			return ans.SDP
		}
		a.publish("TR_a", webrtc.MimeTypeOpus)
		if got := offer(a); strings.Contains(got, nackOfOpus) != wanted || a.peer.pubs["TR_a"].up.nacks != wanted {
			t.Errorf("publisher wants %v: %v\n%s", wanted, a.peer.pubs["TR_a"].up.nacks, got)
		}
		if err := b.peer.Subscribe("PA_a", "TR_a"); err != nil {
			t.Fatal(err)
		}
		if got := offer(b); strings.Contains(got, nackOfOpus) != wanted || b.peer.subs["TR_a"].down.nacks != wanted {
			t.Errorf("listener wants %v: %v\n%s", wanted, b.peer.subs["TR_a"].down.nacks, got)
		}
		old := newDualClient(t, room, "PA_old", webrtc.DTLSRoleClient)
		old.subscribe("PA_a", "TR_a")
		proposal, ok := old.peer.Propose(false)
		if !ok || !strings.Contains(proposal.SDP, nackOfOpus) {
			t.Fatalf("not offered:\n%s", proposal.SDP)
		}
		if _, err := old.peer.Accept(keen(old.answer(proposal), wanted)); err != nil {
			t.Fatal(err)
		}
		if d := old.peer.subs["TR_a"].down; d == nil || d.nacks != wanted {
			t.Errorf("listener of version 0 wants %v: %+v", wanted, d)
		}
	}
}
