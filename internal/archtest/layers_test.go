// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layer says what the packages of one folder may import beside the standard
// library. A pattern that ends in "/..." covers the folder and all below it.
type layer struct {
	ours   []string // folders of this module
	theirs []string // import path prefixes of other modules
}

const (
	caddyModule = "github.com/caddyserver/caddy/v2"
	pion        = "github.com/pion"
	protobuf    = "google.golang.org/protobuf"
	websocket   = "github.com/coder/websocket"
)

// layers is the import direction of ARCHITECTURE.md. A package that is not
// named here fails the test: give it its place first.
var layers = map[string]layer{
	".": {
		ours: []string{"engine", "caddyfile", "config", "web", "check", "port"},
		theirs: []string{
			caddyModule, "github.com/caddyserver/certmagic", "go.uber.org/zap",
			"github.com/prometheus/client_golang", "github.com/spf13/cobra",
		},
	},
	"cmd/caddy": {ours: []string{"."}, theirs: []string{caddyModule}},
	"caddyfile": {ours: []string{"config"}, theirs: []string{caddyModule}},
	"config":    {theirs: []string{caddyModule}}, // caddy.Duration alone, see TestConfigKnowsOnlyDuration
	"engine": {
		ours: []string{
			"token", "room", "signaling", "signaling/wire", "practice", "port", "sfu", "config",
		},
	},
	"signaling": {
		ours:   []string{"token", "room", "signaling/wire"},
		theirs: []string{websocket, protobuf, "golang.org/x/time"},
	},
	"signaling/wire":        {theirs: []string{protobuf}},
	"room":                  {ours: []string{"sfu"}},
	"practice/internal/...": {ours: []string{"token", "practice/internal/..."}},
	"practice": {
		ours:   []string{"token", "config", "practice/internal/..."},
		theirs: []string{websocket, "golang.org/x/text", "golang.org/x/time"},
	},
	"practice/internal/mail": {
		ours:   []string{"practice/internal/ics"},
		theirs: []string{"github.com/wneessen/go-mail", "golang.org/x/net/idna"},
	},
	"practice/internal/ics": {theirs: []string{"github.com/teambition/rrule-go"}},

	"token": {},
	"web":   {},
	"port": {
		theirs: []string{
			"golang.org/x/net", "golang.org/x/sys",
			pion + "/stun", pion + "/turn", pion + "/logging",
		},
	},
	"sfu":              {ours: []string{"port", "sfu/internal/..."}, theirs: []string{pion}},
	"sfu/internal/...": {ours: []string{"port", "sfu/internal/..."}, theirs: []string{pion}},
	"check/...": {
		ours:   []string{"signaling/wire", "check/..."},
		theirs: []string{pion, websocket, protobuf},
	},
	"internal/archtest": {},
	"internal/e2eetest": {},
}

func TestImportDirection(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.nested {
			continue
		}
		rules, ok := layerOf(s.dir)
		if !ok {
			t.Errorf("%s: folder %q has no place in the import direction", s.rel, s.dir)
			continue
		}
		for _, imp := range s.file.Imports {
			p := importPath(imp)
			if !rules.allows(p) {
				t.Errorf("%s:%d: %s may not import %s", s.rel, s.line(imp.Pos()), s.dir, p)
			}
		}
	}
}

// Tests may reach further than the code they test, but two borders hold for
// them as well.
func TestBordersThatHoldForTestsToo(t *testing.T) {
	for _, s := range sources(t) {
		if s.nested {
			continue
		}
		for _, imp := range s.file.Imports {
			p := importPath(imp)
			at := s.line(imp.Pos())
			if strings.HasPrefix(p, "github.com/livekit/") {
				t.Errorf("%s:%d: %s: no LiveKit package in this module", s.rel, at, p)
			}
			if p == modulePath && s.dir != "cmd/caddy" && s.dir != "." {
				t.Errorf("%s:%d: nothing but cmd/caddy imports the root package", s.rel, at)
			}
			signalingToSFU := under(s.dir, "signaling") && under(trimModule(p), "sfu")
			sfuToSignaling := under(s.dir, "sfu") && under(trimModule(p), "signaling")
			if !s.test && (signalingToSFU || sfuToSignaling) {
				t.Errorf("%s:%d: signaling and sfu do not know each other", s.rel, at)
			}
		}
	}
}

