// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the transcripts in testdata")

// transcript records what passes between client, server and room:
//
//	C> client to server    S> server to client    R> what the room is asked
type transcript struct {
	*visitor
	lab *lab
	b   bytes.Buffer
}

func (s *transcript) line(who string, v any) {
	fmt.Fprintf(&s.b, "%s %s\n", who, v)
}

func (s *transcript) open(m *wire.JoinRequest) {
	s.line("C>", "join_request "+plain(s.lab.t, m))
	s.visitor = s.lab.connect(m)
	s.entered(m.GetReconnect())
}

// query is open for version 0 of the protocol.
func (s *transcript) query(q url.Values) {
	s.line("C>", "query "+q.Encode())
	q.Set("access_token", ownToken)
	s.visitor = s.lab.connected(first(s.lab.dialQuery(q)))
	s.entered(q.Get("reconnect") != "")
}

func first(ws *websocket.Conn, _ *http.Response, err error) (*websocket.Conn, error) { return ws, err }

// entered notes what the room was asked.
func (s *transcript) entered(reconnect bool) {
	s.lab.rooms.mu.Lock()
	defer s.lab.rooms.mu.Unlock()
	if reconnect {
		r := s.lab.rooms.resumes[len(s.lab.rooms.resumes)-1]
		s.line("R>", fmt.Sprintf("Resume %s %s reason=%d token=%s issued=%d",
			r.Identity, r.SID, r.Reason, r.TokenID, r.IssuedAt.Unix()))
		return
	}
	j := s.lab.rooms.joins[len(s.lab.rooms.joins)-1]
	s.line("R>", fmt.Sprintf("Join %s name=%q metadata=%q attributes=%v client=%+v auto=%t adaptive=%t pause=%t dual=%t offer=%q/%d reached=%s token=%s issued=%d",
		j.Identity, j.Name, j.Metadata, j.Attributes, j.Client, j.AutoSubscribe, j.AdaptiveStream, j.AllowPause, j.Dual,
		j.Offer, j.OfferID, j.Peer.Reached, j.TokenID, j.IssuedAt.Unix()))
}

// hears reads n messages of the server.
func (s *transcript) hears(n int) {
	for range n {
		s.line("S>", plain(s.t, s.read()))
	}
}

// asks sends a message and, when it concerns the room, waits for its request.
func (s *transcript) asks(m *wire.SignalRequest, reachesRoom bool) {
	s.line("C>", plain(s.t, m))
	s.send(m)
	if reachesRoom {
		s.line("R>", asked(s.room.next(s.t)))
	}
}

// told makes the room say something.
func (s *transcript) told(m room.Message) {
	if !s.room.conn.Send(m) {
		s.t.Fatalf("%T was not taken", m)
	}
	s.hears(1)
}

func (s *transcript) ends() {
	s.line("S>", fmt.Sprintf("close %d", s.closed()))
	s.room.waitDetached(s.t)
	s.line("R>", "Detach")
}

func asked(r any) string {
	b, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(fmt.Sprintf("%T ", r), "room.") + string(b)
}

