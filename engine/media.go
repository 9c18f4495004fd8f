// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"log/slog"
	"math"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/sfu"
)

// plane is the media plane of package sfu in the shape that rooms want.
type plane struct{ *sfu.Plane }

// planeRoom is a room of it.
type planeRoom struct{ *sfu.Room }

var (
	_ Media          = plane{}
	_ room.MediaRoom = planeRoom{}
	_ room.Peer      = (*sfu.Peer)(nil)
)

func openPlane(o Options, log *slog.Logger) (Media, error) {
	if o.MediaPort < 0 || o.MediaPort > math.MaxUint16 {
		return nil, fmt.Errorf("starting the media plane: %d is no port", o.MediaPort)
	}
	at := o.MediaPort
	if at == config.SitePort {
		at = sfu.NoPort
	}
	p, err := sfu.NewPlane(sfu.PlaneConfig{Port: at, PublicIPs: o.PublicIPs, Log: log, Reach: reach(o.Hub)})
	if err != nil {
		return nil, fmt.Errorf("starting the media plane: %w", err)
	}
	return plane{p}, nil
}

// NewRoom implements room.Media.
func (p plane) NewRoom(e sfu.RoomEvents) room.MediaRoom { return planeRoom{p.Plane.NewRoom(e)} }

// NewPeer implements room.MediaRoom.
func (r planeRoom) NewPeer(c sfu.PeerConfig, e sfu.PeerEvents) (room.Peer, error) {
	p, err := r.Room.NewPeer(c, e)
	if err != nil {
		return nil, err // and not a nil *sfu.Peer, which would pass for a peer
	}
	return p, nil
}
