// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const canarySite = `http://localhost:HTTP {
	log {
		output file DIR/access.log
	}
	videoroom {
		practice "Praxis"
		phone "+49 69 000000"
		host muster {
			name "Canary-Host-Name"
			email canary.host.mail@example.de
		}
		smtp SMTP {
			from "Praxis <canary.sender@example.de>"
			tls off
		}
		booking_key canarykey canary-booking-secret-canary-booking-secret
	}
}
`

// TestCanaries lets a practice work in a Caddy process with logs, metrics, a
// storage and a mail server, and looks for what must not be found there: names,
// addresses, labels, rooms, links, tokens, secrets.
func TestCanaries(t *testing.T) {
	l := newLab(t)
	l.extraGlobal = "debug\n\tmetrics\n\tservers {\n\t\ttrusted_proxies static 127.0.0.1/32\n\t}\n"
	box, address := newLetterbox(t)
	p := l.run(strings.Replace(canarySite, "SMTP", address, 1), "http://localhost:HTTP/video/api/v1/site")
	canaries := []string{
		"Canary-Host-Name", "canary.host.mail", "canary-booking-secret", "203.0.113.77", "2001:db8:77::77",
		"Canary-Query", "Canary-Agent", "Canary-Referer",
	}
	office := "http://localhost:HTTP/video"
	from := header("X-Forwarded-For", "203.0.113.77")
	key := l.hostKeyOf(p)
	_, text := l.do(http.MethodPost, office+"/api/v1/host/session", body(fmt.Sprintf(`{"key":%q}`, key)),
		header("Origin", fmt.Sprintf("http://localhost:%d", l.http)), from)
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(text), &session); err != nil || session.Token == "" {
		t.Fatalf("signing in: %s", text)
	}
	canaries = append(canaries, key, session.Token)

	links := make(map[string]string)
	for i := range 5 {
		name, label, to := fmt.Sprintf("Canary-Guest-%d", i), fmt.Sprintf("Canary-Label-%d", i), fmt.Sprintf("canary.guest.%d", i)
		start := time.Now().Add(time.Duration(10+i) * time.Minute).Format(time.RFC3339)
		_, text := l.do(http.MethodPost, office+"/api/v1/appointments?x=Canary-Query", from, header("Authorization", "Bearer "+session.Token),
			header("User-Agent", "Canary-Agent"), header("Referer", "http://Canary-Referer/"),
			body(fmt.Sprintf(`{"kind":"beratung","start":%q,"label":%q,"guests":[{"name":%q,"email":"%s@example.de"}]}`, start, label, name, to)))
		var made struct {
			Appointments []struct {
				Room   string
				Guests []struct{ Link string }
			}
		}
		if err := json.Unmarshal([]byte(text), &made); err != nil || len(made.Appointments) != 1 {
			t.Fatalf("making an appointment: %s", text)
		}
		a := made.Appointments[0]
		secret := a.Guests[0].Link[strings.Index(a.Guests[0].Link, "#s=")+3:]
		links[a.Room] = secret
		canaries = append(canaries, name, label, to, a.Room, secret)
	}
	for room, secret := range links {
		for _, path := range []string{"/r/" + room, "/r/" + room + "?s=" + secret} {
			l.do(http.MethodGet, office+path, from, header("User-Agent", "Canary-Agent"))
		}
		for _, capability := range []string{secret, "wrong" + secret} {
			l.do(http.MethodPost, office+"/api/v1/room", from, body(fmt.Sprintf(`{"room":%q,"cap":%q}`, room, capability)))
			l.knock(office, fmt.Sprintf(`{"type":"knock","room":%q,"cap":%q,"name":"Canary-Knock"}`, room, capability))
		}
	}
	canaries = append(canaries, "Canary-Knock")
	if len(canaries) < 30 {
		t.Fatalf("%d canaries", len(canaries))
	}
	p.await("the invitations", func() bool { return len(box.all()) >= len(links) })

	l.do(http.MethodGet, "http://localhost:HTTP/elsewhere") // which the site's access log may keep

	seen := map[string]string{"the log": p.log.String(), "the access log": l.read("access.log"), "storage keys": l.keys()}
	_, seen["the metrics"] = l.do(http.MethodGet, "http://localhost:ADMIN/metrics")
	for _, letter := range box.all() {
		seen["mail headers"] += headersOf(t, letter)
	}
	for where, text := range seen {
		if len(text) < 100 {
			t.Errorf("%s: next to nothing: %q", where, text)
		}
		for _, c := range canaries {
			if strings.Contains(strings.ToLower(text), strings.ToLower(c)) {
				t.Errorf("%s: %s", where, c)
			}
		}
	}
}

// hostKeyOf asks the process for the key within a host's private link.
func (l *lab) hostKeyOf(p *process) string {
	l.t.Helper()
	out, err := l.caddyCommand(l.t.Context(), "videoroom", "host-link", "--address", fmt.Sprintf("localhost:%d", l.admin)).Output()
	if err != nil {
		l.t.Fatalf("host-link: %v\n%s", err, p.log)
	}
	return strings.TrimSpace(string(out[bytes.Index(out, []byte("#k="))+3:]))
}

// knock sends one frame to the door and waits for the answer to it.
func (l *lab) knock(office, frame string) {
	l.t.Helper()
	url := strings.Replace(office, "http://localhost:HTTP", fmt.Sprintf("ws://localhost:%d", l.http), 1) + "/api/v1/knock?x=Canary-Query"
	conn, _, err := websocket.Dial(l.t.Context(), url, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: l.client.Transport},
		HTTPHeader: http.Header{"Origin": {fmt.Sprintf("http://localhost:%d", l.http)}, "X-Forwarded-For": {"2001:db8:77::77"}},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(l.t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		l.t.Fatal(err)
	}
	if _, _, err := conn.Read(l.t.Context()); err != nil && websocket.CloseStatus(err) == -1 {
		l.t.Error(err)
	}
}

// read returns a file of the lab.
func (l *lab) read(name string) string {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// keys lists the storage's keys, which are its file names.
func (l *lab) keys() string {
	var all strings.Builder
	root := filepath.Join(l.dir, "storage")
	_ = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			fmt.Fprintln(&all, strings.TrimPrefix(path, root))
		}
		return nil
	})
	return all.String()
}

// headersOf returns a letter's headers without To: somebody must deliver it.
func headersOf(t *testing.T, letter string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Fatal(err)
	}
	delete(m.Header, "To")
	return fmt.Sprint(m.Header)
}
