// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package allocation

// Tuning holds the constants of the decision. Durations are in nanoseconds,
// shares in percent. The zero value of a State uses Defaults.
type Tuning struct {
	// UpMargin: a step up needs a budget of this share of the total after it.
	UpMargin uint64
	// UpHold is how long the budget must have been that high.
	UpHold int64
	// FloorStart is the share of the budget that the lowest layer of the first
	// track may take to begin, and FloorGrace what it may take once it is being
	// sent.
	FloorStart, FloorGrace uint64
	// RankHold is how long a speaker rank must differ before it counts.
	RankHold int64
	// FailWithin: a step down so soon after a step up means that it failed.
	FailWithin int64
	// Collapse: a budget below this share of the total before a step up is a path
	// that has changed, and no failure of the step. Ruin: one below this share of
	// what was sent probably is. Pardon is how long after a failure that may still
	// turn out.
	Collapse, Ruin uint64
	Pardon         int64
	// Backoff is how long no step up is made after the first failure. It doubles
	// with each further one up to BackoffMax. A step up that lasts BackoffMax
	// makes earlier failures forgotten.
	Backoff, BackoffMax int64
}

const second = int64(1e9)

// Defaults are the values for browsers on the open internet.
var Defaults = Tuning{
	UpMargin:   115,
	UpHold:     second,
	FloorStart: 115,
	FloorGrace: 130,
	RankHold:   second,
	FailWithin: 5 * second,
	Collapse:   60,
	Ruin:       35,
	Pardon:     3 * second,
	Backoff:    5 * second,
	BackoffMax: 20 * second,
}
