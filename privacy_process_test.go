// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestProcessLogsNoVisitor runs a Caddy process with access log and debug log and
// with directives that answer and fail before videoroom, and looks for the room,
// the token and the visitor's address in everything it has written.
func TestProcessLogsNoVisitor(t *testing.T) {
	l := newLab(t)
	const visitor = "127.0.77.7"
	l.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		from := &net.TCPAddr{IP: net.ParseIP(visitor)}
		return (&net.Dialer{LocalAddr: from}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	dead := freePorts(t, 1)[0]
	l.extraGlobal = `log {
		output file ` + l.dir + `/all.log
		level DEBUG
		exclude events http.stdlib tls http.handlers.reverse_proxy
	}`
	// Left out: what Caddy says at level DEBUG of connections and of other
	// directives' own work.
	file := filepath.Join(l.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(l.config(strings.ReplaceAll(`https://localhost:HTTPS {
	log {
		output file DIR/access.log
		level DEBUG
	}
	videoroom
	respond "elsewhere"
}
http://localhost:HTTP {
	redir https://{host}:HTTPS{uri} 308
}
https://plain.localhost:HTTPS {
	log {
		output file DIR/access.log
	}
	videoroom
}
https://whole.localhost:HTTPS {
	log {
		output file DIR/access.log
		level DEBUG
	}
	basic_auth {
		muster `+basicAuth+`
	}
	videoroom
	respond "elsewhere"
}
https://forward.localhost:HTTPS {
	log {
		output file DIR/access.log
		level DEBUG
	}
	forward_auth 127.0.0.1:DEAD {
		uri /check
	}
	videoroom /
	handle_errors {
		respond "handled {err.status_code}"
	}
}
`, "DEAD", fmt.Sprint(dead)))), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	l.startTLSProcess(ctx, file)

	const room, token = "canaryroomcanaryroomcanary", "canarytoken"
	for _, tc := range []struct {
		url    string
		status int
		body   string
	}{
		{"http://localhost:HTTP/video/r/" + room, http.StatusPermanentRedirect, ""},
		{"https://localhost:HTTPS/video/r/" + room, http.StatusOK, ""},
		{"https://localhost:HTTPS/video/rtc/v1?access_token=" + token, http.StatusUpgradeRequired, ""},
		{"https://localhost:HTTPS/Video/R/" + room, http.StatusOK, "elsewhere"},
		{"https://localhost:HTTPS//video/r/" + room, http.StatusOK, "elsewhere"},
		{"https://whole.localhost:HTTPS/video/r/" + room, http.StatusUnauthorized, ""},
		{"https://whole.localhost:HTTPS/video/rtc/v1?access_token=" + token, http.StatusUnauthorized, ""},
		{"https://forward.localhost:HTTPS/r/" + room, http.StatusBadGateway, "handled 502"},
		{"https://forward.localhost:HTTPS/rtc?access_token=" + token, http.StatusBadGateway, "handled 502"},
	} {
		l.client.Transport.(*http.Transport).TLSClientConfig.ServerName = hostName(strings.TrimPrefix(tc.url, "https://")[:strings.IndexByte(strings.TrimPrefix(tc.url, "https://"), '/')])
		l.client.CloseIdleConnections()
		l.expect(tc.url, tc.status, tc.body, header("Authorization", "Bearer "+token))
	}
	// What is not ours is logged as before: the test could otherwise prove nothing.
	l.client.Transport.(*http.Transport).TLSClientConfig.ServerName = "localhost"
	l.client.CloseIdleConnections()
	l.expect("https://localhost:HTTPS/other-canary", http.StatusOK, "elsewhere", header("X-Visitor", "other"))
	l.client.Transport.(*http.Transport).TLSClientConfig.ServerName = "forward.localhost"
	l.client.CloseIdleConnections()
	l.expect("https://forward.localhost:HTTPS/third-canary", http.StatusBadGateway, "handled 502")

	// The page for visitors says which requests are logged all the same.
	for name, says := range map[string][2]bool{
		"localhost": {true, false}, "plain.localhost": {true, true},
	} {
		l.client.Transport.(*http.Transport).TLSClientConfig.ServerName = name
		l.client.CloseIdleConnections()
		_, text := l.do(http.MethodGet, "https://"+name+":HTTPS/video/privacy")
		if strings.Contains(text, "führt der Webserver ein Zugriffsprotokoll") != says[0] || strings.Contains(text, "mit http:// statt https://") != says[1] {
			t.Errorf("%s: the page on privacy says %s", name, text)
		}
	}

	logged := waitForLog(t, l.dir, "other-canary", "third-canary", "another directive failed to answer")
	if advice := `http://whole.localhost {\n\tredir`; !strings.Contains(logged, advice) || strings.Contains(logged, `"http://localhost {`) {
		t.Errorf("it is not said for whole.localhost alone what keeps redirects out of the log: %s", advice)
	}
	for line := range strings.Lines(logged) {
		for _, canary := range []string{room, token} {
			if strings.Contains(line, canary) {
				t.Errorf("logged: %s", line)
			}
		}
		ours := !strings.Contains(line, "other-canary") && !strings.Contains(line, "third-canary") && !strings.Contains(line, `"uri":"/"`)
		if strings.Contains(line, visitor) && ours {
			t.Errorf("logged with the visitor's address: %s", line)
		}
	}
}
