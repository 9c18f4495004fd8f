// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// movingSite has one host, who is reached under a name of its own, and may keep
// the id that it had under another.
func movingSite(domain, id, mailServer string) string {
	return fmt.Sprintf(`http://%s:HTTP {
	videoroom {
		%s
		smtp %s {
			from "Praxis <praxis@example.de>"
			tls off
		}
	}
}
`, domain, id, mailServer)
}

// hostOf signs in as the one host of a site.
func (l *lab) hostOf(origin, key string) (bearer func(*http.Request)) {
	l.t.Helper()
	resp, text := l.do(http.MethodPost, origin+"/video/api/v1/host/session",
		body(fmt.Sprintf(`{"key":%q}`, key)), header("Origin", origin))
	var in struct{ Token string }
	if err := json.Unmarshal([]byte(text), &in); err != nil || resp.StatusCode != http.StatusOK {
		l.t.Fatalf("signing in: %d %s", resp.StatusCode, text)
	}
	return header("Authorization", "Bearer "+in.Token)
}

// roomLink is the link to a room in the next letter that arrives.
func (b *letterbox) roomLink(t *testing.T, n int) string {
	t.Helper()
	select {
	case <-b.to:
	case <-time.After(20 * time.Second):
		t.Fatal("no letter")
	}
	for range 200 {
		if len(b.all()) >= n {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	text := strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(b.all()[n-1]) // quoted-printable
	return regexp.MustCompile(`http://\S+/video/r/[a-z2-7]{26}#s=[A-Za-z0-9_-]+`).FindString(text)
}

// TestMovedToAnotherDomain: a site that keeps its id has everything under its new
// address that it had under the former, and letters lead there.
func TestMovedToAnotherDomain(t *testing.T) {
	box, mailServer := newLetterbox(t)
	l := newLab(t)
	l.load(movingSite("old.localhost", "", mailServer))
	former, now := fmt.Sprintf("http://old.localhost:%d", l.http), fmt.Sprintf("http://new.localhost:%d", l.http)

	_, text := l.do(http.MethodPost, "http://localhost:ADMIN/videoroom/host-link", body("{}"))
	var printed hostLinkResponse
	if err := json.Unmarshal([]byte(text), &printed); err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(printed.Link, "#k=")
	bearer := l.hostOf(former, key)
	var resp *http.Response
	for range 50 { // a site that has just begun may ask for patience
		resp, text = l.do(http.MethodPost, former+"/video/api/v1/appointments", bearer, header("Origin", former),
			body(fmt.Sprintf(`{"kind":"beratung","start":%q,"guests":[{"name":"Anna","email":"anna@example.org"}]}`,
				time.Now().Add(72*time.Hour).UTC().Format(time.RFC3339))))
		if resp.StatusCode != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	var made struct {
		Appointments []struct {
			ID     string
			Guests []struct{ ID, Link string }
		}
	}
	if err := json.Unmarshal([]byte(text), &made); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	a := made.Appointments[0]
	if link := box.roomLink(t, 1); link != a.Guests[0].Link || !strings.HasPrefix(link, former+"/") {
		t.Fatalf("the invitation has %q, the host %q", link, a.Guests[0].Link)
	}

	l.reload(movingSite("new.localhost", "site old.localhost", mailServer))
	resp, text = l.do(http.MethodPost, now+"/video/api/v1/appointments/"+a.ID+"/guests/"+a.Guests[0].ID+"/remind",
		l.hostOf(now, key), header("Origin", now), body("{}"))
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	path := strings.TrimPrefix(a.Guests[0].Link, former)
	if link := box.roomLink(t, 2); link != now+path {
		t.Errorf("the letter after the move has %q, want %q", link, now+path)
	}
	room, secret, _ := strings.Cut(strings.TrimPrefix(path, "/video/r/"), "#s=")
	resp, text = l.do(http.MethodPost, now+"/video/api/v1/room", header("Origin", now),
		body(fmt.Sprintf(`{"room":%q,"cap":%q}`, room, secret)))
	if resp.StatusCode != http.StatusOK || !strings.Contains(text, `"early"`) {
		t.Errorf("the link leads to %d %s", resp.StatusCode, text)
	}
}
