// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// modulePath is the import path of the repository's main module.
const modulePath = "github.com/caddy-videoroom/videoroom"

// root is the top of the repository, seen from this package's folder.
var root = filepath.Join("..", "..")

// skipDir tells folders that hold nothing of ours: version control, installed
// packages, build output and caches.
func skipDir(rel string) bool {
	switch path.Base(rel) {
	case ".git", "node_modules", ".cache", "test-results":
		return true
	}
	return rel == "web/dist" || rel == "web/dev/out" || rel == "dist" || rel == "e2e/out"
}

// walk calls visit for every file of the repository with its slash path.
func walk(t *testing.T, visit func(rel string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if skipDir(rel) {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			visit(rel)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("walking the repository: %v", err)
	}
}

// source is one parsed Go file.
type source struct {
	rel       string // slash path below the repository's top
	dir       string // folder of rel, "." at the top
	test      bool   // *_test.go
	generated bool
	nested    bool // belongs to another module (bench/…)
	text      []byte
	fset      *token.FileSet
	file      *ast.File
}

// line is the line number of a position in s.
func (s *source) line(p token.Pos) int { return s.fset.Position(p).Line }

var parseOnce = sync.OnceValues(parseAll)

// sources returns every Go file of the repository outside testdata.
func sources(t *testing.T) []*source {
	t.Helper()
	all, err := parseOnce()
	if err != nil {
		t.Fatalf("parsing the repository: %v", err)
	}
	if len(all) == 0 {
		t.Fatal("found no Go file: is the test run inside the repository?")
	}
	return all
}

func parseAll() ([]*source, error) {
	var all []*source
	modules := map[string]bool{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if skipDir(rel) || path.Base(rel) == "testdata" {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil && rel != "." {
				modules[rel] = true
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		s, err := parseSource(p, rel)
		if err != nil {
			return err
		}
		for m := range modules {
			s.nested = s.nested || strings.HasPrefix(rel, m+"/")
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

func parseSource(file, rel string) (*source, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, rel, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &source{
		rel: rel, dir: path.Dir(rel), text: text, fset: fset, file: f,
		test:      strings.HasSuffix(rel, "_test.go"),
		generated: ast.IsGenerated(f) || bytes.Contains(text[:min(len(text), 512)], []byte("Code generated")),
	}, nil
}
