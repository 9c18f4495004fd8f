// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package check tests a site's video consultation from outside, the way a
// visitor meets it: it joins a test room of its own with two participants, sends
// sound, picture and data from one to the other, and says in plain words what
// works, what does not, and what to do. It changes nothing on the site and is
// answered only what the site's own test page is answered.
package check

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Exit codes of Run.
const (
	ExitOK     = 0 // everything works
	ExitFailed = 1 // something does not work
	ExitUsage  = 2 // the address cannot be used
)

// Options steer a check.
type Options struct {
	// Insecure accepts any TLS certificate, for sites with an internal one.
	Insecure bool
	// Duration is how long media flows; 0 means 5 s.
	Duration time.Duration
	// Proxy is an HTTP proxy to go through with CONNECT, as browsers behind one
	// do: "http://host:port". Empty: none.
	Proxy string
	// Report adds a page for the IT department that must let calls through.
	Report bool
	// Timeout bounds each step before media flows; 0 means 15 s.
	Timeout time.Duration
}

// site is what the site says of itself.
type site struct {
	Practice string `json:"practice"`
	Version  string `json:"version"`
}

// tickets let two participants into a test room.
type tickets struct {
	Tokens []string `json:"tokens"`
}

// apiError is the body of a refused request.
type apiError struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

var (
	errAddress = errors.New("not an address of a website")
	errAnswer  = errors.New("not a videoroom")
)

// Run checks the site whose videoroom lives at address, for example
// "https://praxis.example/video", writes the findings to w and returns the exit
// code.
func Run(ctx context.Context, address string, o Options, w io.Writer) int {
	if o.Duration == 0 {
		o.Duration = 5 * time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	base, err := normalize(address)
	if err != nil {
		fmt.Fprintf(w, "%v: %q\nWrite it as in the browser, for example https://praxis.example/video\n", err, address)
		return ExitUsage
	}
	r := &report{w: w}
	fmt.Fprintf(w, "Checking %s\n\n", base)
	p := &probe{base: base, opts: o, report: r, http: httpClient(o)}
	defer p.http.CloseIdleConnections()
	p.run(ctx)
	code := r.finish()
	if o.Report {
		r.page(base)
	}
	return code
}

// normalize completes and cleans an address.
func normalize(address string) (string, error) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", errAddress
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return strings.TrimRight(u.String(), "/"), nil
}

func httpClient(o Options) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{InsecureSkipVerify: o.Insecure} //nolint:gosec // asked for by flag
	// WebSockets need HTTP/1.1.
	t.ForceAttemptHTTP2 = false
	t.Proxy = nil
	if u, err := url.Parse(o.Proxy); err == nil && o.Proxy != "" {
		t.Proxy = http.ProxyURL(u)
	}
	t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	return &http.Client{Transport: t}
}

// getSite asks the site what it is.
func (p *probe) getSite(ctx context.Context) (s site, err error) {
	err = p.call(ctx, http.MethodGet, "/api/v1/site", nil, &s)
	return s, err
}

// getTickets asks for a test room.
func (p *probe) getTickets(ctx context.Context) (t tickets, err error) {
	if err = p.call(ctx, http.MethodPost, "/api/v1/test", struct{}{}, &t); err != nil {
		return t, err
	}
	if len(t.Tokens) != 2 {
		return t, errAnswer
	}
	return t, nil
}

func (p *probe) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("writing the request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, body)
	if err != nil {
		return fmt.Errorf("preparing the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if u, err := url.Parse(p.base); err == nil {
		req.Header.Set("Origin", u.Scheme+"://"+u.Host)
	}
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		var e apiError
		if json.Unmarshal(raw, &e) == nil && e.Error.Message != "" {
			return fmt.Errorf("the site answered: %s (%s)", e.Error.Message, e.Error.Code)
		}
		return fmt.Errorf("%w: HTTP status %d", errAnswer, res.StatusCode)
	}
	if json.Unmarshal(raw, out) != nil {
		return errAnswer
	}
	return nil
}
