// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// dialer knows one server's address and how to let clients in.
type dialer struct{ url, key, secret string }

// token mints an access token as LiveKit SDKs do.
func (d dialer) token(room, identity string) (string, error) {
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": d.key, "sub": identity, "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
		"video": map[string]any{"roomJoin": true, "room": room},
	})
	if err != nil {
		return "", fmt.Errorf("writing claims: %w", err)
	}
	enc := base64.RawURLEncoding
	body := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(d.secret))
	mac.Write([]byte(body))
	return body + "." + enc.EncodeToString(mac.Sum(nil)), nil
}
