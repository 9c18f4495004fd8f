// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package archtest holds the tests that speak of the whole repository: who may
// import whom, what the media plane may not touch, how long a function may be,
// and what every source file must say. It contains no code that ships.
package archtest
