// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package appointment says what an appointment is: who meets whom when, whose
// link is good when, and which messages are owed to whom.
//
// It is plain values and arithmetic of the calendar: no storage, no clock and no
// network. What is owed by mail follows from the record alone, so that a record
// that is stored can lose no message.
package appointment
