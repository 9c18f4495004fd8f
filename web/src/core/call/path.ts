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

/**
 * How long one attempt to reach the server may take in a call, in milliseconds. On a line that has come back an attempt that
 * began while it was gone waits for its next packet to be tried, which browsers' networks double each time: after 1, 3, 7
 * and 15 s. A new attempt is tried at once.
 */
export const attemptTimeout = 4_000;

const delays = [0, 300, 700];
const delay = 1_000;
/** After so long nobody waits in front of a still picture any more. */
const patienceOver = 180_000;

/**
 * When to try again to reach the server: steadily, so that a call is back soon after its line, however long that was gone.
 * Few are in a call together.
 */
export const retries = {
  nextRetryDelayInMs: ({ retryCount, elapsedMs }: { retryCount: number; elapsedMs: number }): number | null => {
    if (elapsedMs >= patienceOver) return null;
    const usual = delays[retryCount] ?? delay;
    return usual === 0 ? Math.random() * 100 : Math.round(usual * (0.5 + Math.random()));
  },
};
