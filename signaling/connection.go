// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/caddy-videoroom/videoroom/room"
)

// connectionReport is what a participant is told of the own media path. Losses are
// shares from 0 to 1, times in milliseconds, rates in bit/s.
type connectionReport struct {
	Route    string        `json:"route"`
	RTT      float64       `json:"rtt_ms"`
	Up       wayReport     `json:"up"`
	Down     wayReport     `json:"down"`
	Capacity uint32        `json:"capacity"`
	Limit    uint32        `json:"limit"`
	Sent     []trackReport `json:"sent"`
	Received []trackReport `json:"received"`
}

type wayReport struct {
	Loss   float64 `json:"loss"`
	Jitter float64 `json:"jitter_ms"`
}

type trackReport struct {
	SID      string  `json:"sid"`
	Identity string  `json:"identity,omitempty"`
	Source   string  `json:"source,omitempty"`
	Bytes    uint64  `json:"bytes"`
	Loss     float64 `json:"loss"`
	Layer    *int    `json:"layer,omitempty"`
	Layers   int     `json:"layers,omitempty"`
	Width    uint32  `json:"width,omitempty"`
	Height   uint32  `json:"height,omitempty"`
	Halted   string  `json:"halted,omitempty"`
}

// sources are the names of sources in reports.
var sources = map[room.Source]string{
	room.SourceCamera: "camera", room.SourceMicrophone: "microphone",
	room.SourceScreen: "screen", room.SourceScreenAudio: "screen_audio",
}

var (
	refuseOften = refusal{http.StatusTooManyRequests, "twice a second is enough"}
	refusePost  = refusal{http.StatusMethodNotAllowed, "only POST is served here"}
)

// connection tells the holder of a token about their own media path. It is asked
// while somebody looks at it, and no client needs it. The token comes in the body:
// the header may hold what lets a page through a site's own authentication.
func (s *Server) connection(w http.ResponseWriter, r *http.Request, c *Call) {
	if r.Method != http.MethodPost {
		s.refuse(w, refusePost)
		return
	}
	var ask struct {
		Token string `json:"token"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, 2*maxToken)).Decode(&ask) != nil || ask.Token == "" {
		s.refuse(w, refuseNoToken)
		return
	}
	grant, err := verify(c.Tokens, ask.Token)
	if err != nil {
		if !s.clients.failed(c.Client, time.Now()) {
			s.refuse(w, refuseTooMany)
			return
		}
		s.refuse(w, outcomeOf(err).refusal)
		return
	}
	if !mayConnect(r, c, &grant) {
		s.refuse(w, refuseOrigin)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.timing.join)
	defer cancel()
	got, err := s.rooms.Connection(ctx, room.Resume{
		Key: grant.Key, Identity: grant.Identity, TokenID: grant.TokenID, IssuedAt: grant.IssuedAt,
	})
	switch {
	case errors.Is(err, room.ErrBusy):
		s.refuse(w, refuseOften)
	case err != nil:
		s.refuse(w, outcomeOf(err).refusal)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reportOf(&got))
	}
}

func reportOf(c *room.Connection) connectionReport {
	out := connectionReport{
		Route: string(c.Route), RTT: milliseconds(c.RTT),
		Up:       wayReport{c.Up.Loss, milliseconds(c.Up.Jitter)},
		Down:     wayReport{c.Down.Loss, milliseconds(c.Down.Jitter)},
		Capacity: c.Capacity, Limit: c.Limit,
		Sent: []trackReport{}, Received: []trackReport{},
	}
	for i := range c.Sent {
		t := &c.Sent[i]
		out.Sent = append(out.Sent, trackReport{SID: t.SID, Bytes: t.Bytes, Loss: t.Loss, Layers: t.Layers})
	}
	for i := range c.Received {
		t := &c.Received[i]
		owner, ok := c.Tracks[t.SID]
		if !ok {
			continue // it has just ended
		}
		r := trackReport{
			SID: t.SID, Identity: owner.Identity, Source: sources[owner.Source], Bytes: t.Bytes, Loss: t.Loss,
			Layers: t.Layers, Width: t.Width, Height: t.Height, Halted: string(t.Halted),
		}
		if t.Layer >= 0 {
			r.Layer = &t.Layer
		}
		out.Received = append(out.Received, r)
	}
	for _, list := range [][]trackReport{out.Sent, out.Received} {
		slices.SortFunc(list, func(a, b trackReport) int { return cmp.Compare(a.SID, b.SID) })
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
