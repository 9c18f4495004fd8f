// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	// keyFramePeriod is the usual time between two key-frame requests to one
	// source. There are never more than two per second, however many ask.
	keyFramePeriod = int64(500 * time.Millisecond)
	// keyRetry, beyond one and a half round trips, is how soon a request is
	// repeated that no key frame has followed: it, or the key frame's first
	// packet, was lost. An encoder takes up to two frames' time.
	keyRetry = int64(120 * time.Millisecond)
)

// keyRequests is what is known of the requests to one source.
type keyRequests struct {
	wanted bool
	asked  [2]int64 // times of the last two requests, the newest last; 0: none
	came   int64    // when the last key frame began to arrive
}

// arrived notes a key frame. Who asked before it came has it now.
func (k *keyRequests) arrived(now int64) {
	k.came, k.wanted = now, false
}

// due returns when the next request may leave.
func (k *keyRequests) due(rtt int64) int64 {
	newest := k.asked[1]
	if newest == 0 {
		return 0
	}
	wait := keyFramePeriod
	if k.came < newest {
		wait = min(wait, keyRetry+rtt*3/2)
	}
	if k.asked[0] == 0 {
		return newest + wait
	}
	return max(newest+wait, k.asked[0]+2*keyFramePeriod)
}

// forget allows a request at once.
func (k *keyRequests) forget() { k.asked = [2]int64{} }

// wantKey asks the publisher for a key frame of this layer; a request that may
// not leave yet is made up for by the next tick that may.
func (l *upLayer) wantKey(c *core) {
	l.keys.wanted = true
	if l.mayAsk(c) {
		l.track.pub.sendRTCP(l.keyRequest(c))
	}
}

func (l *upLayer) mayAsk(c *core) bool {
	rtt := l.track.pub.roundTrip()
	if rtt == 0 {
		rtt = defaultRTT
	}
	return c.now >= l.keys.due(rtt)
}

// keyRequest returns the request that leaves now.
func (l *upLayer) keyRequest(c *core) []rtcp.Packet {
	l.keys.wanted = false
	if l.ssrc == 0 || l.track.muted {
		return nil
	}
	l.keys.asked = [2]int64{l.keys.asked[1], c.now}
	return []rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: l.track.pub.ssrc, MediaSSRC: l.ssrc}}
}
