// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// RelayLife is how long a relay credential opens new allocations: longer than
// any call. What is allocated lives on as long as its connection.
const RelayLife = 6 * time.Hour

// RelayParticipant is what a participant is called at the relay: the same for
// all credentials of one participant, and a riddle to everybody else.
func (k *Keys) RelayParticipant(site, room, identity string) string {
	sum := hmac.New(sha256.New, k.derive(purposeRelay, site))
	sum.Write([]byte(room + "\x00" + identity))
	return idText(sum.Sum(nil)[:16])
}

// Relay mints a credential for the TURN server (long-term mechanism, RFC 8489
// section 9.2), bound to one participant of one room.
func (k *Keys) Relay(site, room, identity string, now time.Time) (username, password string) {
	username = strconv.FormatInt(now.Add(RelayLife).Unix(), 10) + ":" + k.RelayParticipant(site, room, identity)
	return username, k.relayPassword(username)
}

// RelayUser returns what belongs to a username; ok is false for one that
// [Keys.Relay] cannot have made. Whether it has expired is the caller's concern,
// whether it was made at all the password's.
func (k *Keys) RelayUser(username string) (password, participant string, expires time.Time, ok bool) {
	exp, participant, found := strings.Cut(username, ":")
	sec, err := strconv.ParseInt(exp, 10, 64)
	if !found || err != nil || sec <= 0 || !ValidID(participant) || len(username) > 64 {
		return "", "", time.Time{}, false
	}
	return k.relayPassword(username), participant, time.Unix(sec, 0), true
}

func (k *Keys) relayPassword(username string) string {
	sum := hmac.New(sha256.New, k.derive(purposeRelay, ""))
	sum.Write([]byte(username))
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}
