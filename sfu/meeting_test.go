// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"fmt"
	"strings"
	"testing"
)

// meetingOffer is the offer of somebody who sends sound and, where shown, a
// picture, and is ready to receive as many of others.
func meetingOffer(shown bool, audios, videos int) string {
	var b strings.Builder
	mids := 0
	section := func(m, direction, more string) {
		fmt.Fprintf(&b, "m=%s\r\nc=IN IP4 0.0.0.0\r\na=mid:%d\r\na=rtcp-mux\r\na=%s\r\n%s", m, mids, direction, more)
		mids++
	}
	audio := func(direction, more string) {
		section("audio 9 UDP/TLS/RTP/SAVPF 111", direction, "a=rtpmap:111 opus/48000/2\r\n"+more)
	}
	video := func(direction, more string) {
		section("video 9 UDP/TLS/RTP/SAVPF 96 97", direction,
			"a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"+more)
	}
	audio("sendonly", "a=msid:- mic\r\n")
	if shown {
		video("sendonly", "a=msid:- cam\r\n")
	}
	for range audios {
		audio("recvonly", "")
	}
	for range videos {
		video("recvonly", "")
	}
	var group strings.Builder
	for i := range mids {
		fmt.Fprintf(&group, " %d", i)
	}
	return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE" + group.String() +
		"\r\na=ice-ufrag:user\r\na=ice-pwd:0123456789abcdefghijkl\r\na=setup:actpass\r\na=fingerprint:sha-256 " +
		strings.Repeat("AB:", 31) + "CD\r\n" + b.String()
}

// assembly makes a room of people who all send sound, the first of them pictures.
func assembly(t testing.TB, people, pictures int) (*Room, []*Peer) {
	t.Helper()
	plane, err := NewPlane(PlaneConfig{Port: NoPort, Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plane.Close() })
	room := plane.NewRoom(new(simRoomEvents))
	t.Cleanup(room.Close)
	var peers []*Peer
	for i := range people {
		p, err := room.NewPeer(PeerConfig{ID: fmt.Sprintf("PA_%d", i)}, newPeerEvents())
		if err != nil {
			t.Fatal(err)
		}
		specs := []TrackSpec{{SID: fmt.Sprintf("TR_a%d", i), CID: "mic", Kind: Audio}}
		if i < pictures {
			specs = append(specs, TrackSpec{SID: fmt.Sprintf("TR_v%d", i), CID: "cam", Kind: Video})
		}
		for _, s := range specs {
			if err := p.Publish(s); err != nil {
				t.Fatal(err)
			}
		}
		if a, err := p.Offer(meetingOffer(i < pictures, 0, 0)); err != nil || len(a.Published) != len(specs) {
			t.Fatal(a.Published, err)
		}
		peers = append(peers, p)
	}
	return room, peers
}

// attend subscribes the last one to all others and returns the offer for it.
func attend(t testing.TB, peers []*Peer, pictures int) (*Peer, string) {
	t.Helper()
	last := len(peers) - 1
	me := peers[last]
	for i := range last {
		for _, kind := range []string{"a", "v"}[:min(2, 1+max(0, pictures-i))] {
			if err := me.Subscribe(fmt.Sprintf("PA_%d", i), fmt.Sprintf("TR_%s%d", kind, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	audios, videos, offer := me.Need()
	if audios != last || videos != pictures || !offer {
		t.Fatalf("needs %d and %d sections, %t", audios, videos, offer)
	}
	return me, meetingOffer(false, audios, videos)
}

// TestMeetingFindsItsPlaces: in the largest meeting one answer has a section for
// every sound and picture.
func TestMeetingFindsItsPlaces(t *testing.T) {
	const people, pictures = 100, 32
	_, peers := assembly(t, people, pictures)
	me, offer := attend(t, peers, pictures)
	a, err := me.Offer(offer)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.MidToTrack) != people-1+pictures {
		t.Errorf("%d places, want %d", len(a.MidToTrack), people-1+pictures)
	}
	if n := strings.Count(a.SDP, "a=sendonly"); n != people-1+pictures {
		t.Errorf("%d sections send", n)
	}
	if audios, videos, due := me.Need(); audios+videos != 0 || due {
		t.Errorf("still needs %d and %d, %t", audios, videos, due)
	}
}

// TestMeetingAnswersInProportion counts allocations of the later answers.
func TestMeetingAnswersInProportion(t *testing.T) {
	cost := func(people int) float64 {
		_, peers := assembly(t, people, people/4)
		me, offer := attend(t, peers, people/4)
		return testing.AllocsPerRun(3, func() {
			if _, err := me.Offer(offer); err != nil {
				t.Fatal(err)
			}
		})
	}
	if small, large := cost(40), cost(80); large > 2.3*small {
		t.Errorf("40 people cost %.0f allocations, 80 cost %.0f", small, large)
	}
}

func BenchmarkMeetingAnswer(b *testing.B) {
	for _, people := range []int{25, 50, 100} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			_, peers := assembly(b, people, min(people-1, 32))
			me, offer := attend(b, peers, min(people-1, 32))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := me.Offer(offer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
