// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// houseLab is a process that serves houses from a table.
type houseLab struct {
	*lab
	file string
}

const houseSite = `http://:HTTP {
	videoroom {
		e2ee off
		practice "Klinikverbund"
		phone "+49 69 1"
		tenants verband
		tenant haus0.localhost {
			practice "Haus 0"
			max_rooms 1
		}
	}
}
https://:HTTPS {
	tls {
		on_demand
	}
	videoroom {
		e2ee off
		practice "Klinikverbund"
		tenants verband
	}
}
`

func newHouseLab(t *testing.T) *houseLab {
	t.Helper()
	l := &houseLab{lab: newLab(t)}
	l.extraGlobal = "on_demand_tls {\n\t\tpermission videoroom\n\t}"
	l.file = filepath.Join(l.dir, "Caddyfile")
	if err := os.WriteFile(l.file, []byte(l.config(houseSite)), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *houseLab) origin(house string) string { return fmt.Sprintf("http://%s:%d", house, l.http) }

// add adds a house with one call and returns its host's key.
func (l *houseLab) add(house, more string) string {
	l.t.Helper()
	resp, text := l.do(http.MethodPost, "http://localhost:ADMIN/videoroom/tenants",
		body(fmt.Sprintf(`{"domain":%q,"practice":"Praxis %s"%s}`, house, house, more)))
	var answer tenantAnswer
	if err := json.Unmarshal([]byte(text), &answer); err != nil || resp.StatusCode != http.StatusCreated || len(answer.Hosts) != 1 {
		l.t.Fatalf("adding %s: %d %s", house, resp.StatusCode, text)
	}
	_, key, ok := strings.Cut(answer.Hosts[0].Link, "/video/host/#k=")
	if !ok {
		l.t.Fatalf("the host's link is %s", answer.Hosts[0].Link)
	}
	return key
}

// post sends an interface call to a house and returns status and body.
func (l *houseLab) post(house, path, text string) (int, string) {
	l.t.Helper()
	resp, answer := l.do(http.MethodPost, l.origin(house)+"/video/api/v1/"+path, body(text), header("Origin", l.origin(house)))
	return resp.StatusCode, answer
}

// session signs a host in by a key; "" where that is refused.
func (l *houseLab) session(house, key string) string {
	l.t.Helper()
	status, text := l.post(house, "host/session", fmt.Sprintf(`{"key":%q}`, key))
	var in struct{ Token string }
	if status != http.StatusOK {
		return ""
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		l.t.Fatal(err)
	}
	return in.Token
}

// dashboard opens a host's connection and returns its first frame.
func (l *houseLab) dashboard(house, session, grants string) (*hostSocket, string) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer cancel()
	url := strings.Replace(l.origin(house), "http", "ws", 1) + "/video/api/v1/host"
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: l.client.Transport}, HTTPHeader: http.Header{"Origin": {l.origin(house)}},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = conn.CloseNow() })
	h := &hostSocket{l.t, conn}
	h.send(fmt.Sprintf(`{"type":"hello","token":%q,"rooms":[%s]}`, session, grants))
	_, frame, err := conn.Read(ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	return h, string(frame)
}

// open opens a room and returns its id, the visitor's capability and the grant.
func (h *hostSocket) open() (room, capability, grant string) {
	h.t.Helper()
	h.send(`{"type":"cmd","id":1,"do":"open_room"}`)
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, frame, err := h.conn.Read(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		var state struct {
			Rooms []struct{ ID, Link, Grant string }
		}
		if err := json.Unmarshal(frame, &state); err == nil && len(state.Rooms) > 0 {
			r := state.Rooms[0]
			_, capability, _ := strings.Cut(r.Link, "#s=")
			return r.ID, capability, r.Grant
		}
	}
}

// enter returns the media token with which a host enters the own room.
func (h *hostSocket) enter(room string) string {
	h.t.Helper()
	h.send(fmt.Sprintf(`{"type":"cmd","id":2,"do":"enter","room":%q}`, room))
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, frame, err := h.conn.Read(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		var result struct{ Token string }
		if err := json.Unmarshal(frame, &result); err == nil && result.Token != "" {
			return result.Token
		}
	}
}

