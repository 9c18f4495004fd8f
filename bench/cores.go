// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
)

// coresCommand compares one processor with two. With the load on the same two
// processors the server cannot be driven to its end; what it could carry follows
// from what a packet costs, as long as its loops share the rooms evenly.
func coresCommand(args []string) error {
	fs := flag.NewFlagSet("cores", flag.ExitOnError)
	scenario := fs.String("scenario", "load30", "one scenario with many rooms")
	var o settings
	o.flags(fs)
	_ = fs.Parse(args)
	if _, ok := scenarios[*scenario]; !ok {
		return fmt.Errorf("unknown scenario %q, known: %v", *scenario, scenarioNames())
	}
	binaries, cleanUp, err := o.prepare([]string{"videoroom"})
	defer cleanUp()
	if err != nil {
		return err
	}
	all := map[string][]*measurement{}
	names := []string{"0", "0,1"}
	for range o.rounds {
		for _, n := range names {
			m, err := o.measure(servers["videoroom"], binaries["videoroom"], *scenario, n)
			if err != nil {
				return err
			}
			all[n] = append(all[n], m)
		}
	}
	f, err := floor()
	if err != nil {
		return fmt.Errorf("measuring the floor: %w", err)
	}
	printReport(*scenario, names, all, f)
	one, two := median(all["0"], (*measurement).perMillion), median(all["0,1"], (*measurement).perMillion)
	fmt.Printf("\ntwo processors carry %.2f times what one does\n", 2*one/two)
	return nil
}
