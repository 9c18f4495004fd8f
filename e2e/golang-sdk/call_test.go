// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
)

func TestJoinAndLeave(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, kind topology) {
		anna := join(t, serverURL, "anna", kind)
		if got := anna.ServerInfo(); got.GetEdition() != livekit.ServerInfo_Standard || got.GetVersion() == "" {
			t.Errorf("server info: %v", got)
		}
		if !strings.HasPrefix(anna.SID(), "RM_") {
			t.Errorf("the room's sid is %q", anna.SID())
		}
		bert := join(t, serverURL, "bert", kind)
		if got := next(t, anna.joined, "bert joins"); got != "bert" {
			t.Errorf("%q joined", got)
		}
		seen := bert.GetParticipantByIdentity("anna")
		if seen == nil || seen.Name() != "ANNA" || seen.Attributes()["seat"] != "anna" {
			t.Fatalf("bert sees %+v", seen)
		}
		bert.Disconnect()
		if got := next(t, anna.left, "bert leaves"); got != "bert" {
			t.Errorf("%q left", got)
		}
	})
}

func TestRefusedToken(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, kind topology) {
		_, err := lksdk.ConnectToRoomWithToken(serverURL, "no token", nil, kind.opts...)
		if err == nil || !strings.Contains(err.Error(), "unauthorized:") {
			t.Errorf("joining with a bad token: %v", err)
		}
	})
}

func TestNewestConnectionReplaces(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, kind topology) {
		old := join(t, serverURL, "anna", kind)
		join(t, serverURL, "anna", kind)
		if got := next(t, old.disconnected, "the older one is told"); got != lksdk.DuplicateIdentity {
			t.Errorf("reason %q", got)
		}
	})
}

func TestPublishAudio(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, from, to topology) {
		anna := join(t, serverURL, "anna", from)
		pub, err := anna.LocalParticipant.PublishTrack(newMicrophone(t).track, &lksdk.TrackPublicationOptions{Name: "voice"})
		if err != nil {
			t.Fatal(err)
		}
		// The SDK forgets who hears a track while it still publishes it.
		bert := join(t, serverURL, "bert", to)
		s := next(t, bert.streams, "bert hears anna")
		if s.from != "anna" || s.pub.SID() != pub.SID() || s.pub.Name() != "voice" || s.pub.Source() != livekit.TrackSource_MICROPHONE {
			t.Errorf("got %s of %s", s.pub.Name(), s.from)
		}
		s.flowing(t, sounds)
		if got := next(t, anna.subscribed, "anna learns that she is heard"); got != pub.SID() {
			t.Errorf("%s is received", got)
		}
		pub.SetMuted(true)
		eventually(t, "bert sees the mute", s.pub.IsMuted)
		pub.SetMuted(false)
		eventually(t, "bert sees the end of the mute", func() bool { return !s.pub.IsMuted() })
		if err := anna.LocalParticipant.UnpublishTrack(pub.SID()); err != nil {
			t.Fatal(err)
		}
		if got := next(t, bert.unpublished, "the track ends"); got != pub.SID() {
			t.Errorf("%s ended", got)
		}
	})
}

// TestPublishBesideSubscription publishes where something is received already:
// with one connection the SDK sends on the section on which it receives.
func TestPublishBesideSubscription(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, from, to topology) {
		bert := join(t, serverURL, "bert", to)
		publish(t, bert, "bert")
		if _, err := bert.LocalParticipant.PublishTrack(newCamera(t).track, &lksdk.TrackPublicationOptions{Name: "camera"}); err != nil {
			t.Fatal(err)
		}
		anna := join(t, serverURL, "anna", from)
		received := []*stream{next(t, anna.streams, "bert's tracks"), next(t, anna.streams, "bert's tracks")}
		for _, s := range received {
			s.flowing(t, pictures)
		}
		publish(t, anna, "anna")
		if _, err := anna.LocalParticipant.PublishSimulcastTrack(newSimulcast(t), &lksdk.TrackPublicationOptions{Name: "camera"}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			next(t, bert.streams, "anna's tracks").flowing(t, pictures)
		}
		for _, s := range received {
			anna.keeps(t, s)
		}
	})
}

