// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// caddyfiles are the configurations of a document in their order, those in lists
// without the indentation.
func caddyfiles(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^( *)```caddyfile\n(.*?)^ *```$").FindAllStringSubmatch(text, -1) {
		lines := strings.SplitAfter(m[2], "\n")
		for i := range lines {
			lines[i] = strings.TrimPrefix(lines[i], m[1])
		}
		all = append(all, strings.Join(lines, ""))
	}
	return all
}

// whole puts what is a part of a configuration into one.
func whole(part string) string {
	indented := "\t" + strings.ReplaceAll(strings.TrimSuffix(part, "\n"), "\n", "\n\t") + "\n"
	switch first, _, _ := strings.Cut(part, "\n"); {
	case strings.HasPrefix(first, "host "):
		return whole("videoroom {\n" + indented + "}\n")
	case strings.HasPrefix(first, "videoroom"):
		return "praxis.example {\n" + indented + "}\n"
	}
	return part
}

// Every configuration that the documents show is one that Caddy takes, and those
// of the first steps are as Caddy itself would write them.
func TestConfigurationsOfDocuments(t *testing.T) {
	for file, fewest := range map[string]int{"README.md": 9, "xcaddy.md": 1, filepath.Join("docs", "booking.md"): 2} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all := caddyfiles(string(raw))
		if len(all) < fewest {
			t.Errorf("%s shows %d configurations, which cannot be all", file, len(all))
		}
		steps, _, _ := strings.Cut(string(raw), "Everything that can be said:")
		first := len(caddyfiles(steps))
		for i, text := range all {
			// What stands for a key of one's own.
			text = strings.ReplaceAll(whole(text), "<key>", "buchung")
			_, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
			if err != nil {
				t.Errorf("%s: %v in\n%s", file, err, text)
			}
			if file == "README.md" && i < first && len(warnings) > 0 {
				t.Errorf("%s: %v in\n%s", file, warnings, text)
			}
		}
	}
}
