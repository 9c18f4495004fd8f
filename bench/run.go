// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measurement is one load against one server.
type measurement struct {
	server, scenario string
	idleRSS          int64
	outcome
}

// perMillion is the server's processor time per million packets that reached a
// subscriber.
func (m *measurement) perMillion() float64 { return m.ServerCPU / float64(m.Packets) * 1e6 }

func (m *measurement) perParticipant() float64 {
	s := scenarios[m.scenario]
	return float64(m.PeakRSS-m.idleRSS) / float64(s.rooms*s.participants) / (1 << 20)
}

func runCommand(args []string) error {
	fs := flag.NewFlagSet("run", flag.ExitOnError)
	which := fs.String("scenario", "call20,group12", "scenarios, comma-separated")
	who := fs.String("server", "livekit,videoroom", "servers, comma-separated; the first is the measure of the others")
	rounds := fs.Int("rounds", 3, "rounds, interleaved")
	window := fs.Duration("window", 7*time.Second, "how long each load is measured")
	_ = fs.Parse(args)
	dir, err := os.MkdirTemp("", "videoroom-bench-")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	names, binaries := strings.Split(*who, ","), map[string]string{}
	for _, n := range names {
		s, ok := servers[n]
		if !ok {
			return fmt.Errorf("unknown server %q", n)
		}
		if binaries[n], err = s.build(dir); err != nil {
			return fmt.Errorf("building %s: %w", n, err)
		}
	}
	for _, scenario := range strings.Split(*which, ",") {
		if _, ok := scenarios[scenario]; !ok {
			return fmt.Errorf("unknown scenario %q, known: %v", scenario, scenarioNames())
		}
		all := map[string][]*measurement{}
		for r := range *rounds {
			order := slices.Clone(names)
			if r%2 == 1 {
				slices.Reverse(order)
			}
			for _, n := range order {
				m, err := measure(servers[n], binaries[n], scenario, *window, dir)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", n, scenario, err)
				}
				fmt.Fprintf(os.Stderr, "%s %s: %.1f CPU-s per million, load %.2f cores\n", scenario, n, m.perMillion(), m.OwnCPU)
				all[n] = append(all[n], m)
			}
		}
		table(scenario, names, all)
	}
	return nil
}

// measure starts a server, loads it from a process of its own on processor 1,
// and stops it.
func measure(s server, binary, scenario string, window time.Duration, dir string) (*measurement, error) {
	home, err := os.MkdirTemp(dir, s.name)
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	cmd, err := s.start(binary, home)
	if err != nil {
		return nil, err
	}
	defer stop(cmd)
	time.Sleep(time.Second)
	m := &measurement{server: s.name, scenario: scenario, idleRSS: rss(cmd.Process.Pid)}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	url := s.url
	if strings.HasPrefix(url, "https:") {
		url += "/video"
	}
	load := exec.Command("taskset", "-c", "1", self, "load", "-scenario", scenario, "-url", url,
		"-key", benchKey, "-secret", benchSecret, "-window", window.String(), "-pid", strconv.Itoa(cmd.Process.Pid))
	load.Stderr = os.Stderr
	out, err := load.Output()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if err := json.Unmarshal(out, &m.outcome); err != nil {
		return nil, fmt.Errorf("reading the load's outcome: %w", err)
	}
	return m, nil
}

// median of one figure over the rounds.
func median(ms []*measurement, f func(*measurement) float64) float64 {
	v := make([]float64, len(ms))
	for i, m := range ms {
		v[i] = f(m)
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// table prints a scenario's medians, and ratios to the first server.
func table(scenario string, names []string, all map[string][]*measurement) {
	s := scenarios[scenario]
	fmt.Printf("\n%s: %d × %d participants, %d publishing each\n\n", scenario, s.rooms, s.participants, s.publishers)
	fmt.Println("| server | CPU-s per 1M packets | ratio | MB per participant | ratio | delivered % | gaps % | p50 µs | p99 ms | late joiner ms |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
	base := all[names[0]]
	for _, n := range names {
		ms := all[n]
		cpu, mem := median(ms, (*measurement).perMillion), median(ms, (*measurement).perParticipant)
		fmt.Printf("| %s | %.1f | %.2f | %.2f | %.2f | %.2f | %.3f | %.0f | %.1f | %.0f |\n", n,
			cpu, cpu/median(base, (*measurement).perMillion),
			mem, mem/median(base, (*measurement).perParticipant),
			median(ms, func(m *measurement) float64 { return 100 * float64(m.Packets) / m.Expected }),
			median(ms, func(m *measurement) float64 { return 100 * float64(m.Gaps) / float64(m.Packets) }),
			median(ms, func(m *measurement) float64 { return m.P50Micros }),
			median(ms, func(m *measurement) float64 { return m.P99Micros / 1000 }),
			median(ms, func(m *measurement) float64 { return m.LateMs }))
	}
}
