// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// errShape is the sentinel of settings that cannot be.
var errShape = errors.New("bad setting")

// Shape is what one direction does to packets. The zero value does nothing.
//
// A packet that comes in is lost, or passes, perhaps twice; it then waits for
// the rate limit and, served by it, is delayed.
type Shape struct {
	// Delay is the one-way delay; Jitter adds a time drawn evenly from
	// [-Jitter, +Jitter], but no total below zero.
	Delay, Jitter time.Duration
	// Free draws jitter for each packet by itself, so that packets overtake
	// each other. Otherwise the order stays, and a draw holds for Hold (twice
	// Jitter if zero): the delay moves in steps, as on a radio link.
	Free bool
	Hold time.Duration
	// Loss is the share of lost packets, 0…1. Burst is the mean number of
	// packets lost in a row (Gilbert's model); up to 1 means by themselves.
	Loss, Burst float64
	// Elliott replaces Loss and Burst by the model with four parameters.
	Elliott *Elliott
	// Reorder is the share of packets that are ReorderBy later than the others.
	Reorder   float64
	ReorderBy time.Duration
	// Duplicate is the share of packets that arrive twice.
	Duplicate float64
	// Rate is the limit in bit/s, counting whole IP packets; 0 is none. Packets
	// that find more than Queue of waiting time, or more than QueueBytes,
	// before them are dropped. A new limit cuts the tail of the queue.
	Rate       float64
	Queue      time.Duration
	QueueBytes int
	// Cut drops everything, also what is under way.
	Cut bool
}

// Elliott has the probabilities of the Gilbert-Elliott model, 0…1 for each
// packet: to turn bad, to turn good again, and to be lost in either state.
type Elliott struct{ Bad, Good, LossBad, LossGood float64 }

// defaultQueue is the queue of a rate limit that names none.
const defaultQueue = 300 * time.Millisecond

// settings is what the words of a command change; units are ms (or a Go
// duration), percent, kbit/s and bytes.
var settings = map[string]func(s *Shape, v string) error{
	"delay":     func(s *Shape, v string) error { return duration(&s.Delay, v) },
	"jitter":    func(s *Shape, v string) error { return duration(&s.Jitter, v) },
	"hold":      func(s *Shape, v string) error { return duration(&s.Hold, v) },
	"reorderby": func(s *Shape, v string) error { return duration(&s.ReorderBy, v) },
	"queue":     func(s *Shape, v string) error { return duration(&s.Queue, v) },
	"loss":      func(s *Shape, v string) error { s.Elliott = nil; return percent(&s.Loss, v) },
	"reorder":   func(s *Shape, v string) error { return percent(&s.Reorder, v) },
	"duplicate": func(s *Shape, v string) error { return percent(&s.Duplicate, v) },
	"burst":     func(s *Shape, v string) error { return number(&s.Burst, v) },
	"ge":        setElliott,
	"order": func(s *Shape, v string) error {
		s.Free = v == "free"
		if v != "free" && v != "kept" {
			return fmt.Errorf("%w: order is free or kept", errShape)
		}
		return nil
	},
	"rate": func(s *Shape, v string) error {
		if err := number(&s.Rate, v); err != nil {
			return err
		}
		s.Rate *= 1000
		return nil
	},
	"queuebytes": func(s *Shape, v string) error {
		var n float64
		if err := number(&n, v); err != nil {
			return err
		}
		s.QueueBytes = int(n)
		return nil
	},
	"cut": func(s *Shape, v string) error {
		s.Cut = v == "on"
		if v != "on" && v != "off" {
			return fmt.Errorf("%w: cut is on or off", errShape)
		}
		return nil
	},
}

// With returns s changed by words like "loss=3".
func (s Shape) With(words []string) (Shape, error) {
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		set := settings[key]
		if set == nil {
			return s, fmt.Errorf("%w: nothing is called %q", errShape, key)
		}
		if err := set(&s, value); err != nil {
			return s, fmt.Errorf("%s: %w", key, err)
		}
	}
	if s.Burst > 1 && s.Loss/(s.Burst*(1-s.Loss)) > 1 {
		return s, fmt.Errorf("%w: so much loss needs longer bursts", errShape)
	}
	return s, nil
}

// model returns the loss model in its general form.
func (s Shape) model() Elliott {
	switch {
	case s.Elliott != nil:
		return *s.Elliott
	case s.Burst > 1 && s.Loss < 1:
		good := 1 / s.Burst
		return Elliott{Bad: good * s.Loss / (1 - s.Loss), Good: good, LossBad: 1}
	default:
		return Elliott{LossGood: s.Loss, LossBad: s.Loss, Good: 1}
	}
}

func (s Shape) queue() time.Duration {
	if s.Queue == 0 && s.QueueBytes == 0 {
		return defaultQueue
	}
	return s.Queue
}

func (s Shape) hold() time.Duration {
	if s.Hold == 0 {
		return 2 * s.Jitter
	}
	return s.Hold
}

func setElliott(s *Shape, v string) error {
	e := Elliott{LossBad: 1}
	into := []*float64{&e.Bad, &e.Good, &e.LossBad, &e.LossGood}
	parts := strings.Split(v, ",")
	if len(parts) < 2 || len(parts) > len(into) {
		return fmt.Errorf("%w: wants bad,good[,loss in bad[,loss in good]]", errShape)
	}
	for i, p := range parts {
		if err := percent(into[i], p); err != nil {
			return err
		}
	}
	s.Elliott = &e
	return nil
}

func duration(into *time.Duration, v string) error {
	if n, err := strconv.ParseFloat(v, 64); err == nil {
		v = strconv.FormatFloat(n, 'f', -1, 64) + "ms"
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > time.Minute {
		return fmt.Errorf("%w: %q is no time up to a minute", errShape, v)
	}
	*into = d
	return nil
}

func percent(into *float64, v string) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64)
	if err != nil || !(n >= 0 && n <= 100) {
		return fmt.Errorf("%w: %q is no percentage", errShape, v)
	}
	*into = n / 100
	return nil
}

func number(into *float64, v string) error {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= 0 && n <= 1e9) {
		return fmt.Errorf("%w: %q is no number from 0 to a billion", errShape, v)
	}
	*into = n
	return nil
}
