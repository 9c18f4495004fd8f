// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux || portable

package port

import "time"

func segmented([]byte) bool { return false }

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }
