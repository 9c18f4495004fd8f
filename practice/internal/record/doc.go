// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package record keeps small JSON records of a site on a key-value storage that
// may be slow, full, read-only, hanging or damaged.
//
// A record carries its version, its kind and a checksum. One that does not fit
// them is moved aside, below the site's quarantine/, and never believed. Every
// call ends within a bounded time, also where the storage ignores its context.
// The package owns the form of keys and envelopes and knows nothing of what the
// records say. Keys hold the site and random ids, nothing else.
package record
