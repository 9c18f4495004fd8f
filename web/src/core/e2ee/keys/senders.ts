// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The sender keys that are in use, and how long old ones are kept.

import type { KeyEvents, Pid, SenderKey } from './types';

/** How long frames under an old key are still decrypted, in milliseconds. */
export const keptFor = 10_000;

interface Old {
  pid: Pid;
  key: SenderKey;
  until: number;
}

export class SenderKeys {
  readonly #newest = new Map<Pid, SenderKey>();
  #old: Old[] = [];

  constructor(private readonly events: Pick<KeyEvents, 'install' | 'forget'>) {}

  newest(pid: Pid): SenderKey | undefined {
    return this.#newest.get(pid);
  }

  install(pid: Pid, key: SenderKey, now: number): void {
    const before = this.#newest.get(pid);
    if (before) this.#old.push({ pid, key: before, until: now + keptFor });
    // Whoever has 256 generations in ten seconds loses the oldest: its index is given anew.
    this.#old = this.#old.filter((o) => o.pid !== pid || o.key.index !== key.index);
    this.#newest.set(pid, key);
    this.events.install(pid, key);
  }

  /** Wipes what is past its time, except the key that is still used for sending. */
  expire(now: number, using: SenderKey | undefined): void {
    this.#drop((o) => now >= o.until && o.key !== using);
  }

  /** Wipes everything of a member at once. */
  remove(pid: Pid): void {
    const key = this.#newest.get(pid);
    this.#newest.delete(pid);
    if (key) this.#old.push({ pid, key, until: 0 });
    this.#drop((o) => o.pid === pid);
  }

  clear(): void {
    for (const pid of [...this.#newest.keys()]) this.remove(pid);
    this.#drop(() => true);
  }

  #drop(which: (old: Old) => boolean): void {
    const gone = this.#old.filter(which);
    this.#old = this.#old.filter((o) => !which(o));
    for (const { pid, key } of gone) {
      key.secret.fill(0);
      key.content.fill(0);
      this.events.forget(pid, key.index);
    }
  }
}
