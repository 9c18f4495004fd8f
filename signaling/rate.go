// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import "time"

// bucket is a token bucket. The zero time of its first use fills it.
type bucket struct {
	rate, burst float64
	level       float64
	at          time.Time
}

// take removes n tokens and returns how long the caller must wait until the
// bucket is out of debt; 0 when it was not in debt.
func (b *bucket) take(n float64, now time.Time) time.Duration {
	if b.at.IsZero() {
		b.level = b.burst
	} else if elapsed := now.Sub(b.at).Seconds(); elapsed > 0 {
		b.level = min(b.burst, b.level+elapsed*b.rate)
	}
	b.at = now
	b.level -= n
	if b.level >= 0 {
		return 0
	}
	return time.Duration(-b.level / b.rate * float64(time.Second))
}

// pace holds one connection to its message and byte rate. A client that runs
// out of either is made to wait and gets a strike; the strikes of a minute add
// up. Nothing is dropped, so that a burst costs a client time, not messages.
type pace struct {
	messages, bytes bucket
	strikes         int
	struck          time.Time
}

// pause is how long a client waits at least once it got a strike.
const pause = time.Second

func newPace() pace {
	return pace{
		messages: bucket{rate: messagesPerSecond, burst: messageBurst},
		bytes:    bucket{rate: bytesPerSecond, burst: byteBurst},
	}
}

// take accounts for one message of n bytes. It returns how long to wait before
// the message is handled, or errFlood at the last strike.
func (p *pace) take(n int, now time.Time) (time.Duration, error) {
	wait := max(p.messages.take(1, now), p.bytes.take(float64(n), now))
	if wait == 0 {
		return 0, nil
	}
	if now.Sub(p.struck) > strikeMemory {
		p.strikes = 0
	}
	p.strikes++
	p.struck = now
	if p.strikes >= maxStrikes {
		return 0, errFlood
	}
	return max(wait, pause), nil
}
