// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import "reflect"

// Reasons of a RequestResponse, as on the wire.
const (
	refusedNotFound    int32 = 1
	refusedNotAllowed  int32 = 2
	refusedLimit       int32 = 3
	refusedUnsupported int32 = 5
	refusedFailure     int32 = 6
)

type handler func(*Room, *participant, Request)

// on makes a handler of a typed method.
func on[T Request](f func(*Room, *participant, T)) (reflect.Type, handler) {
	return reflect.TypeFor[T](), func(r *Room, p *participant, req Request) { f(r, p, req.(T)) }
}

// handlers has one entry for every type of Request.
var handlers = func() map[reflect.Type]handler {
	table := make(map[reflect.Type]handler)
	put := func(t reflect.Type, h handler) { table[t] = h }
	put(on((*Room).offer))
	put(on((*Room).reply))
	put(on((*Room).trickle))
	put(on((*Room).addTrack))
	put(on((*Room).mute))
	put(on((*Room).subscription))
	put(on((*Room).trackSettings))
	put(on((*Room).receiveLimit))
	put(on((*Room).subscriptionRights))
	put(on((*Room).syncState))
	put(on((*Room).updateSelf))
	put(on((*Room).updateAudio))
	put(on((*Room).updateVideo))
	put(on((*Room).bye))
	put(on((*Room).gone))
	put(on((*Room).unsupported))
	return table
}()

// handle carries out a request, unless its connection has been replaced or
// ended meanwhile.
func (r *Room) handle(s *session, req Request) {
	if s.p.session != s {
		return
	}
	if h := handlers[reflect.TypeOf(req)]; h != nil {
		h(r, s.p, req)
	}
}

// refuse answers a request that is not served. text is for developers and
// names nobody.
func (r *Room) refuse(p *participant, id uint32, reason int32, text string, req Request) {
	r.send(p, RequestResponse{RequestID: id, Reason: reason, Text: text, Request: req})
}

// bye removes a participant who leaves. The reason others are told is ours:
// the client's own word could pretend a removal.
func (r *Room) bye(p *participant, _ Bye) {
	r.hangUp(p)
	r.remove(p, ReasonClientInitiated)
}

// gone shortens how long the place is kept once the connection has ended.
func (r *Room) gone(p *participant, _ Gone) { p.session.gone = true }

func (r *Room) unsupported(p *participant, req Unsupported) {
	r.refuse(p, req.RequestID, refusedNotAllowed, req.What+" is not supported", req)
}

// trickle counts candidates: an ICE-lite server answers checks wherever they
// come from, and needs none of them.
func (r *Room) trickle(p *participant, req Trickle) {
	p.candidates++
	if p.candidates == maxCandidates+1 {
		r.refuse(p, 0, refusedLimit, "too many candidates", req)
	}
}

// updateSelf changes what a participant tells of itself. Empty name and
// metadata mean no change; an empty attribute is deleted. The update that
// everybody gets, oneself included, is the confirmation.
func (r *Room) updateSelf(p *participant, req UpdateSelf) {
	if !p.perm.UpdateMetadata {
		r.refuse(p, req.RequestID, refusedNotAllowed, "no permission to update own metadata", req)
		return
	}
	if !validName(req.Name) {
		r.refuse(p, req.RequestID, refusedLimit, "name is too long or has control characters", req)
		return
	}
	if r.describe(p, req.Name, req.Metadata, req.Attributes) != nil {
		r.refuse(p, req.RequestID, refusedLimit, "name, metadata and attributes exceed 8 KiB", req)
	}
}

// describe changes what is told of p, or nothing when that exceeds the limit.
func (r *Room) describe(p *participant, name, metadata string, attributes map[string]string) error {
	if name == "" {
		name = p.name
	}
	if metadata == "" {
		metadata = p.metadata
	}
	merged := make(map[string]string, len(p.attributes)+len(attributes))
	for _, m := range []map[string]string{p.attributes, attributes} {
		for k, v := range m {
			if v == "" {
				delete(merged, k)
			} else {
				merged[k] = v
			}
		}
	}
	if tooLarge(name, metadata, merged) {
		return ErrTooLarge
	}
	p.name, p.metadata, p.attributes = name, metadata, merged
	r.changed(p)
	r.emit(Event{Kind: EventParticipantChanged, Participant: p.info()})
	return nil
}
