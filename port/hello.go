// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package port

import "encoding/binary"

// opening is what the first octets of a TCP connection say that it carries.
type opening int

const (
	openingShort    opening = iota // cannot be told yet
	openingTLS                     // a ClientHello that cannot be TURN's, or a broken one
	openingTLSPlain                // a ClientHello that may be TURN's
	openingICE                     // a STUN Binding request in RFC 4571 framing
	openingOther                   // nothing that we know
)

// Limits of what is looked at.
const (
	// maxHello is the longest ClientHello including record headers, in octets.
	// Post-quantum key shares bring a browser's to about 2,000.
	maxHello = 16 << 10
	// maxHelloRecords is how many TLS records a ClientHello may come in.
	maxHelloRecords = 32
)

const (
	recordHandshake  = 0x16 // RFC 8446 section 5.1
	recordHeader     = 5
	maxRecord        = 1 << 14
	helloHandshake   = 1 // RFC 8446 section 4
	handshakeHeader  = 4
	extensionALPN    = 16 // RFC 7301 section 3.1
	maxOpeningSearch = maxHello + recordHeader
)

// classify tells what a connection is that begins with b. While that is
// openingShort, need is the number of octets from the beginning without which
// asking again is useless; it is greater than len(b) and at most
// maxOpeningSearch.
func classify(b []byte) (kind opening, need int) {
	switch {
	case len(b) == 0:
		return openingShort, 1
	case b[0] == recordHandshake:
		return classifyTLS(b)
	case int(b[0]) <= maxFrame>>8:
		return classifyICE(b)
	}
	return openingOther, 0
}

// classifyICE looks for a framed STUN Binding request: the frame's length, the
// message type 0x0001, the message's length, the cookie.
func classifyICE(b []byte) (kind opening, need int) {
	const head = frameHeader + 8
	if len(b) < head {
		return openingShort, head
	}
	size := int(binary.BigEndian.Uint16(b))
	msg := b[frameHeader:]
	if size > maxFrame || binary.BigEndian.Uint16(msg) != 1 ||
		stunHeader+int(binary.BigEndian.Uint16(msg[2:])) != size ||
		binary.BigEndian.Uint32(msg[4:]) != stunCookie {
		return openingOther, 0
	}
	if len(b) < frameHeader+size {
		return openingShort, frameHeader + size
	}
	return openingICE, 0
}

// classifyTLS gathers the ClientHello from its records. What is broken or too
// long counts as openingTLS: the TLS server is the one to refuse it.
func classifyTLS(b []byte) (kind opening, need int) {
	var hello []byte
	off := 0
	for range maxHelloRecords {
		if len(b) < off+recordHeader {
			return openingShort, off + recordHeader
		}
		size := int(binary.BigEndian.Uint16(b[off+3:]))
		if b[off] != recordHandshake || size == 0 || size > maxRecord {
			return openingTLS, 0
		}
		end := off + recordHeader + size
		if end > maxHello {
			return openingTLS, 0
		}
		if len(b) < end {
			return openingShort, end
		}
		// The full slice expression keeps append from writing into b.
		payload := b[off+recordHeader : end : end]
		if hello == nil {
			hello = payload
		} else {
			hello = append(hello, payload...)
		}
		off = end
		if done, kind := classifyHello(hello); done {
			return kind, 0
		}
	}
	return openingTLS, 0
}

// classifyHello looks at the handshake message as far as it is there.
func classifyHello(b []byte) (done bool, kind opening) {
	if b[0] != helloHandshake {
		return true, openingTLS
	}
	if len(b) < handshakeHeader {
		return false, openingShort
	}
	size := int(b[1])<<16 | int(binary.BigEndian.Uint16(b[2:]))
	if size > maxHello {
		return true, openingTLS
	}
	if len(b) < handshakeHeader+size {
		return false, openingShort
	}
	if mayBeTURN(b[handshakeHeader : handshakeHeader+size]) {
		return true, openingTLSPlain
	}
	return true, openingTLS
}

// http11 is the protocol name that Firefox offers alone for TURN when it goes
// through an HTTP proxy, as it does for a WebSocket.
const http11 = "http/1.1"

// mayBeTURN tells whether the body of a ClientHello offers no application
// protocol (RFC 7301), or HTTP/1.1 alone. What else a TURN client could offer,
// "stun.turn" (RFC 7443), Caddy's TLS refuses. A malformed body is not TURN's.
func mayBeTURN(body []byte) bool {
	f := fields{b: body, ok: true}
	f.skip(2 + 32)      // legacy_version, random
	f.skip(f.number(1)) // legacy_session_id
	f.skip(f.number(2)) // cipher_suites
	f.skip(f.number(1)) // legacy_compression_methods
	if f.ok && len(f.b) == 0 {
		return true // TLS 1.2 without extensions
	}
	if f.number(2) != len(f.b) {
		return false
	}
	other := false
	for f.ok && len(f.b) > 0 {
		kind, size := f.number(2), f.number(2)
		if kind == extensionALPN && f.ok && size <= len(f.b) {
			other = other || !offersHTTP11Alone(f.b[:size])
		}
		f.skip(size)
	}
	return f.ok && !other
}

// offersHTTP11Alone tells whether the extension's data is a list of that one
// name.
func offersHTTP11Alone(data []byte) bool {
	const size = 1 + len(http11)
	return len(data) == 2+size && data[0] == 0 && data[1] == byte(size) && data[2] == byte(len(http11)) &&
		string(data[3:]) == http11
}

// fields reads a TLS structure from its beginning; ok turns false, and stays
// so, when it is too short.
type fields struct {
	b  []byte
	ok bool
}

func (f *fields) skip(n int) {
	if !f.ok || n > len(f.b) {
		f.b, f.ok = nil, false
		return
	}
	f.b = f.b[n:]
}

// number reads a number of n octets.
func (f *fields) number(n int) int {
	v, b := 0, f.b
	if f.skip(n); !f.ok {
		return 0
	}
	for _, octet := range b[:n] {
		v = v<<8 | int(octet)
	}
	return v
}
