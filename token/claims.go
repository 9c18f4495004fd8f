// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Claims is the content of a JWT. Members other than these are ignored.
type Claims struct {
	// Issuer (iss) is the API key of a LiveKit-compatible token.
	Issuer string
	// Subject (sub) is the participant's identity, or a host's id.
	Subject string
	// Audience (aud) is the site id of our own tokens.
	Audience []string
	// ID (jti) names one token, for revocation.
	ID string
	// Expires (exp) is required; NotBefore (nbf) and IssuedAt (iat) are zero
	// where absent. Seconds resolution.
	Expires, NotBefore, IssuedAt time.Time
	// Name, Metadata and Attributes describe the participant.
	Name, Metadata string
	Attributes     map[string]string
	// Kind is "standard" or empty for people.
	Kind string
	// SHA256 is the hash of a webhook's body, base64.
	SHA256 string
	// Key is the holder's Ed25519 public key (cnf with a jwk, RFC 7800), in the
	// form that [ValidKey] takes; empty: none, or one of another kind.
	Key string
	// Video is what the holder may do.
	Video Video
}

// Identity is the participant's identity: sub, or jti in tokens of old SDKs.
func (c *Claims) Identity() string {
	if c.Subject != "" {
		return c.Subject
	}
	return c.ID
}

// Video is the grant in a token's claim of that name. The pointers are nil
// where the token is silent; ask the methods for the effective rights.
type Video struct {
	RoomJoin, RoomCreate, RoomList, RoomAdmin bool
	Room                                      string
	CanPublish, CanSubscribe, CanPublishData  *bool
	CanUpdateOwnMetadata, CanSubscribeMetrics *bool
	// CanPublishSources, when not empty, lists what may be published and
	// supersedes CanPublish: "camera", "microphone", "screen_share",
	// "screen_share_audio".
	CanPublishSources []string
	Hidden, Recorder  bool
	DestinationRoom   string
}

// MayPublish tells whether the holder may publish at all.
func (v *Video) MayPublish() bool {
	return len(v.CanPublishSources) > 0 || yes(v.CanPublish, true)
}

// MaySubscribe tells whether the holder may receive tracks.
func (v *Video) MaySubscribe() bool { return yes(v.CanSubscribe, true) }

// MayPublishData tells whether the holder may send data; silent tokens follow
// CanPublish.
func (v *Video) MayPublishData() bool { return yes(v.CanPublishData, yes(v.CanPublish, true)) }

// MayUpdateMetadata tells whether the holder may change the own name, metadata
// and attributes.
func (v *Video) MayUpdateMetadata() bool { return yes(v.CanUpdateOwnMetadata, false) }

