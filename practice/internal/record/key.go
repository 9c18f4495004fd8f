// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"path"
	"strings"

	"github.com/caddy-videoroom/videoroom/token"
)

// Kind is a kind of record; it names the folder as well.
type Kind string

// The kinds.
const (
	Appointment Kind = "appointments"
	Mail        Kind = "mail"
	// Call is a request of booking software that has been carried out.
	Call Kind = "calls"
)

const (
	prefix     = "videoroom"
	quarantine = "quarantine"
)

// folder is where the records of a kind lie.
func folder(site string, kind Kind) string {
	return prefix + "/" + escape(site) + "/" + string(kind)
}

// key is where a record lies. Ids are checked, so that no other key can be made
// of what a client sends.
func key(site string, kind Kind, id string) (string, error) {
	if !token.ValidID(id) {
		return "", fmt.Errorf("%w: not an id", ErrNotFound)
	}
	return folder(site, kind) + "/" + id, nil
}

// idOf is the id in a key, "" for keys that are not ours, such as the temporary
// files of a storage.
func idOf(k string) string {
	if id := path.Base(k); token.ValidID(id) {
		return id
	}
	return ""
}

const hexDigits = "0123456789abcdef"

// escape turns a site's id, which may be any host name a client asks for, into
// one part of a key.
func escape(site string) string {
	var b strings.Builder
	for i := range len(site) {
		c := site[i]
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0
		if plain {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// unescape is the reverse; false for what escape does not give.
func unescape(name string) (site string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", false
		}
		high, low := strings.IndexByte(hexDigits, name[i+1]), strings.IndexByte(hexDigits, name[i+2])
		if high < 0 || low < 0 {
			return "", false
		}
		b.WriteByte(byte(high<<4 | low))
		i += 2
	}
	return b.String(), b.Len() > 0 && escape(b.String()) == name
}
