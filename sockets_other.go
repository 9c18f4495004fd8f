// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package videoroom

func openSockets() auditSockets { return auditSockets{} }

func openFiles() auditFiles { return auditFiles{} }
