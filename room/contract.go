// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// This file is the border between rooms and whoever speaks to their
// participants (package signaling, or a test): plain values, no wire format. It is
// longer than others because that border is to be read in one place.

// Key identifies a room within the engine. Rooms of different sites, or of a
// site's own admission and its API keys, never meet even when their names are
// equal.
type Key struct {
	// Site is the site's id (its host name unless configured).
	Site string
	// Realm is "" for rooms of our own admission, else the API key.
	Realm string
	// Name is the room's name as the token carries it.
	Name string
}

// Source tells where a track comes from.
type Source uint8

// Sources of tracks.
const (
	SourceUnknown Source = iota
	SourceCamera
	SourceMicrophone
	SourceScreen
	SourceScreenAudio
)

// Permission is what a participant may do.
type Permission struct {
	Subscribe, Publish, PublishData bool
	// Sources, when not empty, limits publishing to these sources.
	Sources []Source
	// UpdateMetadata allows changing the own name, metadata and attributes.
	UpdateMetadata bool
	// Hidden participants are never shown to others.
	Hidden bool
	// Admin may moderate (mute, remove, end).
	Admin bool
}

// ClientInfo is what a client tells of itself; relayed only where peers need it.
type ClientInfo struct {
	SDK      string
	Protocol int
	// ClientProtocol and Capabilities steer data streams and RPC between peers.
	ClientProtocol int32
	Capabilities   []int32
}

// Join asks for a place in a room. The caller has verified the token.
type Join struct {
	Key Key
	// Policy applies when this join brings the room into being.
	Policy Policy
	// RoomMost is how many people the room takes where that is less than its
	// policy says, SiteMost how many all rooms of its site take together. Both are
	// counted with whoever joins at the same moment; 0: no such bound.
	RoomMost, SiteMost int
	// Identity is the participant's stable name within the room; a second join
	// with it replaces the first.
	Identity, Name, Metadata string
	Attributes               map[string]string
	Permission               Permission
	Client                   ClientInfo
	// AutoSubscribe subscribes to every track there is and will be.
	AutoSubscribe bool
	// AdaptiveStream tells that the client sends track settings.
	AdaptiveStream bool
	// AllowPause tells that the client reckons with paused pictures and wants
	// StreamState.
	AllowPause bool
	// Dual tells that the client has two connections: it offers what it sends, and
	// answers the offers (Proposal) of what it receives.
	Dual bool
	// Offer is an SDP offer that came with the join; empty: it follows.
	Offer   string
	OfferID uint32
	// Peer goes to the media plane as it is (without ID).
	Peer sfu.PeerConfig
	// RefreshToken mints the next token for this participant; called from the
	// room's goroutine after the join and every 5 minutes. nil: no refresh.
	// JTI and expiry are the minter's business.
	RefreshToken func(p ParticipantInfo) (string, error)
	// TokenID (jti) lets removal revoke the token.
	TokenID string
	// IssuedAt is when the token was minted. After a removal only tokens minted
	// later let the identity in; the zero time counts as before.
	IssuedAt time.Time
}

// Resume asks to continue a participant whose connection was cut.
type Resume struct {
	Key Key
	// Identity comes from the verified token, SID from the client. Both must
	// match a participant.
	Identity, SID string
	Reason        int32
	// TokenID and IssuedAt are as in Join, except that the zero time counts as
	// the time of the participant's join.
	TokenID  string
	IssuedAt time.Time
}

// Policy is a room's rules, fixed when it comes into being, except Max, which
// a new configuration may change.
type Policy struct {
	// MaxParticipants; 0 means 10.
	MaxParticipants int
	// EmptyGrace is how long an empty room is remembered; 0 means 60 s.
	EmptyGrace time.Duration
	// ResumeGrace is how long a participant without connection keeps the place;
	// 0 means 60 s.
	ResumeGrace time.Duration
	// MaxAge ends the room this long after it came into being, whoever is in
	// it; 0: never.
	MaxAge time.Duration
	// Encrypted refuses tracks that are not said to be encrypted from end to end.
	Encrypted bool
	// Metadata is the room's initial metadata.
	Metadata string
}

