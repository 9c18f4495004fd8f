// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package caddyfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-videoroom/videoroom/config"
)

// word is one subdirective.
type word[T any] struct {
	usage    string // a line as it is written
	min, max int    // number of values
	repeat   bool   // may stand more than once
	block    bool   // may open a block, which set reads
	// set stores the values. check validates what has been read so far; set
	// calls it only when it reads a block. An error without a line gets one.
	set func(d *caddyfile.Dispenser, into *T, args []string, check func() error) error
}

// vocabulary is the table of words that may stand in one kind of block.
type vocabulary[T any] struct {
	place     string
	words     map[string]word[T]
	later     map[string]string // understood, refused: what to do instead
	elsewhere map[string]string // words of other places: where they belong
}

// read reads a block. After each line check validates everything read so far,
// so that an error names the line that caused it.
func (v *vocabulary[T]) read(d *caddyfile.Dispenser, into *T, check func() error) error {
	lines := make(map[string]int)
	nesting := d.Nesting()
	for d.NextBlock(nesting) {
		name := d.Val()
		w, ok := v.words[name]
		if !ok {
			return v.unknown(d, name)
		}
		if line, twice := lines[name]; twice && !w.repeat {
			return d.Errf("videoroom: %s is already set on line %d; keep one of the two", name, line)
		}
		lines[name] = d.Line()
		if err := v.readWord(d, name, w, into, check); err != nil {
			return err
		}
	}
	if d.Nesting() > nesting {
		return d.EOFErr()
	}
	return nil
}

func (v *vocabulary[T]) readWord(d *caddyfile.Dispenser, name string, w word[T], into *T, check func() error) error {
	args := d.RemainingArgs()
	switch {
	case len(args) < w.min:
		return d.Errf("videoroom: %s needs a value; write for example %s", name, w.usage)
	case len(args) > w.max && w.max == 1 && !w.block:
		return d.Errf("videoroom: %s takes one value; put quotes around it: %s %q", name, name, strings.Join(args, " "))
	case len(args) > w.max:
		return d.Errf("videoroom: %s has too many values; write for example %s", name, w.usage)
	case slices.Contains(args, ""):
		return d.Errf("videoroom: %s has an empty value (an environment variable that is not set gives one); fill it in or leave the line out", name)
	}
	if w.block {
		return w.set(d, into, args, check)
	}
	if err := w.set(d, into, args, check); err != nil {
		return d.WrapErr(fmt.Errorf("videoroom: %s: %w", name, err))
	}
	if d.NextBlock(d.Nesting()) {
		return d.Errf("videoroom: %s takes no block; write for example %s", name, w.usage)
	}
	return checked(d, check)
}

// checked validates what has been read so far and blames the current line.
func checked(d *caddyfile.Dispenser, check func() error) error {
	if err := check(); err != nil {
		return d.WrapErr(fmt.Errorf("videoroom: %w", err))
	}
	return nil
}

func (v *vocabulary[T]) unknown(d *caddyfile.Dispenser, name string) error {
	if fix, ok := v.later[name]; ok {
		return d.Errf("videoroom: %s: %w: %s", name, config.ErrNotYet, fix)
	}
	if place, ok := v.elsewhere[name]; ok {
		return d.Errf("videoroom: %s does not belong here but into %s", name, place)
	}
	known := slices.Sorted(maps.Keys(v.words))
	if near := nearest(name, known); near != "" {
		return d.Errf("videoroom: unknown word %q; did you mean %s? (%s)", name, near, v.words[near].usage)
	}
	return d.Errf("videoroom: unknown word %q; the words of %s are: %s", name, v.place, strings.Join(known, ", "))
}

// nearest returns the candidate with the fewest edits from name, or "" where
// none is near: one edit in a short word, two in a word of five letters.
func nearest(name string, candidates []string) string {
	const longest = 40 // no word is longer; bounds the work on hostile input
	if len(name) > longest {
		return ""
	}
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	best, bestEdits := "", longest
	for _, c := range candidates {
		if edits := distance(name, c); edits < bestEdits && edits <= tolerance(c) {
			best, bestEdits = c, edits
		}
	}
	return best
}

func tolerance(word string) int {
	if len(word) < 5 {
		return 1
	}
	return 2
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			edits := diagonal
			if a[i-1] != b[j-1] {
				edits++
			}
			diagonal = row[j]
			row[j] = min(edits, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