// plain renders a message as JSON with sorted keys and without clock.
func plain(t *testing.T, m proto.Message) string {
	t.Helper()
	b, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if _, ok := v["pong"]; ok {
		v["pong"] = "<now>"
	}
	if p, ok := v["pongResp"].(map[string]any); ok {
		p["timestamp"] = "<now>"
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

func (s *transcript) compare(name string) {
	s.t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *rewrite {
		if err := os.WriteFile(file, s.b.Bytes(), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if bytes.Equal(want, s.b.Bytes()) {
		return
	}
	got, expect := strings.Split(s.b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(got), len(expect)) {
		if got[i] != expect[i] {
			s.t.Fatalf("%s:%d\n got %s\nwant %s", file, i+1, got[i], expect[i])
		}
	}
	s.t.Fatalf("%s: %d lines, want %d", file, len(got), len(expect))
}

func offerOf(id uint32) *wire.SessionDescription {
	return &wire.SessionDescription{Type: "offer", Sdp: "v=0\r\n", Id: id}
}

func answerOf(id uint32) *wire.SessionDescription {
	return &wire.SessionDescription{Type: "answer", Sdp: "v=0\r\n", Id: id}
}

var richTrack = room.TrackInfo{
	SID: "TR_1", Name: "camera", Kind: kindVideo, Source: room.SourceCamera, Muted: true,
	Width: 1280, Height: 720, Simulcast: true, Mime: "video/VP8", Mid: "3", Stream: "camera", Encryption: 1,
	Layers:  []room.Layer{{Quality: 2, Width: 1280, Height: 720, Bitrate: 1_700_000, RID: "f", SpatialLayer: 2}},
	Codecs:  []room.Codec{{Mime: "video/VP8", Mid: "3", CID: "cam", Layers: []room.Layer{{RID: "q"}}}},
	Version: 1_700_000_000_000_001,
}

func TestTranscripts(t *testing.T) {
	created := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	scenarios := map[string]func(*transcript){
		"offer-with-join": func(s *transcript) {
			m := joinRequest()
			m.PublisherOffer = offerOf(1)
			s.open(m)
			s.hears(1)
			s.told(room.Answer{SDP: "v=0\r\n", ID: 1, MidToTrack: map[string]string{"1": "TR_2", "0": "TR_1"}})
			s.told(room.Token{JWT: "next"})
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_Ping{Ping: 7}}, false)
			s.hears(1)
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_PingReq{PingReq: &wire.Ping{Timestamp: 7, Rtt: 20}}}, false)
			s.hears(1)
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_Leave{Leave: &wire.LeaveRequest{
				Reason: wire.DisconnectReason_SERVER_SHUTDOWN,
			}}}, true)
			s.hears(1)
			s.ends()
		},
		"tracks-with-join": func(s *transcript) {
			m := joinRequest()
			m.AddTrackRequests = []*wire.AddTrackRequest{{Cid: "mic", Type: wire.TrackType_AUDIO, Source: wire.TrackSource_MICROPHONE}}
			m.PublisherOffer = offerOf(1)
			s.open(m)
			s.hears(1)
			s.line("R>", asked(s.room.next(s.t)))
			s.line("R>", asked(s.room.next(s.t)))
			s.room.conn.End()
			s.ends()
		},
		"resume": func(s *transcript) {
			m := joinRequest()
			m.Reconnect, m.ParticipantSid, m.ReconnectReason = true, "PA_1", wire.ReconnectReason_RR_SIGNAL_DISCONNECTED
			s.open(m)
			s.hears(1)
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_SyncState{SyncState: &wire.SyncState{
				Subscription: &wire.UpdateSubscription{TrackSids: []string{"TR_9"}, Subscribe: true},
				PublishTracks: []*wire.TrackPublishedResponse{
					{Cid: "mic", Track: &wire.TrackInfo{Sid: "TR_1"}},
				},
				TrackSidsDisabled: []string{"TR_8"},
			}}}, true)
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_Offer{Offer: offerOf(5)}}, true)
			s.told(room.Leave{Reason: room.ReasonServerShutdown, Action: room.ActionReconnect})
			s.ends()
		},
		"dual-join": func(s *transcript) {
			s.lab.rooms.greet = func(c room.Conn) { c.Send(room.Joined{SubscriberPrimary: true}) }
			s.query(url.Values{
				"protocol": {"17"}, "client_protocol": {"2"}, "sdk": {"swift"}, "version": {"2.0"},
				"auto_subscribe": {"1"}, "adaptive_stream": {"1"}, "subscriber_allow_pause": {"0"}, "os": {"iOS"},
			})
			s.hears(1)
			s.told(room.Proposal{SDP: "v=0\r\n", ID: 1})
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_Answer{Answer: answerOf(1)}}, true)
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_Trickle{Trickle: &wire.TrickleRequest{
				CandidateInit: `{"candidate":""}`, Target: wire.SignalTarget_SUBSCRIBER,
			}}}, true)
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_Offer{Offer: offerOf(1)}}, true)
			s.told(room.Answer{SDP: "v=0\r\n", ID: 1})
			s.room.conn.End()
			s.ends()
		},
		"dual-resume": func(s *transcript) {
			s.query(url.Values{
				"protocol": {"17"}, "sdk": {"js"}, "reconnect": {"1"}, "sid": {"PA_1"}, "reconnect_reason": {"3"},
			})
			s.hears(1)
			s.told(room.Proposal{SDP: "v=0\r\n", ID: 4})
			s.asks(&wire.SignalRequest{Message: &wire.SignalRequest_Answer{Answer: answerOf(4)}}, true)
			s.room.conn.End()
			s.ends()
		},
		"requests": requestsScenario,
		"messages": func(s *transcript) {
			s.open(joinRequest())
			s.hears(1)
			for _, m := range everyMessage(created) {
				s.told(m)
			}
			s.told(room.Leave{Reason: room.ReasonRemoved, Action: room.ActionDisconnect})
			s.ends()
		},
	}
	for name, run := range scenarios {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, nil)
			s := &transcript{lab: l}
			run(s)
			s.compare(name)
		})
	}
}

