// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

const maxJSONDepth = 16

// CheckJSON refuses texts on which two parsers could disagree: malformed ones,
// duplicate names at any depth, invalid UTF-8, more than 16 levels, anything
// after the first value. It returns [ErrBadJSON].
func CheckJSON(text []byte) error {
	if !utf8.Valid(text) || !json.Valid(text) {
		return fmt.Errorf("%w: not a JSON text", ErrBadJSON)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return checkValue(d, 0)
}

func checkValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadJSON, err)
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth++; depth > maxJSONDepth {
		return fmt.Errorf("%w: too deep", ErrBadJSON)
	}
	var names map[string]struct{}
	if delim == '{' {
		names = make(map[string]struct{})
	}
	for d.More() {
		if names != nil {
			if err := checkName(d, names); err != nil {
				return err
			}
		}
		if err := checkValue(d, depth); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing delimiter; json.Valid vouched for it
	return err
}

func checkName(d *json.Decoder, names map[string]struct{}) error {
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadJSON, err)
	}
	name, _ := t.(string)
	if _, twice := names[name]; twice {
		return fmt.Errorf("%w: duplicate name", ErrBadJSON)
	}
	names[name] = struct{}{}
	return nil
}

// object decodes a checked JSON object. Names keep their exact spelling, which
// decoding into a struct would not insist on.
func object(text []byte) (map[string]json.RawMessage, error) {
	if err := CheckJSON(text); err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadJSON, err)
	}
	if m == nil {
		return nil, fmt.Errorf("%w: not an object", ErrBadJSON)
	}
	return m, nil
}

// fields decodes members of an object into their places; absent members and
// null leave the place as it is.
func fields(m map[string]json.RawMessage, places map[string]any) error {
	for name, place := range places {
		raw, ok := m[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, place); err != nil {
			return fmt.Errorf("%w: member %s: %w", ErrBadJSON, name, err)
		}
	}
	return nil
}
