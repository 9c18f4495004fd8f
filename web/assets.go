// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"sync"
)

// content is one file of dist, ready to be sent.
type content struct {
	plain       []byte
	gzipped     []byte // nil where compressing saves nothing
	contentType string
	etag        string
}

// bundle is dist as it is served: loaded, hashed and compressed once per process.
type bundle struct {
	hash   string // first 8 hex digits over all names and bytes
	assets map[string]content
	page   string // index.html, before a site's settings go in
	// digests of scripts and styles, as integrity attributes have them
	digests map[string]string
}

// contentTypes is closed: a kind of file that is not here does not belong into dist.
var contentTypes = map[string]string{
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".woff2": "font/woff2",
}

// loaded reads dist on first use. The files are part of the binary, so an error here is a broken build; it is kept
// and reported on every request instead of stopping the process that serves other sites too.
var loaded = sync.OnceValues(func() (*bundle, error) { return load(dist, "dist") })

func load(files fs.FS, root string) (*bundle, error) {
	names, err := walk(files, root)
	if err != nil {
		return nil, fmt.Errorf("listing the user interface: %w", err)
	}
	b := &bundle{assets: make(map[string]content, len(names)), digests: make(map[string]string)}
	tree := sha256.New()
	for _, name := range names {
		data, err := fs.ReadFile(files, path.Join(root, name))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		fmt.Fprintf(tree, "%s\x00%d\x00", name, len(data))
		tree.Write(data)
		if name == "index.html" {
			b.page = string(data)
			continue
		}
		if b.assets[name], err = prepare(name, data); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(tree, "%s\x00%d\x00%s", plainAsset, len(plainCSS), plainCSS)
	if b.assets[plainAsset], err = prepare(plainAsset, []byte(plainCSS)); err != nil {
		return nil, err
	}
	for name, c := range b.assets {
		if ext := path.Ext(name); ext == ".js" || ext == ".css" {
			b.digests[name] = digest(c.plain)
		}
	}
	if b.page == "" {
		return nil, fmt.Errorf("reading the user interface: %w", ErrNoPage)
	}
	b.hash = hex.EncodeToString(tree.Sum(nil))[:8]
	return b, nil
}

func walk(files fs.FS, root string) ([]string, error) {
	var names []string
	err := fs.WalkDir(files, root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(p, root+"/"))
		}
		return err
	})
	sort.Strings(names)
	return names, err
}

func prepare(name string, data []byte) (content, error) {
	kind, ok := contentTypes[path.Ext(name)]
	if !ok {
		return content{}, fmt.Errorf("preparing %s: %w", name, ErrUnknownType)
	}
	small, err := compress(data)
	if err != nil {
		return content{}, fmt.Errorf("compressing %s: %w", name, err)
	}
	return content{plain: data, gzipped: small, contentType: kind, etag: etag(data)}, nil
}

// compress returns nil when the result is not smaller.
func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() >= len(data) {
		return nil, nil
	}
	return out.Bytes(), nil
}

func etag(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}
