// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// One epoch's transcript: everybody commits to a number, and says it when all have committed. So nobody can choose the
// safety code, not even by trying keys.

import { sha256 } from './primitives';
import { type Members, Stop } from './roster';
import type { Bytes, Pid } from './types';
import { compare, unhex } from './wire';

export const commitmentOf = (roster: Bytes, pid: Bytes, nonce: Bytes): Promise<Bytes> =>
  sha256('vr1 nonce', roster, pid, nonce);

export class Round {
  readonly #commitments = new Map<Pid, Bytes>();
  readonly #nonces = new Map<Pid, Bytes>();
  #transcript: Bytes | undefined;

  constructor(
    private readonly members: Members,
    readonly roster: Bytes,
  ) {}

  get committed(): boolean {
    return this.#commitments.size === this.members.size;
  }

  /** Stands for the roster and everybody's numbers, once they are known. */
  get transcript(): Bytes | undefined {
    return this.#transcript;
  }

  /** Those who have not said all they have to. */
  get missing(): Pid[] {
    return [...this.members.keys()].filter((pid) => !this.#commitments.has(pid) || !this.#nonces.has(pid));
  }

  commit(pid: Pid, commitment: Bytes): void {
    once(this.#commitments, pid, commitment);
  }

  /** Enters a number; to be called only when all have committed. */
  async reveal(pid: Pid, nonce: Bytes): Promise<void> {
    const commitment = this.#commitments.get(pid);
    if (!commitment || compare(commitment, await commitmentOf(this.roster, unhex(pid), nonce)) !== 0) {
      throw new Stop('commitment');
    }
    once(this.#nonces, pid, nonce);
    if (this.#transcript || this.#nonces.size < this.members.size) return;
    const all = [...this.members.keys()].map((member) => this.#nonces.get(member) ?? new Uint8Array(0));
    this.#transcript = await sha256('vr1 transcript', this.roster, ...all);
  }
}

function once(said: Map<Pid, Bytes>, pid: Pid, value: Bytes): void {
  const before = said.get(pid);
  if (before && compare(before, value) !== 0) throw new Stop('conflict');
  said.set(pid, value);
}
