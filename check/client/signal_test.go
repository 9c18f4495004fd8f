// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

package client

import "testing"

func TestRelayedClientsSeeNoICETCP(t *testing.T) {
	const (
		head  = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
		udp   = "a=candidate:1 1 udp 2130706431 192.0.2.1 443 typ host\r\n"
		tcp   = "a=candidate:2 1 tcp 1520434943 192.0.2.1 443 typ host tcptype passive\r\n"
		relay = "a=candidate:3 1 udp 2130705919 198.18.0.1 40000 typ host\r\n"
		tail  = "a=ice-ufrag:tcptype\r\n"
	)
	if got, want := withoutTCP(head+udp+tcp+relay+tail), head+udp+relay+tail; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := withoutTCP(""); got != "" {
		t.Errorf("nothing became %q", got)
	}
}
