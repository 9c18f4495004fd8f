// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"reflect"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// greeting is what this server says of itself in first messages.
type greeting struct {
	node   string
	codecs []string
}

func (g *greeting) serverInfo() *wire.ServerInfo {
	return &wire.ServerInfo{
		Edition:  wire.ServerInfo_Standard,
		Version:  announcedVersion,
		Protocol: announcedProtocol,
		NodeId:   g.node,
	}
}

// encode translates a room's message to the wire; nil for a message type that
// is not in the table.
func (g *greeting) encode(m room.Message) *wire.SignalResponse {
	f, ok := messages[reflect.TypeOf(m)]
	if !ok {
		return nil
	}
	return f(g, m)
}

type encoding func(*greeting, room.Message) *wire.SignalResponse

// messages translates each message of a room. It is keyed by the message's
// type.
var messages = map[reflect.Type]encoding{
	reflect.TypeFor[room.Joined]():                 enc(joined),
	reflect.TypeFor[room.Reconnected]():            enc(reconnected),
	reflect.TypeFor[room.Answer]():                 enc(answer),
	reflect.TypeFor[room.Proposal]():               enc(proposal),
	reflect.TypeFor[room.SectionsNeeded]():         enc(sectionsNeeded),
	reflect.TypeFor[room.Update]():                 enc(update),
	reflect.TypeFor[room.TrackPublished]():         enc(trackPublished),
	reflect.TypeFor[room.TrackUnpublished]():       enc(trackUnpublished),
	reflect.TypeFor[room.TrackSubscribed]():        enc(trackSubscribed),
	reflect.TypeFor[room.MuteTrack]():              enc(muteTrack),
	reflect.TypeFor[room.Leave]():                  enc(leave),
	reflect.TypeFor[room.Speakers]():               enc(speakers),
	reflect.TypeFor[room.RoomUpdate]():             enc(roomUpdate),
	reflect.TypeFor[room.Quality]():                enc(quality),
	reflect.TypeFor[room.SubscriptionPermission](): enc(subscriptionPermission),
	reflect.TypeFor[room.SubscriptionFailed]():     enc(subscriptionFailed),
	reflect.TypeFor[room.SubscribedQuality]():      enc(subscribedQuality),
	reflect.TypeFor[room.StreamState]():            enc(streamState),
	reflect.TypeFor[room.Token]():                  enc(refreshToken),
	reflect.TypeFor[room.RequestResponse]():        enc(requestResponse),
}

func enc[M room.Message](f func(*greeting, M) *wire.SignalResponse) encoding {
	return func(g *greeting, m room.Message) *wire.SignalResponse { return f(g, m.(M)) }
}

// addRelays completes a first message with the client's relays; any other it
// leaves alone.
func addRelays(res *wire.SignalResponse, relays []Relay) {
	servers := make([]*wire.ICEServer, 0, len(relays))
	for _, r := range relays {
		servers = append(servers, &wire.ICEServer{Urls: []string{r.URL}, Username: r.Username, Credential: r.Credential})
	}
	switch m := res.Message.(type) {
	case *wire.SignalResponse_Join:
		m.Join.IceServers = servers
	case *wire.SignalResponse_Reconnect:
		m.Reconnect.IceServers = servers
	}
}

func joined(g *greeting, m room.Joined) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_Join{Join: &wire.JoinResponse{
		Room:                 roomInfo(m.Room),
		Participant:          participant(m.Participant),
		OtherParticipants:    participants(m.Others),
		ServerVersion:        announcedVersion,
		PingTimeout:          pingTimeoutSeconds,
		PingInterval:         pingIntervalSeconds,
		ServerInfo:           g.serverInfo(),
		EnabledPublishCodecs: codecs(g.codecs),
		SubscriberPrimary:    m.SubscriberPrimary,
		// Whoever has two connections opens the one for sending at once.
		FastPublish: true,
	}}}
}

func reconnected(g *greeting, m room.Reconnected) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_Reconnect{Reconnect: &wire.ReconnectResponse{
		ServerInfo:     g.serverInfo(),
		LastMessageSeq: m.LastReliable,
	}}}
}

func answer(_ *greeting, m room.Answer) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_Answer{Answer: &wire.SessionDescription{
		Type: "answer", Sdp: m.SDP, Id: m.ID, MidToTrackId: m.MidToTrack,
	}}}
}

func proposal(_ *greeting, m room.Proposal) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_Offer{Offer: &wire.SessionDescription{
		Type: "offer", Sdp: m.SDP, Id: m.ID, MidToTrackId: m.MidToTrack,
	}}}
}

func sectionsNeeded(_ *greeting, m room.SectionsNeeded) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_MediaSectionsRequirement{
		MediaSectionsRequirement: &wire.MediaSectionsRequirement{
			NumAudios: uint32(max(m.Audios, 0)), NumVideos: uint32(max(m.Videos, 0)),
		},
	}}
}

func update(_ *greeting, m room.Update) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_Update{
		Update: &wire.ParticipantUpdate{Participants: participants(m.Participants)},
	}}
}

