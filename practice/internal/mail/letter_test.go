// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package mail

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the letters in testdata anew")

// voices are the languages with their forms of address.
var voices = []struct{ name, language, address string }{
	{"de-sie", German, Formal}, {"de-du", German, Informal}, {"en", English, ""},
}

func berlin(t testing.TB, s string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// letter is one with everything in it that its kind can hold.
func letter(t testing.TB, what What, language, address string) Letter {
	l := Letter{
		What: what, Language: language, Address: address,
		From: "Praxis Dr. Muster <praxis@example.de>", To: "gast@example.net",
		ID: "k3v9q1", Written: berlin(t, "2026-11-20 09:00"),
		Practice: "Praxis Dr. Muster", Phone: "+49 (0)69 123456", HostName: "Dr. Muster",
		Start: berlin(t, "2026-11-24 14:00"), Duration: 50 * time.Minute, Zone: "Europe/Berlin",
		LinkBefore: 30 * time.Minute, OpensBefore: 30 * time.Minute,
		TestLink: "https://praxis.example/video/test", InPersonURL: "https://praxis.example/anfahrt",
		UID: "0d6f2c@praxis.example", Sequence: 1,
	}
	if what == Change {
		l.Was = berlin(t, "2026-11-23 16:30")
	}
	if what == Reminder {
		l.Link = "https://praxis.example/video/r/q4x7m2k9#s=1aBcD.e2FgH3iJkL4mNoP5qRsT6uVwX7yZ"
	}
	return l
}

func compose(t testing.TB, l Letter) Message {
	t.Helper()
	m, err := Compose(l)
	if err != nil {
		t.Fatalf("Compose(%s): %v", l.What, err)
	}
	return m
}

// The letters as people get them stand in testdata; a change of words shows
// there.
func TestLettersReadAsWritten(t *testing.T) {
	for _, v := range voices {
		for what := range frames {
			m := compose(t, letter(t, what, v.language, v.address))
			for ext, have := range map[string]string{".txt": m.Subject + "\r\n\r\n" + m.Text, ".html": m.HTML} {
				file := filepath.Join("testdata", string(what)+"-"+v.name+ext)
				have = strings.ReplaceAll(have, "\r\n", "\n")
				if *update {
					if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if have != string(want) {
					t.Errorf("%s differs from what was looked at; look again and run with -update", file)
				}
			}
		}
	}
}

// Whoever sees a list of mails learns that there is an appointment, no more.
func TestSubjectsAndHeadersAreNeutral(t *testing.T) {
	for _, v := range voices {
		for what := range frames {
			l := letter(t, what, v.language, v.address)
			m := compose(t, l)
			for _, word := range []string{"Muster", "Praxis", "Video", "video", "Therap", "gast"} {
				if strings.Contains(m.Subject, word) {
					t.Errorf("subject %q says %q", m.Subject, word)
				}
			}
			raw := wire(t, m)
			for name := range raw.Header {
				if !allowedHeaders[name] {
					t.Errorf("%s has the header %s", what, name)
				}
			}
			if got := raw.Header.Get("Message-ID"); got != "<k3v9q1@example.de>" {
				t.Errorf("Message-ID is %q", got)
			}
		}
	}
}

var allowedHeaders = map[string]bool{
	"From": true, "To": true, "Subject": true, "Date": true, "Message-Id": true, "Mime-Version": true,
	"Content-Type": true, "Content-Language": true, "Auto-Submitted": true,
}

func wire(t testing.TB, m Message) *mail.Message {
	t.Helper()
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		if len(line) > 998 || !strings.HasSuffix(line, "\r") && line != "" {
			t.Fatalf("a line of %d bytes, or without CR: %.60q", len(line), line)
		}
	}
	raw, err := mail.ReadMessage(&b)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// leaves are the parts of a message by content type, depth first.
func leaves(t testing.TB, contentType string, body io.Reader, into *[]string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if m := params["method"]; m != "" {
			kind += " " + m
		}
		*into = append(*into, kind)
		return
	}
	*into = append(*into, kind)
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		leaves(t, p.Header.Get("Content-Type"), p, into)
	}
}

func TestPartsOfAMessage(t *testing.T) {
	method := map[What]string{Invitation: "REQUEST", Change: "REQUEST", Cancellation: "CANCEL"}
	for what := range frames {
		raw := wire(t, compose(t, letter(t, what, German, Formal)))
		var have []string
		leaves(t, raw.Header.Get("Content-Type"), raw.Body, &have)
		want := "multipart/mixed multipart/alternative text/plain text/html text/calendar " + method[what] + " application/ics"
		if what == Reminder {
			want = "multipart/alternative text/plain text/html"
		}
		if got := strings.Join(have, " "); got != want {
			t.Errorf("%s: parts %q, want %q", what, got, want)
		}
	}
}

