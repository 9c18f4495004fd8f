// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-videoroom/videoroom/engine"
)

// measure is one number of the engine: a gauge, or a counter since the engine
// started. None has labels: they would tell who talks to whom.
type measure struct {
	name, metric, help string
	kind               prometheus.ValueType
	value              func(*engine.Stats) float64
}

var measures = []measure{
	gauge("rooms", "Rooms that somebody is in.", func(s *engine.Stats) float64 { return float64(s.Rooms) }),
	gauge("participants", "People in rooms, hosts included.", func(s *engine.Stats) float64 { return float64(s.Participants) }),
	gauge("tracks", "Microphones, cameras and screens that are published.", func(s *engine.Stats) float64 { return float64(s.Tracks) }),
	gauge("open_rooms", "Rooms that hosts have opened.", func(s *engine.Stats) float64 { return float64(s.Open) }),
	gauge("sessions", "Signaling connections of people in rooms.", func(s *engine.Stats) float64 { return float64(s.Sessions) }),
	gauge("waiting", "People in waiting rooms.", func(s *engine.Stats) float64 { return float64(s.Waiting) }),
	gauge("hosts", "Hosts who are signed in.", func(s *engine.Stats) float64 { return float64(s.Hosts) }),
	counter("packets_in", "packets_received_total", "Media packets received.", func(s *engine.Stats) float64 { return float64(s.PacketsIn) }),
	counter("packets_out", "packets_sent_total", "Media packets sent.", func(s *engine.Stats) float64 { return float64(s.PacketsOut) }),
	counter("dropped", "packets_dropped_total", "Media packets dropped.", func(s *engine.Stats) float64 { return float64(s.Dropped) }),
}

func gauge(name, help string, value func(*engine.Stats) float64) measure {
	return measure{name, name, help, prometheus.GaugeValue, value}
}

func counter(name, metric, help string, value func(*engine.Stats) float64) measure {
	return measure{name, metric, help, prometheus.CounterValue, value}
}

// collector asks the engine at each scrape. There is one for the process:
// Caddy makes a new registry for every configuration, the numbers go on.
type collector struct{ descs []*prometheus.Desc }

var metrics = newCollector()

func newCollector() *collector {
	c := &collector{}
	for _, m := range measures {
		c.descs = append(c.descs, prometheus.NewDesc(prometheus.BuildFQName("caddy", "videoroom", m.metric), m.help, nil, nil))
	}
	return c
}

// registerMetrics adds the collector to a configuration's registry.
func registerMetrics(r prometheus.Registerer) error {
	err := r.Register(metrics)
	if _, already := errors.AsType[prometheus.AlreadyRegisteredError](err); already || err == nil {
		return nil
	}
	return fmt.Errorf("registering metrics: %w", err)
}

// Describe sends every description.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect sends the present numbers, none where no engine runs.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	p := runningEngine()
	if p == nil {
		return
	}
	stats := p.engine.Stats()
	for i, m := range measures {
		number, err := prometheus.NewConstMetric(c.descs[i], m.kind, m.value(&stats))
		if err != nil {
			number = prometheus.NewInvalidMetric(c.descs[i], err)
		}
		ch <- number
	}
}

// Interface guard
var _ prometheus.Collector = (*collector)(nil)