// keeps checks that a track goes on, be it on another section.
func (m *member) keeps(t *testing.T, s *stream) {
	t.Helper()
	want := s.packets.Load() + 2*pictures
	eventually(t, "packets of "+s.pub.Name(), func() bool {
		select {
		case again := <-m.streams:
			if again.pub.SID() == s.pub.SID() {
				s, want = again, 2*pictures
			} else {
				m.streams <- again
			}
		default:
		}
		return s.packets.Load() >= want
	})
}

func TestPublishSimulcast(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, from, to topology) {
		anna, bert := join(t, serverURL, "anna", from), join(t, serverURL, "bert", to)
		pub, err := anna.LocalParticipant.PublishSimulcastTrack(newSimulcast(t), &lksdk.TrackPublicationOptions{Name: "camera"})
		if err != nil {
			t.Fatal(err)
		}
		s := next(t, bert.streams, "bert sees anna")
		if info := s.pub.TrackInfo(); info.GetMimeType() != "video/VP8" || !info.GetSimulcast() || len(info.GetLayers()) != 3 {
			t.Errorf("track: %v", info)
		}
		at := func(what string, layer int) {
			t.Helper()
			eventually(t, what, func() bool {
				return s.layer.Load() == int32(layer) && s.width.Load() == int32(widths[layer])
			})
			s.flowing(t, pictures)
		}
		at("the best layer at first", 2)
		if err := s.pub.SetVideoQuality(livekit.VideoQuality_LOW); err != nil {
			t.Fatal(err)
		}
		at("the lowest layer on request", 0)
		s.pub.SetVideoDimensions(widths[1], heights[1])
		at("the middle layer for its size", 1)
		s.pub.SetVideoDimensions(widths[2], heights[2])
		at("the best layer for its size", 2)
		s.pub.SetEnabled(false)
		s.still(t)
		s.pub.SetEnabled(true)
		s.flowing(t, pictures)
		if pub.SID() != s.pub.SID() {
			t.Errorf("published %s, received %s", pub.SID(), s.pub.SID())
		}
	})
}

func TestPublishSVC(t *testing.T) {
	t.Parallel()
	between(t, func(t *testing.T, from, to topology) {
		anna, bert := join(t, serverURL, "anna", from), join(t, serverURL, "bert", to)
		_, err := anna.LocalParticipant.PublishTrack(newSVC(t).track, &lksdk.TrackPublicationOptions{
			Name: "camera", VideoWidth: int(widths[2]), VideoHeight: int(heights[2]),
		})
		if err != nil {
			t.Fatal(err)
		}
		s := next(t, bert.streams, "bert sees anna")
		if info := s.pub.TrackInfo(); info.GetMimeType() != "video/VP9" {
			t.Errorf("track: %v", info)
		}
		eventually(t, "all spatial layers", func() bool { return s.spatial[2].Load() > pictures && s.marked.Load() == 2 })
		// The SDK announces one layer; how many there are stands in the stream.
		if err := s.pub.SetVideoQuality(livekit.VideoQuality_LOW); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the base layer ends its pictures", func() bool { return s.marked.Load() == 0 })
		upper := s.spatial[2].Load()
		s.flowing(t, pictures)
		if n := s.spatial[2].Load() - upper; n > 0 {
			t.Errorf("%d packets of the upper layer although only the base is wanted", n)
		}
		if err := s.pub.SetVideoQuality(livekit.VideoQuality_HIGH); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all spatial layers again", func() bool { return s.marked.Load() == 2 })
		s.flowing(t, pictures)
	})
}