// Reason tells why a participant must leave or has left. Values follow the
// wire's DisconnectReason, so that they need no table.
type Reason int32

// Reasons.
const (
	ReasonUnknown           Reason = 0
	ReasonClientInitiated   Reason = 1
	ReasonDuplicateIdentity Reason = 2
	ReasonServerShutdown    Reason = 3
	ReasonRemoved           Reason = 4
	ReasonRoomDeleted       Reason = 5
	ReasonStateMismatch     Reason = 6
	ReasonJoinFailure       Reason = 7
	ReasonSignalClose       Reason = 9
	ReasonRoomClosed        Reason = 10
)

// Action tells a leaving client what to do next; values follow the wire.
type Action int32

// Actions.
const (
	ActionDisconnect Action = 0
	ActionResume     Action = 1
	ActionReconnect  Action = 2
)

// State of a participant; values follow the wire.
type State int32

// States.
const (
	StateJoining      State = 0
	StateJoined       State = 1
	StateActive       State = 2
	StateDisconnected State = 3
)

// Layer is one simulcast layer of a track as told to others.
type Layer struct {
	Quality       int
	Width, Height uint32
	Bitrate       uint32
	RID           string
	SpatialLayer  int32
	SSRC          uint32
}

// Codec is one codec of a track.
type Codec struct {
	Mime, Mid, CID string
	Layers         []Layer
}

// TrackInfo is a published track as told to everybody.
type TrackInfo struct {
	SID           string
	Name          string
	Kind          sfu.Kind
	Source        Source
	Muted         bool
	Width, Height uint32
	Simulcast     bool
	DisableDTX    bool
	DisableRED    bool
	Stereo        bool
	Mime, Mid     string
	Stream        string
	// Encryption is the wire's Encryption.Type: 0 none, 1 GCM, 2 custom.
	Encryption    int32
	Layers        []Layer
	Codecs        []Codec
	AudioFeatures []int32
	// BackupPolicy is relayed.
	BackupPolicy int32
	// Version is a time in microseconds that rises with every change.
	Version int64
}

// ParticipantInfo is a participant as told to everybody.
type ParticipantInfo struct {
	SID, Identity, Name, Metadata string
	Attributes                    map[string]string
	State                         State
	JoinedAt                      time.Time
	Version                       uint32
	Permission                    Permission
	Publisher                     bool
	Tracks                        []TrackInfo
	Reason                        Reason
	ClientProtocol                int32
	Capabilities                  []int32
}

// Info is a room as told to its participants.
type Info struct {
	SID, Name, Metadata string
	CreatedAt           time.Time
	EmptyTimeout        time.Duration
	MaxParticipants     int
	NumParticipants     int
	NumPublishers       int
}

// Message is what a room tells one participant. The concrete types below are
// all there are; signaling translates each to the wire. Messages may be shared
// between participants: nobody changes what they hold.
type Message interface{ message() }

