// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"crypto/rand"
	"maps"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

// participant is one place in a room. It belongs to the room's goroutine.
type participant struct {
	sid, identity  string
	name, metadata string
	attributes     map[string]string
	perm           Permission
	client         ClientInfo
	autoSubscribe  bool
	adaptive       bool
	allowPause     bool
	narrow         bool // the own line carries no pictures
	dual           bool // two connections: the server offers what p receives
	state          State
	version        uint32
	joinedAt       time.Time
	tokens         []string // ids of the tokens this participant came with
	refresh        func(ParticipantInfo) (string, error)

	session *session // nil while without connection
	peer    Peer
	in      *inbox
	gone    bool // removed
	broken  bool // media path given up: must join anew

	// since is the room's seq at the last full state that the client was told,
	// joined the one at the join.
	since, joined uint64
	dirty         bool // listed in Room.dirty

	tracks  []*track // announced to others
	pending []*track // waiting for their section
	subs    map[string]*subscription
	rights  *SubscriptionRights // nil: everybody may subscribe

	unsettled  bool   // listed in Room.unsettled
	awaiting   bool   // an offer is on its way, or asked for; dual: our offer is
	proposed   uint32 // id of our last offer
	offerTask  *task
	askedFor   [2]int
	askedAt    time.Time
	asked      bool // askedFor holds what the last asking said
	fruitless  int
	candidates int

	graceTask, failTask, refreshTask *task

	nudgedAt  time.Time     // when p was last told to resume
	nudgeWait time.Duration // not again before this has passed
	nudgeTask *task

	level    float32
	speaking bool
	grade    int // last told; noGrade before the first
	score    float32
	lost     bool

	reportedAt time.Time // when p last asked for a Connection

	bucket       bucket
	backlog      []packet
	backlogTask  *task
	lastReliable uint32
	outbox       [][]byte
	outboxBytes  int
	outboxTask   *task
}

const noGrade = -1

// info returns p as told to others. The result shares nothing with p.
func (p *participant) info() ParticipantInfo {
	i := ParticipantInfo{
		SID: p.sid, Identity: p.identity, Name: p.name, Metadata: p.metadata,
		Attributes: maps.Clone(p.attributes), State: p.state, JoinedAt: p.joinedAt,
		Version: p.version, Permission: p.perm, Publisher: len(p.tracks) > 0,
		ClientProtocol: p.client.ClientProtocol,
		Capabilities:   slices.Clone(p.client.Capabilities),
	}
	i.Permission.Sources = slices.Clone(p.perm.Sources)
	for _, t := range p.tracks {
		i.Tracks = append(i.Tracks, *t.info.clone())
	}
	return i
}

// visible tells whether others may know of p.
func (p *participant) visible() bool { return !p.perm.Hidden }

// track finds an own track, announced or pending.
func (p *participant) track(sid string) *track {
	for _, list := range [][]*track{p.tracks, p.pending} {
		for _, t := range list {
			if t.info.SID == sid {
				return t
			}
		}
	}
	return nil
}

// noteToken remembers a token's id, so that removal can revoke it. Older ones
// than the last eight are covered by the revocation of the identity.
func (p *participant) noteToken(id string) {
	if id == "" || slices.Contains(p.tokens, id) {
		return
	}
	if p.tokens = append(p.tokens, id); len(p.tokens) > 8 {
		p.tokens = p.tokens[1:]
	}
}

// mayPublish tells whether p may publish a track from this source.
func (p Permission) mayPublish(s Source) bool {
	return p.Publish && !p.Hidden && (len(p.Sources) == 0 || slices.Contains(p.Sources, s))
}

// newSID returns a fresh id of 80 random bits.
func newSID(prefix string) string { return prefix + rand.Text()[:16] }

// tooLarge tells whether what a participant tells of itself exceeds the limit.
func tooLarge(name, metadata string, attributes map[string]string) bool {
	n := len(name) + len(metadata)
	for k, v := range attributes {
		n += len(k) + len(v)
	}
	return n > maxMetadata || len(attributes) > maxAttributes
}

// validName refuses names that could deceive: too long ones, control
// characters, and marks that turn the direction of writing.
func validName(name string) bool {
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxNameRunes {
		return false
	}
	for _, c := range name {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			return false
		}
	}
	return true
}
