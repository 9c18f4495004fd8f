// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package record

import "errors"

var (
	// ErrNotFound says that there is no such record.
	ErrNotFound = errors.New("no such record")
	// ErrDamaged says that a record is not what was written.
	ErrDamaged = errors.New("record is damaged")
	// ErrUnavailable says that the storage did not do what was asked, or not in
	// time. Whether a write has happened is then unknown.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrVersion says that a record was written by a later version of this
	// program. It is left where it is.
	ErrVersion = errors.New("record is of a later version")
)
