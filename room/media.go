// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import "github.com/caddy-videoroom/videoroom/sfu"

// Media is the media plane as rooms see it: *sfu.Plane through the adapter in
// engine, or a fake in tests.
type Media interface {
	// NewRoom reserves a place for a room. Closing it closes its peers.
	NewRoom(sfu.RoomEvents) MediaRoom
}

// MediaRoom is one room's place in the media plane.
type MediaRoom interface {
	NewPeer(sfu.PeerConfig, sfu.PeerEvents) (Peer, error)
	Close()
}

// Peer is the control half of a participant's media path. All methods except
// SendData must be called from one goroutine (the room's). None of them waits
// for the network.
type Peer interface {
	// Publish registers a track that the client is about to offer.
	Publish(sfu.TrackSpec) error
	// Unpublish forgets a published track and frees its section.
	Unpublish(sid string)
	// Mute tells that the publisher (un)muted; it steers key-frame requests.
	Mute(sid string, muted bool)
	// Subscribe wants a track of another peer of the same room forwarded. It
	// takes effect with the next offer; see Need and Propose.
	Subscribe(publisherID, sid string) error
	// Unsubscribe ends forwarding at once and frees the section.
	Unsubscribe(sid string)
	// Settings changes what is forwarded of a subscribed track.
	Settings(sid string, s sfu.Settings)
	// Limit bounds what the client receives, in bit/s; 0: no bound. It holds
	// pictures back, never sound.
	Limit(rate uint32)
	// Need returns how many recvonly sections the client must add before all
	// subscriptions fit, and whether it must send an offer at all.
	Need() (audios, videos int, offer bool)
	// Offer applies a client's SDP offer and returns our answer, with our
	// candidates in it. A bad offer changes nothing and returns an error that
	// wraps sfu.ErrBadOffer.
	Offer(sdp string) (sfu.Answer, error)
	// Propose returns our next offer to a client with two connections (see
	// sfu.PeerConfig.Dual), false where there is nothing to tell or the last one
	// is unanswered. With restart it renews ICE and takes the place of one that is
	// unanswered.
	Propose(restart bool) (offer sfu.Proposal, ok bool)
	// Accept applies the client's answer to the last Propose. A bad one changes
	// nothing and returns an error that wraps sfu.ErrBadAnswer.
	Accept(sdp string) (sfu.Answer, error)
	// SendData sends one message on a data channel of the client. It never
	// blocks: it returns sfu.ErrBufferFull when the client reads too slowly and
	// sfu.ErrNoChannel before the channel is open. Safe for concurrent use.
	SendData(kind sfu.DataKind, payload []byte) error
	// Report has tell called once with what is known of the path, from another
	// goroutine; tell must not block. It is not called when the plane ends before.
	Report(tell func(sfu.Report))
	// Close ends the media path. PeerState(PeerClosed) follows.
	Close()
}
