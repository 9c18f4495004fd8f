// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Package web is the user interface: the built pages in dist, and how they are served.
//
// It owns the page and asset routes beneath a site's base path, their caching and their security headers. It knows
// no room, no participant and no secret: everything confidential travels in URL fragments, request bodies and
// WebSocket frames, which never come here. It refuses to serve anything that is not in dist.
package web

import "embed"

//go:generate npm ci --ignore-scripts
//go:generate npm run build

//go:embed all:dist
var dist embed.FS
