// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"bytes"
	"go/ast"
	"go/token"
	"regexp"
	"testing"
)

// Hard limits of the code's shape; the usual size is far smaller.
const (
	maxFileLines = 600
	maxFuncLines = 80
)

// longOnes are the reasoned exceptions: "file" or "file:function", and why.
var longOnes = map[string]string{}

func TestFilesAndFunctionsStayShort(t *testing.T) {
	used := map[string]bool{}
	tooLong := func(key string, have, limit int) {
		if have <= limit {
			return
		}
		if _, ok := longOnes[key]; ok {
			used[key] = true
			return
		}
		t.Errorf("%s: %d lines, the limit is %d", key, have, limit)
	}
	for _, s := range sources(t) {
		if s.test || s.generated {
			continue
		}
		tooLong(s.rel, bytes.Count(s.text, []byte("\n")), maxFileLines)
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				tooLong(s.rel+":"+f.Name.Name, s.line(f.End())-s.line(f.Pos())+1, maxFuncLines)
			}
		}
	}
	for key := range longOnes {
		if !used[key] {
			t.Errorf("%s is listed as an exception but is short: remove it from the list", key)
		}
	}
}

// endsWord finds the part of a comment that tells what ends a goroutine.
var endsWord = regexp.MustCompile(`(?i)\b(end(s|ed|ing)?|until|stop(s|ped)?|return(s|ed)?|exit(s|ed)?|clos(e|es|ed|ing)|cancel(s|led|ed)?|done|join(s|ed)?|wait(s|ed)?|drain(s|ed)?|finish(es|ed)?|bounded|lives?)\b`)

// Every goroutine has a known end, and the line that starts it says which.
func TestEveryGoroutineSaysWhatEndsIt(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.nested || s.generated {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			g, ok := n.(*ast.GoStmt)
			if !ok {
				return true
			}
			switch c := commentAt(s, g); {
			case c == "":
				t.Errorf("%s:%d: a go statement without a comment that says what ends it", s.rel, s.line(g.Pos()))
			case !endsWord.MatchString(c):
				t.Errorf("%s:%d: the comment does not say what ends this goroutine: %q", s.rel, s.line(g.Pos()), c)
			}
			return true
		})
	}
}

// commentAt is the comment on the first or last line of n, on the line above
// it, or on the first line inside it.
func commentAt(s *source, n ast.Node) string {
	first, last := s.line(n.Pos()), s.line(n.End())
	text := ""
	for _, g := range s.file.Comments {
		begin, end := s.line(g.Pos()), s.line(g.End())
		if end == first-1 || begin == first || begin == last || begin == first+1 && begin < last {
			text += g.Text()
		}
	}
	return text
}

// panics that are allowed: "file:function", and why.
var panicsAllowed = map[string]string{}

// A panic ends every call on the machine; only registration at start may.
func TestNoPanicAfterInit(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.nested || s.generated {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || f.Name.Name == "init" {
				continue
			}
			if _, ok := panicsAllowed[s.rel+":"+f.Name.Name]; ok {
				continue
			}
			if at := panicIn(f.Body); at.IsValid() {
				t.Errorf("%s:%d: panic in %s", s.rel, s.line(at), f.Name.Name)
			}
		}
	}
}

func panicIn(body *ast.BlockStmt) (at token.Pos) {
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" {
				at = call.Pos()
			}
		}
		return !at.IsValid()
	})
	return at
}
