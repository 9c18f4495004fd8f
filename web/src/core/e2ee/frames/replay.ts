// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What has been received from one source under one key: nothing is taken twice. Only frames that were decrypted may be
// entered, so every pair of time and counter here is one that the sender made.

/** Frames that may arrive late and are still taken. */
export const windowFrames = 256;
/** The sender's counter runs modulo this. */
export const counterCycle = 0xffff;

export class ReplayWindow {
  #timestamp = 0;
  #counter = -1;
  /** Counters taken, by their place in the window; what left the window is cleared. */
  readonly #taken = new Uint8Array(windowFrames);
  #newest = 0;

  /** Enters a frame; false where it was taken before or is too old to tell. */
  take(timestamp: number, counter: number): boolean {
    if (counter >= counterCycle) return false;
    if (this.#counter < 0) {
      this.#advance(windowFrames, timestamp, counter);
      return true;
    }
    const later = (timestamp - this.#timestamp) | 0;
    const ahead = (counter - this.#counter + counterCycle) % counterCycle;
    const behind = (counterCycle - ahead) % counterCycle;
    // The time decides; pictures of one time are told apart by their counters.
    if (later > 0 || (later === 0 && ahead > 0 && ahead < behind)) {
      this.#advance(later > 0 && ahead === 0 ? windowFrames : ahead, timestamp, counter);
      return true;
    }
    if (behind >= windowFrames) return false;
    const place = this.#place(behind);
    if (this.#taken[place] === 1) return false;
    this.#taken[place] = 1;
    return true;
  }

  #place(behind: number): number {
    return (this.#newest - behind + windowFrames) % windowFrames;
  }

  #advance(by: number, timestamp: number, counter: number): void {
    for (let i = 0; i < Math.min(by, windowFrames); i++) {
      this.#newest = (this.#newest + 1) % windowFrames;
      this.#taken[this.#newest] = 0;
    }
    this.#taken[this.#newest] = 1;
    this.#timestamp = timestamp;
    this.#counter = counter;
  }
}

/**
 * The counters of one source under one key. An IV can repeat only when a time comes again after a whole cycle of counters,
 * or when times wrap; neither is let through.
 */
export class SendCounter {
  #counter: number;
  #inCycle = 0;
  #begun = false;
  #last = 0;
  /** Times since the first frame, as they do not wrap. */
  #time = 0;
  #highest = 0;
  /** What a time must exceed in this cycle: the highest of the one before. */
  #floor = Number.NEGATIVE_INFINITY;

  /** @param start any number below the cycle, by chance */
  constructor(start: number) {
    this.#counter = start % counterCycle;
  }

  /** The counter for a frame of this time, or undefined where only a new key helps. */
  next(timestamp: number): number | undefined {
    const time = this.#begun ? this.#time + ((timestamp - this.#last) | 0) : 0;
    if (this.#inCycle === counterCycle) {
      this.#floor = this.#highest;
      this.#inCycle = 0;
    }
    if (time <= this.#floor || Math.abs(time) >= 2 ** 31) return undefined;
    this.#begun = true;
    this.#last = timestamp;
    this.#time = time;
    this.#highest = Math.max(this.#highest, time);
    this.#inCycle++;
    const counter = this.#counter;
    this.#counter = (counter + 1) % counterCycle;
    return counter;
  }
}
