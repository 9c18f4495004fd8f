// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { CallSnapshot } from './types';

/** Why a picture is paused: the line is narrow, its owner saves data, or there are more people than the server shows at once. */
export type PauseReason = 'line' | 'saver' | 'many';

/** How many cameras the server sends one person at once. */
export const most = 12;

/** The server tells that a picture is paused and not why; what else is running tells it. */
export function pauseReason(s: Pick<CallSnapshot, 'remotes' | 'saver'>): PauseReason {
  const running = s.remotes.filter((m) => m.camera && !m.cameraPaused).length;
  if (running >= most) return 'many';
  return s.saver > 0 ? 'saver' : 'line';
}
