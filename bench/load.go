// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/caddy-videoroom/videoroom/check/client"
)

// lateLimit is how long a late joiner waits for the first picture.
const lateLimit = 15 * time.Second

// repairTime is how long what is missing when the window ends may still come.
const repairTime = 500 * time.Millisecond

// outcome is what one load measured, from the subscribers' side.
type outcome struct {
	Packets   uint64    `json:"packets"`    // reached subscribers in the window, each counted once
	Expected  float64   `json:"expected"`   // would have, had everybody got all that is shown
	Repeated  uint64    `json:"repeated"`   // came again: probes and needless repairs
	Lost      uint64    `json:"lost"`       // sequence numbers never seen
	P50Micros float64   `json:"p50_us"`     // one way, publisher's write to subscriber's read
	P95Micros float64   `json:"p95_us"`     //
	P99Micros float64   `json:"p99_us"`     //
	Late      []float64 `json:"late"`       // ms from dial to first whole picture (sound without video), one per late joiner
	Seconds   float64   `json:"seconds"`    // the window
	OwnCPU    float64   `json:"own_cpu"`    // of the load itself, in cores
	ServerCPU float64   `json:"server_cpu"` // seconds of the server in the window
	PeakRSS   int64     `json:"peak_rss"`   // bytes, of the server
	Dropped   int       `json:"dropped"`    // datagrams that the load's own sockets had no room for
}

// load runs one scenario against one server.
type load struct {
	s        scenario
	dial     dialer
	feedback bool
	m        meters
	started  atomic.Int64 // subscriptions that have received something
	stop     chan struct{}
	during   func() // runs beside the window, nil for nothing
	wg       sync.WaitGroup

	mu      sync.Mutex
	clients []*client.Client
	cameras map[string]*video // by the server's id of the track
	large   map[string]bool   // tracks that everybody sees large
	subs    []*subscription
}