func requestsScenario(s *transcript) {
	s.open(joinRequest())
	s.hears(1)
	for _, m := range []*wire.SignalRequest{
		{Message: &wire.SignalRequest_Offer{Offer: offerOf(1)}},
		{Message: &wire.SignalRequest_Trickle{Trickle: &wire.TrickleRequest{CandidateInit: `{"candidate":""}`}}},
		{Message: &wire.SignalRequest_AddTrack{AddTrack: &wire.AddTrackRequest{
			Cid: "cam", Name: "camera", Type: wire.TrackType_VIDEO, Width: 1280, Height: 720,
			Source: wire.TrackSource_CAMERA, Stream: "camera", Encryption: wire.Encryption_GCM,
			Layers:          []*wire.VideoLayer{{Quality: wire.VideoQuality_HIGH, Width: 1280, Height: 720, Bitrate: 9, Rid: "f", Ssrc: 5, SpatialLayer: 2}},
			SimulcastCodecs: []*wire.SimulcastCodec{{Codec: "vp8", Cid: "cam"}},
		}}},
		{Message: &wire.SignalRequest_AddTrack{AddTrack: &wire.AddTrackRequest{
			Cid: "mic", Type: wire.TrackType_AUDIO, Source: wire.TrackSource_MICROPHONE, Muted: true, DisableRed: true,
			AudioFeatures: []wire.AudioTrackFeature{wire.AudioTrackFeature_TF_STEREO, wire.AudioTrackFeature_TF_NO_DTX},
		}}},
		{Message: &wire.SignalRequest_Mute{Mute: &wire.MuteTrackRequest{Sid: "TR_1", Muted: true}}},
		{Message: &wire.SignalRequest_Subscription{Subscription: &wire.UpdateSubscription{
			TrackSids: []string{"TR_2"}, Subscribe: true,
			ParticipantTracks: []*wire.ParticipantTracks{{ParticipantSid: "PA_2", TrackSids: []string{"TR_3"}}},
		}}},
		{Message: &wire.SignalRequest_TrackSetting{TrackSetting: &wire.UpdateTrackSettings{
			TrackSids: []string{"TR_2"}, Width: 320, Height: 180, Fps: 15, Quality: wire.VideoQuality_HIGH,
		}}},
		{Message: &wire.SignalRequest_TrackSetting{TrackSetting: &wire.UpdateTrackSettings{
			TrackSids: []string{"TR_2"}, Quality: wire.VideoQuality_OFF,
		}}},
		{Message: &wire.SignalRequest_Simulate{Simulate: &wire.SimulateScenario{
			Scenario: &wire.SimulateScenario_SubscriberBandwidth{SubscriberBandwidth: 500_000},
		}}},
		{Message: &wire.SignalRequest_Simulate{Simulate: &wire.SimulateScenario{
			Scenario: &wire.SimulateScenario_SubscriberBandwidth{SubscriberBandwidth: -1},
		}}},
		{Message: &wire.SignalRequest_Simulate{Simulate: &wire.SimulateScenario{
			Scenario: &wire.SimulateScenario_SubscriberBandwidth{SubscriberBandwidth: 1 << 40},
		}}},
		{Message: &wire.SignalRequest_SubscriptionPermission{SubscriptionPermission: &wire.SubscriptionPermission{
			AllParticipants: true,
		}}},
		{Message: &wire.SignalRequest_SubscriptionPermission{SubscriptionPermission: &wire.SubscriptionPermission{
			TrackPermissions: []*wire.TrackPermission{
				{ParticipantIdentity: "all", AllTracks: true, TrackSids: []string{"TR_1"}},
				{ParticipantSid: "PA_some", TrackSids: []string{"TR_1"}},
				{ParticipantIdentity: "none"},
				{AllTracks: true},
			},
		}}},
		{Message: &wire.SignalRequest_UpdateMetadata{UpdateMetadata: &wire.UpdateParticipantMetadata{
			RequestId: 3, Name: "Dr. M.", Metadata: "{}", Attributes: map[string]string{"hand": "up"},
		}}},
		{Message: &wire.SignalRequest_UpdateAudioTrack{UpdateAudioTrack: &wire.UpdateLocalAudioTrack{
			TrackSid: "TR_1", Features: []wire.AudioTrackFeature{wire.AudioTrackFeature_TF_NOISE_SUPPRESSION},
		}}},
		{Message: &wire.SignalRequest_UpdateVideoTrack{UpdateVideoTrack: &wire.UpdateLocalVideoTrack{
			TrackSid: "TR_4", Width: 640, Height: 360,
		}}},
	} {
		s.asks(m, true)
	}
	for _, m := range []*wire.SignalRequest{
		{Message: &wire.SignalRequest_PublishDataTrackRequest{PublishDataTrackRequest: &wire.PublishDataTrackRequest{PubHandle: 2, Name: "x"}}},
		{Message: &wire.SignalRequest_UnpublishDataTrackRequest{UnpublishDataTrackRequest: &wire.UnpublishDataTrackRequest{PubHandle: 2}}},
		{Message: &wire.SignalRequest_StoreDataBlobRequest{StoreDataBlobRequest: &wire.StoreDataBlobRequest{RequestId: 4}}},
		{Message: &wire.SignalRequest_GetDataBlobRequest{GetDataBlobRequest: &wire.GetDataBlobRequest{RequestId: 5}}},
	} {
		s.asks(m, false)
		s.hears(1)
	}
	s.told(room.Leave{Reason: room.ReasonRoomDeleted, Action: room.ActionDisconnect})
	s.ends()
}

