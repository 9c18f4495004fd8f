// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package demux tells the protocols apart that share one UDP port: STUN,
// DTLS, RTP and RTCP, by RFC 7983 and RFC 9443.
//
// It owns nothing and keeps nothing: it is one pure function over the bytes of
// a datagram. It refuses to look further than is needed to choose the next
// parser; the parsers validate.
package demux

import "encoding/binary"

// Class is the protocol a datagram belongs to.
type Class uint8

// The classes of a datagram. Unknown covers everything this server does not
// speak on a media port, such as ZRTP, TURN channel data and QUIC; such
// datagrams are to be dropped without an answer.
const (
	Unknown Class = iota
	STUN
	DTLS
	RTP
	RTCP
)

// String returns the protocol's name, for counters and tests.
func (c Class) String() string {
	if int(c) < len(names) {
		return names[c]
	}
	return names[Unknown]
}

var names = [...]string{Unknown: "unknown", STUN: "stun", DTLS: "dtls", RTP: "rtp", RTCP: "rtcp"}

// Smallest sensible datagrams of each protocol, in bytes.
const (
	stunHeaderLen = 20 // RFC 8489 section 5
	dtlsHeaderLen = 13 // RFC 6347 section 4.1: record header
	rtpHeaderLen  = 12 // RFC 3550 section 5.1
	rtcpHeaderLen = 8  // RFC 3550 section 6.4: common header and sender SSRC

	stunCookie = 0x2112A442
)

// Classify names the protocol of the datagram b.
//
// The first byte decides as in RFC 7983 section 7 with the update of RFC 9443:
// 0..3 STUN, 20..63 DTLS, 128..191 RTP or RTCP. STUN further needs the magic
// cookie and a length field that is a multiple of four and equals the rest of
// the datagram (RFC 8489 section 5). RTP and RTCP are separated by the second
// byte as in RFC 5761 section 4: 192..223 is RTCP, which is the payload type
// range 64..95 once the marker bit is masked off with the top bit set.
// A datagram too short for its protocol is Unknown.
func Classify(b []byte) Class {
	if len(b) < rtcpHeaderLen {
		return Unknown
	}
	switch first := b[0]; {
	case first >= 128 && first <= 191:
		if second := b[1]; second >= 192 && second <= 223 {
			return RTCP
		}
		if len(b) < rtpHeaderLen {
			return Unknown
		}
		return RTP
	case first <= 3:
		if isSTUN(b) {
			return STUN
		}
	case first >= 20 && first <= 63:
		if len(b) >= dtlsHeaderLen {
			return DTLS
		}
	}
	return Unknown
}

func isSTUN(b []byte) bool {
	if len(b) < stunHeaderLen {
		return false
	}
	length := int(binary.BigEndian.Uint16(b[2:4]))
	return length%4 == 0 && stunHeaderLen+length == len(b) &&
		binary.BigEndian.Uint32(b[4:8]) == stunCookie
}

// Source returns the SSRC that a datagram of this class was sent by: for RTP the
// source of the packet (RFC 3550 section 5.1), for RTCP the sender of its first
// packet (section 6.4). Both stand in the clear, also under SRTP and SRTCP.
// b must have been classified; ok is false for other classes.
func Source(class Class, b []byte) (ssrc uint32, ok bool) {
	switch class {
	case RTP:
		return binary.BigEndian.Uint32(b[8:12]), true
	case RTCP:
		return binary.BigEndian.Uint32(b[4:8]), true
	}
	return 0, false
}