func loadCommand(args []string) error {
	fs := flag.NewFlagSet("load", flag.ExitOnError)
	name := fs.String("scenario", "calls", "one of the scenarios")
	url := fs.String("url", "http://127.0.0.1:7880", "the server's address")
	key := fs.String("key", "devkey", "API key")
	secret := fs.String("secret", "secret", "API secret")
	warm := fs.Duration("warm", 8*time.Second, "how long everything runs before")
	window := fs.Duration("window", 8*time.Second, "how long to measure")
	feedback := fs.Bool("feedback", true, "report on each packet, as browsers do")
	simulcast := fs.Bool("simulcast", true, "several layers per camera, as browsers send them")
	profile := fs.String("profile", "", "directory for profiles of videoroom")
	pid := fs.Int("pid", 0, "the server's process, to measure")
	_ = fs.Parse(args)
	s, ok := scenarios[*name]
	if !ok {
		return fmt.Errorf("unknown scenario %q, known: %v", *name, scenarioNames())
	}
	if !*simulcast {
		s = s.plain()
	}
	l := &load{
		s: s, feedback: *feedback, dial: dialer{url: *url, key: *key, secret: *secret}, stop: make(chan struct{}),
		cameras: make(map[string]*video), large: make(map[string]bool),
	}
	if *profile != "" {
		l.during = func() { takeProfiles(*profile, s.name, *window) }
	}
	out, err := l.run(*warm, *window, *pid)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func (l *load) run(warm, window time.Duration, pid int) (*outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	defer l.close()
	if err := l.join(ctx); err != nil {
		return nil, err
	}
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	time.Sleep(warm)
	runtime.GC()
	dropped := socketDrops()
	server0, own0, begin := cpuSeconds(pid), cpuSeconds(os.Getpid()), time.Now()
	l.eachSubscription((*subscription).restart)
	l.m.open.Store(true)
	if l.during != nil {
		l.goOn(l.during)
	}
	time.Sleep(window)
	l.m.open.Store(false)
	took := time.Since(begin).Seconds()
	out := &outcome{
		Packets: l.m.packets.Load(), Expected: l.s.expected() * took, Repeated: l.m.repeated.Load(),
		P50Micros: l.m.quantile(0.5), P95Micros: l.m.quantile(0.95), P99Micros: l.m.quantile(0.99), Seconds: took,
		ServerCPU: cpuSeconds(pid) - server0, OwnCPU: (cpuSeconds(os.Getpid()) - own0) / took, PeakRSS: peakRSS(pid),
	}
	l.eachSubscription((*subscription).freeze)
	time.Sleep(repairTime)
	l.eachSubscription(func(s *subscription) { out.Lost += s.lost() })
	out.Dropped = socketDrops() - dropped
	for range l.s.late {
		ms, err := l.joinLate(ctx)
		if err != nil {
			return nil, err
		}
		out.Late = append(out.Late, ms)
	}
	return out, nil
}

func (l *load) join(ctx context.Context) error {
	for r := range l.s.rooms {
		room := fmt.Sprintf("bench-%d", r)
		for p := range l.s.participants {
			c, err := l.connect(ctx, room, fmt.Sprintf("p%d", p), nil)
			if err != nil {
				return fmt.Errorf("participant %d of room %d: %w", p, r, err)
			}
			if p < l.s.publishers {
				if err := l.publish(ctx, c, p); err != nil {
					return fmt.Errorf("publishing: %w", err)
				}
			}
			time.Sleep(30 * time.Millisecond)
		}
	}
	return nil
}

// settleTime is how long streams may take to begin, and fewStreams how many of a
// thousand must: on a busy machine pion's client gives up on one whose packets
// come before it has understood the answer.
const (
	settleTime = 20 * time.Second
	fewStreams = 995
)

// settle waits until every subscription has received something.
func (l *load) settle(ctx context.Context) error {
	want := int64(l.s.streams())
	late := time.After(settleTime)
	for l.started.Load() < want {
		select {
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d streams arrived", l.started.Load(), want)
		case <-late:
			have := l.started.Load()
			if have*1000 < want*fewStreams {
				return fmt.Errorf("only %d of %d streams arrived", have, want)
			}
			fmt.Fprintf(os.Stderr, "%d of %d streams arrived; the rest counts as not delivered\n", have, want)
			return nil
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// joinLate has somebody come, and leave after the first picture.
func (l *load) joinLate(ctx context.Context) (ms float64, err error) {
	first := make(chan struct{}, 64)
	begin := time.Now()
	c, err := l.connect(ctx, "bench-0", "late", first)
	if err != nil {
		return 0, fmt.Errorf("late joiner: %w", err)
	}
	defer func() {
		l.mu.Lock()
		l.clients = slices.DeleteFunc(l.clients, func(o *client.Client) bool { return o == c })
		l.mu.Unlock()
		c.Close()
	}()
	select {
	case <-first:
		return float64(time.Since(begin)) / 1e6, nil
	case <-time.After(lateLimit):
		return float64(lateLimit) / 1e6, nil // told as it is: nothing came in that time
	}
}

// connect lets one participant in. first is told when a picture is there.
func (l *load) connect(ctx context.Context, room, identity string, first chan struct{}) (*client.Client, error) {
	token, err := l.dial.token(room, identity)
	if err != nil {
		return nil, err
	}
	api, err := newAPI(l.feedback)
	if err != nil {
		return nil, err
	}
	ready := make(chan *client.Client, 1)
	c, err := client.Join(ctx, client.Options{
		URL: l.dial.url, Token: token, API: api, HTTP: trusting, OnSignal: l.signal,
		OnTrack: func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
			if l.s.thumbnails && t.Kind() == webrtc.RTPCodecTypeVideo {
				c := <-ready
				ready <- c
				l.show(c, t.ID())
			}
			go drain(func(b []byte) error { _, _, err := r.Read(b); return err }) // ends with the receiver
			l.receive(t, first)
		},
	})
	if err != nil {
		return nil, err
	}
	ready <- c
	l.mu.Lock()
	l.clients = append(l.clients, c)
	l.mu.Unlock()
	return c, nil
}

func (l *load) close() {
	close(l.stop)
	l.wg.Wait()
	var wg sync.WaitGroup
	for _, c := range l.clients {
		wg.Add(1)
		go func() { // ends with the client
			defer wg.Done()
			c.Close()
		}()
	}
	wg.Wait()
}