func yes(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

// wireVideo and wireClaims give the order and spelling of minted members.
type wireVideo struct {
	RoomCreate           bool     `json:"roomCreate,omitempty"`
	RoomList             bool     `json:"roomList,omitempty"`
	RoomAdmin            bool     `json:"roomAdmin,omitempty"`
	RoomJoin             bool     `json:"roomJoin,omitempty"`
	Room                 string   `json:"room,omitempty"`
	DestinationRoom      string   `json:"destinationRoom,omitempty"`
	CanPublish           *bool    `json:"canPublish,omitempty"`
	CanSubscribe         *bool    `json:"canSubscribe,omitempty"`
	CanPublishData       *bool    `json:"canPublishData,omitempty"`
	CanPublishSources    []string `json:"canPublishSources,omitempty"`
	CanUpdateOwnMetadata *bool    `json:"canUpdateOwnMetadata,omitempty"`
	CanSubscribeMetrics  *bool    `json:"canSubscribeMetrics,omitempty"`
	Hidden               bool     `json:"hidden,omitempty"`
	Recorder             bool     `json:"recorder,omitempty"`
}

type wireClaims struct {
	Issuer     string            `json:"iss,omitempty"`
	Subject    string            `json:"sub,omitempty"`
	Audience   any               `json:"aud,omitempty"`
	ID         string            `json:"jti,omitempty"`
	NotBefore  int64             `json:"nbf,omitempty"`
	IssuedAt   int64             `json:"iat,omitempty"`
	Expires    int64             `json:"exp"`
	Name       string            `json:"name,omitempty"`
	Metadata   string            `json:"metadata,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	SHA256     string            `json:"sha256,omitempty"`
	Confirm    *wireConfirm      `json:"cnf,omitempty"`
	Video      *wireVideo        `json:"video,omitempty"`
}

func (c *Claims) marshal() ([]byte, error) {
	w := wireClaims{
		Issuer: c.Issuer, Subject: c.Subject, ID: c.ID,
		NotBefore: unix(c.NotBefore), IssuedAt: unix(c.IssuedAt), Expires: unix(c.Expires),
		Name: c.Name, Metadata: c.Metadata, Attributes: c.Attributes, Kind: c.Kind, SHA256: c.SHA256,
	}
	if c.Key != "" {
		w.Confirm = &wireConfirm{wireKey{keyType, keyCurve, c.Key}}
	}
	switch len(c.Audience) {
	case 0:
	case 1:
		w.Audience = c.Audience[0]
	default:
		w.Audience = c.Audience
	}
	v := c.Video
	w.Video = &wireVideo{
		RoomCreate: v.RoomCreate, RoomList: v.RoomList, RoomAdmin: v.RoomAdmin, RoomJoin: v.RoomJoin,
		Room: v.Room, DestinationRoom: v.DestinationRoom,
		CanPublish: v.CanPublish, CanSubscribe: v.CanSubscribe, CanPublishData: v.CanPublishData,
		CanPublishSources: v.CanPublishSources, CanUpdateOwnMetadata: v.CanUpdateOwnMetadata,
		CanSubscribeMetrics: v.CanSubscribeMetrics, Hidden: v.Hidden, Recorder: v.Recorder,
	}
	return json.Marshal(w)
}

func parseClaims(text []byte) (Claims, error) {
	var (
		c             Claims
		exp, nbf, iat *float64
		video, aud    json.RawMessage
		cnf           json.RawMessage
	)
	m, err := object(text)
	if err != nil {
		return c, err
	}
	err = fields(m, map[string]any{
		"iss": &c.Issuer, "sub": &c.Subject, "jti": &c.ID, "aud": &aud,
		"exp": &exp, "nbf": &nbf, "iat": &iat,
		"name": &c.Name, "metadata": &c.Metadata, "attributes": &c.Attributes,
		"kind": &c.Kind, "sha256": &c.SHA256, "video": &video,
		"cnf": &cnf,
	})
	if err != nil {
		return c, err
	}
	if c.Audience, err = parseAudience(aud); err != nil {
		return c, err
	}
	c.Key = parseConfirm(cnf)
	for _, t := range []struct {
		from *float64
		to   *time.Time
	}{{exp, &c.Expires}, {nbf, &c.NotBefore}, {iat, &c.IssuedAt}} {
		if *t.to, err = numericDate(t.from); err != nil {
			return c, err
		}
	}
	if len(video) > 0 && string(video) != "null" {
		c.Video, err = parseVideo(video)
	}
	return c, err
}

// parseAudience takes both forms of RFC 7519 §4.1.3.
func parseAudience(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && string(raw) != "null" {
		return []string{one}, nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return nil, fmt.Errorf("%w: aud: %w", ErrBadJSON, err)
	}
	return many, nil
}

// numericDate follows RFC 7519 §2: seconds, fractions allowed.
func numericDate(f *float64) (time.Time, error) {
	const year9999 = 253402300799
	switch {
	case f == nil:
		return time.Time{}, nil
	case math.IsNaN(*f) || *f <= 0 || *f > year9999:
		return time.Time{}, fmt.Errorf("%w: time out of range", ErrBadJSON)
	}
	return time.Unix(int64(*f), 0), nil
}

func parseVideo(raw json.RawMessage) (Video, error) {
	var v Video
	m, err := object(raw)
	if err != nil {
		return v, err
	}
	return v, fields(m, map[string]any{
		"roomJoin": &v.RoomJoin, "roomCreate": &v.RoomCreate, "roomList": &v.RoomList,
		"roomAdmin": &v.RoomAdmin, "room": &v.Room, "destinationRoom": &v.DestinationRoom,
		"canPublish": &v.CanPublish, "canSubscribe": &v.CanSubscribe, "canPublishData": &v.CanPublishData,
		"canPublishSources": &v.CanPublishSources, "canUpdateOwnMetadata": &v.CanUpdateOwnMetadata,
		"canSubscribeMetrics": &v.CanSubscribeMetrics, "hidden": &v.Hidden, "recorder": &v.Recorder,
	})
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
