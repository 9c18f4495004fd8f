// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package sfu

import "time"

// A client whose own line carries sound and hardly more goes on sending a small
// picture beside it: browsers never stop pictures for that. Then sound is lost in
// the full line. The server hears of it first, and has such a client pause its
// pictures; they return as soon as the line bears them.
const (
	// chokeLoss of the sound on the way here, with pictures of less than chokeRate
	// (bit/s) beside it, for chokeFor seconds in a row, is a choked line. That is
	// hardly more than the smallest layer: where more arrives, the client is only
	// late in sending less.
	chokeLoss = 0.07
	chokeRate = 100_000
	chokeFor  = 3
	// After calm seconds without more loss than calmLoss pictures may return, but
	// not before chokeWait. That doubles up to chokeMost where they choke the line
	// again within chokeAgain.
	calm       = 3
	calmLoss   = 0.02
	chokeWait  = int64(10 * time.Second)
	chokeMost  = int64(2 * time.Minute)
	chokeAgain = int64(30 * time.Second)
	// Where after futileFor seconds as much is lost as futileShare of what was, it
	// is not for the pictures. They return, and stay for futileWait.
	futileFor   = 5
	futileShare = 0.6
	futileWait  = int64(5 * time.Minute)
)

// choke judges a client's line once per second.
type choke struct {
	on      bool
	seconds int     // in a row that were bad, or since it is on
	calm    int     // in a row that were calm
	worst   float64 // loss when it went on
	since   int64
	offAt   int64
	wait    int64
	futile  int64 // not before
}

// judge takes the share of sound that was lost within the last second, and what
// pictures carried. It tells whether the state changed.
func (k *choke) judge(now int64, loss float64, pictures uint64) (changed bool) {
	if k.on {
		return k.relax(now, loss)
	}
	if loss < chokeLoss || pictures == 0 || pictures > chokeRate || now < k.futile {
		k.seconds = 0
		return false
	}
	if k.seconds++; k.seconds < chokeFor {
		return false
	}
	k.wait = min(2*k.wait, chokeMost)
	if k.offAt == 0 || now-k.offAt > chokeAgain || k.wait == 0 {
		k.wait = chokeWait
	}
	*k = choke{on: true, worst: loss, since: now, wait: k.wait}
	return true
}

func (k *choke) relax(now int64, loss float64) (off bool) {
	k.seconds++
	if k.calm++; loss > calmLoss {
		k.calm = 0
	}
	switch {
	case k.seconds >= futileFor && k.calm == 0 && loss > futileShare*k.worst:
		*k = choke{futile: now + futileWait}
		return true
	case k.calm >= calm && now-k.since >= k.wait:
		*k = choke{offAt: now, wait: k.wait}
		return true
	}
	return false
}

// watchUplink looks at the line of a client that sends sound and pictures.
func (t *transport) watchUplink(c *core) {
	loss, pictures, heard := 0.0, uint64(0), false
	for _, u := range t.ups {
		for _, l := range u.layers {
			switch {
			case l.ssrc == 0 || l.packets == 0:
			case u.kind == Audio:
				loss, heard = max(loss, l.lostNow), true
			case u.svc != nil:
				for i := range u.svc.layers {
					pictures += sum(u.svc.layers[i].rates(c.now))
				}
			default:
				pictures += sum(l.rates(c))
			}
		}
	}
	if heard && t.choke.judge(c.now, loss, pictures) {
		t.events.PeerUplink(t.choke.on)
		for _, u := range t.ups {
			for _, d := range u.downs {
				d.retarget(c)
			}
		}
	}
}
