// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

import "errors"

var (
	errNotLocked  = errors.New("not locked")
	errFindings   = errors.New("the check found something, see above")
	errNoHouse    = errors.New("no house has this host name")
	errNotRunning = errors.New("no running configuration uses videoroom")
	errNotBuiltIn = errors.New("the Caddy that is running does not contain videoroom: put this binary in its place and restart it")
)