// TestFiftiethHouse adds houses to a running process, one call each, while a
// host of the first one is connected; certificates follow the table; a restart
// keeps the houses.
func TestFiftiethHouse(t *testing.T) {
	l := newHouseLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	stop := l.start(ctx, l.file)
	l.awaitHouse("haus0.localhost")

	first := l.add("haus1.localhost", "")
	host, frame := l.dashboard("haus1.localhost", l.session("haus1.localhost", first), "")
	if !strings.Contains(frame, `"state"`) {
		t.Fatalf("the first frame is %s", frame)
	}
	for n := 2; n < 50; n++ {
		l.add(fmt.Sprintf("haus%d.localhost", n), "")
	}
	l.expect(l.origin("haus50.localhost")+"/video/api/v1/site", http.StatusNotFound, "belongs to no house")
	l.tlsAs("haus50.localhost")
	if _, err := l.client.Get(fmt.Sprintf("https://haus50.localhost:%d/video/", l.https)); err == nil {
		t.Error("a certificate was made for a name that is no house's")
	}
	l.add("haus50.localhost", `,"phone":"+49 69 50","max_participants":4`)
	l.expect(l.origin("haus50.localhost")+"/video/api/v1/site", http.StatusOK, `"practice":"Praxis haus50.localhost","phone":"+49 69 50"`)
	l.expect(l.origin("haus49.localhost")+"/video/api/v1/site", http.StatusOK, `"phone":"+49 69 1"`)
	l.expect(fmt.Sprintf("https://haus50.localhost:%d/video/privacy", l.https), http.StatusOK, "Praxis haus50.localhost")
	host.send(`{"type":"ping"}`)
	host.await(`"pong"`)

	for domain, status := range map[string]int{
		"haus50.localhost": 200, "haus0.localhost": 200, "haus51.localhost": 403, "": 403, "localhost": 403,
	} {
		l.expect("http://localhost:ADMIN/videoroom/ask?domain="+domain, status, "")
	}
	l.expect("http://localhost:ADMIN/videoroom/tenants", http.StatusOK, `"domain":"haus50.localhost"`)
	_, list := l.do(http.MethodGet, "http://localhost:ADMIN/videoroom/tenants")
	if n := strings.Count(list, `"domain"`); n != 51 || strings.Contains(list, "#k=") {
		t.Errorf("%d houses are listed, want 51, without links: %s", n, list)
	}

	stop()
	l.start(ctx, l.file)
	l.awaitHouse("haus50.localhost")
	if l.session("haus1.localhost", first) == "" {
		t.Error("the link of the first house is not valid after a restart")
	}
	if resp, text := l.do(http.MethodDelete, "http://localhost:ADMIN/videoroom/tenants?domain=haus50.localhost"); resp.StatusCode != http.StatusNoContent {
		t.Errorf("DELETE = %d %s", resp.StatusCode, text)
	}
	l.expect(l.origin("haus50.localhost")+"/video/api/v1/site", http.StatusNotFound, "")
	if resp, _ := l.do(http.MethodDelete, "http://localhost:ADMIN/videoroom/tenants?domain=haus50.localhost"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("DELETE again = %d, want 404", resp.StatusCode)
	}
}

func (l *houseLab) tlsAs(name string) {
	l.client.Transport.(*http.Transport).TLSClientConfig.ServerName = name
	l.client.CloseIdleConnections()
}

