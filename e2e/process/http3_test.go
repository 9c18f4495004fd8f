// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// TestHTTP3BesideMedia: browsers fetch pages from the very UDP port that calls
// use, on new connections and on one that lasts.
func TestHTTP3BesideMedia(t *testing.T) {
	const fetches, perConnection = 300, 30
	page := strings.Repeat("a page of some length. ", 2000)
	s := serve(t, site("localhost", fmt.Sprintf("respond /page %q", page), ""))
	c := s.begin("localhost", [][2]way{{overUDP, overUDP}, {overUDP, overUDP}, {overUDP, overTLS}})
	c.goTheirWays(s)
	lasting, short := s.http3(), s.http3()
	var begins []time.Time
	var took []time.Duration
	answered := 0
	for n := range fetches {
		client := lasting
		if n%2 == 1 {
			client = short
		}
		if n%perConnection == 0 {
			short = s.http3()
		}
		begins = append(begins, time.Now())
		if err := fetch3(client, fmt.Sprintf("https://127.0.0.1:%d/page", s.https), page); err != nil {
			t.Errorf("fetch %d: %v", n, err)
		} else {
			answered++
		}
		took = append(took, time.Since(begins[n]))
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d of %d fetches answered over HTTP/3 in %s; each took %s", answered, fetches, time.Since(begins[0]).Round(time.Millisecond), spreadOf(took))
	c.steady("fetch", begins)
	if _, longest := c.gaps(begins); spreadOf(longest).max > maxGap {
		t.Errorf("sound was away for %s", spreadOf(longest).max)
	}
	c.unharmed()
}

// http3 returns a client that speaks nothing else, with a connection of its own.
func (s *server) http3() *http.Client {
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}} // the server's own authority
	s.t.Cleanup(func() { _ = transport.Close() })
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func fetch3(client *http.Client, url, want string) error {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Host = "localhost"
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK || resp.ProtoMajor != 3:
		return fmt.Errorf("HTTP status %d over %s", resp.StatusCode, resp.Proto)
	case string(text) != want:
		return errors.New("another page came")
	}
	return nil
}
