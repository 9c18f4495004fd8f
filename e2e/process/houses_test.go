// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestHousesOfAnotherProcess: what the administration endpoint of one process does
// to the table of houses holds for every process on the same storage, without a
// reload.
func TestHousesOfAnotherProcess(t *testing.T) {
	t.Parallel()
	const house = "haus1.localhost"
	houses := func(s *server) string {
		return site("localhost", "", "") + fmt.Sprintf("http://:%d {\n\tvideoroom {\n\t\tsite verband\n\t\tpractice \"Verband\"\n\t\ttenants verband\n\t}\n}\n", s.http)
	}
	a, b := newServer(t), newServer(t)
	b.storage = a.storage
	a.start(houses(a))
	b.start(houses(b))
	address := func(s *server) string { return fmt.Sprintf("http://%s:%d/video", house, s.http) }
	await := func(s *server, status int, text string) time.Duration {
		t.Helper()
		began := time.Now()
		for {
			got, body := 0, ""
			if resp, err := s.client.Get(address(s) + "/api/v1/site"); err == nil {
				got, body = resp.StatusCode, textOf(resp)
			}
			if got == status && strings.Contains(body, text) {
				return time.Since(began)
			}
			if time.Since(began) > 30*time.Second {
				t.Fatalf("%d %.200s, want %d %s", got, body, status, text)
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	var added struct {
		Hosts []struct{ Link string }
	}
	add := func(practice string) {
		t.Helper()
		answer, err := a.ask(http.MethodPost, "/videoroom/tenants", "application/json", fmt.Sprintf(`{"domain":%q,"practice":%q}`, house, practice))
		if err != nil && !strings.Contains(err.Error(), "status 201") {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(answer), &added); err != nil || len(added.Hosts) != 1 {
			t.Fatalf("adding a house: %s", answer)
		}
	}
	await(b, http.StatusNotFound, "")
	add("Haus 1")
	await(a, http.StatusOK, "Haus 1")
	after := []time.Duration{await(b, http.StatusOK, "Haus 1")}

	// The host's link leads in at either process.
	_, key, _ := strings.Cut(added.Hosts[0].Link, "#k=")
	o := &office{s: b, base: address(b), key: key}
	if err := o.signIn(); err != nil {
		t.Errorf("signing in at the other process: %v", err)
	}
	add("Haus Eins")
	after = append(after, await(b, http.StatusOK, "Haus Eins"))
	if _, err := a.ask(http.MethodDelete, "/videoroom/tenants?domain="+house, "", ""); err != nil && !strings.Contains(err.Error(), "status 204") {
		t.Fatal(err)
	}
	after = append(after, await(b, http.StatusNotFound, ""))
	t.Logf("the other process served a house, its change and its end after %v", after)
}
