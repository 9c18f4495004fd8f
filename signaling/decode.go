// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"fmt"
	"math"
	"reflect"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// parseRequest decodes one frame and checks it against the limits. Errors wrap
// errMalformed or errLimit.
func parseRequest(kind websocket.MessageType, frame []byte) (*wire.SignalRequest, error) {
	req := new(wire.SignalRequest)
	var err error
	if kind == websocket.MessageText {
		err = protojson.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxDepth}.Unmarshal(frame, req)
	} else {
		err = decoder.Unmarshal(frame, req)
	}
	if err != nil {
		// The library's error may quote the message.
		return nil, fmt.Errorf("decoding a request: %w", errMalformed)
	}
	if err := withinLimits(req); err != nil {
		return nil, err
	}
	return req, nil
}

// requests translates each member of SignalRequest that concerns the room. It
// is keyed by the generated wrapper type.
var requests = table(
	on(func(m *wire.SignalRequest_Offer) (room.Request, error) { return asRequest(offer(m.Offer)) }),
	on(func(m *wire.SignalRequest_Answer) (room.Request, error) { return asRequest(reply(m.Answer)) }),
	on(func(m *wire.SignalRequest_Trickle) (room.Request, error) {
		return room.Trickle{Candidate: m.Trickle.GetCandidateInit()}, nil
	}),
	on(func(m *wire.SignalRequest_AddTrack) (room.Request, error) { return asRequest(addTrack(m.AddTrack)) }),
	on(func(m *wire.SignalRequest_Mute) (room.Request, error) {
		return room.Mute{SID: m.Mute.GetSid(), Muted: m.Mute.GetMuted()}, nil
	}),
	on(func(m *wire.SignalRequest_Subscription) (room.Request, error) {
		return subscription(m.Subscription), nil
	}),
	on(func(m *wire.SignalRequest_TrackSetting) (room.Request, error) {
		return trackSettings(m.TrackSetting), nil
	}),
	on(func(*wire.SignalRequest_Leave) (room.Request, error) {
		// Whatever reason the client gives, others learn that it was the client.
		return room.Bye{Reason: room.ReasonClientInitiated}, nil
	}),
	on(func(m *wire.SignalRequest_SubscriptionPermission) (room.Request, error) {
		return subscriptionRights(m.SubscriptionPermission), nil
	}),
	on(func(m *wire.SignalRequest_SyncState) (room.Request, error) {
		return syncState(m.SyncState), nil
	}),
	on(func(m *wire.SignalRequest_Simulate) (room.Request, error) {
		return receiveLimit(m.Simulate), nil
	}),
	on(func(m *wire.SignalRequest_UpdateMetadata) (room.Request, error) {
		return asRequest(updateSelf(m.UpdateMetadata))
	}),
	on(func(m *wire.SignalRequest_UpdateAudioTrack) (room.Request, error) {
		return room.UpdateAudio{
			SID:      m.UpdateAudioTrack.GetTrackSid(),
			Features: numbers(m.UpdateAudioTrack.GetFeatures()),
		}, nil
	}),
	on(func(m *wire.SignalRequest_UpdateVideoTrack) (room.Request, error) {
		v := m.UpdateVideoTrack
		return room.UpdateVideo{SID: v.GetTrackSid(), Width: v.GetWidth(), Height: v.GetHeight()}, nil
	}),
)

type translation func(member any) (room.Request, error)

type row struct {
	key       reflect.Type
	translate translation
}

// on makes the table row of one member type.
func on[M any](f func(M) (room.Request, error)) row {
	return row{reflect.TypeFor[M](), func(m any) (room.Request, error) { return f(m.(M)) }}
}

func table(rows ...row) map[reflect.Type]translation {
	t := make(map[reflect.Type]translation, len(rows))
	for _, r := range rows {
		t[r.key] = r.translate
	}
	return t
}

