// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	copyrightLine = "SPDX-FileCopyrightText: 2026 The videoroom authors"
	licenceLine   = "SPDX-License-Identifier: Apache-2.0"
)

// codeExts are the kinds of files that carry the two licence lines.
var codeExts = map[string]bool{
	".go": true, ".ts": true, ".tsx": true, ".mjs": true, ".js": true,
	".css": true, ".proto": true, ".sh": true,
}

func TestEverySourceNamesItsLicence(t *testing.T) {
	for _, s := range sources(t) {
		if s.generated {
			continue
		}
		checkHeader(t, s.rel, s.text)
	}
	walk(t, func(rel string) {
		if ext := path.Ext(rel); codeExts[ext] && ext != ".go" && !strings.Contains(rel, "testdata/") {
			checkHeader(t, rel, read(t, rel))
		}
	})
}

func checkHeader(t *testing.T, rel string, text []byte) {
	t.Helper()
	head := text[:min(len(text), 400)]
	if !bytes.Contains(head, []byte(copyrightLine)) || !bytes.Contains(head, []byte(licenceLine)) {
		t.Errorf("%s: the two SPDX lines are missing at the top", rel)
	}
}

// The patterns are put together from pieces, so that this file is clean.
var (
	machinePath = regexp.MustCompile(`(^|[^A-Za-z0-9_.-])/(` + strings.Join([]string{"wo" + "rk", "fa" + "rm", "ro" + "ot"}, "|") + `)/`)
	registry    = regexp.MustCompile(`proxy\.` + "gol" + `ang\.org|registry\.` + "np" + `mjs\.org`)
	leftover    = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
)

// A clone builds anywhere: nothing in it knows the machine it was written on.
func TestNoTraceOfAMachine(t *testing.T) {
	walk(t, func(rel string) {
		base := path.Base(rel)
		if strings.HasSuffix(base, ".sum") || base == "package-lock.json" {
			return
		}
		text := read(t, rel)
		if bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
			return // binary
		}
		for i, l := range strings.Split(string(text), "\n") {
			if machinePath.MatchString(l) {
				t.Errorf("%s:%d: a machine's path: %.120s", rel, i+1, strings.TrimSpace(l))
			}
			if registry.MatchString(l) {
				t.Errorf("%s:%d: a registry's host: %.120s", rel, i+1, strings.TrimSpace(l))
			}
		}
	})
}

func TestNothingIsLeftForLater(t *testing.T) {
	walk(t, func(rel string) {
		if !codeExts[path.Ext(rel)] || strings.Contains(rel, "testdata/") {
			return
		}
		for i, l := range strings.Split(string(read(t, rel)), "\n") {
			if leftover.MatchString(l) {
				t.Errorf("%s:%d: %.120s", rel, i+1, strings.TrimSpace(l))
			}
		}
	})
}

// README.md explains each direct dependency in one line; a new one without its
// reason does not land unnoticed.
func TestReadmeExplainsDependencies(t *testing.T) {
	readme := string(read(t, "README.md"))
	require := false
	for l := range strings.SplitSeq(string(read(t, "go.mod")), "\n") {
		l = strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(l, "require ("):
			require = true
			continue
		case l == ")":
			require = false
		case strings.HasPrefix(l, "require "):
			checkExplained(t, readme, strings.TrimPrefix(l, "require "))
		}
		if require {
			checkExplained(t, readme, l)
		}
	}
}

func checkExplained(t *testing.T, readme, requirement string) {
	t.Helper()
	mod, _, ok := strings.Cut(requirement, " ")
	if !ok || strings.Contains(requirement, "// indirect") {
		return
	}
	if !strings.Contains(readme, "`"+mod+"`") {
		t.Errorf("README.md does not say why %s is needed", mod)
	}
}

func read(t *testing.T, rel string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(rel)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
