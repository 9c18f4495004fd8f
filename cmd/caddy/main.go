// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Command caddy is Caddy with its standard modules and videoroom, for builds
// without xcaddy.
package main

import (
	_ "time/tzdata" // names of time zones on machines that have none

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-videoroom/videoroom"
)

func main() { caddycmd.Main() }
