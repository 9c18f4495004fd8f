// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
)

// stopping handles Caddy's event of the same name, which comes before the
// apps are stopped. Nothing in Caddy waits for WebSockets, so that here is the
// last moment to tell clients.
type stopping struct{ app *App }

// Handle tells every client to come back when the process ends, within
// drainTime. A reload is none of the clients' business.
func (s stopping) Handle(ctx context.Context, _ caddy.Event) error {
	if !caddy.Exiting() {
		return nil
	}
	if e := s.app.engine.Load(); e != nil {
		ctx, cancel := context.WithTimeout(ctx, drainTime)
		defer cancel()
		e.Drain(ctx)
	}
	return nil
}

// Interface guard
var _ caddyevents.Handler = stopping{}
