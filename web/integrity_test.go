// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// importMap returns the import map of a page, as it stands there.
func importMap(t *testing.T, html string) string {
	t.Helper()
	m := regexp.MustCompile(`<script type="importmap">([^<]*)</script>`).FindStringSubmatch(html)
	if m == nil {
		t.Fatal("the page has no import map")
	}
	if strings.Index(html, m[0]) > strings.Index(html, `type="module"`) {
		t.Fatal("the import map comes after the first module, which it does not bind any more")
	}
	return m[1]
}

func TestPageIsBoundToItsScripts(t *testing.T) {
	w := get(t, "r/"+room, nil)
	html := body(t, w)
	text := importMap(t, html)
	sum := sha256.Sum256([]byte(text))
	if csp := w.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the policy does not allow this import map: %s", csp)
	}
	var m struct{ Integrity map[string]string }
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	for address, want := range m.Integrity {
		served := get(t, strings.TrimPrefix(address, "/video/"), nil)
		if served.StatusCode != http.StatusOK || digest([]byte(body(t, served))) != want {
			t.Errorf("%s: status %d, or not what the page expects", address, served.StatusCode)
		}
	}
	b, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	for name := range b.assets {
		address := "/video/" + assetPrefix + b.hash + "/" + name
		if filepath.Ext(name) == ".js" && m.Integrity[address] == "" {
			t.Errorf("%s is not bound", name)
		}
	}
	for _, tag := range regexp.MustCompile(`<(?:script|link)[^>]+(?:\.js|\.css)"[^>]*>`).FindAllString(html, -1) {
		if !strings.Contains(tag, ` integrity="sha384-`) && !strings.Contains(tag, plainAsset) {
			t.Errorf("%s is not bound", tag)
		}
	}
}

func TestManifestSaysWhatIsServed(t *testing.T) {
	w := httptest.NewRecorder()
	Integrity(w, httptest.NewRequest(http.MethodGet, IntegrityPath, nil), "v1")
	var m Manifest
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || m.Version != "v1" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	for name, want := range m.Files {
		if name == plainAsset {
			continue
		}
		data, err := os.ReadFile(filepath.Join("dist", filepath.FromSlash(name)))
		if err != nil || digest(data) != want {
			t.Errorf("%s: %v, or not what the repository has", name, err)
		}
	}
	page, err := os.ReadFile("dist/index.html")
	if err != nil || digest(page) != m.Page {
		t.Errorf("index.html: %v, or not what the repository has", err)
	}
	if w := httptest.NewRecorder(); true {
		Integrity(w, httptest.NewRequest(http.MethodPost, IntegrityPath, nil), "v1")
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST: %d", w.Code)
		}
	}
}

// TestHashesAreCommitted holds hashes.txt, by which anybody can compare what a
// site serves with these sources, against the build.
func TestHashesAreCommitted(t *testing.T) {
	b, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("hashes.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]string)
	for line := range strings.Lines(string(data)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[name] = sum
	}
	for name, want := range b.digests {
		if name != plainAsset && listed[name] != want {
			t.Errorf("%s: run make generate and commit hashes.txt", name)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("%s is listed and not served", name)
	}
}
