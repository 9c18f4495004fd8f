// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// The media plane forwards and nothing else: it cannot record, because it has
// no way to a file, a process or a connection of its own.
var (
	// bannedInSFU are packages through which data could leave.
	bannedInSFU = []string{
		"os", "os/exec", "io/ioutil", "syscall", "net/http", "net/rpc", "net/smtp",
		"plugin", "database/sql", "log/syslog", "unsafe",
	}
	// openers are functions of allowed packages that open, dial or listen.
	openers = map[string]*regexp.Regexp{
		"net":        regexp.MustCompile(`^(Dial.*|Listen.*|Dialer|ListenConfig|FileConn|FileListener|FilePacketConn|Lookup.*|Resolve.*|Resolver|DefaultResolver)$`),
		"crypto/tls": regexp.MustCompile(`^(Dial.*|Dialer|Listen|NewListener|LoadX509KeyPair|Client|Server)$`),
	}
)

func TestMediaPlaneCannotReachOut(t *testing.T) {
	seen := 0
	for _, s := range sources(t) {
		if s.test || !under(s.dir, "sfu") {
			continue
		}
		seen++
		for _, imp := range s.file.Imports {
			p := importPath(imp)
			for _, banned := range bannedInSFU {
				if p == banned {
					t.Errorf("%s:%d: the media plane may not import %q", s.rel, s.line(imp.Pos()), p)
				}
			}
			if imp.Name != nil && imp.Name.Name == "." {
				t.Errorf("%s:%d: dot imports hide what is used", s.rel, s.line(imp.Pos()))
			}
		}
		eachSelector(s, func(pkg, name string, n ast.Node) {
			if re, ok := openers[pkg]; ok && re.MatchString(name) {
				t.Errorf("%s:%d: the media plane may not use %s.%s", s.rel, s.line(n.Pos()), pkg, name)
			}
		})
	}
	if seen == 0 {
		t.Error("no file of the media plane was looked at")
	}
}

// No package of the product starts another process; only the root package may
// have reason to touch files, and does so through Caddy's storage.
func TestNothingStartsProcesses(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.nested {
			continue
		}
		for _, imp := range s.file.Imports {
			if p := importPath(imp); p == "os/exec" || p == "plugin" || strings.HasPrefix(p, "runtime/cgo") {
				t.Errorf("%s:%d: %s is not used in this product", s.rel, s.line(imp.Pos()), p)
			}
		}
	}
}
