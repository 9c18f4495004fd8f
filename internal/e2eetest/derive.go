// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package e2eetest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
)

// Hash is SHA-256 over the parts.
func Hash(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// PID is the pseudonym of an identity key.
func PID(id []byte) []byte { return Hash(id)[:pidSize] }

// KDF is HKDF-SHA-256 without salt.
func KDF(secret []byte, n int, info ...[]byte) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, string(cat(info...)), n)
}

func cat(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// Verify tells whether a message is signed with id in the call; more follows
// the message in what is signed.
func Verify(id, call []byte, m *Message, more ...byte) bool {
	return m.Sig != nil && ed25519.Verify(id, cat([]byte("vr1 sign"), call, m.Unsigned, more), m.Sig)
}

// RosterHash stands for a roster and all before it.
func RosterHash(call []byte, r *Roster) []byte {
	all := cat([]byte("vr1 roster"), call, u32(r.Epoch), u32(uint32(len(r.Entries))))
	for _, e := range r.Entries {
		all = cat(all, e.Admit.PID, e.Knock.ID, e.Knock.KEM, []byte{e.Admit.Role})
	}
	return Hash(all, r.Previous)
}

// PairInfo is HPKE's info for the channel between two identity keys.
func PairInfo(call, from, to, link []byte) []byte {
	return cat([]byte("vr1 pair"), call, from, to, Hash([]byte("vr1 psk"), link))
}

// LinkMark is what a commit says of the link's secret.
func LinkMark(link, roster, pid []byte) ([]byte, error) {
	return KDF(link, 32, []byte("vr1 link"), roster, pid)
}

// Encapsulate sets a channel up towards a member's KEM key.
func Encapsulate(kem, info []byte) (enc, secret []byte, err error) {
	pub, err := hpke.MLKEM768X25519().NewPublicKey(kem)
	if err != nil {
		return nil, nil, err
	}
	enc, sender, err := hpke.NewSender(pub, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
	if err != nil {
		return nil, nil, err
	}
	secret, err = sender.Export("vr1 chan", 32)
	return enc, secret, err
}

// Decapsulate is the other side of Encapsulate; seed is the private KEM key.
func Decapsulate(seed, enc, info []byte) ([]byte, error) {
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, err
	}
	recipient, err := hpke.NewRecipient(enc, key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
	if err != nil {
		return nil, err
	}
	return recipient.Export("vr1 chan", 32)
}

// chainAt is the key number n of the direction from one pid to another.
func chainAt(secret, from, to []byte, n uint32) ([]byte, error) {
	chain, err := KDF(secret, 32, []byte("vr1 dir"), from, to)
	for ; n > 0 && err == nil; n-- {
		chain, err = KDF(chain, 32, []byte("vr1 next"))
	}
	return chain, err
}

func keyData(label string, call []byte, m *Message, transcript []byte) []byte {
	return cat([]byte(label), call, u32(m.Epoch), u32(m.Generation), m.From, m.To, transcript)
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Wrap fills in m.Wrapped with the sender key.
func Wrap(secret, call []byte, m *Message, transcript, sender []byte) error {
	chain, err := chainAt(secret, m.From, m.To, m.Counter)
	if err != nil {
		return err
	}
	aead, err := gcm(chain)
	if err != nil {
		return err
	}
	m.Wrapped = aead.Seal(nil, cat(make([]byte, 8), u32(m.Counter)), sender, keyData("vr1 key", call, m, transcript))
	return nil
}

// Unwrap returns the sender key of m.
func Unwrap(secret, call []byte, m *Message, transcript []byte) ([]byte, error) {
	chain, err := chainAt(secret, m.From, m.To, m.Counter)
	if err != nil {
		return nil, err
	}
	aead, err := gcm(chain)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, cat(make([]byte, 8), u32(m.Counter)), m.Wrapped, keyData("vr1 key", call, m, transcript))
}

// AckMAC is what an ack says in its last field.
func AckMAC(secret, call []byte, m *Message, transcript []byte) ([]byte, error) {
	key, err := KDF(secret, 32, []byte("vr1 ack"), m.From, m.To)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(keyData("vr1 ack", call, m, transcript))
	return h.Sum(nil), nil
}

// Words are the numbers of a safety code.
func Words(transcript, link []byte) ([]uint16, error) {
	out, err := KDF(transcript, 6, []byte("vr1 sas"), link)
	if err != nil {
		return nil, err
	}
	bits := binary.BigEndian.Uint64(cat(out, []byte{0, 0}))
	words := make([]uint16, 4)
	for i := range words {
		words[i] = uint16(bits >> (53 - 11*i) & 2047)
	}
	return words, nil
}
