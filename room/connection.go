// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"context"
	"fmt"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu"
)

// Connection is what the media plane knows of one participant's path, for the eyes
// of that participant alone.
type Connection struct {
	sfu.Report
	// Tracks tells whose the received tracks of the report are, by sid.
	Tracks map[string]TrackOwner
}

// TrackOwner is who publishes a track.
type TrackOwner struct {
	Identity string
	Source   Source
}

// Connection describes the media path of a participant. It belongs to whoever
// holds the participant's token, and is told twice a second at most. Errors wrap
// ErrUnknownParticipant, ErrRevoked, ErrBusy or ctx's error.
func (d *Directory) Connection(ctx context.Context, q Resume) (Connection, error) {
	r := d.Find(q.Key)
	if r == nil {
		return Connection{}, fmt.Errorf("describing a connection: %w", ErrUnknownParticipant)
	}
	told := make(chan sfu.Report, 1)
	tracks, err := ask(ctx, r, func() (map[string]TrackOwner, error) { return r.report(q, told) })
	if err != nil {
		return Connection{}, fmt.Errorf("describing a connection: %w", err)
	}
	select {
	case report := <-told:
		return Connection{Report: report, Tracks: tracks}, nil
	case <-ctx.Done():
		return Connection{}, fmt.Errorf("describing a connection: %w", ctx.Err())
	}
}

// report asks the media plane, and tells whose tracks the participant receives.
func (r *Room) report(q Resume, told chan<- sfu.Report) (map[string]TrackOwner, error) {
	p := r.members[q.Identity]
	switch {
	case r.dir.revoked.covers(r.key, q.Identity, q.TokenID, q.IssuedAt):
		return nil, ErrRevoked
	case p == nil || p.broken:
		return nil, ErrUnknownParticipant
	case time.Since(p.reportedAt) < reportPause:
		return nil, ErrBusy
	}
	p.reportedAt = time.Now()
	p.peer.Report(func(report sfu.Report) { told <- report })
	tracks := make(map[string]TrackOwner)
	for sid, s := range p.subs {
		if s.active {
			tracks[sid] = TrackOwner{Identity: s.track.owner.identity, Source: s.track.info.Source}
		}
	}
	return tracks, nil
}
