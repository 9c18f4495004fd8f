// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
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

// late is what a share of the late joiners waited at most, in ms, 0 where nobody
// came late.
func (m *measurement) late(share float64) float64 {
	if len(m.Late) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(m.Late))
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}

// settings are what the flags say of a run.
type settings struct {
	dir                 string
	rounds              int
	warm, window        time.Duration
	feedback, simulcast bool
	profile             string
}

func (o *settings) flags(fs *flag.FlagSet) {
	fs.IntVar(&o.rounds, "rounds", 3, "rounds, interleaved")
	fs.DurationVar(&o.warm, "warm", 8*time.Second, "how long each load runs before it is measured")
	fs.DurationVar(&o.window, "window", 8*time.Second, "how long each load is measured")
	fs.BoolVar(&o.feedback, "feedback", true, "clients report on each packet, as browsers do")
	fs.BoolVar(&o.simulcast, "simulcast", true, "cameras send several layers, as browsers' do")
	fs.StringVar(&o.profile, "profile", "", "directory for profiles of videoroom")
}

func runCommand(args []string) error {
	fs := flag.NewFlagSet("run", flag.ExitOnError)
	which := fs.String("scenario", "calls,group,stage", "scenarios, comma-separated; \"growth\" stands for four")
	who := fs.String("server", "livekit,videoroom", "servers, comma-separated; the first is the measure of the others")
	var o settings
	o.flags(fs)
	_ = fs.Parse(args)
	names := strings.Split(*who, ",")
	binaries, cleanUp, err := o.prepare(names)
	defer cleanUp()
	if err != nil {
		return err
	}
	chosen, err := chosenScenarios(*which)
	if err != nil {
		return err
	}
	results := map[string]map[string][]*measurement{}
	for _, scenario := range chosen {
		all, floors := map[string][]*measurement{}, []float64{}
		results[scenario] = all
		for r := range o.rounds {
			f, err := floor()
			if err != nil {
				return fmt.Errorf("measuring the floor: %w", err)
			}
			floors = append(floors, f)
			order := slices.Clone(names)
			if r%2 == 1 {
				slices.Reverse(order)
			}
			for _, n := range order {
				m, err := o.measure(servers[n], binaries[n], scenario, "")
				if err != nil {
					return fmt.Errorf("%s, %s: %w", n, scenario, err)
				}
				all[n] = append(all[n], m)
			}
		}
		slices.Sort(floors)
		printReport(scenario, names, all, floors[len(floors)/2])
	}
	for family, members := range families {
		if first, last := results[members[0]], results[members[len(members)-1]]; first != nil && last != nil {
			fmt.Println()
			for _, n := range names {
				fmt.Printf("%s, %s: a packet to the most receivers costs %.2f times one to the fewest\n", family, n,
					median(last[n], (*measurement).perMillion)/median(first[n], (*measurement).perMillion))
			}
		}
	}
	return nil
}

// prepare builds the servers. What it returns first to clean up is never nil.
func (o *settings) prepare(names []string) (binaries map[string]string, cleanUp func(), err error) {
	if o.dir, err = os.MkdirTemp("", "videoroom-bench-"); err != nil {
		return nil, func() {}, fmt.Errorf("making a directory: %w", err)
	}
	cleanUp = func() { _ = os.RemoveAll(o.dir) }
	binaries = map[string]string{}
	for _, n := range names {
		s, ok := servers[n]
		if !ok {
			return nil, cleanUp, fmt.Errorf("unknown server %q", n)
		}
		if binaries[n], err = s.build(o.dir); err != nil {
			return nil, cleanUp, fmt.Errorf("building %s: %w", n, err)
		}
	}
	return binaries, cleanUp, nil
}

func chosenScenarios(which string) (out []string, err error) {
	for _, name := range strings.Split(which, ",") {
		if members := families[name]; members != nil {
			out = append(out, members...)
			continue
		}
		if _, ok := scenarios[name]; !ok {
			return nil, fmt.Errorf("unknown scenario %q, known: %v", name, scenarioNames())
		}
		out = append(out, name)
	}
	return out, nil
}

// measure starts a server, loads it from a process of its own, and stops it. The
// server has processor 0 and the load 1, unless the scenario is wide or others are
// given for the server.
func (o *settings) measure(s server, binary, scenario, processors string) (*measurement, error) {
	home, err := os.MkdirTemp(o.dir, s.name)
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	loads := "1"
	if scenarios[scenario].wide && processors == "" {
		processors, loads = "0,1", "0,1"
	}
	if processors == "" {
		processors = "0"
	}
	cmd, err := s.start(binary, home, processors)
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
	load := exec.Command("taskset", "-c", loads, self, "load", "-scenario", scenario, "-url", url,
		"-key", benchKey, "-secret", benchSecret, "-warm", o.warm.String(), "-window", o.window.String(),
		"-feedback="+strconv.FormatBool(o.feedback), "-simulcast="+strconv.FormatBool(o.simulcast),
		"-pid", strconv.Itoa(cmd.Process.Pid))
	load.Stderr, load.SysProcAttr = os.Stderr, endsWithUs()
	if o.profile != "" && s.name == "videoroom" {
		load.Args = append(load.Args, "-profile", o.profile)
	}
	out, err := load.Output()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if err := json.Unmarshal(out, &m.outcome); err != nil {
		return nil, fmt.Errorf("reading the load's outcome: %w", err)
	}
	fmt.Fprintf(os.Stderr, "%s %s: %.1f CPU-s per million, %.1f %% delivered, load %.2f cores\n",
		scenario, s.name, m.perMillion(), 100*float64(m.Packets)/m.Expected, m.OwnCPU)
	return m, nil
}
