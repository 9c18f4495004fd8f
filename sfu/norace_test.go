// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sfu

// racing tells that the race detector slows everything down.
const racing = false
