// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

const oneSite = `http://localhost:HTTP {
	videoroom {
		practice "Praxis %s"
	}
}
`

func references(t *testing.T) int {
	t.Helper()
	n, _ := engines.References(engineKey)
	return n
}

// TestValidateHasNoSideEffects is what `caddy validate` does.
func TestValidateHasNoSideEffects(t *testing.T) {
	l := newLab(t)
	var cfg caddy.Config
	if err := json.Unmarshal(l.adapt(fmt.Sprintf(oneSite, "A")), &cfg); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&cfg); err != nil {
		t.Fatal(err)
	}
	if n := references(t); n != 0 {
		t.Errorf("the engine has %d users", n)
	}
	if !portIsFree(l.media) {
		t.Error("the media port is in use")
	}
	if _, err := os.Stat(filepath.Join(l.dir, "storage", "videoroom")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was stored: %v", err)
	}
}

func TestEngineOutlivesReloads(t *testing.T) {
	l := newLab(t)
	l.load(fmt.Sprintf(oneSite, "A"))
	first := runningEngine()
	if n := references(t); n != 1 || first == nil {
		t.Fatalf("the engine %p has %d users, want 1", first, n)
	}
	if portIsFree(l.media) {
		t.Error("nothing listens on the media port")
	}
	for _, name := range []string{"B", "C"} {
		if err := caddy.Load(l.adapt(fmt.Sprintf(oneSite, name)), true); err != nil {
			t.Fatal(err)
		}
		if n := references(t); n != 1 || runningEngine() != first {
			t.Errorf("after a reload there are %d users of engine %p, want one of %p", n, runningEngine(), first)
		}
		l.expect("http://localhost:HTTP/video/api/v1/site", http.StatusOK, "Praxis "+name)
	}
	// A configuration without videoroom ends the engine and frees the port.
	if err := caddy.Load(fmt.Appendf(nil, `{"admin":{"disabled":true}}`), true); err != nil {
		t.Fatal(err)
	}
	if n := references(t); n != 0 || runningEngine() != nil {
		t.Errorf("the engine still has %d users", n)
	}
	if !portIsFree(l.media) {
		t.Error("the media port is still in use")
	}
}

// TestFailedReloadKeepsTheOldSettings lets the new configuration fail after
// or before our app has started: the order of apps is random.
func TestFailedReloadKeepsTheOldSettings(t *testing.T) {
	l := newLab(t)
	l.load(fmt.Sprintf(oneSite, "A"))
	first, holder := runningEngine(), runningEngine().current()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	broken := fmt.Sprintf(oneSite, "B") + fmt.Sprintf("http://127.0.0.1:%d {\n\tbind 127.0.0.1\n\tvideoroom\n}\n", busy.Addr().(*net.TCPAddr).Port)
	for range 8 {
		if err := caddy.Load(l.adapt(broken), true); err == nil {
			t.Fatal("the broken configuration was accepted")
		}
		if n := references(t); n != 1 || runningEngine() != first || first.current() != holder {
			t.Fatalf("after a failed reload there are %d users of %p, want one of %p", n, runningEngine(), first)
		}
	}
	l.expect("http://localhost:HTTP/video/api/v1/site", http.StatusOK, "Praxis A")
}

func TestSecretsAreReplacedAtProvision(t *testing.T) {
	l := newLab(t)
	secret := strings.Repeat("s", 40)
	t.Setenv("VIDEOROOM_TEST_SECRET", secret)
	t.Setenv("VIDEOROOM_TEST_IDENTITY", "{http.auth.user.id}")
	const site = `http://localhost:HTTP {
	videoroom {
		e2ee off
		api_key other {env.%s}
		host muster {
			identity {env.VIDEOROOM_TEST_IDENTITY}
		}
	}
}
`
	adapted := l.adapt(fmt.Sprintf(site, "VIDEOROOM_TEST_SECRET"))
	if strings.Contains(string(adapted), secret) {
		t.Error("the adapted configuration holds the secret")
	}
	l.load(fmt.Sprintf(site, "VIDEOROOM_TEST_SECRET"))
	h := runningEngine().current().registered()[0]
	if got := h.site.APIKeys[0].Secret; got != secret {
		t.Errorf("secret = %q", got)
	}
	if got := h.site.Hosts[0].Identity; got != "{http.auth.user.id}" {
		t.Errorf("identity = %q", got)
	}
	if printed, err := json.Marshal(h); err != nil || strings.Contains(string(printed), secret) {
		t.Errorf("the handler prints its secret: %s, %v", printed, err)
	}
	err := caddy.Load(l.adapt(fmt.Sprintf(site, "VIDEOROOM_TEST_UNSET")), true)
	if err == nil || !strings.Contains(err.Error(), "api_key") {
		t.Errorf("an unset secret gives %v", err)
	}
}