// The messages.
type (
	// Joined is the first message after Join.
	Joined struct {
		Room        Info
		Participant ParticipantInfo
		Others      []ParticipantInfo
		// SubscriberPrimary tells a client with two connections to wait for the
		// one that the server offers.
		SubscriberPrimary bool
	}
	// Reconnected is the first message after Resume.
	Reconnected struct{ LastReliable uint32 }
	// Answer answers the client's offer with the same ID.
	Answer struct {
		SDP        string
		ID         uint32
		MidToTrack map[string]string
	}
	// Proposal offers what a client with two connections receives. It answers
	// with a Reply of the same ID; there is one without Reply at a time.
	Proposal struct {
		SDP        string
		ID         uint32
		MidToTrack map[string]string
	}
	// SectionsNeeded asks the client for an offer with more recvonly sections.
	SectionsNeeded struct{ Audios, Videos int }
	// Update tells changed participants, oneself included.
	Update struct{ Participants []ParticipantInfo }
	// TrackPublished answers AddTrack.
	TrackPublished struct {
		CID   string
		Track TrackInfo
	}
	// TrackUnpublished tells the publisher that the server ended a track.
	TrackUnpublished struct{ SID string }
	// TrackSubscribed tells a publisher that somebody receives a track.
	TrackSubscribed struct{ SID string }
	// MuteTrack makes the client mute a track of its own.
	MuteTrack struct {
		SID   string
		Muted bool
	}
	// Leave ends the connection after it is sent.
	Leave struct {
		Reason Reason
		Action Action
	}
	// Speakers tells changed speakers.
	Speakers struct{ Speakers []SpeakerInfo }
	// RoomUpdate tells a changed room.
	RoomUpdate struct{ Room Info }
	// Quality tells connection qualities.
	Quality struct{ Qualities []QualityInfo }
	// SubscriptionPermission tells a subscriber that a publisher allows or
	// forbids a track.
	SubscriptionPermission struct {
		ParticipantSID, TrackSID string
		Allowed                  bool
	}
	// SubscriptionFailed answers a subscription that cannot be served.
	SubscriptionFailed struct {
		TrackSID string
		// NotFound tells an unknown track; otherwise the codec is not supported.
		NotFound bool
	}
	// SubscribedQuality tells a publisher which layers are watched (dynacast).
	SubscribedQuality struct {
		TrackSID string
		Codecs   []SubscribedCodec
	}
	// StreamState tells a subscriber that a picture is paused because the
	// subscriber's path does not carry it, or goes on.
	StreamState struct {
		ParticipantSID, TrackSID string
		Paused                   bool
	}
	// Token hands the client its next token.
	Token struct{ JWT string }
	// RequestResponse answers a request that cannot be served; Reason follows
	// the wire's RequestResponse.Reason (0 OK, 1 not found, 2 not allowed, 3 limit
	// exceeded, …).
	RequestResponse struct {
		RequestID uint32
		Reason    int32
		Text      string
		// Request is the request that was refused.
		Request Request
	}
)

// SpeakerInfo is one entry of Speakers.
type SpeakerInfo struct {
	SID    string
	Level  float32
	Active bool
}

// QualityInfo is one entry of Quality.
type QualityInfo struct {
	SID string
	// Grade is 0 poor, 1 good, 2 excellent, 3 lost.
	Grade int
	Score float32
}

// SubscribedCodec is one codec of SubscribedQuality.
type SubscribedCodec struct {
	Codec string
	// Enabled says per quality (0, 1, 2) whether anybody watches it.
	Enabled [3]bool
}

// Request is what a participant asks of a room. The concrete types below are
// all there are.
type Request interface{ request() }

