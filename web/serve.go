// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html"
	"net/http"
	"strconv"
	"strings"
)

// Page is one request for a page or an asset, with the site's settings that the page shows.
type Page struct {
	Path     string // below the base path, without leading slash
	Base     string // base path without trailing slash: "/video", or "" at the root
	Language string // "de" or "en"; anything else counts as "de"
	Address  string // "sie" or "du"; anything else counts as "sie"
	Practice string
	Phone    string
	// QuickExit gives visitors a button that leaves the page at once without a trace on the screen.
	QuickExit bool
	// E2EE tells the page that nothing may leave it unless it is encrypted for the others in the room alone.
	E2EE      bool
	Logo      string   // path of an image on the same site, "" for none
	Color     string   // "#rrggbb", "" for the interface's own
	Origin    string   // "https://host[:port]" as the browser sees the site
	Checklist []string // replaces the list that helps people to prepare; nil: the interface's own
	InPerson  string   // where "rather in person?" leads: a path on the same site or an https address, "" for none
	// Host is the id of the host whom people without a link visit at Path, "" where Path is no such address.
	Host string
}

const assetPrefix = "_vr/"

// Serve answers page and asset requests beneath a site's base path and reports whether the path was one of them.
// Where it returns false nothing was written. It answers GET and HEAD; other methods on its routes get 405.
func Serve(w http.ResponseWriter, r *http.Request, p Page) bool {
	asset, isAsset := strings.CutPrefix(p.Path, assetPrefix)
	kind := pageKind(p.Path)
	if kind == "" && p.Host != "" {
		kind = "open"
	}
	if !isAsset && kind == "" {
		return false
	}
	b, err := loaded()
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return true
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return true
	}
	if isAsset {
		b.serveAsset(w, r, asset, p.Origin)
	} else {
		b.servePage(w, r, kind, p)
	}
	return true
}

// pageKind is the closed list of pages; the empty answer means that the path is not one.
func pageKind(path string) string {
	switch {
	case path == "":
		return "landing"
	case path == "host/":
		return "host"
	case path == "test":
		return "test"
	case strings.HasPrefix(path, "r/") && isRoomPath(path[2:]):
		return "room"
	}
	return ""
}

// maxRoomPath bounds what may stand where a room's id belongs.
const maxRoomPath = 128

// isRoomPath accepts one path segment, whole or not: a link that lost its end on the way gets the room's page too,
// which says so and names the practice's telephone.
func isRoomPath(s string) bool {
	return s != "" && len(s) <= maxRoomPath && !strings.ContainsAny(s, "/\\")
}

// serveAsset serves "<hash>/<file>". The bytes behind a hash never change. A request with another hash comes from a
// page of an earlier or later build that is still open: it gets today's file, uncached, because an old page that
// misses one late chunk is worse off than one that gets a newer chunk.
func (b *bundle) serveAsset(w http.ResponseWriter, r *http.Request, path, origin string) {
	h := w.Header()
	assetHeaders(h, origin)
	hash, name, _ := strings.Cut(path, "/")
	c, ok := b.assets[name]
	if !ok || len(hash) != len(b.hash) {
		h.Set("Cache-Control", "no-store")
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	if hash == b.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("Vary", "Accept-Encoding")
	write(w, r, c)
}

func (b *bundle) servePage(w http.ResponseWriter, r *http.Request, kind string, p Page) {
	page, script := b.bound(b.render(kind, p), html.EscapeString(p.Base)+"/"+assetPrefix+b.hash+"/")
	data := []byte(page)
	pageHeaders(w.Header(), p.Origin, script)
	w.Header().Set("Cache-Control", "no-store")
	write(w, r, content{plain: data, contentType: "text/html; charset=utf-8", etag: etag(data)})
}

// write sends a content in the encoding the client takes, or 304 when it has these bytes already.
func write(w http.ResponseWriter, r *http.Request, c content) {
	h := w.Header()
	body, tag := c.plain, c.etag
	if c.gzipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body = c.gzipped
		tag = strings.TrimSuffix(tag, `"`) + `-gz"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", c.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // a client that went away needs no answer
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3) as far as gzip is concerned.
func acceptsGzip(header string) bool {
	accepted := false
	for part := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		coding = strings.TrimSpace(coding)
		if !strings.EqualFold(coding, "gzip") && coding != "*" {
			continue
		}
		weight, isWeight := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		allowed := !isWeight || (err == nil && q > 0)
		if coding != "*" {
			return allowed
		}
		accepted = allowed
	}
	return accepted
}

// matches compares an If-None-Match header weakly, as RFC 9110 (section 13.1.2) asks.
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}