// TestIdentityThatIsTheSameForEverybodyIsRefused: the constant can also come
// out of the environment.
func TestIdentityThatIsTheSameForEverybodyIsRefused(t *testing.T) {
	l := newLab(t)
	t.Setenv("VIDEOROOM_TEST_IDENTITY", "muster")
	var cfg caddy.Config
	adapted := l.adapt("http://localhost:HTTP {\n\tvideoroom {\n\t\thost muster {\n\t\t\tidentity {env.VIDEOROOM_TEST_IDENTITY}\n\t\t}\n\t}\n}\n")
	if err := json.Unmarshal(adapted, &cfg); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&cfg); err == nil || !strings.Contains(err.Error(), "identity: must be a placeholder") {
		t.Errorf("error = %v", err)
	}
}

// TestJSONIsValidatedToo: what the Caddyfile refuses, JSON may not smuggle in.
func TestJSONIsValidatedToo(t *testing.T) {
	for _, tc := range []struct{ app, handler, want string }{
		{`{"media_port":65536}`, `{}`, "1 to 65535"},
		{`{"media_prt":8443}`, `{}`, "media_prt"},
		{`{}`, `{"e2ee":"required","max_participants":51}`, "50 or fewer"},
		{`{}`, `{"hosts":[{"id":"Muster"}]}`, "lower-case"},
		{`{}`, `{"practise":"x"}`, "practise"},
	} {
		h := strings.Replace(tc.handler, "{", `{"handler":"videoroom",`, 1)
		h = strings.Replace(h, ",}", "}", 1)
		text := fmt.Sprintf(`{"apps":{"videoroom":%s,"http":{"servers":{"s":{"listen":["127.0.0.1:0"],"routes":[{"handle":[%s]}]}}}}}`, tc.app, h)
		var cfg caddy.Config
		if err := json.Unmarshal([]byte(text), &cfg); err != nil {
			t.Fatal(err)
		}
		if err := caddy.Validate(&cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want one with %q", text, err, tc.want)
		}
	}
	if n := references(t); n != 0 {
		t.Errorf("the engine has %d users", n)
	}
}

func TestUnavailableUntilTheEngineRuns(t *testing.T) {
	l := newLab(t)
	l.load("http://localhost:HTTP {\n\tvideoroom\n\trespond \"next\"\n}\n")
	app := runningEngine().current()
	e := app.engine.Swap(nil)
	resp := l.expect("http://localhost:HTTP/video/api/v1/site", http.StatusServiceUnavailable, `"unavailable"`)
	if resp.Header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After field")
	}
	l.expect("http://localhost:HTTP/video/else", http.StatusOK, "next")
	app.engine.Store(e)
	l.expect("http://localhost:HTTP/video/api/v1/site", http.StatusOK, "")
}

func TestMetricsSurviveReloads(t *testing.T) {
	l := newLab(t)
	l.load(fmt.Sprintf(oneSite, "A"))
	check := func() {
		t.Helper()
		_, text := l.do(http.MethodGet, "http://localhost:ADMIN/metrics")
		for _, m := range measures {
			if n := strings.Count(text, "# TYPE caddy_videoroom_"+m.metric+" "); n != 1 {
				t.Errorf("caddy_videoroom_%s appears %d times", m.metric, n)
			}
		}
	}
	check()
	for range 3 {
		if err := caddy.Load(l.adapt(fmt.Sprintf(oneSite, "A")), true); err != nil {
			t.Fatal(err)
		}
		check()
	}
}
