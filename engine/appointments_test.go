// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/caddy-videoroom/videoroom/config"
	"github.com/caddy-videoroom/videoroom/token"
)

// mailServer takes mail over SMTP and passes the texts on.
func mailServer(t *testing.T) (address string, mails <-chan string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	arrived := make(chan string, 16)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go takeMail(conn, arrived)
		}
	}()
	return l.Addr().String(), arrived
}

func takeMail(conn net.Conn, arrived chan<- string) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 mail.example")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch word, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(word) {
		case "QUIT":
			say("221 bye")
			return
		case "DATA":
			say("354 go ahead")
			var text strings.Builder
			for line, err := in.ReadString('\n'); err == nil && line != ".\r\n"; line, err = in.ReadString('\n') {
				text.WriteString(line)
			}
			say("250 taken")
			arrived <- text.String()
		default:
			say("250 fine")
		}
	}
}

// asHost runs a host's request about appointments.
func (b *bench) asHost(method, path, body string) map[string]any {
	b.t.Helper()
	session, err := b.engine.keys.HostSession(siteID, token.HostSession{Host: "muster", Since: time.Now()}, time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	h := http.Header{"Authorization": {"Bearer " + session}, "Origin": {b.http.URL}}
	var m map[string]any
	for range 200 { // the first answers may come before the storage has been read
		status, _, text := b.request(method, "/api/v1/appointments"+path, body, h)
		if status == http.StatusServiceUnavailable {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if err := json.Unmarshal([]byte(text), &m); err != nil || status/100 != 2 {
			b.t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
		return m
	}
	b.t.Fatal("the storage is never read")
	return nil
}

func (b *bench) visited(link string) map[string]any {
	b.t.Helper()
	_, rest, _ := strings.Cut(link, "/r/")
	room, secret, _ := strings.Cut(rest, "#s=")
	body := fmt.Sprintf(`{"room":%q,"cap":%q}`, room, secret)
	status, _, text := b.request(http.MethodPost, "/api/v1/room", body, http.Header{"Origin": {b.http.URL}})
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil || status != http.StatusOK {
		b.t.Fatalf("%d %s", status, text)
	}
	visited, _ := m["appointment"].(map[string]any)
	return visited
}

// An appointment on Caddy's file storage, its invitation over SMTP, and both after
// a reload, after a restart, and in a copy of the directory.
func TestAppointmentsOutliveTheProcess(t *testing.T) {
	server, mails := mailServer(t)
	site := testSite()
	site.SMTP = &config.SMTP{Server: server, From: "Praxis <praxis@example.org>", TLS: config.Off}
	store := &certmagic.FileStorage{Path: t.TempDir()}
	b := newBench(t, Options{Store: store}, site)
	start := time.Now().Add(72 * time.Hour).Format(time.RFC3339)
	made := b.asHost(http.MethodPost, "", `{"kind":"beratung","start":"`+start+`","guests":[{"name":"Anna","email":"anna@example.org"}]}`)
	a, _ := made["appointments"].([]any)[0].(map[string]any)
	guest, _ := a["guests"].([]any)[0].(map[string]any)
	link, _ := guest["link"].(string)
	if !strings.HasPrefix(link, b.http.URL+"/video/r/") || b.visited(link)["state"] != "early" {
		t.Fatalf("made %v", made)
	}
	select {
	case text := <-mails:
		if !strings.Contains(text, "To: <anna@example.org>") || !strings.Contains(text, "METHOD:REQUEST") && !strings.Contains(text, "method=REQUEST") ||
			strings.Contains(text, "Anna") {
			t.Errorf("mail %s", text)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no mail arrived")
	}
	b.engine.Install(Snapshot{Sites: []*config.Site{site}})
	if got := b.asHost(http.MethodGet, "", ""); len(got["appointments"].([]any)) != 1 || b.visited(link)["state"] != "early" {
		t.Errorf("after a reload: %v", got)
	}
	if err := b.engine.Close(); err != nil {
		t.Fatal(err)
	}
	b = newBench(t, Options{Store: store}, site)
	got := b.asHost(http.MethodGet, "", "")
	again, _ := got["appointments"].([]any)[0].(map[string]any)
	letters := fmt.Sprint(again["guests"])
	if again["id"] != a["id"] || b.visited(link)["state"] != "early" || !strings.Contains(letters, "state:sent") {
		t.Errorf("after a restart: %v", got)
	}
	id, _ := a["id"].(string)
	b.asHost(http.MethodDelete, "/"+id, "")
	select {
	case text := <-mails:
		if !strings.Contains(text, "method=CANCEL") {
			t.Errorf("mail %s", text)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no cancellation arrived")
	}
	if b.visited(link)["state"] != "cancelled" {
		t.Error("the link of a cancelled appointment")
	}
}