// TestPublishWithJoin has tracks announced in the join itself, which only the
// single topology can.
func TestPublishWithJoin(t *testing.T) {
	t.Parallel()
	for _, to := range topologies {
		t.Run("to-"+to.name, func(t *testing.T) {
			t.Parallel()
			bert := join(t, serverURL, "bert", to)
			join(t, serverURL, "anna", single,
				lksdk.WithTrack(newMicrophone(t).track, &lksdk.TrackPublicationOptions{Name: "voice"}),
				lksdk.WithSimulcastTrack(newSimulcast(t), &lksdk.TrackPublicationOptions{Name: "camera"}))
			for range 2 {
				next(t, bert.streams, "both tracks").flowing(t, pictures)
			}
		})
	}
}

// TestManyTracks has more tracks come and go than a first offer has sections for.
func TestManyTracks(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, kind topology) {
		bert := join(t, serverURL, "bert", kind)
		var sids []string
		var publishers []*member
		for _, name := range []string{"anna", "carl", "dora", "emil"} {
			m := join(t, serverURL, name, kind)
			publishers = append(publishers, m)
			pub, err := m.LocalParticipant.PublishTrack(newMicrophone(t).track, &lksdk.TrackPublicationOptions{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			sids = append(sids, pub.SID())
			if _, err := m.LocalParticipant.PublishTrack(newCamera(t).track, &lksdk.TrackPublicationOptions{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		for range 8 {
			next(t, bert.streams, "every track").flowing(t, pictures)
		}
		for i, m := range publishers[:2] {
			if err := m.LocalParticipant.UnpublishTrack(sids[i]); err != nil {
				t.Fatal(err)
			}
			next(t, bert.unpublished, "a track ends")
			if _, err := m.LocalParticipant.PublishTrack(newMicrophone(t).track, &lksdk.TrackPublicationOptions{Name: "again"}); err != nil {
				t.Fatal(err)
			}
			if s := next(t, bert.streams, "another takes its place"); s.pub.Name() != "again" {
				t.Errorf("%s came", s.pub.Name())
			} else {
				s.flowing(t, sounds)
			}
		}
	})
}

func TestSelectiveSubscription(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, kind topology) {
		anna := join(t, serverURL, "anna", kind)
		if _, err := anna.LocalParticipant.PublishTrack(newCamera(t).track, &lksdk.TrackPublicationOptions{Name: "camera"}); err != nil {
			t.Fatal(err)
		}
		bert := join(t, serverURL, "bert", kind, lksdk.WithAutoSubscribe(false))
		var pub *lksdk.RemoteTrackPublication
		eventually(t, "bert knows of the track", func() bool {
			for _, p := range bert.GetParticipantByIdentity("anna").TrackPublications() {
				pub, _ = p.(*lksdk.RemoteTrackPublication)
			}
			return pub != nil
		})
		never(t, bert.streams, "a track came unasked")
		for range 2 {
			if err := pub.SetSubscribed(true); err != nil {
				t.Fatal(err)
			}
			s := next(t, bert.streams, "the track that bert asked for")
			s.flowing(t, pictures)
			if err := pub.SetSubscribed(false); err != nil {
				t.Fatal(err)
			}
			s.still(t)
		}
	})
}

// TestSimulate has a client ask for the tests' scenarios, which a server that
// is not configured for tests ignores.
func TestSimulate(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, kind topology) {
		anna := join(t, serverURL, "anna", kind)
		anna.Simulate(lksdk.SimulateServerLeave)
		anna.Simulate(lksdk.SimulateLeaveRequestFullReconnect)
		anna.Simulate(lksdk.SimulateNodeFailure)
		never(t, anna.disconnected, "a client ended its own connection by a test hook")
		never(t, anna.reconnecting, "a client cut its own connection by a test hook")
		if s := anna.ConnectionState(); s != lksdk.ConnectionStateConnected {
			t.Errorf("state %v", s)
		}
		time.Sleep(100 * time.Millisecond)
	})
}
