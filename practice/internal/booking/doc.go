// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package booking knows how booking software proves who it is and what it says:
// signed requests to our own interface, and the notices that Cal.com and what is
// shaped like it send.
//
// It is arithmetic and parsing. It serves nothing, stores nothing and decides
// nothing about appointments.
package booking
