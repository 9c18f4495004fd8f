// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/caddy-videoroom/videoroom/sfu/internal/feedback"
	"github.com/caddy-videoroom/videoroom/sfu/internal/simnet"
	"github.com/pion/interceptor/pkg/twcc"
)

// controller is an estimator under test, with its record of sent packets.
type controller interface {
	next(now int64, size int, cluster uint8) uint16
	read(now int64, raw []byte) // one feedback packet
	tick(now int64)
	target() int64
	probe(now, wanted int64) (Cluster, bool)
	probing(id uint8) bool
}

// ours joins History and Estimator as a forwarder does.
type ours struct {
	h       feedback.History
	e       *Estimator
	results []feedback.Result
	sent    uint64
	stales  int
}

func newOurs(c Config) *ours { return &ours{e: New(c)} }

func (o *ours) next(now int64, size int, cluster uint8) uint16 {
	seq := o.h.Next()
	o.h.Sent(seq, now, size, cluster)
	o.sent += uint64(size)
	return seq
}

func (o *ours) read(now int64, raw []byte) {
	var err error
	o.results, _, err = o.h.Read(raw, now, o.results[:0])
	if err != nil {
		panic(err)
	}
	o.e.Feedback(now, o.results)
}

func (o *ours) tick(now int64) {
	o.e.Tick(now, o.sent)
	if o.e.Stale() {
		o.stales++
	}
}

func (o *ours) target() int64                           { return o.e.Target() }
func (o *ours) probe(now, wanted int64) (Cluster, bool) { return o.e.Probe(now, wanted) }
func (o *ours) probing(id uint8) bool                   { return o.e.Probing(id) }

const (
	soundRate  = 40_000
	soundSize  = 100
	soundEvery = 20 * millisecond
	frameEvery = 33 * millisecond
	packetSize = 1100
	step       = millisecond
)

// sim is a forwarder, a path, a receiver, and maybe a TCP flow beside them.
type sim struct {
	c        controller
	down, up *simnet.Link
	every    int64 // ns between feedback packets
	rng      *rand.Rand
	recorder *twcc.Recorder
	tcp      *tcp
	peer     *sim // another forwarder on the same downlink
	buf      []simnet.Delivery

	wanted func(now int64) int64 // bit/s that could be sent
	layers []int64               // rates there are; empty: any

	keyEvery, keyAt int64 // key frames come in one burst
	keySize         int
	limit           int64           // bit/s sent at most, 0 for none
	at              func(now int64) // called before each step

	now       int64
	frameAt   int64
	soundAt   int64
	pending   []pendingPacket
	cluster   Cluster
	clusterAt int64
	left      int

	targets   []int64 // one per 10 ms
	delivered int64   // media bytes
	padding   int64
	delays    []float64 // ms, of sound
	sentMedia int64
	clusters  int
}

type pendingPacket struct {
	at   int64
	size int
}

type packet struct {
	owner *sim
	seq   uint16
	tcp   bool
	index int64
	sound bool
	pad   bool
}

func newSim(c controller, down simnet.Config, rtt int64, seed uint64) *sim {
	down.Delay = rtt / 2
	s := &sim{
		c: c, every: 75 * millisecond, rng: rand.New(rand.NewPCG(seed, 9)),
		down: simnet.New(down, seed), up: simnet.New(simnet.Config{Delay: rtt - rtt/2}, seed+1000),
		recorder: twcc.NewRecorder(1),
	}
	s.wanted = func(int64) int64 { return 4_000_000 }
	return s
}

// change alters the downlink.
func (s *sim) change(f func(*simnet.Config)) {
	cfg := s.down.Config()
	f(&cfg)
	s.down.Set(s.now, cfg)
}

func (s *sim) rate(bps int64) { s.change(func(c *simnet.Config) { c.Rate = bps }) }

// run simulates until end.
func (s *sim) run(end int64) {
	for s.now < end {
		if s.at != nil {
			s.at(s.now)
		}
		s.buf = s.down.Advance(s.now, s.buf[:0])
		for i := range s.buf {
			d := &s.buf[i]
			d.Payload.(packet).owner.receive(d)
		}
		s.turn()
		if s.peer != nil {
			s.peer.now = s.now
			s.peer.turn()
		}
		s.now += step
	}
}

// turn does everything for one step but move the packets on the downlink.
func (s *sim) turn() {
	if s.now%s.every == 0 {
		for _, p := range s.recorder.BuildFeedbackPacket() {
			raw, err := p.Marshal()
			if err != nil {
				panic(err)
			}
			s.up.Send(s.now, len(raw), raw)
		}
	}
	s.buf = s.up.Advance(s.now, s.buf[:0])
	for i := range s.buf {
		s.c.read(s.now, s.buf[i].Payload.([]byte))
	}
	s.media()
	s.probes()
	if s.tcp != nil {
		s.tcp.run(s)
	}
	if s.now%(10*millisecond) == 0 {
		s.c.tick(s.now)
		s.targets = append(s.targets, s.c.target())
	}
}

func (s *sim) receive(d *simnet.Delivery) {
	p := d.Payload.(packet)
	if p.tcp {
		s.tcp.delivered(d.At, p.index, d.Size)
		return
	}
	s.recorder.Record(2, p.seq, d.At/1000)
	if !p.pad {
		s.delivered += int64(d.Size)
	}
	if p.sound {
		s.delays = append(s.delays, float64(d.At-d.Sent)/1e6)
	}
}

func (s *sim) send(size int, cluster uint8, sound bool) {
	seq := s.c.next(s.now, size, cluster)
	s.down.Send(s.now, size, packet{owner: s, seq: seq, sound: sound, pad: cluster != 0})
}

