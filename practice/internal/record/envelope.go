// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
)

const (
	// version of the envelope and of all kinds of records.
	version = 1
	// maxRecord bounds what is read as one record, in bytes.
	maxRecord = 1 << 20
)

// envelope is a record as it is stored.
type envelope struct {
	Version int             `json:"version"`
	Kind    Kind            `json:"kind"`
	Sum     string          `json:"sum"`
	Data    json.RawMessage `json:"data"`
}

// Encode writes a value as a record of a kind.
func Encode(kind Kind, v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	out, err := json.Marshal(envelope{Version: version, Kind: kind, Sum: checksum(version, kind, data), Data: data})
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	if len(out) > maxRecord {
		return nil, fmt.Errorf("encoding a record: %d bytes are too many", len(out))
	}
	return append(out, '\n'), nil
}

// Decode reads a record of a kind into v. It returns [ErrDamaged] for anything
// that [Encode] has not written, and [ErrVersion] for what a later version has.
func Decode(raw []byte, kind Kind, v any) error {
	if len(raw) > maxRecord+1 {
		return fmt.Errorf("%w: %d bytes", ErrDamaged, len(raw))
	}
	var e envelope
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return fmt.Errorf("%w: not an envelope", ErrDamaged)
	}
	if rest := bytes.TrimSpace(raw[d.InputOffset():]); len(rest) > 0 {
		return fmt.Errorf("%w: something follows the envelope", ErrDamaged)
	}
	if e.Sum != checksum(e.Version, e.Kind, e.Data) {
		return fmt.Errorf("%w: checksum does not match", ErrDamaged)
	}
	switch {
	case e.Version > version:
		return fmt.Errorf("%w: version %d", ErrVersion, e.Version)
	case e.Version < 1:
		return fmt.Errorf("%w: version %d", ErrDamaged, e.Version)
	case e.Kind != kind:
		return fmt.Errorf("%w: another kind of record", ErrDamaged)
	}
	if err := json.Unmarshal(e.Data, v); err != nil {
		return fmt.Errorf("%w: unexpected content", ErrDamaged)
	}
	return nil
}

// checksum tells a damaged record from a whole one. It guards against accidents,
// not against whoever can write to the storage.
func checksum(version int, kind Kind, data []byte) string {
	sum := sha256.New()
	sum.Write([]byte("videoroom record " + strconv.Itoa(version) + " " + string(kind) + "\n"))
	sum.Write(data)
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
