// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Whose cameras are shown where more are on than the server sends one person. It goes by who spoke last, as the server
// does where it is told who speaks; in calls that are encrypted from end to end it is not, and the page has to choose.

import { most } from './paused';

/** One owner: the call. */
export class Faces {
  /** The turn in which somebody last spoke at length. */
  readonly #spoke = new Map<string, number>();
  #turn = 0;

  heard(speakers: readonly string[]): void {
    for (const who of speakers) this.#spoke.set(who, ++this.#turn);
  }

  gone(who: string): void {
    this.#spoke.delete(who);
  }

  /**
   * Those of whom a picture is shown, out of all whose camera is on, in order of arrival: a new speaker takes the place of
   * who has been silent for longest, and nothing changes while those in view talk.
   */
  chosen(cameras: readonly string[]): ReadonlySet<string> {
    if (cameras.length <= most) return new Set(cameras);
    const turn = (who: string) => this.#spoke.get(who) ?? 0;
    return new Set([...cameras].sort((a, b) => turn(b) - turn(a)).slice(0, most));
  }
}