// What the facts bring along is shown, never obeyed.
func TestForeignTextStaysText(t *testing.T) {
	l := letter(t, Invitation, German, Formal)
	l.HostName = `<script>alert(1)</script>"&`
	l.Practice = `<img src=x onerror=1>`
	l.Phone = `069 <b>1</b>`
	l.CancelNote = `</p><a href="https://evil.example">x</a>`
	l.Checklist = []string{`<style>*{}</style>`}
	m := compose(t, l)
	for _, bad := range []string{"<script", "<img", "<b>", "evil.example\">", "<style>*"} {
		if strings.Contains(m.HTML, bad) {
			t.Errorf("the HTML holds %q", bad)
		}
	}
	// Nothing in a letter is loaded from anywhere.
	if found := regexp.MustCompile(`(?i)<[^>]*\b(src|background|srcset)\s*=|url\(|@import|<link`).FindString(m.HTML); found != "" {
		t.Errorf("the HTML loads something: %q", found)
	}
}

func TestLettersThatCannotBeWritten(t *testing.T) {
	for name, spoil := range map[string]func(*Letter){
		"kind":           func(l *Letter) { l.What = "poem" },
		"language":       func(l *Letter) { l.Language = "fr" },
		"address":        func(l *Letter) { l.Address = "" },
		"zone":           func(l *Letter) { l.Zone = "Mars/Olympus" },
		"local zone":     func(l *Letter) { l.Zone = "Local" },
		"start":          func(l *Letter) { l.Start = time.Time{} },
		"from":           func(l *Letter) { l.From = "praxis" },
		"to":             func(l *Letter) { l.To = "a@b.example, c@d.example" },
		"header in to":   func(l *Letter) { l.To = "a@b.example\r\nBcc: c@d.example" },
		"id":             func(l *Letter) { l.ID = "a>b" },
		"empty id":       func(l *Letter) { l.ID = "" },
		"no link":        func(l *Letter) { l.What, l.Link = Reminder, "" },
		"script as link": func(l *Letter) { l.TestLink = "javascript:alert(1)" },
		"colour":         func(l *Letter) { l.Color = "red;}" },
		"duration":       func(l *Letter) { l.Duration = -1 },
		"domain literal": func(l *Letter) { l.To = "a@[192.0.2.1]" },
	} {
		l := letter(t, Invitation, German, Formal)
		spoil(&l)
		if _, err := Compose(l); !errors.Is(err, ErrLetter) {
			t.Errorf("%s: %v, want ErrLetter", name, err)
		} else if strings.Contains(err.Error(), "example") {
			t.Errorf("%s: the error names an address: %v", name, err)
		}
	}
}

// Words fit when nothing but the time is known.
func TestBareLetters(t *testing.T) {
	for _, v := range voices {
		for what := range frames {
			l := letter(t, what, v.language, v.address)
			bare := Letter{
				What: what, Language: l.Language, Address: l.Address, From: l.From, To: l.To, ID: l.ID,
				Written: l.Written, Start: l.Start, Zone: "UTC", Link: l.Link,
			}
			m := compose(t, bare)
			if strings.Contains(m.Text, "%!") || strings.Contains(m.HTML, "%!") || strings.Contains(m.Text, "  ") {
				t.Errorf("%s %s has a hole:\n%s", what, v.name, m.Text)
			}
			if len(m.ICS) != 0 {
				t.Errorf("%s: a calendar object without UID", what)
			}
		}
	}
}

// The two forms of address never mix.
func TestFormsOfAddressDoNotMix(t *testing.T) {
	du := regexp.MustCompile(`(?i)\b(du|dir|dich|deine?[mnrs]?)\b`)
	sie := regexp.MustCompile(`\b(Ihnen|Ihre?[mnrs]?)\b|\bSie (können|kommen|warten|möchten|müssen)`)
	for what := range frames {
		formal, informal := letter(t, what, German, Formal), letter(t, what, German, Informal)
		if m := compose(t, formal); du.MatchString(m.Text + m.Subject) {
			t.Errorf("%s says du to Sie: %q", what, du.FindString(m.Text+m.Subject))
		}
		if m := compose(t, informal); sie.MatchString(m.Text + m.Subject) {
			t.Errorf("%s says Sie to du: %q", what, sie.FindString(m.Text+m.Subject))
		}
	}
}

func TestTimesAreToldInTheZone(t *testing.T) {
	l := letter(t, Invitation, German, Formal)
	l.Start, l.Zone = time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), "Europe/Vienna"
	l.Duration = time.Hour // over the end of summer time
	m := compose(t, l)
	if want := "Sonntag, 25. Oktober 2026, 02:30 bis 02:30 Uhr (Ortszeit Wien)"; !strings.Contains(m.Text, want) {
		t.Errorf("the text does not say %q:\n%s", want, m.Text)
	}
	if !strings.Contains(string(m.ICS), "DTSTART:20261025T003000Z") || !strings.Contains(string(m.ICS), "DTEND:20261025T013000Z") {
		t.Errorf("the calendar object has another time:\n%s", m.ICS)
	}
}

func TestDomainsWithUmlautsReachTheServerInASCII(t *testing.T) {
	a, err := parseAddress("Gast <gast@müller.example>")
	if err != nil || a.Address != "gast@xn--mller-kva.example" {
		t.Errorf("parseAddress: %v, %v", a, err)
	}
}

func TestDialled(t *testing.T) {
	for shown, want := range map[string]string{
		"+49 (0)69 123456": "+4969123456", "069 / 12-34": "0691234", "": "",
	} {
		if got := dialled(shown); got != want {
			t.Errorf("dialled(%q) = %q, want %q", shown, got, want)
		}
	}
}
