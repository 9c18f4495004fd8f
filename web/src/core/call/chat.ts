// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ChatLine } from './types';

export const topic = 'lk.chat';
export const longest = 2000;
const kept = 500;

/** What may be sent: trimmed, never empty, bounded; null means there is nothing to send. */
export function outgoing(text: string): string | null {
  const t = text.trim();
  return t ? [...t].slice(0, longest).join('') : null;
}

/** The conversation lives in this array and dies with the page; old lines go first. */
export function append(lines: readonly ChatLine[], line: ChatLine): readonly ChatLine[] {
  if (lines.some((l) => l.id === line.id)) return lines;
  return [...lines, line].slice(-kept);
}
