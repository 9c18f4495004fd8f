// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package web

import "errors"

// ErrNoPage says that dist holds no index.html: the interface was not built before the binary.
var ErrNoPage = errors.New("no index.html")

// ErrUnknownType says that dist holds a file whose media type is not served.
var ErrUnknownType = errors.New("unknown file type")
