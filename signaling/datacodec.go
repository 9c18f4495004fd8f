// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/signaling/wire"
)

// MaxDataPacket is the largest data packet taken from a client, in bytes.
const MaxDataPacket = 64_000

// maxStamped is the largest packet that a client's data channel takes.
const maxStamped = 1<<16 - 1

// DataCodec implements room.DataCodec for the wire's DataPacket.
type DataCodec struct{}

var _ room.DataCodec = DataCodec{}

// Numbers of DataPacket's fields that matter here.
const (
	fieldUser    = 2
	fieldSpeaker = 3
	// fieldLast is the highest number that we know. A later one that holds
	// bytes is taken for a payload kind of the future, if there is no other.
	fieldLast = 18
)

// envelope and payloads divide the known fields of a DataPacket.
var (
	envelope = map[protowire.Number]bool{1: true, 4: true, 5: true, 16: true, 17: true}
	payloads = map[protowire.Number]bool{
		fieldUser: true, 6: true, 7: true, 8: true, 9: true, 10: true, 11: true,
		12: true, 13: true, 14: true, 15: true, fieldLast: true,
	}
)

// Stamp implements room.DataCodec. The result is encoded anew: it holds the
// envelope with the true sender, exactly one payload, and nothing else. The
// payload itself is opaque (it may be encrypted), except that a plain user
// packet's copies of sender and destinations are overwritten too.
//
// Errors wrap ErrDataTooLarge; ErrDataMalformed; or ErrDataForbidden, for
// speaker updates, which only servers send, and for destinations by sid, which
// would otherwise reach everybody.
func (DataCodec) Stamp(payload []byte, identity, sid string) ([]byte, []string, uint32, error) {
	if len(payload) > MaxDataPacket {
		return nil, nil, 0, ErrDataTooLarge
	}
	body, err := findPayload(payload)
	if err != nil {
		return nil, nil, 0, err
	}
	var p wire.DataPacket
	if err := decoder.Unmarshal(body.envelope, &p); err != nil {
		return nil, nil, 0, fmt.Errorf("envelope: %w", ErrDataMalformed)
	}
	if body.number == fieldUser {
		if err := stampUser(&p, body.content, identity, sid); err != nil {
			return nil, nil, 0, err
		}
	} else {
		opaque := protowire.AppendTag(nil, body.number, protowire.BytesType)
		p.ProtoReflect().SetUnknown(protowire.AppendBytes(opaque, body.content))
	}
	if err := checkDestinations(p.GetDestinationIdentities()); err != nil {
		return nil, nil, 0, err
	}
	p.ParticipantIdentity, p.ParticipantSid = identity, sid
	out, err := proto.MarshalOptions{Deterministic: true}.Marshal(&p)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("encoding: %w", ErrDataMalformed)
	}
	if len(out) > maxStamped {
		return nil, nil, 0, ErrDataTooLarge
	}
	return out, p.GetDestinationIdentities(), p.GetSequence(), nil
}

// stampUser decodes a user packet into p with the true sender. Fields that are
// not in our schema are kept: they are the applications' business.
func stampUser(p *wire.DataPacket, content []byte, identity, sid string) error {
	user := new(wire.UserPacket)
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(content, user); err != nil {
		return fmt.Errorf("user packet: %w", ErrDataMalformed)
	}
	if len(p.GetDestinationIdentities()) == 0 {
		p.DestinationIdentities = user.GetDestinationIdentities()
	}
	if len(p.GetDestinationIdentities()) == 0 && len(user.GetDestinationSids()) > 0 {
		return fmt.Errorf("destination by sid: %w", ErrDataForbidden)
	}
	user.DestinationSids, user.DestinationIdentities = nil, nil
	user.ParticipantIdentity, user.ParticipantSid = identity, sid
	p.User = user
	return nil
}

func checkDestinations(to []string) error {
	if len(to) > maxRepeated {
		return fmt.Errorf("destinations: %w", ErrDataTooLarge)
	}
	for _, identity := range to {
		if len(identity) > maxString {
			return fmt.Errorf("destination: %w", ErrDataTooLarge)
		}
		if identity == "" {
			return fmt.Errorf("empty destination: %w", ErrDataMalformed)
		}
	}
	return nil
}

// parts is a packet taken apart: the envelope's fields as they came, and the
// payload's number and content.
type parts struct {
	envelope []byte
	number   protowire.Number
	content  []byte
}

// findPayload walks the fields of a packet. It refuses what two decoders might
// read differently: two payloads, or a payload that is not a message.
func findPayload(packet []byte) (parts, error) {
	var p, later parts
	unknown := 0
	for rest := packet; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return parts{}, fmt.Errorf("tag: %w", ErrDataMalformed)
		}
		size := protowire.ConsumeFieldValue(number, kind, rest[n:])
		if size < 0 {
			return parts{}, fmt.Errorf("field: %w", ErrDataMalformed)
		}
		field, value := rest[:n+size], rest[n:n+size]
		rest = rest[n+size:]
		switch {
		case envelope[number]:
			p.envelope = append(p.envelope, field...)
		case number == fieldSpeaker:
			return parts{}, fmt.Errorf("speaker update: %w", ErrDataForbidden)
		case payloads[number]:
			if err := p.take(number, kind, value); err != nil {
				return parts{}, err
			}
		case number > fieldLast && kind == protowire.BytesType:
			unknown++
			later.number, later.content = number, value
		}
	}
	if p.number != 0 {
		return p, nil
	}
	if unknown != 1 {
		return parts{}, fmt.Errorf("payload: %w", ErrDataMalformed)
	}
	err := p.take(later.number, protowire.BytesType, later.content)
	return p, err
}

func (p *parts) take(number protowire.Number, kind protowire.Type, value []byte) error {
	if p.number != 0 || kind != protowire.BytesType {
		return fmt.Errorf("payload: %w", ErrDataMalformed)
	}
	content, n := protowire.ConsumeBytes(value)
	if n < 0 {
		return fmt.Errorf("payload: %w", ErrDataMalformed)
	}
	p.number, p.content = number, content
	return nil
}
