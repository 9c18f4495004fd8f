// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package h264 finds key frames in H.264 RTP payloads (RFC 6184).
//
// It owns nothing and keeps nothing, and refuses to look inside slices.
package h264

import "encoding/binary"

// NAL unit types (RFC 6184 section 5.2, table 1 and H.264 table 7-1).
const (
	typeIDR   = 5
	typeSPS   = 7
	typeSTAPA = 24
	typeFUA   = 28

	typeMask  = 0x1F
	fuStart   = 0x80
	forbidden = 0x80
)

// IsKeyFrame reports whether the RTP payload starts or carries what a decoder
// can begin with: an IDR slice or a sequence parameter set, alone (RFC 6184
// section 5.6), within a STAP-A (section 5.7.1), or as the first fragment of an
// FU-A (section 5.8). A truncated aggregate is judged by its complete units.
func IsKeyFrame(payload []byte) bool { return has(payload, isKeyType) }

// HasParameters reports whether the RTP payload carries a sequence parameter set,
// without which a decoder that begins cannot use an IDR slice.
func HasParameters(payload []byte) bool { return has(payload, isParameters) }

// has tells whether a unit for which wanted holds begins in the payload.
func has(payload []byte, wanted func(byte) bool) bool {
	if len(payload) == 0 || payload[0]&forbidden != 0 {
		return false
	}
	switch t := payload[0] & typeMask; t {
	case typeSTAPA:
		return stapHas(payload[1:], wanted)
	case typeFUA:
		return len(payload) > 2 && payload[1]&fuStart != 0 && wanted(payload[1]&typeMask)
	default:
		return wanted(t)
	}
}

func stapHas(b []byte, wanted func(byte) bool) bool {
	for len(b) > 2 {
		size := int(binary.BigEndian.Uint16(b))
		b = b[2:]
		if size == 0 || size > len(b) {
			return false
		}
		if b[0]&forbidden == 0 && wanted(b[0]&typeMask) {
			return true
		}
		b = b[size:]
	}
	return false
}

func isKeyType(t byte) bool { return t == typeIDR || t == typeSPS }

func isParameters(t byte) bool { return t == typeSPS }
