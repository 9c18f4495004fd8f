// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// Version 0 of the protocol has its join request in plain query parameters, and
// two connections.

// maxSDK bounds the name of a client's library.
const maxSDK = 32

// parseEntry reads what a client wants. A join request says that there is one
// connection, also at version 0's address, where the Go SDK puts it.
func parseEntry(path string, q url.Values) (entry, error) {
	if q.Get("join_request") != "" || path == "rtc/v1" || path == "rtc/v1/validate" {
		return parseJoin(q.Get("join_request"))
	}
	return parseQuery(q)
}

// parseQuery reads the parameters of version 0. Flags are "1" or "true"; whoever
// says nothing of auto_subscribe wants it.
func parseQuery(q url.Values) (entry, error) {
	e := entry{
		dual: true,
		client: room.ClientInfo{
			SDK: "unknown", Protocol: queryNumber(q, "protocol"),
			ClientProtocol: int32(queryNumber(q, "client_protocol")),
		},
		settings: &wire.ConnectionSettings{
			AutoSubscribe:  q.Get("auto_subscribe") == "" || queryFlag(q, "auto_subscribe"),
			AdaptiveStream: queryFlag(q, "adaptive_stream"),
		},
		reconnect: queryFlag(q, "reconnect"),
		sid:       q.Get("sid"),
		reason:    int32(queryNumber(q, "reconnect_reason")),
	}
	if sdk := strings.ToLower(q.Get("sdk")); sdk != "" && len(sdk) <= maxSDK {
		e.client.SDK = sdk
	}
	if q.Get("subscriber_allow_pause") != "" {
		pause := queryFlag(q, "subscriber_allow_pause")
		e.settings.SubscriberAllowPause = &pause
	}
	switch {
	case e.client.Protocol < MinProtocol:
		return entry{}, errOldClient
	case len(e.sid) > maxString:
		return entry{}, fmt.Errorf("sid: %w", errLimit)
	case !utf8.ValidString(e.sid) || !utf8.ValidString(e.client.SDK):
		return entry{}, fmt.Errorf("not UTF-8: %w", errBadJoinRequest)
	}
	var err error
	e.attributes, err = parseAttributes(q.Get("attributes"))
	return e, err
}

// parseAttributes reads base64url of a JSON object of strings.
func parseAttributes(raw string) (map[string]string, error) {
	if raw == "" {
		return nil, nil
	}
	if len(raw) > 2*maxMetadata {
		return nil, fmt.Errorf("attributes: %w", errLimit)
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(raw, "="))
	if err != nil {
		return nil, fmt.Errorf("attributes: %w", errBadJoinRequest)
	}
	var out map[string]string
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("attributes: %w", errBadJoinRequest) // the cause would quote them
	}
	if len(out) > maxRepeated || !describes("", out) {
		return nil, fmt.Errorf("attributes: %w", errLimit)
	}
	return out, nil
}

func queryFlag(q url.Values, name string) bool { return q.Get(name) == "1" || q.Get(name) == "true" }

// queryNumber is 0 where there is no number of 16 bits.
func queryNumber(q url.Values, name string) int {
	n, err := strconv.ParseUint(q.Get(name), 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}
