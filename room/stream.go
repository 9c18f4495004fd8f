// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import "github.com/caddy-videoroom/videoroom/sfu"

// Participants are told which pictures their path does not carry at the moment,
// so that they see a word instead of a frozen picture.

// streamStates takes what the media plane tells of pictures that n.p receives.
func (r *Room) streamStates(n news) {
	for sid, paused := range n.paused {
		s := n.p.subs[sid]
		if s == nil || !s.active || s.paused == paused {
			continue
		}
		s.paused = paused
		r.watch(s.track)
		if s.begun {
			r.tellStream(n.p, s)
		}
	}
}

// tellStream tells q whether a picture is paused.
func (r *Room) tellStream(q *participant, s *subscription) {
	if !q.allowPause {
		return
	}
	s.toldPaused = s.toldPaused || s.paused
	r.send(q, StreamState{ParticipantSID: s.track.owner.sid, TrackSID: s.track.info.SID, Paused: s.paused})
}

// seatStreams begins with the pictures that have found their section in an
// answer. Clients do not heed the state of a picture before they have applied
// that answer, so that it is told a little later.
func (r *Room) seatStreams(q *participant, midToTrack map[string]string) {
	for _, sid := range midToTrack {
		s := q.subs[sid]
		if s == nil || !s.active || s.begun || s.beginTask != nil || s.track.info.Kind != sfu.Video {
			continue
		}
		s.beginTask = r.agenda.after(streamSettle, func() {
			s.beginTask, s.begun = nil, true
			if s.paused || s.toldPaused {
				r.tellStream(q, s)
			}
		})
	}
}

// retellStreams tells a resumed participant of every picture that was ever
// paused: the last word may have been lost with the connection.
func (r *Room) retellStreams(q *participant) {
	for _, o := range r.order {
		for _, t := range o.tracks {
			if s := q.subs[t.info.SID]; s != nil && s.begun && (s.paused || s.toldPaused) {
				r.tellStream(q, s)
			}
		}
	}
}

// forgetStream forgets the state of a picture that q no longer receives, also
// what is on its way from the media plane.
func (r *Room) forgetStream(q *participant, s *subscription) {
	r.agenda.cancel(s.beginTask)
	s.beginTask, s.begun, s.paused = nil, false, false
	r.mail.forgetPaused(q.in, s.track.info.SID)
}
