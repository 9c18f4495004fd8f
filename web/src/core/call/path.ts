// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Notices that the way of a call's media has died, long before the browser does: after a phone has left a network the
// sockets of the old one take what is written to them for minutes. While media flows in either direction something comes
// in at least every tenth of a second, be it feedback for what is sent.

/** How often a look is due, in milliseconds. */
export const lookEvery = 300;
/** How long nothing may come in where something did in each of the looks before. */
const patience = 1_200;
/** The same where the browser itself doubts the way (ICE disconnected): Firefox does at once when its address is gone. */
const doubtful = 500;
const looksOfFlow = 4;

/** Everything that a connection has received, in octets. Each browser counts it somewhere else. */
export function received(report: Iterable<Record<string, unknown>>): number {
  let transports = 0;
  let pairs = 0;
  for (const s of report) {
    const octets = Number(s['bytesReceived']) || 0;
    if (s['type'] === 'transport') transports += octets;
    else if (s['type'] === 'candidate-pair') pairs += octets;
  }
  return Math.max(transports, pairs);
}

/** Judges looks at what has been received. */
export class PathWatch {
  #octets = -1;
  /** Looks in a row that found something new, and then those that did not. */
  #flow = 0;
  #still = 0;
  #heard = 0;

  /** Takes a look; true once for each time that the way is found dead. */
  look(octets: number, now: number, doubt = false): boolean {
    if (octets !== this.#octets) {
      this.#flow = this.#still > 0 || this.#octets < 0 ? 1 : this.#flow + 1;
      this.#still = 0;
      this.#octets = octets;
      this.#heard = now;
      return false;
    }
    this.#still++;
    // A look that is late (the machine slept) says nothing alone.
    const dead = this.#flow >= looksOfFlow && this.#still > 1 && now - this.#heard >= (doubt ? doubtful : patience);
    if (dead) this.#flow = 0;
    return dead;
  }
}

/** How long a connection that is being resumed may take before a new one is made. */
export const resumeTimeout = 6_000;

/**
 * Whether a connection in this state cannot be resumed. Firefox has no way back from a failed one: ICE finds a path
 * again, and nothing goes over it. Others recover.
 */
export function deadForGood(state: RTCPeerConnectionState | undefined, agent = navigator.userAgent): boolean {
  return state === 'failed' && /\bFirefox\//.test(agent);
}

const delays = [0, 300, 1_200, 2_700, 4_800, 7_000, 7_000, 7_000, 7_000, 7_000];

/**
 * When to try again to reach the server: as the library does by itself, except that the first try does not wait up to half a
 * second. Few are in a call together.
 */
export const retries = {
  nextRetryDelayInMs: ({ retryCount }: { retryCount: number }): number | null => {
    const delay = delays[retryCount];
    if (delay === undefined) return null;
    return delay === 0 ? Math.random() * 100 : Math.round(delay * (0.5 + Math.random()));
  },
};
