// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package circle

import "time"

// seat is one page that has said hello. It is a candidate until it is in a
// roster.
type seat struct {
	Hello
	secret string
	// told is the first host as the page knows it; zero: none, or it is it.
	told PID
	// admit is the word of the host who lets it in; nil: none yet.
	admit  *Admit
	member bool
	gone   bool

	// line is the connection; nil while it is cut, which is since cut.
	line *Line
	cut  time.Time

	// out is what the page has not confirmed, the last of it number given.
	out   []outgoing
	size  int
	given uint64
	// heard is the number of the last frame that came from the page.
	heard uint64
	// full tells that more is due to it than is kept.
	full bool

	// ask tells that the list of candidates has changed since asked; asking
	// counts the lists in out.
	ask    bool
	asked  time.Time
	asking int
}

// outgoing is a numbered frame that is kept until it is confirmed. Lists of
// candidates are not kept: they are written as they are when they are sent.
type outgoing struct {
	kind   Kind
	data   []byte
	people []Person
	host   PID
	at     time.Time
}

// overhead is what a kept frame counts beside its data.
const overhead = 128

func (o *outgoing) size() int { return len(o.data) + overhead*(1+len(o.people)) }

func (s *seat) host() bool { return s.member && s.admit.Role == RoleHost }

// joining tells that only the next epoch is missing.
func (s *seat) joining() bool { return !s.member && s.admit != nil }

// push queues a frame. Whoever does not take enough of them leaves.
func (s *seat) push(o outgoing, l *Limits) {
	s.given++
	s.out = append(s.out, o)
	s.size += o.size()
	if o.kind == Asking {
		s.asking++
	}
	s.full = s.full || s.size > l.Octets || len(s.out) > l.Frames
	s.wake()
}

// confirm forgets what the page has.
func (s *seat) confirm(got uint64) {
	for s.given-uint64(len(s.out)) < got {
		if s.out[0].kind == Asking {
			s.asking--
		}
		s.size -= s.out[0].size()
		s.out[0] = outgoing{}
		s.out = s.out[1:]
	}
}

// late tells that the page is cut off or has let a frame wait for too long.
func (s *seat) late(now time.Time, most time.Duration) bool {
	return s.line == nil || len(s.out) > 0 && now.Sub(s.out[0].at) >= most
}

func (s *seat) wake() {
	if s.line != nil {
		s.line.signal()
	}
}

// end ends the connection, for this reason.
func (s *seat) end(why End) {
	if s.line != nil {
		s.line.end = why
		s.line.signal()
		s.line = nil
	}
}

// Line is one connection of a page. It belongs to the circle that made it.
type Line struct {
	circle *Circle
	seat   *seat
	// wake gets a value, without ever being waited for, when there is something
	// to take.
	wake     chan<- struct{}
	end      End
	welcomed bool
	acked    uint64
	sent     uint64
}

func (l *Line) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// End is why a connection ends.
type End uint8

// The ends.
const (
	// Running: it does not.
	Running End = iota
	// Left: the page said so, or another one took its place.
	Left
	// Restart: the page begins anew, with a new knock.
	Restart
	// Removed: the host sent the person away.
	Removed
	// Closed: the room has ended.
	Closed
)

// Kind is what a frame is.
type Kind uint8

// The kinds of frames to pages.
const (
	Welcome Kind = iota
	Ack
	Roster
	Message
	Asking
)

// Frame is one frame to a page. Slices are not to be changed.
type Frame struct {
	Kind Kind
	// N numbers rosters, messages and lists; in an ack it is the number of the
	// page's frame.
	N uint64
	// Data is the octets of a roster or a message.
	Data []byte
	// People are those in a roster.
	People []Person
	// List is who asks to be let in.
	List []Candidate
	// Circle, Resume, PID and Identity are told with a welcome. Host is the first
	// host, with rosters too; in a welcome it is zero where there is none yet, or
	// where the page is it.
	Circle, Resume, Identity string
	PID, Host                PID
}

// Person is somebody in a roster.
type Person struct {
	PID      PID
	Identity string
	Host     bool
}

// Candidate is somebody who asks a host to be let in.
type Candidate struct {
	PID           PID
	Identity, Key string
	Knock         *Knock
	Proof         []byte
	MayHost       bool
}
