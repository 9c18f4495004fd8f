// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCertificateRenewals: Caddy's own authority issues certificates that are
// renewed every few seconds.
func TestCertificateRenewals(t *testing.T) {
	const renewals = 5
	s := newServer(t)
	s.globals = "renew_interval 500ms"
	// A certificate is renewed when nine tenths of its life are left.
	const internal = "tls {\n\t\trenewal_window_ratio 0.9\n\t\tissuer internal {\n\t\t\tlifetime 25s\n\t\t}\n\t}"
	s.start(strings.Replace(site("localhost", "", ""), "tls internal", internal, 1))
	c := s.begin("localhost", mixed)
	serial := s.serial()
	var begins []time.Time
	deadline := time.Now().Add(60 * time.Second)
	for len(begins) < renewals && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
		if now := s.serial(); now != serial {
			serial = now
			begins = append(begins, time.Now().Add(-100*time.Millisecond))
		}
	}
	if len(begins) < renewals {
		t.Fatalf("%d renewals within a minute, want %d", len(begins), renewals)
	}
	time.Sleep(time.Second)
	t.Logf("%d renewals within %s", len(begins), time.Since(begins[0]).Round(time.Second))
	c.steady("renewal", begins)
	c.unharmed()
	c.awaitMedia(time.Now(), time.Second)
	// Who joins now meets the new certificate, in the relay as well.
	s.begin("localhost", [][2]way{{overTLS, overTLS}}).unharmed()
}

// serial is the number of the certificate that the site shows now.
func (s *server) serial() string {
	s.t.Helper()
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.https), &tls.Config{
		InsecureSkipVerify: true, ServerName: "localhost", NextProtos: []string{"http/1.1"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}
