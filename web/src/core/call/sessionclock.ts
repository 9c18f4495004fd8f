// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

/** Seconds before the end at which the host gets a gentle hint. */
export const hintAt = 5 * 60;

/** Lengths that a host can choose, in minutes; 0 is an open end. */
export const lengths = [0, 15, 25, 30, 45, 50, 60, 90, 120] as const;

export interface SessionTime {
  /** Seconds since the host came in. */
  elapsed: number;
  /** Seconds to the planned end, negative after it; null with an open end. */
  left: number | null;
  state: 'open' | 'running' | 'ending' | 'over';
}

/** `end`: planned end in epoch milliseconds, null when it is open. */
export function sessionTime(startedAt: number, end: number | null, now: number): SessionTime {
  const elapsed = Math.max(0, Math.floor((now - startedAt) / 1000));
  if (end === null) return { elapsed, left: null, state: 'open' };
  const left = Math.ceil((end - now) / 1000);
  return { elapsed, left, state: left <= 0 ? 'over' : left <= hintAt ? 'ending' : 'running' };
}
