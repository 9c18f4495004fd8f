// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The lines of the host's and the visitor's browser, in the lab only: what they
// do to packets, changed while people talk. "up" runs to the server. Words are
// those of e2e/impair: loss=3, delay=20, rate=500, …

import { connect } from 'node:net';

/** @typedef {'host' | 'visitor'} Line @typedef {'up' | 'down' | 'both'} Direction */

/** Sends one command. @param {string} text @returns {Promise<string>} the rest of the answer */
function tell(text) {
  const path = process.env.E2E_IMPAIR;
  if (!path) throw new Error('there are no lines outside the lab: run scripts/lab.sh quality');
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => socket.write(`${text}\n`));
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (part) => {
      answer += part;
      if (!answer.endsWith('\n')) return;
      socket.destroy();
      if (answer.startsWith('ok')) resolve(answer.slice(3).trim());
      else reject(new Error(`${text}: ${answer.trim()}`));
    });
    socket.on('end', () => reject(new Error(`${text}: no answer`)));
  });
}

/** Changes what is named; the rest stays. @param {Line} line @param {Direction} direction @param {string} words */
export const impair = (line, direction, words) => tell(`set ${line} ${direction} ${words}`);

/** All lines as they are between two tests: ten milliseconds each way, and the same chance each time. */
export async function restore() {
  await tell('reset all both');
  await tell('set all both delay=10');
  await tell('seed all both 1');
}

/** @param {Line} line */
export const cut = (line) => tell(`cut ${line} both`);

/** @param {Line} line */
export const mend = (line) => tell(`mend ${line} both`);

/** What a line did so far. @param {Line} line @returns {Promise<{up: Record<string, number>, down: Record<string, number>}>} */
export const counts = async (line) => JSON.parse(await tell(`counts ${line}`))[line];

/** Starts a browser at the end of a line. @template T @param {Line} line @param {() => Promise<T>} start */
export async function at(line, start) {
  process.env.E2E_LINE = line;
  try {
    return await start();
  } finally {
    delete process.env.E2E_LINE;
  }
}
