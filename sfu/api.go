// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import "net/netip"

// Kind tells sound from picture.
type Kind uint8

// The two kinds of media.
const (
	Audio Kind = iota + 1
	Video
)

// String returns the SDP media name of k.
func (k Kind) String() string {
	switch k {
	case Audio:
		return "audio"
	case Video:
		return "video"
	}
	return "unknown"
}

// DataKind names one of the client's data channels.
type DataKind uint8

// The data channels a client opens (livekit-client labels _reliable and _lossy).
const (
	Reliable DataKind = iota + 1
	Lossy
)

// PeerState is the state of a participant's media path.
type PeerState uint8

// The states of a media path, in the order they are reached. Silent (no sign of
// life for 1.8 s, though asked for) and Disconnected (8 s) may return to
// Connected; Failed (30 s) may too, after an ICE restart. While an ICE restart is
// under way there is no Silent. Closed is final. Of a peer with two transports
// the primary one decides whether it is New; after that the worse of both counts,
// the other one from when it first leaves New.
const (
	PeerNew PeerState = iota
	PeerConnected
	PeerSilent
	PeerDisconnected
	PeerFailed
	PeerClosed
)

// LayerSpec is one simulcast layer as the publisher announced it.
type LayerSpec struct {
	// RID is the RTP stream id: "q", "h" or "f", lowest first. Empty for a
	// single encoding.
	RID string
	// Quality is 0 (low), 1 (medium) or 2 (high).
	Quality int
	// Width and Height in pixels; 0 where unknown.
	Width, Height uint32
	// Bitrate is the announced ceiling in bit/s; 0 where unknown.
	Bitrate uint32
}

// TrackSpec describes a track before its media arrives.
type TrackSpec struct {
	// SID is the track's id in the room ("TR_…").
	SID string
	// CID is the client's id of the track: the second word of a=msid.
	CID string
	// Kind is the kind of media.
	Kind Kind
	// Codecs lists lower-case codec names ("vp8") in the order wanted by the
	// publisher. Empty: the publisher's offer decides.
	Codecs []string
	// Stream groups tracks that a receiver must play in sync: "camera" or
	// "screen".
	Stream string
	// Layers, lowest first. Empty: one layer.
	Layers []LayerSpec
	// DTX asks the publisher for discontinuous transmission of audio.
	DTX bool
	// Stereo asks the publisher for stereo audio.
	Stereo bool
	// NoRED keeps sound as it is. Otherwise listeners that lose packets, and know
	// how to take them (RFC 2198), get earlier ones once more with the next.
	NoRED bool
	// Screen tells a screen from a camera: it wants sharpness before frame rate.
	Screen bool
	// Muted tells that the track starts without media.
	Muted bool
}

// Settings is what one subscriber wants of one track.
type Settings struct {
	// Disabled stops forwarding and keeps the subscription.
	Disabled bool
	// Quality is the highest layer wanted (0 low … 2 high). Ignored when Width
	// and Height are set.
	Quality int
	// Width and Height of the place where the picture is shown, in pixels: the
	// smallest layer that covers it is forwarded. 0: use Quality.
	Width, Height uint32
	// FPS is the highest frame rate wanted; 0: no limit.
	FPS uint32
	// Priority puts a picture before those with a lower one where not all can be
	// had, for example because its tile is pinned.
	Priority uint8
}

// Published tells that a pending track found its place in an offer.
type Published struct {
	SID string
	// Mid is the m-section.
	Mid string
	// Mime is the negotiated codec, for example "video/VP8" or "audio/opus".
	Mime string
	// Simulcast tells that the section carries more than one layer.
	Simulcast bool
}

// Answer is the outcome of one offer, the client's or ours.
type Answer struct {
	// SDP is empty where the client answered.
	SDP string
	// MidToTrack names the track that each section of the answer carries to
	// the client, complete after every answer.
	MidToTrack map[string]string
	// Published lists tracks whose section appeared in this offer for the first
	// time.
	Published []Published
	// Unpublished lists tracks whose section the client stopped sending on.
	Unpublished []string
	// Refused lists subscribed tracks that the client does not take. Only the
	// outcome of Accept has any.
	Refused []string
}

// Proposal is an offer of ours.
type Proposal struct {
	SDP string
	// MidToTrack names the track that each section carries to the client: not
	// every browser shows the names in the description to its page.
	MidToTrack map[string]string
}

// PeerConfig describes a participant to the media plane.
type PeerConfig struct {
	// ID is the participant's sid ("PA_…"). Unique within the room.
	ID string
	// Reached is the server address the client's signaling came in on; the
	// invalid Addr where unknown. It becomes a candidate.
	Reached netip.Addr
	// Dual tells that the client has two connections: one on which it offers and
	// sends, and one on which the server offers (Peer.Propose) and sends.
	Dual bool
	// SubscriberPrimary tells that of two connections the latter is the primary
	// one: its state is the peer's, and data to the client takes it. Otherwise it
	// is offered only once there is something to receive.
	SubscriberPrimary bool
	// NoMedia is set by tests of signaling alone.
	NoMedia bool
}

// PeerEvents receives what happens on a peer's media path. Methods are called
// from the media plane's goroutines, never under a lock, and must not block.
type PeerEvents interface {
	// PeerState tells a change of the media path.
	PeerState(PeerState)
	// PeerTrackStarted tells that the first packet of a published track came in.
	PeerTrackStarted(sid string)
	// PeerStreamState tells that a subscribed picture is paused because this
	// peer's path does not carry it, or goes on.
	PeerStreamState(sid string, paused bool)
	// PeerUplink tells that the client's own line carries no pictures beside sound,
	// so that it had better pause its own, or that it does again.
	PeerUplink(narrow bool)
	// PeerData hands over one message from a data channel. The callee owns
	// payload. It returns false when it has no room for it: a lossy message is
	// then lost, a reliable one closes the peer.
	PeerData(kind DataKind, payload []byte) bool
}

// Speaker is one participant's loudness.
type Speaker struct {
	PeerID string
	// Level is 0 (silence) to 1 (loudest).
	Level float32
	// Active tells that the participant is speaking.
	Active bool
}

// Quality is the condition of one participant's media path.
type Quality struct {
	PeerID string
	// Grade is 0 (poor), 1 (good) or 2 (excellent).
	Grade int
	// Score is between 0 and 5 as in a mean opinion score.
	Score float32
}

// RoomEvents receives what concerns a whole room. Methods are called from the
// media plane's goroutines and must not block. The slices are the callee's.
type RoomEvents interface {
	// RoomSpeakers tells changed speakers, at most every 200 ms.
	RoomSpeakers([]Speaker)
	// RoomQuality tells connection qualities, every 5 s, for changed peers.
	RoomQuality([]Quality)
}

// Stats counts what the plane carries now.
type Stats struct {
	Rooms, Peers, Tracks, Subscriptions int
	// PacketsIn, PacketsOut and Dropped count since start.
	PacketsIn, PacketsOut, Dropped uint64
}