// rateNow is what a forwarder sends: what fits below the target.
func (s *sim) rateNow() int64 {
	rate := min(s.c.target(), s.wanted(s.now))
	if s.limit > 0 {
		rate = min(rate, s.limit)
	}
	if len(s.layers) > 0 {
		fits := s.layers[0]
		for _, l := range s.layers {
			if l <= rate {
				fits = l
			}
		}
		rate = fits
	}
	return rate
}

func (s *sim) media() {
	if s.now >= s.soundAt {
		s.soundAt += soundEvery
		s.send(soundSize, 0, true)
		s.sentMedia += soundSize
	}
	if s.now >= s.frameAt {
		s.frameAt += frameEvery
		bytes := float64(s.rateNow()-soundRate) * float64(frameEvery) / 8e9
		left := int(max(bytes, 0) * (0.8 + 0.4*s.rng.Float64()))
		at := s.now
		if s.keyEvery > 0 && s.now >= s.keyAt {
			s.keyAt = s.now + s.keyEvery
			left = s.keySize
		}
		for ; left > 0; left -= packetSize {
			s.pending = append(s.pending, pendingPacket{at, max(min(left, packetSize), 60)})
			at += millisecond / 2
		}
	}
	n := 0
	for n < len(s.pending) && s.pending[n].at <= s.now {
		s.send(s.pending[n].size, 0, false)
		s.sentMedia += int64(s.pending[n].size)
		n++
	}
	s.pending = s.pending[n:]
}

func (s *sim) probes() {
	if s.left == 0 && s.now%(10*millisecond) == 0 {
		if c, ok := s.c.probe(s.now, s.wanted(s.now)); ok {
			s.cluster, s.left, s.clusterAt = c, c.Packets, s.now
			s.clusters++
			if c.Packets > mostPackets || c.Size > mostSize || int64(c.Packets-1)*c.Interval > longestProbe {
				panic(fmt.Sprintf("cluster out of bounds: %+v", c))
			}
		}
	}
	for s.left > 0 && s.clusterAt <= s.now {
		if !s.c.probing(s.cluster.ID) {
			s.left = 0
			return
		}
		s.send(s.cluster.Size, s.cluster.ID, false)
		s.padding += int64(s.cluster.Size)
		s.clusterAt += s.cluster.Interval
		s.left--
	}
}

// span returns least, mean and greatest target between two times.
func (s *sim) span(from, to int64) (least, mean, most float64) {
	least = math.MaxFloat64
	a, b := int(from/(10*millisecond)), int(to/(10*millisecond))
	b = min(b, len(s.targets))
	for _, t := range s.targets[a:b] {
		v := float64(t)
		least, most = min(least, v), max(most, v)
		mean += v / float64(b-a)
	}
	return least, mean, most
}

// until returns how long after from the target satisfied ok for good: up to the
// time to. It is negative where it did not.
func (s *sim) until(from, to int64, ok func(float64) bool) float64 {
	a, b := int(from/(10*millisecond)), min(int(to/(10*millisecond)), len(s.targets))
	since := -1
	for i := a; i < b; i++ {
		if !ok(float64(s.targets[i])) {
			since = -1
		} else if since < 0 {
			since = i
		}
	}
	if since < 0 {
		return -1
	}
	return float64(since-a) * 0.01
}

// first returns how long after from the target first satisfied ok.
func (s *sim) first(from, to int64, ok func(float64) bool) float64 {
	a, b := int(from/(10*millisecond)), min(int(to/(10*millisecond)), len(s.targets))
	for i := a; i < b; i++ {
		if ok(float64(s.targets[i])) {
			return float64(i-a) * 0.01
		}
	}
	return -1
}

// dump writes the targets where SIM_DUMP names a file, to look at a curve.
func (s *sim) dump(t testing.TB) {
	name := os.Getenv("SIM_DUMP")
	if name == "" {
		return
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, v := range s.targets {
		fmt.Fprintf(f, "%.2f %d\n", float64(i)*0.01, v)
	}
}

// tcp is a flow that fills the queue: additive increase, half on loss.
type tcp struct {
	window, threshold float64 // packets
	next              int64
	highest           int64
	recover           int64
	acks              []tcpAck
	back              int64 // ns from receiver to sender
	bytes             int64
	lastAck           int64
}

type tcpAck struct {
	at    int64
	index int64
}

func newTCP(back int64) *tcp { return &tcp{window: 10, threshold: 1e9, back: back, highest: -1} }

func (t *tcp) delivered(at, index int64, size int) {
	t.acks = append(t.acks, tcpAck{at + t.back, index})
	t.bytes += int64(size)
}

func (t *tcp) run(s *sim) {
	for len(t.acks) > 0 && t.acks[0].at <= s.now {
		a := t.acks[0]
		t.acks = t.acks[1:]
		t.lastAck = s.now
		if lost := a.index - t.highest - 1; lost > 0 && a.index > t.recover {
			t.window = max(t.window/2, 2)
			t.threshold = t.window
			t.recover = t.next
		} else if t.window < t.threshold {
			t.window++
		} else {
			t.window += 1 / t.window
		}
		t.highest = a.index
	}
	if s.now-t.lastAck > second && t.next > t.highest+1 {
		t.window, t.threshold, t.lastAck = 2, max(t.window/2, 2), s.now
		t.highest = t.next - 1
		t.recover = t.next
	}
	for float64(t.next-t.highest-1) < t.window {
		s.down.Send(s.now, 1500, packet{owner: s, tcp: true, index: t.next})
		t.next++
	}
}

// quantile returns the value that the share q of values does not exceed.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[int(q*float64(len(sorted)-1))]
}