// The requests.
type (
	// Offer carries an SDP offer.
	Offer struct {
		SDP string
		ID  uint32
	}
	// Reply answers a Proposal. Some clients leave the ID at 0.
	Reply struct {
		SDP string
		ID  uint32
	}
	// Trickle carries a client candidate. The server is ICE-lite and only
	// counts them.
	Trickle struct{ Candidate string }
	// AddTrack announces a track.
	AddTrack struct {
		CID, Name, Stream, SID string
		Kind                   sfu.Kind
		Source                 Source
		Muted                  bool
		Width, Height          uint32
		DisableDTX, DisableRED bool
		Stereo                 bool
		Encryption             int32
		Layers                 []Layer
		Codecs                 []Codec // Mime holds the short codec name, as sent
		AudioFeatures          []int32
		BackupPolicy           int32
	}
	// Mute tells that the client (un)muted a track of its own.
	Mute struct {
		SID   string
		Muted bool
	}
	// Subscription changes subscriptions.
	Subscription struct {
		TrackSIDs []string
		// ByParticipant maps participant sid to tracks, an older form.
		ByParticipant map[string][]string
		Subscribe     bool
	}
	// TrackSettings changes what is forwarded.
	TrackSettings struct {
		TrackSIDs []string
		Settings  sfu.Settings
	}
	// ReceiveLimit bounds what the participant receives, on their own wish.
	ReceiveLimit struct {
		// Rate in bit/s; 0: no bound. Sound is never held back for it.
		Rate uint32
	}
	// SubscriptionRights is a publisher's own access list.
	SubscriptionRights struct {
		All bool
		// Allowed maps participant identity (or sid) to track sids; an empty
		// list allows all tracks.
		Allowed map[string][]string
	}
	// SyncState restores subscriptions after a resume.
	SyncState struct {
		Subscription *Subscription
		Disabled     []string
		// Published lists cids and sids that the client still publishes.
		Published []string
	}
	// UpdateSelf changes the own name, metadata and attributes.
	UpdateSelf struct {
		RequestID      uint32
		Name, Metadata string
		Attributes     map[string]string
	}
	// UpdateAudio changes the features of an own audio track.
	UpdateAudio struct {
		SID      string
		Features []int32
	}
	// UpdateVideo changes the size of an own video track.
	UpdateVideo struct {
		SID           string
		Width, Height uint32
	}
	// Bye leaves the room.
	Bye struct{ Reason Reason }
	// Gone tells that the page has gone and took no leave: the place is kept for
	// seconds, for a proxy may have said it in its stead.
	Gone struct{}
	// Unsupported is refused with a RequestResponse (data tracks and the like).
	Unsupported struct {
		RequestID uint32
		What      string
	}
)

func (Joined) message()                 {}
func (Reconnected) message()            {}
func (Answer) message()                 {}
func (Proposal) message()               {}
func (SectionsNeeded) message()         {}
func (Update) message()                 {}
func (TrackPublished) message()         {}
func (TrackUnpublished) message()       {}
func (TrackSubscribed) message()        {}
func (MuteTrack) message()              {}
func (Leave) message()                  {}
func (Speakers) message()               {}
func (RoomUpdate) message()             {}
func (Quality) message()                {}
func (SubscriptionPermission) message() {}
func (SubscriptionFailed) message()     {}
func (SubscribedQuality) message()      {}
func (StreamState) message()            {}
func (Token) message()                  {}
func (RequestResponse) message()        {}

func (Reply) request()              {}
func (Offer) request()              {}
func (Trickle) request()            {}
func (AddTrack) request()           {}
func (Mute) request()               {}
func (Subscription) request()       {}
func (TrackSettings) request()      {}
func (ReceiveLimit) request()       {}
func (SubscriptionRights) request() {}
func (SyncState) request()          {}
func (UpdateSelf) request()         {}
func (UpdateAudio) request()        {}
func (UpdateVideo) request()        {}
func (Bye) request()                {}
func (Gone) request()               {}
func (Unsupported) request()        {}

// Conn is one signaling connection of a participant, implemented by package
// signaling. Methods never block and are safe for concurrent use.
type Conn interface {
	// Send queues a message. It returns false when the queue is full or the
	// connection has ended; the room then detaches the connection, and the
	// client resumes.
	Send(Message) bool
	// End closes the connection after what is queued has been written.
	End()
}

// Session is a participant's side of a room, given to the connection by Join
// or Resume. Methods never block and are safe for concurrent use.
type Session interface {
	// Handle takes a request. It returns false when the room's mailbox is full
	// or the participant is gone.
	Handle(Request) bool
	// Detach tells that the connection has ended, for whatever reason; a
	// connection that the room ended says so, too (Directory.Drain waits for
	// it). Without Bye the participant keeps the place for the resume grace.
	Detach()
	// SID is the participant's sid.
	SID() string
}

// DataCodec stamps data packets with their true sender; package signaling
// implements it, so that rooms need no wire format.
type DataCodec interface {
	// Stamp verifies a packet from a client and returns it re-encoded with the
	// sender's identity and sid, and the identities it is for (empty: all).
	// sequence is the reliable sequence number, 0 where there is none.
	Stamp(payload []byte, identity, sid string) (out []byte, to []string, sequence uint32, err error)
}
