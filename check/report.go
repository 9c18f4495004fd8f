// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"io"
)

// report prints one line per finding and remembers what failed.
type report struct {
	w      io.Writer
	failed int
	warned int
}

func (r *report) line(what, verdict, format string, args ...any) {
	fmt.Fprintf(r.w, "  %-18s %-8s %s\n", what, verdict, fmt.Sprintf(format, args...))
}

func (r *report) ok(what, format string, args ...any) { r.line(what, "ok", format, args...) }

func (r *report) note(what, format string, args ...any) { r.line(what, "-", format, args...) }

// warn reports something that works badly.
func (r *report) warn(what, todo, format string, args ...any) {
	r.warned++
	r.line(what, "weak", format, args...)
	r.todo(todo)
}

// fail reports something that does not work, and what to do.
func (r *report) fail(what, todo, format string, args ...any) {
	r.failed++
	r.line(what, "FAILED", format, args...)
	r.todo(todo)
}

func (r *report) todo(s string) {
	if s != "" {
		fmt.Fprintf(r.w, "  %-18s %-8s → %s\n", "", "", s)
	}
}

func (r *report) finish() int {
	switch {
	case r.failed > 0:
		fmt.Fprintf(r.w, "\nCalls will not work as they should: see what FAILED above.\n")
		return ExitFailed
	case r.warned > 0:
		fmt.Fprintf(r.w, "\nCalls work, but not well everywhere: see above.\n")
	default:
		fmt.Fprintf(r.w, "\nEverything works.\n")
	}
	return ExitOK
}
