// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package signaling

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
	"sync/atomic"
)

// DefaultCodecs is what clients may publish unless Options says otherwise. A
// client that wants another video codec takes the first of these.
var DefaultCodecs = []string{"audio/opus", "video/VP8", "video/H264", "video/VP9"}

// Options configure a Server.
type Options struct {
	// Rooms takes the participants. Required.
	Rooms Rooms
	// Log receives defects of this process: never what clients do, and never
	// who they are. nil discards.
	Log *slog.Logger
	// Node names this process to clients; "" makes up a random name.
	Node string
	// Codecs lists the MIME types that clients may publish; nil means
	// DefaultCodecs. The first "video/…" replaces what a client must not use.
	Codecs []string
}

// Server takes signaling connections and owns them until they end.
type Server struct {
	rooms    Rooms
	log      *slog.Logger
	greeting greeting
	timing   timing
	clients  *clients
	counters counters

	ctx    context.Context // ends every session at once
	cancel context.CancelFunc

	mu       sync.Mutex
	closing  bool
	sessions map[*session]struct{}
	running  sync.WaitGroup // one for each place in sessions
}

// Stats counts connections. All but Sessions count since start.
type Stats struct {
	// Sessions are open now.
	Sessions int
	// Opened sessions, and calls Refused before they became one.
	Opened, Refused uint64
	// Sessions that ended because the client read too slowly (Slow), sent what
	// does not decode (Malformed) or exceeds a limit (Limited), was silent
	// (Silent), or met a defect (Failed).
	Slow, Malformed, Limited, Silent, Failed uint64
}

type counters struct {
	opened, refused, slow, malformed, limited, silent, failed atomic.Uint64
}

// New makes a Server. It starts nothing.
func New(o Options) *Server {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	node := o.Node
	if node == "" {
		var b [6]byte
		_, _ = rand.Read(b[:]) // never fails
		node = "ND_" + hex.EncodeToString(b[:])
	}
	codecs := o.Codecs
	if codecs == nil {
		codecs = DefaultCodecs
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Server{
		rooms:    o.Rooms,
		log:      log,
		greeting: greeting{node: node, codecs: codecs},
		timing:   defaultTiming(),
		clients:  newClients(),
		ctx:      ctx,
		cancel:   cancel,
		sessions: make(map[*session]struct{}),
	}
}

// Close takes no more connections, tells every client to come back (Leave,
// then close code 1012) and returns when all have ended. When ctx ends first,
// what is left is cut. The error is ctx's in that case.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	open := make([]*session, 0, len(s.sessions))
	for c := range s.sessions {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		c.restart()
	}

	ended := make(chan struct{})
	go func() { // ends with the last session, which cancel ends below
		s.running.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.cancel()
	<-ended
	return err
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	open := len(s.sessions)
	s.mu.Unlock()
	return Stats{
		Sessions:  open,
		Opened:    s.counters.opened.Load(),
		Refused:   s.counters.refused.Load(),
		Slow:      s.counters.slow.Load(),
		Malformed: s.counters.malformed.Load(),
		Limited:   s.counters.limited.Load(),
		Silent:    s.counters.silent.Load(),
		Failed:    s.counters.failed.Load(),
	}
}

// enter takes a session among those that Close waits for. It returns false
// when the server is closing.
func (s *Server) enter(c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.sessions[c] = struct{}{}
	s.running.Add(1)
	return true
}

// leave undoes enter.
func (s *Server) leave(c *session) {
	s.mu.Lock()
	delete(s.sessions, c)
	s.mu.Unlock()
	s.running.Done()
}
