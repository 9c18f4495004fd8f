// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import "math"

const (
	// trendWindow, ns: how far back the line through the delays goes. It must
	// hold several frames (33 ms each) and be short against the time in which a
	// conversation notices a queue.
	trendWindow = 600 * millisecond
	// sparseWindow, ns: as far back where the last 600 ms hold fewer than
	// leastGroups, as with sound alone at 60 ms per packet.
	sparseWindow = 2 * second
	leastGroups  = 6

	// significance is how many standard errors of the fitted rise are taken for
	// noise. At four, jitter alone exceeds it once in some ten thousand windows.
	significance = 4
	// correlation, ms: packets this close share their jitter, as a radio link
	// holds and releases them together; they count as one observation.
	correlation = 40
	// spellsCount: independent observations per spell on one side of the line;
	// where each is independent of the last, a spell has two of them.
	spellsCount = 2
	// Bounds of the noise, ms. Below: timer and scheduling of the sender. Above:
	// what a path may jitter and still be watched for queues by its trend.
	leastNoise, mostNoise = 0.5, 30
	// noiseTime, s: how long noise is remembered; noiseRising, s: how fast more
	// of it is believed, for a path that jitters does so from the start.
	noiseTime   = 3.0
	noiseRising = 1.0

	// The threshold for the rise of the delay within the window, ms. It follows
	// a persistent rise up, so that a flow which fills every queue does not push
	// this one aside, and comes back slowly.
	leastRise, mostRise = 8, 80
	riseSlack           = 20  // ms above the threshold: more is an event, not a habit
	risingTime          = 1.5 // s, towards a higher rise
	sinkingTime         = 8   // s, back

	// standingWindow, µs: the least delay of the groups in it is the standing
	// queue. It holds several frames, since the first packet of each sees what
	// the one before left behind.
	standingWindow = 300_000
	// recentWindow, µs: all groups of it must be delayed by leastQueue (ms) for a
	// rise to be a queue; otherwise it is the larger frames of a higher rate.
	recentWindow = 80_000
	leastQueue   = 5
	// shareOfRise must likewise be in all of them.
	shareOfRise = 1.0 / 3
	// sharp: from this multiple of the threshold on the two newest suffice.
	sharp = 5.0
	// The threshold of the standing queue, ms: from what a conversation does not
	// notice to more than the queues of access links hold.
	leastStanding, mostStanding = 45, 400
	// standingNoise and fullNoise: so many standard deviations of the delay are
	// no queue.
	standingNoise, fullNoise = 4, 3
	// fullQueue, ms: a queue above it may be the one that overflows.
	fullQueue = 22
	// tolerated: the threshold is raised to this multiple of a queue that stands
	// whatever is sent.
	tolerated = 1.25
	// standingDecay, s: from a raised threshold back.
	standingDecay = 20
	// deviations: so many mean deviations of the standing queue are noise.
	deviations = 3
	// mostQuiet, ms: what noise may explain at most. More and it would get used
	// to a queue that is always full.
	mostQuiet = 30

	// longestStep, s: time between feedbacks that counts at most.
	longestStep = 0.25
	// draining: a slope below it, ms per ms, empties the queue.
	draining = -0.02
)

// trend judges the delay of the groups.
type trend struct {
	at       int64
	valid    bool    // there were groups enough
	excess   float64 // rise in units of its threshold
	rise     float64 // ms within the window
	slope    float64 // ms per ms
	noise    float64 // ms, standard deviation around the line
	adaptive float64 // ms, threshold of rise

	newest    float64 // ms, least delay of the two newest groups
	recent    float64 // ms, least delay of the last groups
	low       float64 // ms, standing queue
	lowKnown  bool
	lowMean   float64 // ms
	deviation float64 // ms, mean deviation of low
	standing  float64 // ms, threshold of low

	level      float64 // ms, low is about there
	levelSince int64   // ns, since then
	floor      float64 // ms, low was never less
	floorSince int64   // ns, since then
}

func (t *trend) init() {
	t.noise, t.adaptive, t.standing = 2, leastRise, leastStanding
}

// update fits a line to the newest groups.
func (t *trend) update(now int64, g *groups) {
	dt := min(float64(now-t.at)/1e9, longestStep)
	t.at = now
	t.recent, t.low, t.lowKnown = g.lowest()
	t.newest = g.latest(2)
	t.valid = t.fit(g, dt)
	if t.valid {
		t.adapt(dt)
	}
	if t.lowKnown && t.low < leastStanding {
		gain := min(dt/noiseTime, 1)
		t.lowMean += (t.low - t.lowMean) * gain
		t.deviation += (math.Abs(t.low-t.lowMean) - t.deviation) * gain
	}
	t.standing += (leastStanding - t.standing) * min(dt/standingDecay, 1)
}

