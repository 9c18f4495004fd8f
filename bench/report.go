// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

// median of one figure over the rounds.
func median(ms []*measurement, f func(*measurement) float64) float64 {
	v := make([]float64, len(ms))
	for i, m := range ms {
		v[i] = f(m)
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// columns are what a report tells of a server: medians, of which ratios are to the
// first server.
var columns = []struct {
	title, format string
	value         func(*measurement) float64
	ratio         bool
}{
	{"CPU-s per 1M packets", "%.1f", (*measurement).perMillion, true},
	{"MB per participant", "%.2f", (*measurement).perParticipant, true},
	{"CPU, cores", "%.2f", func(m *measurement) float64 { return m.ServerCPU / m.Seconds }, false},
	{"delivered %", "%.1f", func(m *measurement) float64 { return 100 * float64(m.Packets) / m.Expected }, false},
	{"lost %", "%.3f", func(m *measurement) float64 { return 100 * float64(m.Lost) / float64(m.Packets) }, false},
	{"of it in the load's sockets", "%.0f", func(m *measurement) float64 { return float64(m.Dropped) }, false},
	{"repeated %", "%.2f", func(m *measurement) float64 { return 100 * float64(m.Repeated) / float64(m.Packets) }, false},
	{"p50 ms", "%.1f", func(m *measurement) float64 { return m.P50Micros / 1000 }, false},
	{"p95 ms", "%.1f", func(m *measurement) float64 { return m.P95Micros / 1000 }, false},
	{"p99 ms", "%.1f", func(m *measurement) float64 { return m.P99Micros / 1000 }, false},
	{"late joiner p50 ms", "%.0f", func(m *measurement) float64 { return m.late(0.5) }, false},
	{"p95 ms", "%.0f", func(m *measurement) float64 { return m.late(0.95) }, false},
	{"slowest ms", "%.0f", func(m *measurement) float64 { return m.late(1) }, false},
	{"load, cores", "%.2f", func(m *measurement) float64 { return m.OwnCPU }, false},
}

// printReport prints a scenario's medians.
func printReport(scenario string, names []string, all map[string][]*measurement, floor float64) {
	s := scenarios[scenario]
	fmt.Printf("\n%s: %d × %d participants, %d publishing each; floor %.2f CPU-s per 1M packets\n\n",
		scenario, s.rooms, s.participants, s.publishers, floor)
	head, rule := "| server |", "|---|"
	for _, c := range columns {
		head += " " + c.title + " |"
		if c.ratio {
			head += " ratio |"
		}
	}
	head += " of the floor |"
	rule += strings.Repeat("---|", strings.Count(head, "|")-2)
	fmt.Println(head)
	fmt.Println(rule)
	for _, n := range names {
		fmt.Printf("| %s |", n)
		for _, c := range columns {
			v := median(all[n], c.value)
			fmt.Printf(" "+c.format+" |", v)
			if c.ratio {
				fmt.Printf(" %.2f |", v/median(all[names[0]], c.value))
			}
		}
		fmt.Printf(" %.2f |\n", median(all[n], (*measurement).perMillion)/floor)
	}
}
