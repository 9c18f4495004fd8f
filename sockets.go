// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package videoroom

// auditSockets are the network sockets of this process.
type auditSockets struct {
	// Known is false where the system does not say.
	Known bool `json:"known"`
	// Listening are TCP listeners and UDP sockets by local address.
	Listening []string `json:"listening"`
	// Inbound counts the TCP connections of visitors and others; their addresses
	// are not told.
	Inbound int `json:"inbound"`
	// Outbound are the remote addresses that this process has opened TCP
	// connections to.
	Outbound []string `json:"outbound"`
}

// auditFiles are the open files of this process.
type auditFiles struct {
	// Known is false where the system does not say.
	Known bool     `json:"known"`
	Open  []string `json:"open"`
}
