// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// IntegrityPath is where every site tells which scripts and styles it serves, beside its pages: the same for all sites of
// one build, so that anybody can compare it with the hashes of the sources' release.
const IntegrityPath = "/.well-known/videoroom-integrity.json"

// Manifest is the answer at IntegrityPath. Digests are written as Subresource Integrity has them (W3C SRI, section 3.1).
type Manifest struct {
	Version string            `json:"version"` // of the module that serves
	Page    string            `json:"page"`    // index.html before a site's settings go in
	Files   map[string]string `json:"files"`   // by their names below the assets' address
}

// Integrity answers a request for the manifest.
func Integrity(w http.ResponseWriter, r *http.Request, version string) {
	b, err := loaded()
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	data, err := json.MarshalIndent(Manifest{Version: version, Page: digest([]byte(b.page)), Files: b.digests}, "", "  ")
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	// Anybody may read it from anywhere: a page that compares sites, an extension, a monitor.
	h.Set("Access-Control-Allow-Origin", "*")
	write(w, r, content{plain: data, contentType: "application/json; charset=utf-8", etag: etag(data)})
}

func digest(data []byte) string {
	sum := sha512.Sum384(data)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}

// bound makes a page refuse every script and style that is not of this build: the first script and the styles by
// attributes, chunks that come later by an import map, whose own hash goes into the policy.
func (b *bundle) bound(page, assets string) (bound, hash string) {
	later := make(map[string]string)
	for name, d := range b.digests {
		if path.Ext(name) == ".js" {
			later[assets+name] = d
		}
		for _, attribute := range []string{`src="`, `href="`} {
			mark := attribute + assets + name + `"`
			page = strings.Replace(page, mark, mark+` integrity="`+d+`"`, 1)
		}
	}
	text, err := json.Marshal(map[string]any{"integrity": later})
	if err != nil {
		return page, "" // strings alone; nothing to fail
	}
	tag := fmt.Sprintf(`<script type="importmap">%s</script>`, text)
	return strings.Replace(page, "<script ", tag+"<script ", 1), inline(text)
}

// inline lets a policy know a script or a style that stands in the page itself (CSP level 3, section 2.3.1).
func inline(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
