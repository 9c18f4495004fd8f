// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// entry is a decoded join request: what the client wants besides what its
// token says.
type entry struct {
	client     room.ClientInfo
	metadata   string
	attributes map[string]string
	settings   *wire.ConnectionSettings
	offer      *room.Offer
	// requests follow a join or resume, in this order, before the offer.
	requests  []room.Request
	reconnect bool
	dual      bool // two connections: version 0 of the protocol
	sid       string
	reason    int32
}

// parseJoin decodes the join_request parameter: base64url of a wrapper around
// an optionally compressed JoinRequest. Errors wrap errNoJoinRequest,
// errHugeJoin, errBadJoinRequest, errLimit or errOldClient.
func parseJoin(raw string) (entry, error) {
	if raw == "" {
		return entry{}, errNoJoinRequest
	}
	if len(raw) > maxJoinEncoded {
		return entry{}, errHugeJoin
	}
	packed, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(raw, "="))
	if err != nil {
		return entry{}, fmt.Errorf("decoding base64url: %w", errBadJoinRequest)
	}
	var wrapped wire.WrappedJoinRequest
	if err := decoder.Unmarshal(packed, &wrapped); err != nil {
		return entry{}, fmt.Errorf("decoding wrapper: %w", errBadJoinRequest)
	}
	plain, err := inflate(&wrapped)
	if err != nil {
		return entry{}, err
	}
	var req wire.JoinRequest
	if err := decoder.Unmarshal(plain, &req); err != nil {
		return entry{}, fmt.Errorf("decoding: %w", errBadJoinRequest)
	}
	if err := withinLimits(&req); err != nil {
		return entry{}, err
	}
	return entryOf(&req)
}

// decoder drops unknown fields: what is not in our schema means nothing here.
var decoder = proto.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxDepth}

func inflate(w *wire.WrappedJoinRequest) ([]byte, error) {
	switch w.GetCompression() {
	case wire.WrappedJoinRequest_NONE:
		if len(w.GetJoinRequest()) > maxJoinRequest {
			return nil, errHugeJoin
		}
		return w.GetJoinRequest(), nil
	case wire.WrappedJoinRequest_GZIP:
		z, err := gzip.NewReader(bytes.NewReader(w.GetJoinRequest()))
		if err != nil {
			return nil, fmt.Errorf("inflating: %w", errBadJoinRequest)
		}
		z.Multistream(false)
		plain, err := io.ReadAll(io.LimitReader(z, maxJoinRequest+1))
		if err != nil {
			return nil, fmt.Errorf("inflating: %w", errBadJoinRequest)
		}
		if len(plain) > maxJoinRequest {
			return nil, errHugeJoin
		}
		return plain, nil
	}
	return nil, fmt.Errorf("unknown compression: %w", errBadJoinRequest)
}

func entryOf(req *wire.JoinRequest) (entry, error) {
	e := entry{
		client:     clientInfo(req.GetClientInfo()),
		metadata:   req.GetMetadata(),
		attributes: req.GetParticipantAttributes(),
		settings:   req.GetConnectionSettings(),
		reconnect:  req.GetReconnect(),
		sid:        req.GetParticipantSid(),
		reason:     int32(req.GetReconnectReason()),
	}
	if e.client.Protocol < MinProtocol {
		return entry{}, errOldClient
	}
	if !describes(e.metadata, e.attributes) {
		return entry{}, fmt.Errorf("metadata: %w", errLimit)
	}
	if s := req.GetSyncState(); s != nil && e.reconnect {
		e.requests = append(e.requests, syncState(s))
	}
	for _, t := range req.GetAddTrackRequests() {
		r, err := addTrack(t)
		if err != nil {
			return entry{}, fmt.Errorf("announced track: %w", errBadJoinRequest)
		}
		e.requests = append(e.requests, r)
	}
	if o := req.GetPublisherOffer(); o != nil {
		r, err := offer(o)
		if err != nil {
			return entry{}, fmt.Errorf("publisher offer: %w", errBadJoinRequest)
		}
		e.offer = &r
	}
	return e, nil
}

func clientInfo(c *wire.ClientInfo) room.ClientInfo {
	info := room.ClientInfo{
		SDK:            strings.ToLower(c.GetSdk().String()),
		Protocol:       int(c.GetProtocol()),
		ClientProtocol: c.GetClientProtocol(),
	}
	for _, capability := range c.GetCapabilities() {
		info.Capabilities = append(info.Capabilities, int32(capability))
	}
	return info
}

// join makes the room's Join of a grant and an entry. What the client says of
// itself overrides its token only where the token allows it.
//
// A session description that came together with announced tracks is not part
// of the Join: the tracks must be known first, so it follows as a request.
func (e *entry) join(g *Grant, c *Call) room.Join {
	j := room.Join{
		Key:            g.Key,
		Policy:         g.Policy,
		Identity:       g.Identity,
		Name:           g.Name,
		Metadata:       g.Metadata,
		Attributes:     maps.Clone(g.Attributes),
		Permission:     g.Permission,
		Client:         e.client,
		AutoSubscribe:  e.settings.GetAutoSubscribe(),
		AdaptiveStream: e.settings.GetAdaptiveStream(),
		AllowPause:     allowsPause(e.settings),
		Dual:           e.dual,
		RefreshToken:   g.Refresh,
		TokenID:        g.TokenID,
		IssuedAt:       g.IssuedAt,
	}
	j.Peer.Reached = c.Reached
	if g.Permission.UpdateMetadata {
		if e.metadata != "" {
			j.Metadata = e.metadata
		}
		if j.Attributes == nil && len(e.attributes) > 0 {
			j.Attributes = make(map[string]string, len(e.attributes))
		}
		maps.Copy(j.Attributes, e.attributes)
	}
	if e.offer != nil && len(e.requests) == 0 {
		j.Offer, j.OfferID = e.offer.SDP, e.offer.ID
	}
	return j
}

// allowsPause reads subscriber_allow_pause. Clients send it only when their
// application sets it; without it the server's default counts, which is to
// pause and to tell.
func allowsPause(s *wire.ConnectionSettings) bool {
	return s == nil || s.SubscriberAllowPause == nil || s.GetSubscriberAllowPause()
}

func (e *entry) resume(g *Grant) room.Resume {
	return room.Resume{
		Key:      g.Key,
		Identity: g.Identity,
		SID:      e.sid,
		Reason:   e.reason,
		TokenID:  g.TokenID,
		IssuedAt: g.IssuedAt,
	}
}

// hasty tells a client that, after its join, reads on before it has set the offer
// that came along, and loses the answer when that is already there.
func (e *entry) hasty() bool { return e.client.SDK == "go" && e.offer != nil }

// afterwards lists the requests that must follow a join or resume.
func (e *entry) afterwards() []room.Request {
	if e.offer == nil || (!e.reconnect && len(e.requests) == 0) {
		return e.requests
	}
	return append(e.requests, *e.offer)
}
