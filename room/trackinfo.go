// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"slices"
	"strings"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// mimes names the codecs that tracks may be announced with, by their short
// names. What the offer then agrees on counts; see announce.
var mimes = map[sfu.Kind]map[string]string{
	sfu.Audio: {"opus": "audio/opus"},
	sfu.Video: {"vp8": "video/VP8", "h264": "video/H264", "vp9": "video/VP9"},
}

var defaultMime = map[sfu.Kind]string{sfu.Audio: "audio/opus", sfu.Video: "video/VP8"}

// kindOf is the kind of media of each source.
var kindOf = map[Source]sfu.Kind{
	SourceCamera: sfu.Video, SourceMicrophone: sfu.Audio,
	SourceScreen: sfu.Video, SourceScreenAudio: sfu.Audio,
}

// shortName returns the short codec name of a mime type, in lower case.
func shortName(mime string) string {
	s := strings.ToLower(mime)
	if _, after, ok := strings.Cut(s, "/"); ok {
		return after
	}
	return s
}

// svc tells whether a codec carries its layers within one encoding.
func svc(mime string) bool { return shortName(mime) == "vp9" }

// layerRIDs are the stream ids of simulcast layers, lowest first.
var layerRIDs = [maxLayers]string{"q", "h", "f"}

// scalable tells whether a track carries its layers within one encoding. Before
// its media has been negotiated the codec decides.
func (i *TrackInfo) scalable() bool { return svc(i.Mime) && !i.Simulcast }

// completeLayers orders layers by quality and fills in what clients leave out.
func completeLayers(in []Layer, scalable bool) []Layer {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b Layer) int { return a.Quality - b.Quality })
	for i := range out {
		out[i].Quality = min(max(out[i].Quality, 0), 2)
		switch {
		case scalable:
			out[i].RID, out[i].SpatialLayer = "", int32(i)
		case len(out) > 1 && !slices.Contains(layerRIDs[:], out[i].RID):
			out[i].RID, out[i].SpatialLayer = layerRIDs[i], 0
		}
	}
	return out
}

// streamName returns the group of tracks that a receiver plays in sync. It
// becomes part of an a=msid line (RFC 8830), so that it must be a plain word,
// and clients take a word beginning with "TR" for a track.
func streamName(asked string, s Source) string {
	if n := len(asked); n > 0 && n <= 64 && !strings.HasPrefix(asked, "TR") &&
		strings.Trim(asked, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return asked
	}
	if s == SourceScreen || s == SourceScreenAudio {
		return "screen"
	}
	return "camera"
}

// wantedCodecs lists the short names a publisher asked for, as far as they are
// supported, each once.
func wantedCodecs(req AddTrack) []string {
	var out []string
	for _, c := range req.Codecs {
		name := shortName(c.Mime)
		if mimes[req.Kind][name] != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// requestedLayers returns the layers of a request: those of the first codec
// entry that has some, else those of the track.
func requestedLayers(req AddTrack) []Layer {
	for _, c := range req.Codecs {
		if len(c.Layers) > 0 {
			return c.Layers
		}
	}
	return req.Layers
}

// infoOf describes a track before its media has been negotiated.
func infoOf(req AddTrack) TrackInfo {
	i := TrackInfo{
		SID: newSID("TR_"), Name: req.Name, Kind: req.Kind, Source: req.Source,
		Muted: req.Muted, Width: req.Width, Height: req.Height,
		DisableDTX: req.DisableDTX, DisableRED: req.DisableRED, Stereo: req.Stereo,
		Stream: streamName(req.Stream, req.Source), Encryption: req.Encryption,
		AudioFeatures: slices.Clone(req.AudioFeatures), BackupPolicy: req.BackupPolicy,
	}
	i.Mime = defaultMime[req.Kind]
	if wanted := wantedCodecs(req); len(wanted) > 0 {
		i.Mime = mimes[req.Kind][wanted[0]]
	}
	if req.Kind == sfu.Video {
		i.Layers = completeLayers(requestedLayers(req), i.scalable())
	}
	i.Simulcast = len(i.Layers) > 1 && !svc(i.Mime)
	i.Codecs = []Codec{{Mime: i.Mime, CID: req.CID, Layers: slices.Clone(i.Layers)}}
	return i
}

// specOf describes the track to the media plane.
func specOf(req AddTrack, i TrackInfo) sfu.TrackSpec {
	s := sfu.TrackSpec{
		SID: i.SID, CID: req.CID, Kind: i.Kind, Codecs: wantedCodecs(req), Stream: i.Stream,
		Screen: req.Source == SourceScreen,
		DTX:    !i.DisableDTX, Stereo: i.Stereo, Muted: i.Muted,
		NoRED: i.DisableRED || i.Encryption != 0,
	}
	for _, l := range i.Layers {
		s.Layers = append(s.Layers, sfu.LayerSpec{
			RID: l.RID, Quality: l.Quality, Width: l.Width, Height: l.Height, Bitrate: l.Bitrate,
		})
	}
	return s
}

// clone returns a copy that shares nothing.
func (i TrackInfo) clone() *TrackInfo {
	i.Layers, i.Codecs = slices.Clone(i.Layers), slices.Clone(i.Codecs)
	for n := range i.Codecs {
		i.Codecs[n].Layers = slices.Clone(i.Codecs[n].Layers)
	}
	i.AudioFeatures = slices.Clone(i.AudioFeatures)
	return &i
}
