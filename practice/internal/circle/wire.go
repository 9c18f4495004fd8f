// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// MaxMembers is how many members a roster may have.
const MaxMembers = 50

// Octets of messages and of their parts.
const (
	KnockSize = 1314
	AdmitSize = 179
	ProofSize = ed25519.SignatureSize

	version    = 1
	typeKnock  = 1
	typeAdmit  = 2
	typeRoster = 8

	headSize = 2
	hashSize = sha256.Size
	kemSize  = 1216
	sigSize  = ed25519.SignatureSize
)

var (
	// ErrMalformed says that octets are no message of the protocol, or that a
	// message cannot be meant here.
	ErrMalformed = errors.New("malformed message")
	// ErrSignature says that a signature does not hold.
	ErrSignature = errors.New("signature does not hold")
)

// PID is the pseudonym of one page for one joining of a call.
type PID [16]byte

// String writes 32 hexadecimal digits.
func (p PID) String() string { return hex.EncodeToString(p[:]) }

// ParsePID reads what [PID.String] writes, and no other spelling.
func ParsePID(text string) (p PID, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(p) || strings.ToLower(text) != text {
		return p, fmt.Errorf("pid: %w", ErrMalformed)
	}
	return PID(raw), nil
}

type hash [hashSize]byte

func hashOf(parts ...[]byte) hash {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return hash(h.Sum(nil))
}

// Knock is a page's public keys. Make it with [ParseKnock].
type Knock struct {
	PID    PID
	octets []byte
	digest hash // what an admit says of it
}

// ParseKnock reads a knock, all of it, and checks its signature. It keeps a copy.
// Errors wrap [ErrMalformed] or [ErrSignature].
func ParseKnock(octets []byte) (*Knock, error) {
	if len(octets) != KnockSize || octets[0] != version || octets[1] != typeKnock {
		return nil, fmt.Errorf("knock: %w", ErrMalformed)
	}
	k := &Knock{octets: append([]byte(nil), octets...)}
	if !signed(k.id(), make([]byte, hashSize), k.octets) {
		return nil, fmt.Errorf("knock: %w", ErrSignature)
	}
	id := hashOf(k.id())
	k.PID = PID(id[:len(PID{})])
	k.digest = hashOf([]byte("vr1 knock"), k.id(), k.kem())
	return k, nil
}

// Octets are the knock as it came; not to be changed.
func (k *Knock) Octets() []byte { return k.octets }

func (k *Knock) id() []byte  { return k.octets[headSize : headSize+ed25519.PublicKeySize] }
func (k *Knock) kem() []byte { return k.octets[headSize+ed25519.PublicKeySize:][:kemSize] }

// Proven reports whether the page that has the key made the knock.
func (k *Knock) Proven(key ed25519.PublicKey, proof []byte) bool {
	if len(key) != ed25519.PublicKeySize || len(proof) != ProofSize {
		return false
	}
	digest := sha256.Sum256(k.octets)
	return ed25519.Verify(key, append([]byte("vr1 page"), digest[:]...), proof)
}

// Roles in a roster.
const (
	RoleOther = 0
	RoleHost  = 1
)

// Admit is a host's word that a page may come in. Make it with [ParseAdmit].
type Admit struct {
	PID    PID
	Role   byte
	octets []byte
}

// ParseAdmit reads an admit, all of it, and checks that its signature is that of
// the signer it names. It keeps a copy. Errors wrap [ErrMalformed] or
// [ErrSignature].
func ParseAdmit(octets []byte) (*Admit, error) {
	if len(octets) != AdmitSize || octets[0] != version || octets[1] != typeAdmit {
		return nil, fmt.Errorf("admit: %w", ErrMalformed)
	}
	a := &Admit{octets: append([]byte(nil), octets...)}
	a.PID, a.Role = PID(a.octets[34:50]), a.octets[50]
	if a.Role != RoleOther && a.Role != RoleHost {
		return nil, fmt.Errorf("role: %w", ErrMalformed)
	}
	signer := a.signer()
	if !signed(signer[:], a.octets[headSize:headSize+hashSize], a.octets) {
		return nil, fmt.Errorf("admit: %w", ErrSignature)
	}
	return a, nil
}

func (a *Admit) call() hash   { return hash(a.octets[2:34]) }
func (a *Admit) knock() hash  { return hash(a.octets[51:83]) }
func (a *Admit) signer() hash { return hash(a.octets[83:115]) }

// signerPID is the pseudonym of who signed.
func (a *Admit) signerPID() PID {
	signer := a.signer()
	id := hashOf(signer[:])
	return PID(id[:len(PID{})])
}

// signed checks the signature that ends a message.
func signed(id, call, message []byte) bool {
	at := len(message) - sigSize
	text := append([]byte("vr1 sign"), call...)
	return ed25519.Verify(id, append(text, message[:at]...), message[at:])
}

// encodeRoster writes the roster of an epoch and computes what stands for it in
// the next. Members come by ascending pid.
func encodeRoster(call hash, epoch uint32, previous hash, members []*seat) (octets []byte, next hash) {
	size := headSize + 4 + hashSize + 1 + len(members)*(KnockSize+AdmitSize)
	octets = append(make([]byte, 0, size), version, typeRoster)
	octets = binary.BigEndian.AppendUint32(octets, epoch)
	octets = append(append(octets, previous[:]...), byte(len(members)))
	head := binary.BigEndian.AppendUint32([]byte("vr1 roster"+string(call[:])), epoch)
	parts := [][]byte{binary.BigEndian.AppendUint32(head, uint32(len(members)))}
	for _, m := range members {
		octets = append(append(octets, m.Knock.octets...), m.admit.octets...)
		parts = append(parts, m.Knock.PID[:], m.Knock.id(), m.Knock.kem(), []byte{m.admit.Role})
	}
	return octets, hashOf(append(parts, previous[:])...)
}
