// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"time"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

func roomInfo(i room.Info) *wire.Room {
	r := &wire.Room{
		Sid:             i.SID,
		Name:            i.Name,
		EmptyTimeout:    uint32(max(i.EmptyTimeout/time.Second, 0)),
		MaxParticipants: uint32(max(i.MaxParticipants, 0)),
		Metadata:        i.Metadata,
		NumParticipants: uint32(max(i.NumParticipants, 0)),
		NumPublishers:   uint32(max(i.NumPublishers, 0)),
	}
	if !i.CreatedAt.IsZero() {
		r.CreationTime, r.CreationTimeMs = i.CreatedAt.Unix(), i.CreatedAt.UnixMilli()
	}
	return r
}

func participants(in []room.ParticipantInfo) []*wire.ParticipantInfo {
	out := make([]*wire.ParticipantInfo, len(in))
	for i := range in {
		out[i] = participant(in[i])
	}
	return out
}

func participant(i room.ParticipantInfo) *wire.ParticipantInfo {
	p := &wire.ParticipantInfo{
		Sid:              i.SID,
		Identity:         i.Identity,
		State:            wire.ParticipantInfo_State(i.State),
		Metadata:         i.Metadata,
		Name:             i.Name,
		Version:          i.Version,
		Permission:       permission(i.Permission),
		IsPublisher:      i.Publisher,
		Kind:             wire.ParticipantInfo_STANDARD,
		Attributes:       i.Attributes,
		DisconnectReason: wire.DisconnectReason(i.Reason),
		ClientProtocol:   i.ClientProtocol,
	}
	if !i.JoinedAt.IsZero() {
		p.JoinedAt, p.JoinedAtMs = i.JoinedAt.Unix(), i.JoinedAt.UnixMilli()
	}
	for _, t := range i.Tracks {
		p.Tracks = append(p.Tracks, track(t))
	}
	for _, c := range i.Capabilities {
		p.Capabilities = append(p.Capabilities, wire.ClientInfo_Capability(c))
	}
	return p
}

func permission(i room.Permission) *wire.ParticipantPermission {
	p := &wire.ParticipantPermission{
		CanSubscribe:      i.Subscribe,
		CanPublish:        i.Publish,
		CanPublishData:    i.PublishData,
		Hidden:            i.Hidden,
		CanUpdateMetadata: i.UpdateMetadata,
	}
	for _, s := range i.Sources {
		p.CanPublishSources = append(p.CanPublishSources, wire.TrackSource(s))
	}
	return p
}

func track(i room.TrackInfo) *wire.TrackInfo {
	t := &wire.TrackInfo{
		Sid:               i.SID,
		Type:              trackType(uint8(i.Kind)),
		Name:              i.Name,
		Muted:             i.Muted,
		Width:             i.Width,
		Height:            i.Height,
		Simulcast:         i.Simulcast,
		DisableDtx:        i.DisableDTX,
		Source:            wire.TrackSource(i.Source),
		Layers:            layersTo(i.Layers),
		MimeType:          i.Mime,
		Mid:               i.Mid,
		Stereo:            i.Stereo,
		DisableRed:        i.DisableRED,
		Encryption:        wire.Encryption_Type(i.Encryption),
		Stream:            i.Stream,
		Version:           &wire.TimedVersion{UnixMicro: i.Version},
		BackupCodecPolicy: wire.BackupCodecPolicy(i.BackupPolicy),
	}
	for _, f := range i.AudioFeatures {
		t.AudioFeatures = append(t.AudioFeatures, wire.AudioTrackFeature(f))
	}
	for _, c := range i.Codecs {
		t.Codecs = append(t.Codecs, &wire.SimulcastCodecInfo{
			MimeType: c.Mime, Mid: c.Mid, Cid: c.CID, Layers: layersTo(c.Layers),
		})
	}
	return t
}

func trackType(kind uint8) wire.TrackType {
	if kind == kindVideo {
		return wire.TrackType_VIDEO
	}
	return wire.TrackType_AUDIO
}

func layersTo(in []room.Layer) []*wire.VideoLayer {
	var out []*wire.VideoLayer
	for _, l := range in {
		out = append(out, &wire.VideoLayer{
			Quality:      wire.VideoQuality(l.Quality),
			Width:        l.Width,
			Height:       l.Height,
			Bitrate:      l.Bitrate,
			Ssrc:         l.SSRC,
			SpatialLayer: l.SpatialLayer,
			Rid:          l.RID,
		})
	}
	return out
}

func codecs(in []string) []*wire.Codec {
	var out []*wire.Codec
	for _, c := range in {
		out = append(out, &wire.Codec{Mime: c})
	}
	return out
}
