// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package engine is everything of videoroom that outlives a configuration,
// composed without Caddy: the media plane, the rooms, the signaling server and
// the practice's desk of all sites.
//
// It owns the master key and the settings in force. It holds nothing of a
// request, a handler or a configuration's logger: a configuration comes as an
// immutable [Snapshot], a request as a [Call] that ends when [Engine.Serve]
// returns, while the sockets it opened live on.
package engine
