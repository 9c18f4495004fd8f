// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package room

import "time"

// Clients notice a dead media path late: only when their own ICE agent gives up,
// after 15 s and more. The media plane knows within two seconds, and the
// signaling connection often still works (a network has begun to drop UDP, or
// has moved on to another NAT). So the client is told to resume, and begins an
// ICE restart at once.

// silent takes note that p's media path is dead.
func (r *Room) silent(p *participant) {
	if p.session == nil || p.state < StateActive {
		return // it comes back with an ICE restart, or has never been connected
	}
	if since := time.Since(p.nudgedAt); since > nudgeMemory {
		p.nudgeWait = 0
	} else if since < p.nudgeWait {
		p.nudgeTask = r.agenda.after(p.nudgeWait-since, func() { r.nudge(p) })
		return
	}
	r.nudge(p)
}

// nudge has p resume. The place is kept as after a cut connection.
func (r *Room) nudge(p *participant) {
	if p.session == nil {
		return
	}
	p.nudgedAt = time.Now()
	p.nudgeWait = min(max(2*p.nudgeWait, minNudgeWait), maxNudgeWait)
	r.send(p, Leave{ReasonUnknown, ActionResume})
	r.hangUp(p)
}