// The caddy package is allowed in config for one type alone.
func TestConfigKnowsOnlyDuration(t *testing.T) {
	for _, s := range sources(t) {
		if s.dir != "config" || s.test {
			continue
		}
		eachSelector(s, func(pkg, name string, n ast.Node) {
			if strings.HasPrefix(pkg, caddyModule) && (pkg != caddyModule || name != "Duration") {
				t.Errorf("%s:%d: config uses %s.%s; only caddy.Duration is allowed",
					s.rel, s.line(n.Pos()), path.Base(pkg), name)
			}
		})
	}
}

// A forgotten require would bring a second copy of LiveKit's protobuf names
// into every binary, and two copies panic at init.
func TestModuleFileNamesNoLiveKit(t *testing.T) {
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "github.com/livekit/") {
			t.Errorf("%s names a LiveKit module", name)
		}
	}
}

func TestEveryLayerExists(t *testing.T) {
	dirs := map[string]bool{}
	for _, s := range sources(t) {
		for d := s.dir; ; d = path.Dir(d) {
			dirs[d] = true
			if d == "." {
				break
			}
		}
	}
	for name := range layers {
		if !dirs[strings.TrimSuffix(name, "/...")] {
			t.Errorf("the import direction names %q, which holds no Go file", name)
		}
	}
}

func layerOf(dir string) (layer, bool) {
	if l, ok := layers[dir]; ok {
		return l, true
	}
	for d := dir; d != "."; d = path.Dir(d) {
		if l, ok := layers[d+"/..."]; ok {
			return l, true
		}
	}
	return layer{}, false
}

func (l layer) allows(p string) bool {
	if first, _, _ := strings.Cut(p, "/"); !strings.Contains(first, ".") {
		return p != "C" // the standard library, never cgo
	}
	if p == modulePath || strings.HasPrefix(p, modulePath+"/") {
		dir := trimModule(p)
		for _, o := range l.ours {
			if wide, ok := strings.CutSuffix(o, "/..."); ok && under(dir, wide) || dir == o {
				return true
			}
		}
		return false
	}
	for _, prefix := range l.theirs {
		if p == prefix || strings.HasPrefix(p, prefix+"/") {
			return true
		}
	}
	return false
}

// trimModule turns an import path of this module into its folder; other paths
// become something no folder is called.
func trimModule(p string) string {
	if p == modulePath {
		return "."
	}
	if dir, ok := strings.CutPrefix(p, modulePath+"/"); ok {
		return dir
	}
	return "\x00" + p
}

func under(dir, parent string) bool {
	return dir == parent || strings.HasPrefix(dir, parent+"/")
}

func importPath(imp *ast.ImportSpec) string {
	p, err := strconv.Unquote(imp.Path.Value)
	if err != nil {
		return imp.Path.Value
	}
	return p
}

// eachSelector calls visit for every pkg.Name in s where pkg is an import.
func eachSelector(s *source, visit func(pkg, name string, n ast.Node)) {
	names := map[string]string{}
	for _, imp := range s.file.Imports {
		p := importPath(imp)
		name := path.Base(p)
		if v, rest := path.Base(p), path.Dir(p); len(v) > 1 && v[0] == 'v' && v[1] >= '0' && v[1] <= '9' {
			name = path.Base(rest)
		}
		if imp.Name != nil {
			name = imp.Name.Name
		}
		names[name] = p
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok {
			if p, ok := names[id.Name]; ok {
				visit(p, sel.Sel.Name, sel)
			}
		}
		return true
	})
}
