// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package bandwidth

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-videoroom/videoroom/sfu/internal/simnet"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// reference is the estimator of pion/interceptor. It lives by the wall clock and
// goroutines of its own, so it runs in a bubble whose clock follows the
// simulation.
type reference struct {
	bwe    *gcc.SendSideBWE
	writer interceptor.RTPWriter
	start  time.Time
	seq    uint16
	buf    []byte
}

const extension = 3

func newReference(t *testing.T) *reference {
	bwe, err := gcc.NewSendSideBWE(gcc.SendSideBWEInitialBitrate(defaultInitial),
		gcc.SendSideBWEMinBitrate(defaultMin), gcc.SendSideBWEMaxBitrate(defaultMax),
		gcc.SendSideBWEPacer(gcc.NewNoOpPacer()))
	if err != nil {
		t.Fatal(err)
	}
	info := &interceptor.StreamInfo{SSRC: 2, RTPHeaderExtensions: []interceptor.RTPHeaderExtension{{
		URI: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", ID: extension,
	}}}
	r := &reference{bwe: bwe, start: time.Now(), buf: make([]byte, 1500)}
	r.writer = bwe.AddStream(info, interceptor.RTPWriterFunc(
		func(*rtp.Header, []byte, interceptor.Attributes) (int, error) { return 0, nil }))
	return r
}

func (r *reference) follow(now int64) { time.Sleep(time.Until(r.start.Add(time.Duration(now)))) }

func (r *reference) next(now int64, size int, _ uint8) uint16 {
	seq := r.seq
	r.seq++
	h := &rtp.Header{Version: 2, SSRC: 2}
	raw, err := (&rtp.TransportCCExtension{TransportSequence: seq}).Marshal()
	if err == nil {
		err = h.SetExtension(extension, raw)
	}
	if err != nil {
		panic(err)
	}
	if _, err := r.writer.Write(h, r.buf[:max(size-h.MarshalSize(), 0)], nil); err != nil {
		panic(err)
	}
	return seq
}

func (r *reference) read(_ int64, raw []byte) {
	var p rtcp.TransportLayerCC
	if err := p.Unmarshal(raw); err != nil {
		panic(err)
	}
	if err := r.bwe.WriteRTCP([]rtcp.Packet{&p}, nil); err != nil {
		panic(err)
	}
	synctest.Wait()
}

func (r *reference) tick(int64)                       {}
func (r *reference) target() int64                    { return int64(r.bwe.GetTargetBitrate()) }
func (r *reference) probe(_, _ int64) (Cluster, bool) { return Cluster{}, false }
func (r *reference) probing(uint8) bool               { return false }

// scenario is one row of the comparison.
type scenario struct {
	name string
	run  func(s *sim) string
	link simnet.Config
	rtt  int64
	send int64 // bit/s at most, 0 for what the target allows
}

func seconds(v float64) string {
	if v < 0 {
		return "never"
	}
	return fmt.Sprintf("%.2f s", v)
}

func kbits(low, mean, high float64) string {
	return fmt.Sprintf("mean %.0f, %.0f to %.0f kbit/s", mean/1e3, low/1e3, high/1e3)
}

func steady(s *sim) string {
	s.run(40 * second)
	reached := s.first(0, s.now, func(v float64) bool { return v >= 0.8*float64(min(s.down.Config().Rate, 4_000_000)) })
	return "80 % after " + seconds(reached) + ", then " + kbits(s.span(15*second, s.now))
}

func dropAndReturn(s *sim) string {
	s.run(40 * second)
	from := s.now
	s.rate(300_000)
	s.run(from + 15*second)
	down := s.first(from, s.now, func(v float64) bool { return v <= 330_000 })
	back := s.now
	s.rate(2_500_000)
	s.run(back + 60*second)
	up := s.first(back, s.now, func(v float64) bool { return v >= 2_200_000 })
	return fmt.Sprintf("before: %s; down %s, at 300: %s, back %s",
		kbits(s.span(from-5*second, from)), seconds(down), kbits(s.span(back-8*second, back)), seconds(up))
}

func sharing(s *sim) string {
	s.run(20 * second)
	s.tcp = newTCP(25 * millisecond)
	from := s.now
	s.run(from + 60*second)
	return fmt.Sprintf("%s; TCP %.0f kbit/s", kbits(s.span(from+10*second, s.now)), float64(s.tcp.bytes)*8e6/float64(s.now-from))
}

func quietSender(s *sim) string {
	s.run(40 * second)
	return "target " + kbits(s.span(15*second, s.now))
}

func scenarios() []scenario {
	lossy := func(rate int64, loss float64) simnet.Config {
		c := queue(rate, 400)
		c.Loss = loss
		return c
	}
	jittery := lossy(10_000_000, 0.03)
	jittery.Jitter = 50 * millisecond
	ms := millisecond
	return []scenario{
		{"2.5 Mbit/s, 50 ms", steady, queue(2_500_000, 400), 50 * ms, 0},
		{"2.5 Mbit/s, 300 ms", steady, queue(2_500_000, 400), 300 * ms, 0},
		{"80 kbit/s + 5 %", steady, lossy(80_000, 0.05), 50 * ms, 0},
		{"2.5 Mbit/s + 5 %", steady, lossy(2_500_000, 0.05), 50 * ms, 0},
		{"2.5 Mbit/s + 10 %", steady, lossy(2_500_000, 0.10), 50 * ms, 0},
		{"10 Mbit/s, jitter 50 ms, 3 %", steady, jittery, 50 * ms, 0},
		{"2.5 -> 0.3 -> 2.5 Mbit/s, 50 ms", dropAndReturn, queue(2_500_000, 400), 50 * ms, 0},
		{"2.5 -> 0.3 -> 2.5 Mbit/s, 300 ms", dropAndReturn, queue(2_500_000, 400), 300 * ms, 0},
		{"TCP beside us on 2 Mbit/s", sharing, queue(2_000_000, 300), 50 * ms, 0},
		{"only 150 kbit/s to send", quietSender, queue(2_500_000, 400), 50 * ms, 150_000},
	}
}

// TestCompare sends the same traffic over the same paths under control of both
// estimators and prints what happens. It asserts nothing, and the other one's
// goroutines make its figures differ a little from run to run: go test -v -run Compare
func TestCompare(t *testing.T) {
	if testing.Short() || !testing.Verbose() {
		t.Skip("a comparison, not a test of ours")
	}
	var table strings.Builder
	for _, sc := range scenarios() {
		setup := func(c controller) *sim {
			s := newSim(c, sc.link, sc.rtt, 11)
			if sc.send > 0 {
				s.wanted = func(int64) int64 { return sc.send }
			}
			return s
		}
		fmt.Fprintf(&table, "%s\n  ours: %s\n", sc.name, sc.run(setup(newOurs(Config{}))))
		synctest.Test(t, func(t *testing.T) {
			r := newReference(t)
			s := setup(r)
			s.at = r.follow
			fmt.Fprintf(&table, "  pion: %s\n", sc.run(s))
			if err := r.bwe.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Log("\n" + table.String())
}
