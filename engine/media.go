// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/port"
	"github.com/caddy-videoroom/videoroom/room"
	"github.com/caddy-videoroom/videoroom/sfu"
)

// plane is the media plane of package sfu in the shape that rooms want.
type plane struct {
	*sfu.Plane
	tcp *port.ICEListener // nil without a port of our own, or a hub
}

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
	conf := sfu.PlaneConfig{Port: o.MediaPort, PublicIPs: o.PublicIPs, Log: log}
	if o.MediaPort == config.SitePort {
		conf.Port = sfu.NoPort
	}
	var r *reachable
	if o.Hub != nil {
		r = &reachable{hub: o.Hub}
		conf.Reach = r.reach
	}
	p, err := sfu.NewPlane(conf)
	if err != nil {
		return nil, fmt.Errorf("starting the media plane: %w", err)
	}
	if conf.Port == sfu.NoPort || r == nil {
		return plane{Plane: p}, nil
	}
	tcp, err := o.Hub.ListenICE(netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(p.Port())))
	if err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("starting the media plane: port %d: %w", p.Port(), err)
	}
	r.own.Store(tcp)
	return plane{Plane: p, tcp: tcp}, nil
}

// Close ends the plane and closes its port.
func (p plane) Close() error {
	var err error
	if p.tcp != nil {
		err = p.tcp.Close()
	}
	return errors.Join(err, p.Plane.Close())
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
