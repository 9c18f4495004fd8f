// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package e2eetest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/binary"
	"encoding/json"
	"errors"
)

// Sizes of sealed names, in octets.
const (
	doorEncSize  = 1120
	doorNameSize = 288
	letterStep   = 256
)

// errDoor says that a sealed name or a letter does not open.
var errDoor = errors.New("it does not open")

// filled is the JSON of one field, with spaces up to a size.
func filled(field, text string, size int) ([]byte, error) {
	out, err := json.Marshal(map[string]string{field: text})
	if err != nil || len(out) > size {
		return nil, errors.Join(errDoor, err)
	}
	return append(out, bytes.Repeat([]byte{' '}, size-len(out))...), nil
}

// DoorWord is a host's page's signature over its KEM key.
func DoorWord(page ed25519.PrivateKey, kem []byte) []byte {
	return ed25519.Sign(page, cat([]byte("vr1 door"), kem))
}

func doorInfo(visitor, kem []byte) []byte { return cat([]byte("vr1 door"), visitor, kem) }

func sealDigest(kem []byte, place string, rest []byte) []byte {
	return cat([]byte("vr1 seal"), Hash(kem, []byte(place), rest))
}

// SealName seals a name of a visitor's page for a host's page; reply is what letters
// back are encrypted with.
func SealName(page ed25519.PrivateKey, kem []byte, place, name string) (sealed, reply []byte, err error) {
	visitor, _ := page.Public().(ed25519.PublicKey)
	plain, err := filled("name", name, doorNameSize)
	if err != nil {
		return nil, nil, err
	}
	pub, err := hpke.MLKEM768X25519().NewPublicKey(kem)
	if err != nil {
		return nil, nil, err
	}
	enc, sender, err := hpke.NewSender(pub, hpke.HKDFSHA256(), hpke.AES256GCM(), doorInfo(visitor, kem))
	if err != nil {
		return nil, nil, err
	}
	ct, err := sender.Seal([]byte(place), plain)
	if err != nil {
		return nil, nil, err
	}
	reply, err = sender.Export("vr1 door reply", 32)
	rest := cat(enc, ct)
	return cat(rest, ed25519.Sign(page, sealDigest(kem, place, rest))), reply, err
}

// OpenName is the other side of SealName; seed is the private KEM key.
func OpenName(seed []byte, visitor ed25519.PublicKey, place string, sealed []byte) (name string, reply []byte, err error) {
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return "", nil, err
	}
	kem := key.PublicKey().Bytes()
	if len(sealed) != doorEncSize+doorNameSize+16+ed25519.SignatureSize {
		return "", nil, errDoor
	}
	rest := sealed[:len(sealed)-ed25519.SignatureSize]
	if !ed25519.Verify(visitor, sealDigest(kem, place, rest), sealed[len(rest):]) {
		return "", nil, errDoor
	}
	recipient, err := hpke.NewRecipient(rest[:doorEncSize], key, hpke.HKDFSHA256(), hpke.AES256GCM(), doorInfo(visitor, kem))
	if err != nil {
		return "", nil, err
	}
	plain, err := recipient.Open([]byte(place), rest[doorEncSize:])
	if err != nil {
		return "", nil, err
	}
	var said struct{ Name string }
	if err := json.Unmarshal(plain, &said); err != nil {
		return "", nil, err
	}
	reply, err = recipient.Export("vr1 door reply", 32)
	return said.Name, reply, err
}

// SealLetter encrypts a message to somebody who waits, OpenLetter decrypts it.
func SealLetter(reply []byte, place string, n uint32, text string) ([]byte, error) {
	plain, err := filled("text", text, (len(text)+12+letterStep-1)/letterStep*letterStep)
	if err != nil {
		return nil, err
	}
	aead, err := gcm(reply)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, letterNonce(n), plain, cat([]byte("vr1 door reply"), []byte(place))), nil
}

// OpenLetter is the other side of SealLetter.
func OpenLetter(reply []byte, place string, n uint32, data []byte) (string, error) {
	aead, err := gcm(reply)
	if err != nil {
		return "", err
	}
	plain, err := aead.Open(nil, letterNonce(n), data, cat([]byte("vr1 door reply"), []byte(place)))
	if err != nil {
		return "", err
	}
	var said struct{ Text string }
	err = json.Unmarshal(plain, &said)
	return said.Text, err
}

func letterNonce(n uint32) []byte { return binary.BigEndian.AppendUint32(make([]byte, 8), n) }
