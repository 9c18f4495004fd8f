// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// A site with encryption from end to end: pages bring keys, tokens keep them, and
// rooms take nothing that is not encrypted.
func TestEncryptedSite(t *testing.T) {
	site := testSite()
	site.E2EE = config.Required
	b := newBench(t, Options{}, site)
	host := b.host()
	o := b.open(host)
	pub, _, _ := ed25519.GenerateKey(nil)
	key := base64.RawURLEncoding.EncodeToString(pub)
	c := b.enter(host.cmd("enter", message{"room": o.id, "key": key}).text("token"))
	claims, err := b.engine.keys.VerifyMedia(b.id, c.refreshed(), time.Now())
	if err != nil || claims.Key != key || !claims.Video.RoomAdmin {
		t.Errorf("the renewed token has the key %q: %v", claims.Key, err)
	}
	add := func(c *mediaClient, how wire.Encryption_Type) *wire.SignalResponse {
		c.send(&wire.SignalRequest{Message: &wire.SignalRequest_AddTrack{AddTrack: &wire.AddTrackRequest{
			Cid: "mic", Type: wire.TrackType_AUDIO, Source: wire.TrackSource_MICROPHONE, Encryption: how,
		}}})
		return c.next("an answer", func(r *wire.SignalResponse) bool {
			return r.GetTrackPublished() != nil || r.GetRequestResponse() != nil
		})
	}
	if r := add(c, wire.Encryption_NONE).GetRequestResponse(); r.GetReason() != wire.RequestResponse_NOT_ALLOWED || r.GetMessage() == "" {
		t.Errorf("a track in the clear: %v", r)
	}
	if r := add(c, wire.Encryption_GCM); r.GetTrackPublished().GetTrack().GetEncryption() != wire.Encryption_GCM {
		t.Errorf("an encrypted track: %v", r)
	}

	// The equipment test has nobody to agree on keys with.
	status, _, body := b.request(http.MethodPost, "/api/v1/test", "{}", b.own())
	var test struct{ Tokens []string }
	if err := json.Unmarshal([]byte(body), &test); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if r := add(b.enter(test.Tokens[0]), wire.Encryption_NONE); r.GetTrackPublished() == nil {
		t.Errorf("in the equipment test: %v", r)
	}
}
