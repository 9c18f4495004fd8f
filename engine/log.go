// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// currentLog is a slog.Handler that passes records to the log of the
// configuration in force, so that nothing long-lived holds on to an old one.
type currentLog struct {
	to   *atomic.Pointer[slog.Handler]
	with func(slog.Handler) slog.Handler
}

func newCurrentLog(l *slog.Logger) *currentLog {
	c := &currentLog{to: new(atomic.Pointer[slog.Handler]), with: func(h slog.Handler) slog.Handler { return h }}
	c.use(l)
	return c
}

// use makes l the log; nil discards.
func (c *currentLog) use(l *slog.Logger) {
	h := slog.DiscardHandler
	if l != nil {
		h = l.Handler()
	}
	c.to.Store(&h)
}

func (c *currentLog) logger() *slog.Logger { return slog.New(c) }

// Enabled implements slog.Handler.
func (c *currentLog) Enabled(ctx context.Context, l slog.Level) bool {
	return (*c.to.Load()).Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (c *currentLog) Handle(ctx context.Context, r slog.Record) error {
	return c.with(*c.to.Load()).Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (c *currentLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &currentLog{c.to, func(h slog.Handler) slog.Handler { return c.with(h).WithAttrs(attrs) }}
}

// WithGroup implements slog.Handler.
func (c *currentLog) WithGroup(name string) slog.Handler {
	return &currentLog{c.to, func(h slog.Handler) slog.Handler { return c.with(h).WithGroup(name) }}
}
