// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddy-videoroom/videoroom/config"
)

// TestAudit asks a running process what it is and does, and checks that the
// answer follows the configuration and holds no secret.
func TestAudit(t *testing.T) {
	l := newLab(t)
	file := filepath.Join(l.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(l.config(`http://localhost:HTTP {
	videoroom {
		profile anlage31b
		retention 48h
		host muster {
			name canaryname
			email canary@example.de
			calendar https://calendar.example.de/canarycalendar.ics
		}
		smtp mail.example.de:587 {
			from canaryfrom@example.de
			user canaryuser
			password canarypassword
		}
		e2ee off
		api_key canarykey canarysecretcanarysecretcanarysecret
	}
}
http://other.localhost:HTTP {
	videoroom {
		waiting_room off
	}
}
`)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	l.startProcess(ctx, file)
	text := func(args ...string) string {
		t.Helper()
		out, err := l.caddyCommand(ctx, append([]string{"videoroom", "audit"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), "canary") {
			t.Errorf("the audit tells a secret or a person: %s", out)
		}
		return string(out)
	}
	plain := text("--config", file)
	for _, want := range []string{
		"mail.example.de:587", "host muster: calendar", "48h0m0s after", "end-to-end encryption", "this list is no certificate",
		fmt.Sprintf("http://localhost:%d/video/", l.http), "FileStorage:" + l.dir + "/storage",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("%q is missing in %s", want, plain)
		}
	}
	var report auditReport
	if err := json.Unmarshal([]byte(text("--json", "--address", fmt.Sprintf("localhost:%d", l.admin))), &report); err != nil {
		t.Fatal(err)
	}
	port := func(a string) bool { return strings.HasSuffix(a, fmt.Sprintf(":%d", l.http)) }
	if !slices.ContainsFunc(report.Listeners, func(a auditListener) bool { return port(a.Address) }) {
		t.Errorf("listeners = %+v, want port %d", report.Listeners, l.http)
	}
	if runtime.GOOS == "linux" && (!slices.ContainsFunc(report.Sockets.Listening, port) || len(report.Sockets.Outbound) > 0 || len(report.Files.Open) == 0) {
		t.Errorf("sockets = %+v, files = %+v", report.Sockets, report.Files)
	}
	if len(report.Outbound) != 2 || len(report.Sites) != 2 || report.Versions.Go != runtime.Version() || len(report.Versions.Modules) == 0 {
		t.Errorf("report = %+v", report)
	}
	first, second := report.Sites[0], report.Sites[1]
	if first.ID != "localhost" {
		first, second = second, first
	}
	on := func(s auditSite, name string) bool {
		i := slices.IndexFunc(s.Features, func(f auditFeature) bool { return f.Name == name })
		if i < 0 {
			t.Fatalf("no feature %q", name)
		}
		return s.Features[i].On
	}
	if !on(first, "mail") || on(second, "mail") || !on(first, "waiting room") || on(second, "waiting room") ||
		on(first, "end-to-end encryption") || on(first, "recording") || second.Requirements != nil {
		t.Errorf("sites = %+v", report.Sites)
	}
	if first.Requirements[0].State != conditionOpen || first.E2EE != config.Off {
		t.Errorf("end-to-end encryption is %q and the demand %+v, want it open", first.E2EE, first.Requirements[0])
	}
}

// The demands are met by settings and by nothing else.
func TestAnlage31b(t *testing.T) {
	state := func(s config.Site, demand string) string {
		s.SetDefaults()
		for _, c := range anlage31b(&s) {
			if strings.Contains(c.Demand, demand) {
				return c.State
			}
		}
		t.Fatalf("there is no demand %q", demand)
		return ""
	}
	for _, tc := range []struct {
		site         config.Site
		demand, want string
	}{
		{config.Site{E2EE: config.Off}, "end to end", conditionOpen},
		{config.Site{}, "end to end", conditionMet},
		{config.Site{}, "let in", conditionMet},
		{config.Site{WaitingRoom: config.Off}, "let in", conditionOpen},
		{config.Site{}, "German", conditionMet},
		{config.Site{Language: config.English}, "German", conditionOpen},
		{config.Site{}, "three months", conditionMet},
		{config.Site{Retention: 2 * config.MaxRetention}, "three months", conditionOpen},
		{config.Site{}, "recorded", conditionMet},
		{config.Site{Kinds: []config.KindSetting{{ID: "therapie", Recording: config.Consent}}}, "recorded", conditionOpen},
		{config.Site{}, "certificates", conditionOutside},
	} {
		if got := state(tc.site, tc.demand); got != tc.want {
			t.Errorf("%q with %+v is %s, want %s", tc.demand, tc.site, got, tc.want)
		}
	}
}
