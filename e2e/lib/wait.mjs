// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Waiting for a state, never for a time.

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls probe until it returns something truthy and returns that. A probe that throws counts as "not yet"; its last
 * error is told when the time is over.
 * @template T
 * @param {string} what names the state in the error
 * @param {() => T | Promise<T>} probe
 * @param {{timeout?: number, every?: number}} [o] milliseconds
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, probe, { timeout = 20_000, every = 100 } = {}) {
  const end = performance.now() + timeout;
  let last;
  for (;;) {
    try {
      const got = await probe();
      if (got) return got;
      last = got;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      const why = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`not within ${timeout} ms: ${what} (last: ${why})`);
    }
    await sleep(every);
  }
}
