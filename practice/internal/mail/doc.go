// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package mail writes the practice's letters and hands them to a mail server.
//
// [Compose] turns the facts of an appointment into a [Message]: plain words in
// German or English, as text and as simple HTML, with the appointment for a
// calendar. [Sender] delivers a message over SMTP with verified TLS and says of
// every failure whether another attempt may be made. It keeps no queue, never
// tries twice by itself, and writes nothing to a log. Subjects name neither a
// person nor a matter, headers name no software and no machine, and nothing in
// a message reports that it was read.
package mail
