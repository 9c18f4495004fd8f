// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package e2eetest is a second implementation of vr-e2ee-1 (PROTOCOL-E2EE.md),
// for tests alone: it proves that the octets of web/src/core/e2ee are those
// that the protocol describes.
package e2eetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the first octet of every message.
const Version = 1

// MaxMembers is how many members a roster may have.
const MaxMembers = 50

// The types of messages; the second octet.
const (
	TypeKnock  = 1
	TypeAdmit  = 2
	TypeCommit = 3
	TypeReveal = 4
	TypePair   = 5
	TypeKey    = 6
	TypeAck    = 7
	typeRoster = 8
)

// Octets of the parts of messages.
const (
	pidSize  = 16
	sigSize  = 64
	headSize = 2 + 4 + 32 + 1 // of a roster
)

// ErrMalformed says that octets are no message of this protocol.
var ErrMalformed = errors.New("malformed message")

// sizes are the lengths of messages by their type.
var sizes = map[byte]int{
	TypeKnock: 1314, TypeAdmit: 179, TypeCommit: 182, TypeReveal: 118,
	TypePair: 1218, TypeKey: 94, TypeAck: 74,
}

// Message is a decoded message. Which fields are set depends on the type;
// they share the octets that were decoded.
type Message struct {
	Type                       byte
	From, To                   []byte
	Epoch, Generation, Counter uint32
	Role                       byte
	ID, KEM                    []byte // of a knock
	Call, PID, Knock, Signer   []byte // of an admit
	Roster, Commitment, Nonce  []byte
	Link                       []byte // of a commit
	Enc, Wrapped, MAC          []byte
	Sig                        []byte
	Unsigned                   []byte // all before Sig
}

// reader takes fields off a message whose length has been checked.
type reader struct{ rest []byte }

func (r *reader) take(n int) []byte {
	field := r.rest[:n:n]
	r.rest = r.rest[n:]
	return field
}

func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

// Decode reads a message, all of it, or returns ErrMalformed.
func Decode(octets []byte) (*Message, error) {
	if len(octets) < 2 || octets[0] != Version {
		return nil, fmt.Errorf("version: %w", ErrMalformed)
	}
	if size, ok := sizes[octets[1]]; !ok || len(octets) != size {
		return nil, fmt.Errorf("length: %w", ErrMalformed)
	}
	m, r := &Message{Type: octets[1]}, &reader{rest: octets[2:]}
	switch m.Type {
	case TypeKnock:
		m.ID, m.KEM = r.take(32), r.take(1216)
	case TypeAdmit:
		m.Call, m.PID, m.Role = r.take(32), r.take(pidSize), r.take(1)[0]
		m.Knock, m.Signer = r.take(32), r.take(32)
	case TypeCommit:
		m.From, m.Epoch, m.Roster = r.take(pidSize), r.u32(), r.take(32)
		m.Commitment, m.Link = r.take(32), r.take(32)
	case TypeReveal:
		m.From, m.Epoch, m.Nonce = r.take(pidSize), r.u32(), r.take(32)
	case TypePair:
		m.From, m.To, m.Enc = r.take(pidSize), r.take(pidSize), r.take(1120)
	case TypeKey:
		m.From, m.To = r.take(pidSize), r.take(pidSize)
		m.Epoch, m.Generation, m.Counter, m.Wrapped = r.u32(), r.u32(), r.u32(), r.take(48)
	case TypeAck:
		m.From, m.To, m.Epoch, m.Generation, m.MAC = r.take(pidSize), r.take(pidSize), r.u32(), r.u32(), r.take(32)
	}
	if m.Role > 1 {
		return nil, fmt.Errorf("role: %w", ErrMalformed)
	}
	if len(r.rest) == sigSize {
		m.Sig, m.Unsigned = r.rest, octets[:len(octets)-sigSize]
	}
	return m, nil
}

// Entry is one member of a roster.
type Entry struct{ Knock, Admit *Message }

// Roster is a decoded roster.
type Roster struct {
	Epoch    uint32
	Previous []byte
	Entries  []Entry
}

// DecodeRoster reads a roster, all of it, or returns ErrMalformed.
func DecodeRoster(octets []byte) (*Roster, error) {
	each := sizes[TypeKnock] + sizes[TypeAdmit]
	if len(octets) < headSize || octets[0] != Version || octets[1] != typeRoster {
		return nil, fmt.Errorf("roster: %w", ErrMalformed)
	}
	count := int(octets[headSize-1])
	if count < 1 || count > MaxMembers || len(octets) != headSize+count*each {
		return nil, fmt.Errorf("count: %w", ErrMalformed)
	}
	roster := &Roster{Epoch: binary.BigEndian.Uint32(octets[2:]), Previous: octets[6:38]}
	for rest := octets[headSize:]; len(rest) > 0; rest = rest[each:] {
		knock, err := Decode(rest[:sizes[TypeKnock]])
		if err != nil {
			return nil, err
		}
		admit, err := Decode(rest[sizes[TypeKnock]:each])
		if err != nil {
			return nil, err
		}
		if n := len(roster.Entries); n > 0 && bytes.Compare(roster.Entries[n-1].Admit.PID, admit.PID) >= 0 {
			return nil, fmt.Errorf("order: %w", ErrMalformed)
		}
		roster.Entries = append(roster.Entries, Entry{Knock: knock, Admit: admit})
	}
	return roster, nil
}
