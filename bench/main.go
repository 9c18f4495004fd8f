// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Command bench loads media servers side by side on one machine and reports what
// each of them costs, as ratios within one run.
//
//	go run . run                 LiveKit and videoroom, interleaved
//	go run . run -scenario group,growth -rounds 5
//	go run . run -feedback=false clients that report on no single packet
//	go run . cores               one processor against two
//	go run . floor               what encrypting and sending cost alone
//	go run . run -server videoroom,videoroom-shared   a socket of our own, and HTTP/3's
//	go run . http3               downloads over HTTP/3 without and with the directive
//	go run . load -h             one load against a running server
//
// A server runs alone on processor 0 (both where the scenario is a wide one) and the load on processor 1, one server
// after the other, in reversed order every other round: the machine's mood hits
// all of them alike. Absolute figures are this machine's; ratios are the result.
package main

import (
	"fmt"
	"os"
)

var commands = map[string]func([]string) error{
	"run": runCommand, "load": loadCommand, "http3": http3Command, "fetch": fetchCommand,
	"floor": floorCommand, "cores": coresCommand,
}

func main() {
	name, args := "run", os.Args[1:]
	if len(args) > 0 {
		if _, ok := commands[args[0]]; ok {
			name, args = args[0], args[1:]
		}
	}
	if err := commands[name](args); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
