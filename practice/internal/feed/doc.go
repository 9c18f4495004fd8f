// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package feed fetches a calendar from another server: encrypted, bounded in
// size and time, only when it has changed, and never led astray into the network
// behind the own server. It neither keeps nor interprets what it fetches.
package feed
