// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"io"
	"net/url"
	"time"
)

// report prints one line per finding and remembers what failed.
type report struct {
	w      io.Writer
	failed int
	warned int
	lines  []finding
}

// finding is one line of the report.
type finding struct{ what, verdict, text string }

func (r *report) line(what, verdict, format string, args ...any) {
	f := finding{what, verdict, fmt.Sprintf(format, args...)}
	r.lines = append(r.lines, f)
	fmt.Fprintf(r.w, "  %-18s %-8s %s\n", f.what, f.verdict, f.text)
}

func (r *report) ok(what, format string, args ...any) { r.line(what, "ok", format, args...) }

func (r *report) note(what, format string, args ...any) { r.line(what, "-", format, args...) }

// absent reports a way that the server does not offer.
func (r *report) absent(w way) {
	const text = "not offered by this server"
	if w.absent == "" {
		r.note(w.name, text)
		return
	}
	r.warn(w.name, w.absent, text)
}

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

// page prints what an IT department needs to let calls through.
func (r *report) page(base string) {
	u, err := url.Parse(base)
	if err != nil {
		return
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	fmt.Fprintf(r.w, `
------------------------------------------------------------------------
For the IT department: video consultations at %s

  What     Encrypted video calls in the browser. No software, no account,
           no other host than this one.
  Needed   TCP %s to %s: pages, signaling (WebSocket), and media inside
           TLS. Nothing else is necessary.
  Better   UDP %s to %s: the same over QUIC and DTLS-SRTP, with less
           delay. Answers come from the same port.
  Please   exempt the host from TLS inspection, let WebSockets pass, and
           do not cut idle connections before 60 seconds.

Tested on %s from this machine:
`, u.Hostname(), port, u.Hostname(), port, u.Hostname(), time.Now().Format("2006-01-02 15:04"))
	for _, f := range r.lines {
		fmt.Fprintf(r.w, "  %-18s %-8s %s\n", f.what, f.verdict, f.text)
	}
}
