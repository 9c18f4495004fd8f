// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"net/http"
	"testing"

	"github.com/caddy-videoroom/videoroom/config"
)

// What a site says of itself with e2ee required: to visitors, to pages and to
// whoever audits it.
func TestEncryptedSite(t *testing.T) {
	l := newLab(t)
	l.load("http://localhost:HTTP {\n\tvideoroom {\n\t\te2ee required\n\t\tprofile anlage31b\n\t}\n}\n")
	l.expect("http://localhost:HTTP/video/privacy", http.StatusOK, "Der Server leitet sie weiter und kann sie nicht lesen.")
	l.expect("http://localhost:HTTP/video/privacy", http.StatusOK, "unter welcher Internetadresse, sieht der Server in seinem Arbeitsspeicher")
	l.expect("http://localhost:HTTP/video/api/v1/site", http.StatusOK, `"e2ee":"required"`)
	p := runningEngine()
	report := p.current().audit(p)
	if len(report.Sites) != 1 {
		t.Fatalf("%d sites", len(report.Sites))
	}
	s := report.Sites[0]
	if s.E2EE != config.Required || s.Features[0].Setting != "e2ee" || !s.Features[0].On || s.Requirements[0].State != conditionMet {
		t.Errorf("%+v", s)
	}
}
