// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"math"

	"github.com/caddy-videoroom/videoroom/sfu/internal/feedback"
)

const (
	// lossTime, s: memory of the loss meter. Where so little is sent that it
	// would hold fewer than enough packets, it is sparseLossTime.
	lossTime       = 0.8
	sparseLossTime = 3
	enough         = 40

	// confidence: standard errors below the measured loss that are taken for
	// the true one, 95 % one-sided.
	confidence = 1.64

	// heavyLoss: a share that is surely exceeded cannot be concealed in sound
	// any more and is treated as congestion even without a queue. With the
	// confidence interval it is reached between 15 % and 20 % measured loss.
	heavyLoss = 0.14
	// queueLoss: a share that means congestion where a queue stands.
	queueLoss = 0.02
)

// lossMeter holds the share of lost packets of the last second or so. Packets of
// probes do not count: they are meant to find the limit.
type lossMeter struct {
	received, lost float64 // packets, decaying
	runs           float64 // of lost packets, decaying
	running        bool    // the last packet was lost
	at             int64
}

func (l *lossMeter) add(r *feedback.Result) {
	switch {
	case r.Cluster != 0:
	case !r.Received:
		l.lost++
		if !l.running {
			l.runs++
		}
		l.running = true
	case r.Late:
		l.received++
		l.lost = max(l.lost-1, 0)
	default:
		l.received++
		l.running = false
	}
}

func (l *lossMeter) decay(now int64) {
	dt := float64(now-l.at) / 1e9
	l.at = now
	time := lossTime
	if l.received+l.lost < enough {
		time = sparseLossTime
	}
	keep := math.Exp(-dt / time)
	l.received *= keep
	l.lost *= keep
	l.runs *= keep
}

// share returns the measured loss.
func (l *lossMeter) share() float64 {
	if l.lost <= 0 {
		return 0
	}
	return l.lost / (l.received + l.lost)
}

// certain returns the loss that is exceeded with confidence. Packets that are
// lost in runs are not independent; their variance grows as that of a chain of
// two states with runs of that mean length.
func (l *lossMeter) certain() float64 {
	n := l.received + l.lost
	if n < 5 {
		return 0
	}
	p := l.share()
	length := max(l.lost/max(l.runs, 1e-9), 1)
	return max(p-confidence*math.Sqrt(p*(1-p)/n*(2*length-1)), 0)
}
