// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Looks for words in a process's output and files that must never be there.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Lines of a log in which one of the words stands. Caddy's admin endpoint
 * logs the address of those who configure it; those lines are not ours.
 * @param {string} log @param {string[]} words
 */
export function leaks(log, words) {
  const wanted = words.filter((w) => w && w.length > 3);
  return log
    .split('\n')
    .filter((line) => !/"logger":"admin/.test(line))
    .filter((line) => wanted.some((w) => line.includes(w) || line.includes(encodeURIComponent(w))))
    .map((line) => line.slice(0, 400));
}

/** Names and contents of all files below dir as [path, text]. @returns {Promise<[string, string][]>} */
export async function files(dir) {
  /** @type {[string, string][]} */
  const all = [];
  for (const e of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!e.isFile()) continue;
    const file = path.join(e.parentPath ?? e.path, e.name);
    all.push([file, await readFile(file, 'latin1')]);
  }
  return all;
}