func trackPublished(_ *greeting, m room.TrackPublished) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_TrackPublished{
		TrackPublished: &wire.TrackPublishedResponse{Cid: m.CID, Track: track(m.Track)},
	}}
}

func trackUnpublished(_ *greeting, m room.TrackUnpublished) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_TrackUnpublished{
		TrackUnpublished: &wire.TrackUnpublishedResponse{TrackSid: m.SID},
	}}
}

func trackSubscribed(_ *greeting, m room.TrackSubscribed) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_TrackSubscribed{
		TrackSubscribed: &wire.TrackSubscribed{TrackSid: m.SID},
	}}
}

func muteTrack(_ *greeting, m room.MuteTrack) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_Mute{
		Mute: &wire.MuteTrackRequest{Sid: m.SID, Muted: m.Muted},
	}}
}

func leave(_ *greeting, m room.Leave) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_Leave{Leave: &wire.LeaveRequest{
		CanReconnect: m.Action != room.ActionDisconnect,
		Reason:       wire.DisconnectReason(m.Reason),
		Action:       wire.LeaveRequest_Action(m.Action),
	}}}
}

func speakers(_ *greeting, m room.Speakers) *wire.SignalResponse {
	s := make([]*wire.SpeakerInfo, len(m.Speakers))
	for i, in := range m.Speakers {
		s[i] = &wire.SpeakerInfo{Sid: in.SID, Level: in.Level, Active: in.Active}
	}
	return &wire.SignalResponse{Message: &wire.SignalResponse_SpeakersChanged{
		SpeakersChanged: &wire.SpeakersChanged{Speakers: s},
	}}
}

func roomUpdate(_ *greeting, m room.RoomUpdate) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_RoomUpdate{
		RoomUpdate: &wire.RoomUpdate{Room: roomInfo(m.Room)},
	}}
}

func quality(_ *greeting, m room.Quality) *wire.SignalResponse {
	q := make([]*wire.ConnectionQualityInfo, len(m.Qualities))
	for i, in := range m.Qualities {
		q[i] = &wire.ConnectionQualityInfo{
			ParticipantSid: in.SID, Quality: wire.ConnectionQuality(in.Grade), Score: in.Score,
		}
	}
	return &wire.SignalResponse{Message: &wire.SignalResponse_ConnectionQuality{
		ConnectionQuality: &wire.ConnectionQualityUpdate{Updates: q},
	}}
}

func subscriptionPermission(_ *greeting, m room.SubscriptionPermission) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_SubscriptionPermissionUpdate{
		SubscriptionPermissionUpdate: &wire.SubscriptionPermissionUpdate{
			ParticipantSid: m.ParticipantSID, TrackSid: m.TrackSID, Allowed: m.Allowed,
		},
	}}
}

func subscriptionFailed(_ *greeting, m room.SubscriptionFailed) *wire.SignalResponse {
	why := wire.SubscriptionError_SE_CODEC_UNSUPPORTED
	if m.NotFound {
		why = wire.SubscriptionError_SE_TRACK_NOTFOUND
	}
	return &wire.SignalResponse{Message: &wire.SignalResponse_SubscriptionResponse{
		SubscriptionResponse: &wire.SubscriptionResponse{TrackSid: m.TrackSID, Err: why},
	}}
}

func subscribedQuality(_ *greeting, m room.SubscribedQuality) *wire.SignalResponse {
	u := &wire.SubscribedQualityUpdate{TrackSid: m.TrackSID}
	for _, c := range m.Codecs {
		out := &wire.SubscribedCodec{Codec: c.Codec}
		for q, enabled := range c.Enabled {
			out.Qualities = append(out.Qualities, &wire.SubscribedQuality{
				Quality: wire.VideoQuality(q), Enabled: enabled,
			})
		}
		u.SubscribedCodecs = append(u.SubscribedCodecs, out)
	}
	return &wire.SignalResponse{Message: &wire.SignalResponse_SubscribedQualityUpdate{SubscribedQualityUpdate: u}}
}

func streamState(_ *greeting, m room.StreamState) *wire.SignalResponse {
	state := wire.StreamState_ACTIVE
	if m.Paused {
		state = wire.StreamState_PAUSED
	}
	return &wire.SignalResponse{Message: &wire.SignalResponse_StreamStateUpdate{
		StreamStateUpdate: &wire.StreamStateUpdate{StreamStates: []*wire.StreamStateInfo{
			{ParticipantSid: m.ParticipantSID, TrackSid: m.TrackSID, State: state},
		}},
	}}
}

func refreshToken(_ *greeting, m room.Token) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_RefreshToken{RefreshToken: m.JWT}}
}

func requestResponse(_ *greeting, m room.RequestResponse) *wire.SignalResponse {
	return &wire.SignalResponse{Message: &wire.SignalResponse_RequestResponse{
		RequestResponse: &wire.RequestResponse{
			RequestId: m.RequestID, Reason: wire.RequestResponse_Reason(m.Reason), Message: m.Text,
		},
	}}
}
