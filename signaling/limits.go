// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// What clients are told and held to.
const (
	// MinProtocol is the oldest client protocol served: since 13 a Leave
	// carries an action.
	MinProtocol = 13
	// announcedProtocol and announcedVersion make clients assume no feature
	// that this server lacks.
	announcedProtocol = 17
	announcedVersion  = "1.13.6"

	pingIntervalSeconds = 5
	pingTimeoutSeconds  = 15
)

// Limits of what comes in.
const (
	maxFrame       = 1 << 20   // bytes of one WebSocket message: a resume brings two descriptions
	maxToken       = 4 << 10   // bytes of an access token
	maxJoinEncoded = 384 << 10 // characters of a join request in the URL
	maxJoinRequest = 256 << 10 // bytes of a join request, inflated
	maxSDP         = 512 << 10 // bytes of a session description, as package sfu takes
	maxMetadata    = 8 << 10   // bytes of metadata and attributes together
	maxString      = 4 << 10   // bytes of any other string
	maxRepeated    = 256       // entries of a list or map
	maxDepth       = 16        // nested messages
	maxTrickle     = 50        // candidates per offer

	// Whenever somebody comes into a meeting of 25 pictures the client tells anew
	// how large it shows each of them.
	messagesPerSecond = 100
	messageBurst      = 400
	bytesPerSecond    = 256 << 10
	byteBurst         = 2 * maxFrame
	maxStrikes        = 3
	strikeMemory      = time.Minute

	roomRetry    = 50 * time.Millisecond
	roomPatience = time.Second
)

// Limits of what goes out.
const (
	maxQueued      = 256     // messages
	maxQueuedBytes = 1 << 20 // bytes
)

// timing holds a session's timers; tests shorten them.
type timing struct {
	write time.Duration // for one frame to reach the kernel
	probe time.Duration // of silence before the server pings
	dead  time.Duration // of silence before the connection ends
	join  time.Duration // for the room to answer a join
	pause time.Duration // after the first message, for hasty clients
}

func defaultTiming() timing {
	return timing{
		write: 5 * time.Second,
		probe: 10 * time.Second,
		dead:  25 * time.Second,
		join:  5 * time.Second,
		pause: 50 * time.Millisecond,
	}
}

// stringLimits names the fields whose strings may be longer than maxString.
var stringLimits = map[protoreflect.FullName]int{
	"videoroom.wire.SessionDescription.sdp":             maxSDP,
	"videoroom.wire.UpdateParticipantMetadata.metadata": maxMetadata,
	"videoroom.wire.JoinRequest.metadata":               maxMetadata,
}

// withinLimits walks a decoded message and returns an error that wraps
// errLimit at the first string or list that is too long. It names the field,
// never the value.
func withinLimits(m proto.Message) error {
	return checkMessage(m.ProtoReflect())
}

func checkMessage(m protoreflect.Message) (err error) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		err = checkField(f, v)
		return err == nil
	})
	return err
}

func checkField(f protoreflect.FieldDescriptor, v protoreflect.Value) error {
	switch {
	case f.IsMap():
		return checkMap(f, v.Map())
	case f.IsList():
		list := v.List()
		if list.Len() > maxRepeated {
			return fmt.Errorf("%s: %w", f.Name(), errLimit)
		}
		for i := range list.Len() {
			if err := checkValue(f, list.Get(i)); err != nil {
				return err
			}
		}
		return nil
	}
	return checkValue(f, v)
}

func checkMap(f protoreflect.FieldDescriptor, m protoreflect.Map) (err error) {
	if m.Len() > maxRepeated {
		return fmt.Errorf("%s: %w", f.Name(), errLimit)
	}
	m.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		if err = checkValue(f.MapKey(), k.Value()); err == nil {
			err = checkValue(f.MapValue(), v)
		}
		return err == nil
	})
	return err
}

func checkValue(f protoreflect.FieldDescriptor, v protoreflect.Value) error {
	switch f.Kind() {
	case protoreflect.StringKind:
		limit, ok := stringLimits[f.FullName()]
		if !ok {
			limit = maxString
		}
		if len(v.String()) > limit {
			return fmt.Errorf("%s: %w", f.Name(), errLimit)
		}
	case protoreflect.MessageKind:
		return checkMessage(v.Message())
	}
	return nil
}

// describes reports whether metadata and attributes fit in their common limit.
func describes(metadata string, attributes map[string]string) bool {
	n := len(metadata)
	for k, v := range attributes {
		n += len(k) + len(v)
	}
	return n <= maxMetadata
}
