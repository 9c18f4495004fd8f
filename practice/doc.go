// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package practice is the reception of a site: it decides who gets to a
// consultation. Hosts sign in, make appointments and open rooms, visitors knock
// and wait, and only when the host admits them is a media token minted.
//
// It owns the desk: open rooms, hosts' dashboards and knocks, all in memory,
// and the HTTP and WebSocket interface beneath api/v1/ that serves them. It
// knows media rooms only through the [Rooms] it declares. Links of rooms, hosts
// and grants are capabilities that carry their own proof and are stored nowhere.
//
// It owns the agenda, too: appointments and what has become of their letters, as
// records on the [Storage] it is given. Storage that is slow or fails keeps nobody
// out of a room. The package refuses to tell visitors of each other, and to tell
// a stranger an unknown room from a closed one.
package practice