// everyMessage lists one message of each type but first and last ones.
func everyMessage(at time.Time) []room.Message {
	someone := room.ParticipantInfo{
		SID: "PA_2", Identity: "guest", Name: "A. Guest", Metadata: "m", Attributes: map[string]string{"a": "b"},
		State: room.StateActive, JoinedAt: at, Version: 4, Publisher: true, Tracks: []room.TrackInfo{richTrack},
		Permission: room.Permission{
			Subscribe: true, Publish: true, PublishData: true, Sources: []room.Source{room.SourceMicrophone},
			UpdateMetadata: true, Hidden: true, Admin: true,
		},
		ClientProtocol: 2, Capabilities: []int32{2},
	}
	gone := room.ParticipantInfo{SID: "PA_3", Identity: "late", State: room.StateDisconnected, Reason: room.ReasonClientInitiated}
	return []room.Message{
		room.SectionsNeeded{Audios: 1, Videos: 2},
		room.SectionsNeeded{},
		room.Proposal{SDP: "v=0\r\n", ID: 3, MidToTrack: map[string]string{"1": "TR_1"}},
		room.Update{Participants: []room.ParticipantInfo{someone, gone}},
		room.TrackPublished{CID: "cam", Track: richTrack},
		room.TrackPublished{CID: "mic", Track: room.TrackInfo{
			SID: "TR_5", Kind: kindAudio, Source: room.SourceMicrophone, Stereo: true, DisableDTX: true, DisableRED: true,
			AudioFeatures: []int32{0, 4},
		}},
		room.TrackUnpublished{SID: "TR_1"},
		room.TrackSubscribed{SID: "TR_1"},
		room.MuteTrack{SID: "TR_1", Muted: true},
		room.Speakers{Speakers: []room.SpeakerInfo{{SID: "PA_2", Level: 0.5, Active: true}}},
		room.RoomUpdate{Room: room.Info{
			SID: "RM_1", Name: "consultation", Metadata: "m", CreatedAt: at, EmptyTimeout: time.Minute,
			MaxParticipants: 10, NumParticipants: 2, NumPublishers: 1,
		}},
		room.Quality{Qualities: []room.QualityInfo{{SID: "PA_2", Grade: 2, Score: 4.5}}},
		room.SubscriptionPermission{ParticipantSID: "PA_2", TrackSID: "TR_1", Allowed: true},
		room.SubscriptionFailed{TrackSID: "TR_1"},
		room.SubscriptionFailed{TrackSID: "TR_1", NotFound: true},
		room.SubscribedQuality{TrackSID: "TR_1", Codecs: []room.SubscribedCodec{{Codec: "vp8", Enabled: [3]bool{true, true, false}}}},
		room.StreamState{ParticipantSID: "PA_2", TrackSID: "TR_1", Paused: true},
		room.StreamState{ParticipantSID: "PA_2", TrackSID: "TR_1"},
		room.Token{JWT: "next"},
		room.RequestResponse{RequestID: 3, Reason: 2, Text: "not allowed"},
	}
}

// TestKinds pins the numbers of package sfu that this package must not import.
func TestKinds(t *testing.T) {
	var track room.TrackInfo
	for want, kind := range map[string]uint8{"audio": kindAudio, "video": kindVideo} {
		setKind(&track.Kind, kind)
		if got := track.Kind.String(); got != want {
			t.Errorf("kind %d is %s, want %s", kind, got, want)
		}
	}
}
