// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The one form in which names and messages may be shown, where no server has seen them: the same rules as the server's
// where it does.

const longestName = 64;
const longestText = 500;

/** Blank letters, and what says that a text was damaged. */
const blank = '\u{fffd}\u115f\u1160\u3164\uffa0';
/** Controls, directions, invisible ones; the two joiners, which scripts and emoji need, are taken out before. */
const refused = new RegExp(`[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}\\p{Zl}\\p{Zp}${blank}]`, 'u');
const joiners = /[\u200c\u200d]/g;

const plain = (text: string): boolean => !refused.test(text.replace(joiners, ''));

/** Undefined for what is no name: too long, invisible, or able to deceive. */
export function cleanName(name: unknown): string | undefined {
  if (typeof name !== 'string' || name.length > 16 * longestName) return undefined;
  const one = name
    .normalize('NFC')
    .replace(/\p{Zs}+/gu, ' ')
    .replace(/^ | $/g, '');
  const visible = /[\p{L}\p{N}\p{S}]/u.test(one);
  return visible && plain(one) && [...one].length <= longestName ? one : undefined;
}

/** A message: line breaks are its only controls. */
export function cleanText(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > 16 * longestText) return undefined;
  const one = text.replaceAll('\r\n', '\n').normalize('NFC').trim();
  return one && plain(one.replaceAll('\n', '')) && [...one].length <= longestText ? one : undefined;
}
