// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package outbox sends each letter once: across crashes, restarts and several
// processes on one storage.
//
// Before a letter is handed over, a record says that somebody is about to; after
// it, the record says what came of it. Where a process dies in between, nobody
// can know whether the letter has left: it is then reported as unclear and never
// sent again. The package owns these records. It does not know what letters say;
// composing and sending is the business of whoever calls.
package outbox
