// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"sync"
	"testing"

	"github.com/pion/webrtc/v4"
)

// TestPublishWhereReceiving has a client send on the very section on which it
// receives: the received track goes on elsewhere.
func TestPublishWhereReceiving(t *testing.T) {
	plane := testPlane(t, 1)
	room := plane.NewRoom(new(simRoomEvents))
	defer room.Close()
	a, b := newRTCClient(t, room, "PA_a"), newRTCClient(t, room, "PA_b")
	b.publish("TR_b", webrtc.MimeTypeVP8)
	b.negotiate()
	a.negotiate()
	if err := a.peer.Subscribe("PA_b", "TR_b"); err != nil {
		t.Fatal(err)
	}
	mid := ""
	for m := range a.negotiate().MidToTrack {
		mid = m
	}
	a.untilReceived("TR_b", 20)
	tr, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "cid-TR_a", "stream")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range a.pc.GetTransceivers() {
		if tc.Mid() != mid {
			continue
		}
		sender, err := a.pc.AddTrack(tr)
		if err != nil {
			t.Fatal(err)
		}
		if tc.Sender() != sender {
			t.Fatal("the client does not send where it receives")
		}
	}
	if err := a.peer.Publish(TrackSpec{SID: "TR_a", CID: "cid-TR_a", Kind: Video, Stream: "camera"}); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { // ends when the test closes stop
		defer wg.Done()
		feed(tr, Video, false, stop)
	}()
	t.Cleanup(func() { close(stop); wg.Wait() })
	ans := a.negotiate()
	if len(ans.Published) != 1 || ans.Published[0].Mid != mid {
		t.Fatalf("published %+v, received on %s", ans.Published, mid)
	}
	if len(ans.MidToTrack) != 1 || ans.MidToTrack[mid] != "" {
		t.Errorf("mid map %v", ans.MidToTrack)
	}
	a.untilReceived("TR_b", a.received("TR_b")+30)
	if err := b.peer.Subscribe("PA_a", "TR_a"); err != nil {
		t.Fatal(err)
	}
	b.negotiate()
	b.untilReceived("TR_a", 30)
}
