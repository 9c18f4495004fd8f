// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Our own sender key: made by chance for each generation, given to everybody, and used when all have it or three seconds
// after all could.

import { contentSecret, mediaSecret } from './primitives';
import type { Bytes, KeyEvents, Pid, SenderKey } from './types';

/** How long everybody's word that they have a key is waited for, in milliseconds. */
export const ackWait = 3_000;

/** A key that is being given out. */
export interface Coming {
  key: SenderKey;
  /** What is given out; the key is derived from it. */
  sender: Bytes;
  unsent: Set<Pid>;
  unheard: Set<Pid>;
  /** When the last one was sent. */
  since: number | undefined;
}

/** What a sender's secret stands for. */
export async function senderKeyOf(sender: Bytes, call: Bytes, epoch: number, generation: number): Promise<SenderKey> {
  const [secret, content] = [await mediaSecret(sender, call), await contentSecret(sender, call)];
  return { epoch, generation, index: generation % 256, secret, content };
}

export class OwnKey {
  #generation = 0;
  #using: SenderKey | undefined;
  #coming: Coming | undefined;
  /** When sending ends unless there is a new key: somebody who was removed has the one in use. */
  #muteAt: number | undefined;

  constructor(private readonly events: Pick<KeyEvents, 'use'>) {}

  get using(): SenderKey | undefined {
    return this.#using;
  }

  get coming(): Coming | undefined {
    return this.#coming;
  }

  /** Makes a new key for these members. It is used at once where there are none. */
  async make(sender: Bytes, call: Bytes, epoch: number, others: Pid[]): Promise<SenderKey> {
    this.abandon();
    const generation = ++this.#generation;
    const key = await senderKeyOf(sender, call, epoch, generation);
    this.#coming = { key, sender, unsent: new Set(others), unheard: new Set(others), since: undefined };
    return key;
  }

  sent(pid: Pid, now: number): void {
    const coming = this.#coming;
    if (coming?.unsent.delete(pid) && coming.unsent.size === 0) coming.since = now;
  }

  heard(pid: Pid, generation: number): void {
    if (this.#coming?.key.generation === generation) this.#coming.unheard.delete(pid);
  }

  /** The key in use may be known to somebody who is not in the call any more. */
  muteAt(time: number): void {
    this.#muteAt ??= time;
  }

  /** Goes over to the new key when it is time to, and falls silent when it must. */
  settle(now: number): void {
    const coming = this.#coming;
    const known = coming && coming.unheard.size === 0;
    const late = coming?.since !== undefined && now - coming.since >= ackWait;
    if (coming && (known || late)) {
      this.#using = coming.key;
      this.#coming = undefined;
      coming.sender.fill(0);
      this.#muteAt = undefined;
      this.events.use(this.#using);
    } else if (this.#muteAt !== undefined && now >= this.#muteAt) {
      this.#muteAt = undefined;
      if (this.#using) this.events.use(undefined);
      this.#using = undefined;
    }
  }

  /** Forgets the key that is being given out. */
  abandon(): void {
    this.#coming?.sender.fill(0);
    this.#coming = undefined;
  }

  stop(): void {
    this.abandon();
    this.#using = undefined;
    this.events.use(undefined);
  }
}
