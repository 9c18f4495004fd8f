// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

const first = 1000;
const cap = 30_000;

/** Delays that double from 1 s to 30 s; each is drawn from its upper half, so that many clients do not come back at once. */
export class Backoff {
  #tries = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get tries(): number {
    return this.#tries;
  }

  /** Milliseconds to wait before the next try. */
  next(): number {
    const full = Math.min(cap, first * 2 ** Math.min(this.#tries, 10));
    this.#tries++;
    return Math.round(full * (0.5 + this.#random() / 2));
  }

  reset(): void {
    this.#tries = 0;
  }
}
