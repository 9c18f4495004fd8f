// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/livekit/server-sdk-go/v2/e2ee"
)

// vector is one encrypted frame. Pages open what the SDK made (sdk.json), and
// the SDK what pages made (pages.json, which web/test/unit/e2ee/sdk.test.ts
// writes).
type vector struct {
	Name   string `json:"name"`
	Codec  string `json:"codec"`            // opus or h264
	Type   string `json:"type,omitempty"`   // of a picture
	Bits   int    `json:"bits"`             // of the AES key
	Secret string `json:"secret,omitempty"` // 32 octets, for HKDF
	Phrase string `json:"phrase,omitempty"` // for PBKDF2
	Index  uint8  `json:"index"`
	Plain  string `json:"plain"`
	Sealed string `json:"sealed"`
}

// key derives the AES key, by the SDK's own means where it has them: it knows
// 128 bits alone.
func (v *vector) key(t *testing.T) []byte {
	t.Helper()
	if v.Phrase != "" {
		return must(lksdk.DeriveKeyFromString(v.Phrase))(t)
	}
	secret := unhex(t, v.Secret)
	if v.Bits == 128 {
		return must(lksdk.DeriveKeyFromBytes(secret))(t)
	}
	info := string(make([]byte, lksdk.LIVEKIT_HKDF_INFO_BYTES))
	return must(hkdf.Key(sha256.New, secret, []byte(lksdk.LIVEKIT_SDK_SALT), info, v.Bits/8))(t)
}

func (v *vector) block(t *testing.T) cipher.Block {
	t.Helper()
	return must(aes.NewCipher(v.key(t)))(t)
}

// open decrypts a frame by the SDK's functions for a cipher.
func (v *vector) open(t *testing.T, sealed []byte) ([]byte, error) {
	t.Helper()
	if v.Codec == "opus" {
		return lksdk.DecryptGCMAudioSampleCustomCipher(sealed, nil, v.block(t))
	}
	return e2ee.DecryptGCMH264SampleCustomCipher(sealed, nil, v.block(t))
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	return must(hex.DecodeString(s))(t)
}

func load(t *testing.T, file string) (vectors []vector) {
	t.Helper()
	raw := must(os.ReadFile(filepath.Join("testdata", file)))(t)
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatalf("%s is empty", file)
	}
	return vectors
}

// TestFramesOfPages opens frames that a page encrypted.
func TestFramesOfPages(t *testing.T) {
	t.Parallel()
	for _, v := range load(t, "pages.json") {
		sealed, plain := unhex(t, v.Sealed), unhex(t, v.Plain)
		if got, err := v.open(t, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %x, %v", v.Name, got, err)
		}
		for _, at := range []int{0, len(sealed) / 2, len(sealed) - 3} {
			changed := bytes.Clone(sealed)
			changed[at] ^= 0x10
			if got, err := v.open(t, changed); err == nil && !bytes.Equal(got, changed) {
				t.Errorf("%s opens with octet %d changed", v.Name, at)
			}
		}
		if v.Bits == 128 {
			v.openByTrack(t, sealed, plain)
		}
	}
}

// openByTrack opens a frame as a track of the SDK does, which finds the key by
// the index in the frame.
func (v *vector) openByTrack(t *testing.T, sealed, plain []byte) {
	t.Helper()
	keys := e2ee.NewExternalKeyProvider()
	if err := keys.SetRawKey(v.key(t), uint32(v.Index)); err != nil {
		t.Fatal(err)
	}
	codec := map[string]lksdk.Codec{"opus": lksdk.CodecOpus, "h264": lksdk.CodecH264}[v.Codec]
	d := must(lksdk.NewFrameDecryptor(keys, codec, nil))(t)
	if got, err := d.DecryptFrame(sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%s by its index: %x, %v", v.Name, got, err)
	}
}

// TestFramesOfSDK holds the frames that pages are tested with against the SDK
// that made them. Its IVs are random: VECTORS=write makes others.
func TestFramesOfSDK(t *testing.T) {
	t.Parallel()
	if os.Getenv("VECTORS") == "write" {
		writeFrames(t)
	}
	var names []string
	for _, v := range load(t, "sdk.json") {
		names = append(names, v.Name)
		if got, err := v.open(t, unhex(t, v.Sealed)); err != nil || hex.EncodeToString(got) != v.Plain {
			t.Errorf("%s: %x, %v", v.Name, got, err)
		}
	}
	want := []string{
		"opus 128", "opus 256", "opus phrase", "opus any time",
		"h264 128", "h264 256", "h264 phrase", "h264 any time",
	}
	if !slices.Equal(names, want) {
		t.Errorf("frames %q", names)
	}
}

func writeFrames(t *testing.T) {
	t.Helper()
	secret := sha256.Sum256([]byte("the secret of sdk.json"))
	keys := []struct {
		name, secret, phrase string
		bits                 int
	}{
		{"128", hex.EncodeToString(secret[:]), "", 128},
		{"256", hex.EncodeToString(secret[:]), "", 256},
		{"phrase", "", "a phrase that both sides have", 128},
		{"any time", hex.EncodeToString(secret[:]), "", 256},
	}
	plain := map[string][]byte{
		"opus": append([]byte{0x78}, "a sound of the SDK \x00\x00\x01"...),
		"h264": append(keyPictureH264(1)[:len(parametersH264)+60], 0, 0, 3, 1, 0x80),
	}
	var out []vector
	for _, codec := range []string{"opus", "h264"} {
		for i, k := range keys {
			v := vector{
				Name: codec + " " + k.name, Codec: codec, Bits: k.bits, Secret: k.secret, Phrase: k.phrase,
				Index: uint8(200 + i), Plain: hex.EncodeToString(plain[codec]),
			}
			if codec == "h264" {
				v.Type = "key"
			}
			v.seal(t, plain[codec], k.name != "any time")
			out = append(out, v)
		}
	}
	text := append(must(json.MarshalIndent(out, "", "  "))(t), '\n')
	if err := os.WriteFile(filepath.Join("testdata", "sdk.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// seal encrypts by the SDK, again and again until the random IV is one that a
// sender which counts could have made, or is none of them.
func (v *vector) seal(t *testing.T, plain []byte, counted bool) {
	t.Helper()
	encrypt := e2ee.EncryptGCMH264SampleCustomCipher
	if v.Codec == "opus" {
		encrypt = lksdk.EncryptGCMAudioSampleCustomCipher
	}
	block := v.block(t)
	for range 5_000_000 {
		sealed := must(encrypt(plain, v.Index, block))(t)
		tail := sealed[len(sealed)-20:]
		iv := tail[6:18]
		counter := binary.BigEndian.Uint32(iv[4:]) - binary.BigEndian.Uint32(iv[8:])
		if escaped := bytes.Contains(tail, []byte{0, 0, 3}); !escaped && (counter < 0xffff) == counted {
			v.Sealed = hex.EncodeToString(sealed)
			return
		}
	}
	t.Fatal("no such IV came by chance")
}
