// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package ics writes appointments for calendars and reads the calendars of
// others, as RFC 5545 and RFC 5546 define them.
//
// [Write] makes the one kind of object that letters carry: an invitation or its
// cancellation, in UTC, with nothing in it but the time. [Read] takes a foreign
// feed apart and [Feed.Between] unrolls its series for a span of time. What it
// reads is bounded in size, number and work; it opens no file and no socket.
package ics