func (l *houseLab) awaitHouse(house string) {
	l.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		resp, err := l.client.Get(l.origin(house) + "/video/api/v1/site")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("the house does not answer: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestHousesAreApart tries everything that one house hands out at each other
// house: links, sessions, capabilities of visitors and grants.
func TestHousesAreApart(t *testing.T) {
	l := newHouseLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	l.start(ctx, l.file)
	l.awaitHouse("haus0.localhost")
	houses := []string{"haus1.localhost", "haus2.localhost", "haus3.localhost"}
	type secrets struct{ key, session, room, capability, grant, media string }
	of := make(map[string]secrets)
	for _, house := range houses {
		s := secrets{key: l.add(house, "")}
		s.session = l.session(house, s.key)
		if s.session == "" {
			t.Fatalf("%s: the own link is refused", house)
		}
		host, _ := l.dashboard(house, s.session, "")
		s.room, s.capability, s.grant = host.open()
		s.media = host.enter(s.room)
		of[house] = s
	}
	for owner, s := range of {
		for _, at := range append(houses, "haus0.localhost") {
			own := owner == at
			if got := l.session(at, s.key) != ""; got != own {
				t.Errorf("the host link of %s at %s: %v", owner, at, got)
			}
			_, frame := l.dashboard(at, s.session, fmt.Sprintf("%q", s.grant))
			if got := strings.Contains(frame, `"state"`); got != own {
				t.Errorf("the session of %s at %s: %s", owner, at, frame)
			}
			status, text := l.post(at, "room", fmt.Sprintf(`{"room":%q,"cap":%q}`, s.room, s.capability))
			if got := status == http.StatusOK; got != own {
				t.Errorf("the room of %s at %s: %d %s", owner, at, status, text)
			}
			resp, text := l.do(http.MethodGet, l.origin(at)+"/video/rtc/validate?protocol=16&access_token="+s.media, header("Origin", l.origin(at)))
			if got := resp.StatusCode == http.StatusOK; got != own {
				t.Errorf("the media token of %s at %s: %d %s", owner, at, resp.StatusCode, text)
			}
			if at == "haus0.localhost" || own {
				continue
			}
			// A host of the other house, with the own session, tries the foreign grant.
			host, _ := l.dashboard(at, of[at].session, fmt.Sprintf("%q", s.grant))
			host.send(fmt.Sprintf(`{"type":"cmd","id":9,"do":"end","room":%q}`, s.room))
			host.await(`"code":"not_found"`)
		}
	}
	// An origin of one house is a foreign one at the other.
	resp, text := l.do(http.MethodPost, l.origin("haus1.localhost")+"/video/api/v1/host/session",
		body(`{"key":"x"}`), header("Origin", l.origin("haus2.localhost")))
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign origin: %d %s", resp.StatusCode, text)
	}
}

// TestHouseQuota: a house opens as many rooms as it may, and others as before.
func TestHouseQuota(t *testing.T) {
	l := newHouseLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	l.start(ctx, l.file)
	l.awaitHouse("haus0.localhost")
	link, err := l.caddyCommand(ctx, "videoroom", "host-link", "--config", l.file, "--site", "haus0.localhost").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(strings.TrimSpace(string(link)), "#k=")
	host, _ := l.dashboard("haus0.localhost", l.session("haus0.localhost", key), "")
	host.open()
	host.send(`{"type":"cmd","id":2,"do":"open_room"}`)
	host.await(`"code":"too_many"`)
	other, _ := l.dashboard("haus1.localhost", l.session("haus1.localhost", l.add("haus1.localhost", "")), "")
	other.open()
	other.send(`{"type":"cmd","id":2,"do":"open_room"}`)
	other.await(`"ok":true`)
}

// TestHousesAreRefused with the reason, and nothing is stored then.
func TestHousesAreRefused(t *testing.T) {
	l := newHouseLab(t)
	l.load(houseSite)
	for _, tc := range []struct {
		method, query, in string
		status            int
		want              string
	}{
		{http.MethodPost, "", `{"domain":"Haus.localhost"}`, 400, "lower case"},
		{http.MethodPost, "", `{"domain":"haus"}`, 400, "host name"},
		{http.MethodPost, "", `{"domain":"../x.y"}`, 400, "host name"},
		{http.MethodPost, "", `{"domain":"a.localhost","fone":"1"}`, 400, "unknown field"},
		{http.MethodPost, "", `{"domain":"a.localhost","phone":"call"}`, 400, "telephone"},
		{http.MethodPost, "", `{"domain":"a.localhost","e2ee":"required","max_participants":51}`, 400, "50 or fewer"},
		{http.MethodPost, "", `{"domain":"a.localhost","base_path":"/x"}`, 400, "base path"},
		{http.MethodPost, "", `{"domain":"a.localhost","tenants":[{"domain":"b.localhost"}]}`, 400, "no houses of its own"},
		{http.MethodPost, "", `{"domain":"haus0.localhost"}`, 409, "stands in the configuration"},
		{http.MethodPost, "?table=other", `{"domain":"a.localhost"}`, 404, "choose one of the tables"},
		{http.MethodPost, "", `{"domain":"a.localhost","practice":"` + strings.Repeat("x", maxTenantBody) + `"}`, 413, "too many"},
		{http.MethodDelete, "?domain=haus0.localhost", "", 404, "has no house"},
		{http.MethodPut, "", "", 405, "use GET, POST or DELETE"},
	} {
		resp, text := l.do(tc.method, "http://localhost:ADMIN/videoroom/tenants"+tc.query, body(tc.in))
		if resp.StatusCode != tc.status || !strings.Contains(text, tc.want) {
			t.Errorf("%s %s %.80s = %d %s, want %d with %q", tc.method, tc.query, tc.in, resp.StatusCode, text, tc.status, tc.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(l.dir, "storage", tenantPrefix, "*", "*")); len(left) > 0 {
		t.Errorf("stored: %v", left)
	}
}

// TestDamagedHouse: one that cannot be read is left out, the others are served.
func TestDamagedHouse(t *testing.T) {
	l := newHouseLab(t)
	l.load(houseSite)
	l.add("haus1.localhost", "")
	l.add("haus2.localhost", "")
	name := filepath.Join(l.dir, "storage", filepath.FromSlash(tenantKey("verband", "haus1.localhost")))
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for what, damaged := range map[string]string{
		"cut": string(text[:len(text)/2]), "empty": "", "changed": strings.Replace(string(text), "Praxis", "Proxis", 1),
		"of the future": strings.Replace(string(text), `"version":1`, `"version":2`, 1),
	} {
		if err := os.WriteFile(name, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		l.reload(houseSite)
		l.expect(l.origin("haus2.localhost")+"/video/api/v1/site", http.StatusOK, "Praxis haus2.localhost")
		if resp, body := l.do(http.MethodGet, l.origin("haus1.localhost")+"/video/api/v1/site"); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %s", what, resp.StatusCode, body)
		}
	}
}
