// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// letterbox is a mail server that takes everything and tells who got something.
type letterbox struct{ to chan string }

func (b letterbox) NewSession(*smtp.Conn) (smtp.Session, error) { return letterSlot{b}, nil }

type letterSlot struct{ letterbox }

func (letterSlot) Mail(string, *smtp.MailOptions) error { return nil }
func (s letterSlot) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to <- to
	return nil
}

func (letterSlot) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
func (letterSlot) Reset()        {}
func (letterSlot) Logout() error { return nil }

func newLetterbox(t *testing.T) (letterbox, string) {
	t.Helper()
	box := letterbox{make(chan string, 100)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := smtp.NewServer(box)
	s.Domain = "localhost"
	done := make(chan struct{})
	go func() { // ends when the server closes
		defer close(done)
		_ = s.Serve(ln)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return box, ln.Addr().String()
}

// shellBlocks are the examples of a document, in their order.
func shellBlocks(text string) []string {
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// Every example of docs/booking.md works as it stands, one after the other,
// against a Caddy process; and every call that the interface has is there.
func TestExamplesOfBooking(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("docs", "booking.md"))
	if err != nil {
		t.Fatal(err)
	}
	document := string(raw)
	checkCallsAreThere(t, document)

	box, mailServer := newLetterbox(t)
	l := newLab(t)
	file := filepath.Join(l.dir, "Caddyfile")
	const secret = "an example's secret of 32 bytes or more"
	site := fmt.Sprintf(`http://localhost:HTTP {
	videoroom {
		host muster {
			name "Dr. Muster"
		}
		host zweit
		smtp %s {
			from "Praxis <praxis@example.de>"
			tls off
		}
		booking_key buchung %q
	}
}
`, mailServer, secret)
	if err := os.WriteFile(file, []byte(l.config(site)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
	defer cancel()
	l.startProcess(ctx, file)

	blocks := shellBlocks(document)
	script := "set -eu\n"
	for i, b := range blocks {
		script += fmt.Sprintf("%s\nprintf '\\n<<<%d\\n'\n", b, i)
	}
	script = strings.ReplaceAll(script, "https://praxis.example", fmt.Sprintf("http://localhost:%d", l.http))
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = l.dir
	cmd.Env = append(os.Environ(), "BOOKING_SECRET="+secret)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	answers := strings.Split(string(out), "<<<")
	if len(answers) != len(blocks)+1 {
		t.Fatalf("%d examples, %d answers:\n%s", len(blocks), len(answers)-1, out)
	}
	for _, want := range []struct {
		example, answer string
	}{
		{"booking-4711\n", `"link":"http://localhost`}, {"booking-4712", `"series":"`}, {"vr GET \"appointments?host=muster&from", `"K. 17"`},
		{"booking-4711-moved", `T15:00:00`}, {"/remind", `"reminder"`}, {"/link\"", `"link":"`}, {"/revoke", `"revoked":true`},
		{"vr DELETE", `"cancelled"`}, {"hooks/cal?key", `"carla@example.org"`},
	} {
		i := slices.IndexFunc(blocks, func(b string) bool { return strings.Contains(b+"\n", want.example) })
		if i < 0 || !strings.Contains(answers[i], want.answer) {
			t.Errorf("example %d with %s does not answer %s:\n%v", i, want.example, want.answer, answers)
		}
	}
	if spec, err := os.ReadFile(filepath.Join(l.dir, "openapi.json")); err != nil || !json.Valid(spec) {
		t.Errorf("openapi.json: %v", err)
	}
	awaitLetters(t, box, "anna@example.org", "bert@example.org", "carla@example.org")
}

// awaitLetters waits until each of these has got a letter.
func awaitLetters(t *testing.T, box letterbox, names ...string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for len(names) > 0 {
		select {
		case to := <-box.to:
			names = slices.DeleteFunc(names, func(n string) bool { return n == to })
		case <-deadline:
			t.Fatalf("no letter to %v", names)
		}
	}
}

func checkCallsAreThere(t *testing.T, document string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("practice", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(err)
	}
	for path, methods := range spec.Paths {
		for method := range methods {
			if method == "parameters" {
				continue
			}
			heading := fmt.Sprintf("\n### `%s api/v1%s`\n", strings.ToUpper(method), path)
			_, section, found := strings.Cut(document, heading)
			section, _, _ = strings.Cut(section, "\n### ")
			if !found || len(shellBlocks(section)) == 0 {
				t.Errorf("no example below%s", heading)
			}
		}
	}
}