func asRequest[R room.Request](r R, err error) (room.Request, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

// translate returns the room's request of a message, or nil for a message that
// asks nothing of the room. Errors wrap errMalformed or errLimit.
func translate(req *wire.SignalRequest) (room.Request, error) {
	f, ok := requests[reflect.TypeOf(req.GetMessage())]
	if !ok {
		return nil, nil
	}
	return f(req.GetMessage())
}

func offer(m *wire.SessionDescription) (room.Offer, error) {
	if m.GetType() != "offer" || m.GetSdp() == "" {
		return room.Offer{}, fmt.Errorf("not an offer: %w", errMalformed)
	}
	return room.Offer{SDP: m.GetSdp(), ID: m.GetId()}, nil
}

func reply(m *wire.SessionDescription) (room.Reply, error) {
	if m.GetType() != "answer" || m.GetSdp() == "" {
		return room.Reply{}, fmt.Errorf("not an answer: %w", errMalformed)
	}
	return room.Reply{SDP: m.GetSdp(), ID: m.GetId()}, nil
}

// kinds maps the wire's track types to kinds of media, in package sfu's
// numbers.
var kinds = map[wire.TrackType]uint8{
	wire.TrackType_AUDIO: kindAudio,
	wire.TrackType_VIDEO: kindVideo,
}

const (
	kindAudio = 1
	kindVideo = 2
)

func addTrack(m *wire.AddTrackRequest) (room.AddTrack, error) {
	kind, ok := kinds[m.GetType()]
	source := m.GetSource()
	if _, known := wire.TrackSource_name[int32(source)]; !ok || !known || m.GetCid() == "" {
		return room.AddTrack{}, fmt.Errorf("no such track: %w", errMalformed)
	}
	t := room.AddTrack{
		CID:           m.GetCid(),
		Name:          m.GetName(),
		Stream:        m.GetStream(),
		SID:           m.GetSid(),
		Source:        room.Source(source),
		Muted:         m.GetMuted(),
		Width:         m.GetWidth(),
		Height:        m.GetHeight(),
		DisableDTX:    m.GetDisableDtx(),
		DisableRED:    m.GetDisableRed(),
		Stereo:        m.GetStereo(),
		Encryption:    int32(m.GetEncryption()),
		Layers:        layersFrom(m.GetLayers()),
		AudioFeatures: numbers(m.GetAudioFeatures()),
		BackupPolicy:  int32(m.GetBackupCodecPolicy()),
	}
	setKind(&t.Kind, kind)
	for _, f := range m.GetAudioFeatures() {
		t.Stereo = t.Stereo || f == wire.AudioTrackFeature_TF_STEREO
		t.DisableDTX = t.DisableDTX || f == wire.AudioTrackFeature_TF_NO_DTX
	}
	for _, c := range m.GetSimulcastCodecs() {
		t.Codecs = append(t.Codecs, room.Codec{
			Mime: c.GetCodec(), CID: c.GetCid(), Layers: layersFrom(c.GetLayers()),
		})
	}
	return t, nil
}

// setKind assigns a value of package sfu's Kind without importing sfu, which
// signaling must not know.
func setKind[K ~uint8](k *K, v uint8) { *k = K(v) }

func layersFrom(in []*wire.VideoLayer) []room.Layer {
	var out []room.Layer
	for _, l := range in {
		out = append(out, room.Layer{
			Quality:      int(l.GetQuality()),
			Width:        l.GetWidth(),
			Height:       l.GetHeight(),
			Bitrate:      l.GetBitrate(),
			RID:          l.GetRid(),
			SpatialLayer: l.GetSpatialLayer(),
			SSRC:         l.GetSsrc(),
		})
	}
	return out
}

func subscription(m *wire.UpdateSubscription) room.Subscription {
	s := room.Subscription{TrackSIDs: m.GetTrackSids(), Subscribe: m.GetSubscribe()}
	for _, p := range m.GetParticipantTracks() {
		if s.ByParticipant == nil {
			s.ByParticipant = make(map[string][]string)
		}
		sid := p.GetParticipantSid()
		s.ByParticipant[sid] = append(s.ByParticipant[sid], p.GetTrackSids()...)
	}
	return s
}

func trackSettings(m *wire.UpdateTrackSettings) room.TrackSettings {
	t := room.TrackSettings{TrackSIDs: m.GetTrackSids()}
	t.Settings.Disabled = m.GetDisabled() || m.GetQuality() == wire.VideoQuality_OFF
	t.Settings.Quality = min(max(int(m.GetQuality()), 0), int(wire.VideoQuality_HIGH))
	t.Settings.Width, t.Settings.Height = m.GetWidth(), m.GetHeight()
	t.Settings.FPS = m.GetFps()
	t.Settings.Priority = uint8(min(m.GetPriority(), math.MaxUint8))
	return t
}

// receiveLimit is what clients send for a scenario that LiveKit's servers only
// simulate. Other scenarios ask nothing of the room.
func receiveLimit(m *wire.SimulateScenario) room.Request {
	s, ok := m.GetScenario().(*wire.SimulateScenario_SubscriberBandwidth)
	if !ok {
		return nil
	}
	return room.ReceiveLimit{Rate: uint32(min(max(s.SubscriberBandwidth, 0), math.MaxUint32))}
}

func subscriptionRights(m *wire.SubscriptionPermission) room.SubscriptionRights {
	r := room.SubscriptionRights{All: m.GetAllParticipants(), Allowed: make(map[string][]string)}
	for _, p := range m.GetTrackPermissions() {
		who := p.GetParticipantIdentity()
		if who == "" {
			who = p.GetParticipantSid()
		}
		switch {
		case who == "":
		case p.GetAllTracks():
			r.Allowed[who] = nil
		case len(p.GetTrackSids()) > 0:
			// An entry without tracks allows none, which is what no entry means.
			if all, ok := r.Allowed[who]; !ok || all != nil {
				r.Allowed[who] = append(all, p.GetTrackSids()...)
			}
		}
	}
	return r
}

func syncState(m *wire.SyncState) room.SyncState {
	s := room.SyncState{Disabled: m.GetTrackSidsDisabled()}
	if m.GetSubscription() != nil {
		sub := subscription(m.GetSubscription())
		s.Subscription = &sub
	}
	for _, p := range m.GetPublishTracks() {
		for _, id := range []string{p.GetCid(), p.GetTrack().GetSid()} {
			if id != "" {
				s.Published = append(s.Published, id)
			}
		}
	}
	return s
}

func updateSelf(m *wire.UpdateParticipantMetadata) (room.UpdateSelf, error) {
	if !describes(m.GetMetadata(), m.GetAttributes()) {
		return room.UpdateSelf{}, fmt.Errorf("metadata: %w", errLimit)
	}
	return room.UpdateSelf{
		RequestID:  m.GetRequestId(),
		Name:       m.GetName(),
		Metadata:   m.GetMetadata(),
		Attributes: m.GetAttributes(),
	}, nil
}

func numbers[E ~int32](in []E) []int32 {
	var out []int32
	for _, e := range in {
		out = append(out, int32(e))
	}
	return out
}