// fit computes slope, rise and noise by least squares.
func (t *trend) fit(g *groups, dt float64) bool {
	if g.count == 0 {
		return false
	}
	newest := g.at(g.count - 1)
	newestSent, newestDelay := newest.sent, newest.delay
	var sx, sy, sxx, sxy, syy float64
	var first int64
	groups := 0
	for i := g.count - 1; i >= g.oldest(); i-- {
		this := g.at(i)
		age := newestSent - this.sent
		if age > trendWindow && (groups >= leastGroups || age > sparseWindow) {
			break
		}
		if this.probe {
			continue
		}
		x := -float64(age) * 1e-6
		y := float64(this.delay-newestDelay) * 1e-3
		groups++
		sx, sy, sxx, sxy, syy = sx+x, sy+y, sxx+x*x, sxy+x*y, syy+y*y
		first = age
	}
	n, span := float64(groups), float64(first)*1e-6
	vx := sxx - sx*sx/n
	if groups < leastGroups || vx <= 0 {
		return false
	}
	covariance := sxy - sx*sy/n
	t.slope = covariance / vx
	t.rise = t.slope * span
	residual := math.Sqrt(max(syy-sy*sy/n-t.slope*covariance, 0) / (n - 2))
	spells := g.spells(groups, newestSent, newestDelay, sx/n, sy/n, t.slope)
	t.excess = t.rise / max(t.adaptive, t.chance(span, n, spells))
	// A queue that begins to grow bends the line; that is not noise.
	if t.excess < 1 {
		time := noiseTime
		if residual > t.noise {
			time = noiseRising
		}
		t.noise += (residual - t.noise) * min(dt/time, 1)
		t.noise = min(max(t.noise, leastNoise), mostNoise)
	}
	return true
}

// chance returns the rise that noise alone may show in a window of span ms. Where
// the delay stays above and below the line for long spells, there are not as many
// independent observations as packets.
func (t *trend) chance(span, n, spells float64) float64 {
	independent := max(min(n, span/correlation, spellsCount*spells), 3)
	return significance * t.noise * math.Sqrt(12/independent)
}

// adapt moves the threshold of the rise.
func (t *trend) adapt(dt float64) {
	switch {
	case t.rise > t.adaptive+riseSlack:
	case t.rise > t.adaptive:
		t.adaptive += (t.rise - t.adaptive) * min(dt/risingTime, 1)
	default:
		t.adaptive += (leastRise - t.adaptive) * min(dt/sinkingTime, 1)
	}
	t.adaptive = min(t.adaptive, mostRise)
}

// grows says that a queue grows beyond what noise and habit explain.
func (t *trend) grows() bool {
	if !t.valid || t.excess < 1 {
		return false
	}
	share := max(leastQueue, t.rise*shareOfRise)
	return t.recent >= share || t.excess > sharp && t.newest >= share
}

// queue returns the standing queue that is no noise, in ms.
func (t *trend) queue() float64 {
	if !t.lowKnown {
		return 0
	}
	return max(t.low-t.quiet(), 0)
}

// quiet returns the standing delay that noise alone explains, in ms.
func (t *trend) quiet() float64 {
	return min(t.lowMean+deviations*t.deviation, mostQuiet)
}

// fills says that a queue is there which could overflow.
func (t *trend) fills() bool {
	return t.lowKnown && t.low > max(fullQueue, t.quiet(), fullNoise*t.noise)
}

// stands says that a queue stands and does not drain.
func (t *trend) stands() bool {
	return t.lowKnown && t.low > max(t.standing, t.quiet(), standingNoise*t.noise) && !(t.valid && t.slope < draining)
}

// tolerate raises the threshold of the standing queue above the present one:
// sending less has not emptied it, so it is another's.
func (t *trend) tolerate() {
	t.standing = min(max(t.standing, t.low*tolerated), mostStanding)
}

// forget starts over from a new base.
func (t *trend) forget() {
	t.low, t.recent, t.level, t.lowMean, t.deviation = 0, 0, 0, 0, 0
	t.standing, t.floor = leastStanding, mostStanding
}
