// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNothingAboutRoomsIsLogged turns on everything that Caddy can log, sends
// requests with a canary in the query and in room paths through success,
// refusal and error, and looks for the canary in every line. The one thing it
// leaves out is the debug log of Caddy's rewrite handler, which stands before
// ours in handle_path.
func TestNothingAboutRoomsIsLogged(t *testing.T) {
	l := newLab(t)
	l.extraGlobal = `log {
		output file ` + l.dir + `/all.log
		level DEBUG
		exclude http.handlers.rewrite
	}
	servers {
		trace
	}`
	l.load(`http://localhost:HTTP {
	log {
		output file DIR/access.log
		level DEBUG
	}
	root * DIR
	videoroom
	file_server
}
http://root.localhost:HTTP {
	log {
		output file DIR/access.log
		level DEBUG
	}
	root * DIR
	videoroom /
	file_server
}
http://stripped.localhost:HTTP {
	log {
		output file DIR/access.log
		level DEBUG
	}
	handle_path /praxis/* {
		videoroom
	}
	handle_errors {
		respond "an error"
	}
}
`)
	const canary = "canaryroomcanaryroomcanary"
	paths := []string{
		"/r/" + canary, "/r/" + canary + "/x", "/r/" + canary + "?access_token=" + canary,
		"/rtc?access_token=" + canary, "/rtc/v1?access_token=" + canary, "/rtc/v1/validate?access_token=" + canary, "/rtc/nothing?x=" + canary,
		"/api/v1/" + canary, "/api/v1/site?x=" + canary, "/api/v1/room?x=" + canary,
		"/twirp/livekit.RoomService/" + canary, "/_vr/" + canary + "/a/x.js",
		"/?x=" + canary, "/host/?x=" + canary,
	}
	bases := []string{"http://localhost:HTTP/video", "http://root.localhost:HTTP", "http://stripped.localhost:HTTP/praxis/video"}
	for _, base := range bases {
		for _, path := range paths {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				l.do(method, base+path, body(`{"name":"`+canary+`"}`))
			}
			l.do(http.MethodGet, base+path, header("Connection", "Upgrade"), header("Upgrade", "websocket"),
				header("Sec-WebSocket-Version", "13"), header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="))
		}
	}
	// Beneath a base path that is not the root even what nobody knows is ours.
	l.do(http.MethodGet, "http://localhost:HTTP/video?x="+canary)
	l.do(http.MethodGet, "http://localhost:HTTP/video/unknown?x="+canary)
	l.do(http.MethodGet, "http://localhost:HTTP/video/R/X?x="+canary)
	l.do(http.MethodGet, "http://stripped.localhost:HTTP/praxis/video/unknown?x="+canary)
	// The rest of the site is logged as before.
	l.expect("http://localhost:HTTP/elsewhere?x=the-other-canary", http.StatusNotFound, "")
	l.expect("http://root.localhost:HTTP/elsewhere?x=the-third-canary", http.StatusNotFound, "")

	logged := waitForLog(t, l.dir, "the-other-canary", "the-third-canary")
	for line := range strings.Lines(logged) {
		if strings.Contains(line, canary) {
			t.Fatalf("logged: %s", line)
		}
	}
}

// waitForLog returns all logs once they hold the texts in an access log entry
// and in an error log entry.
func waitForLog(t *testing.T, dir string, texts ...string) string {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		var all string
		for _, name := range []string{"all.log", "access.log"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all += string(data)
		}
		complete := strings.Contains(all, "http.log.error")
		for _, text := range texts {
			complete = complete && strings.Contains(all, text)
		}
		if complete {
			return all
		}
		if time.Now().After(deadline) {
			t.Fatalf("the logs hold no error entry or not all of %q: the test would prove nothing", texts)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
