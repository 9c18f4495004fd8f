// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import "time"

// Limits and intervals that every room respects.
const (
	defaultMaxRooms        = 200
	defaultMaxParticipants = 10
	defaultEmptyGrace      = 60 * time.Second
	defaultResumeGrace     = 60 * time.Second
	// goneGrace is for whoever's page has gone. Where a proxy between has said so,
	// clients are back within two seconds.
	goneGrace = 8 * time.Second

	// maxRequests bounds the requests waiting in a room's mailbox, and
	// maxSessionRequests those of one session, so that nobody starves others.
	maxRequests        = 4096
	maxSessionRequests = 64
	// maxCommands bounds joins, resumes and moderation, on top of requests.
	maxCommands = 1024

	updateInterval  = 50 * time.Millisecond
	refreshInterval = 5 * time.Minute
	// maxDeparted bounds the departed whom a resuming participant is told of.
	maxDeparted = 256

	maxIdentity = 256
	// maxMetadata bounds name, metadata and attributes of one participant, and
	// a room's metadata, in bytes.
	maxMetadata   = 8 << 10
	maxAttributes = 64
	maxNameRunes  = 64

	maxPublished  = 6
	maxPending    = 8
	maxLayers     = 3
	maxCodecs     = 8
	maxFeatures   = 16
	maxTrackName  = 256
	maxCandidates = 50 // per negotiation
	// A meeting of 100 is heard by everybody, as far as they speak in turn; of 32
	// pictures each client shows some, see package sfu.
	maxAudioReceived = 112
	maxVideoReceived = 32
	// pendingLife is how long an announced track may wait for its section.
	pendingLife = 60 * time.Second
	// muteSettle is how long a client's unmute is not heeded after a moderator's
	// mute that the client has not confirmed: its reconciliation of the two
	// states would otherwise undo the mute.
	muteSettle = 2 * time.Second

	// firstOfferWait is how long the offer that each client sends on its own
	// after a join is waited for, before it is asked for one; resumeOfferWait
	// the same after a resume, and offerWait after each asking.
	firstOfferWait  = 3 * time.Second
	resumeOfferWait = 5 * time.Second
	offerWait       = 10 * time.Second
	// replyWait is how long a client may take to answer an offer of ours.
	replyWait = 15 * time.Second
	// fruitlessWait, doubled each time, delays asking again for sections that
	// the last offer did not bring.
	fruitlessWait    = 100 * time.Millisecond
	maxFruitlessWait = 10 * time.Second

	// In rooms of more people than intimate, offers are asked for no more often
	// than every askPauseEach for each of them.
	intimate     = 16
	askPauseEach = 25 * time.Millisecond

	// A client is told to resume again only after minNudgeWait, and after twice
	// as long each time, up to maxNudgeWait, until it was not necessary for
	// nudgeMemory.
	minNudgeWait = 5 * time.Second
	maxNudgeWait = 20 * time.Second
	nudgeMemory  = time.Minute

	// downgradeDelay is how long a layer stays on after its last watcher.
	downgradeDelay = 5 * time.Second

	// streamSettle is how long after the answer with a picture's section the
	// client has begun to receive it.
	streamSettle = time.Second

	// reportPause is the least time between two Connections of one participant.
	reportPause = 500 * time.Millisecond

	dataRate     = 100 // messages per second and sender
	dataBurst    = 200
	maxDataQueue = 512     // messages of one sender that wait in the room
	maxDataBytes = 4 << 20 // and their bytes
	// maxOutbox bounds the reliable messages that wait for a slow receiver, and
	// outboxRetry is how often they are tried again.
	maxOutbox      = 64
	maxOutboxBytes = 1 << 20
	outboxRetry    = 20 * time.Millisecond

	revocationLife = 15 * time.Minute
	maxRevocations = 4096
)
