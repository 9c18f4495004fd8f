// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The keys of one participant, by the index that frames carry. One owner: the worker.

import type { Bytes } from './annexb';
import { fromSecret, type KeyBits } from './derive';
import type { Kind } from './format';
import { counterCycle, ReplayWindow, SendCounter } from './replay';

export const keyIndices = 256;
/** Sources that one key may have; a participant has some twenty. */
const maxSources = 64;
/** Frames that one key may encrypt. */
export const framesPerKey = 2 ** 24;
/** Secrets that a ring remembers having had. */
const maxSecrets = 65_536;

export type KeyError = 'index' | 'length' | 'reused' | 'full';

/** A key, with all that has been sent or received under it. */
export class FrameKey {
  #sent = 0;
  readonly #counters = new Map<number, SendCounter>();
  readonly #windows = new Map<number, { kind: Kind; window: ReplayWindow }>();

  constructor(
    readonly key: CryptoKey,
    readonly index: number,
    private readonly random: (octets: number) => Bytes,
    private readonly limit = framesPerKey,
  ) {}

  /** The counter for the next frame of a source, or undefined when the key is used up. */
  counter(source: number, timestamp: number): number | undefined {
    let counter = this.#counters.get(source);
    if (!counter) {
      if (this.#counters.size >= maxSources) return undefined;
      const [a = 0, b = 0] = this.random(2);
      counter = new SendCounter((a * 256 + b) % counterCycle);
      this.#counters.set(source, counter);
    }
    if (this.#sent >= this.limit) return undefined;
    const next = counter.next(timestamp);
    if (next !== undefined) this.#sent++;
    return next;
  }

  /** Enters a decrypted frame; false where it came before, or its source belongs to the other kind of track. */
  take(kind: Kind, source: number, timestamp: number, counter: number): boolean {
    let known = this.#windows.get(source);
    if (!known) {
      if (this.#windows.size >= maxSources) return false;
      known = { kind, window: new ReplayWindow() };
      this.#windows.set(source, known);
    }
    return known.kind === kind && known.window.take(timestamp, counter);
  }
}

export class KeyRing {
  readonly #keys = new Map<number, FrameKey>();
  readonly #had = new Set<string>();
  #sending: FrameKey | undefined;

  constructor(
    private readonly bits: KeyBits,
    private readonly random: (octets: number) => Bytes,
  ) {}

  /**
   * Sets the key of an index. A secret is taken only once, whatever the index: what has been sent and received under it
   * would be forgotten, and IVs repeat.
   */
  async set(index: number, secret: Bytes): Promise<KeyError | undefined> {
    if (!Number.isInteger(index) || index < 0 || index >= keyIndices) return 'index';
    if (secret.length !== 32) return 'length';
    const print = [...new Uint8Array(await crypto.subtle.digest('SHA-256', secret))].join();
    if (this.#had.has(print)) return 'reused';
    if (this.#had.size >= maxSecrets) return 'full';
    this.#had.add(print);
    const key = new FrameKey(await fromSecret(secret, this.bits), index, this.random);
    if (this.#sending?.index === index) this.#sending = undefined;
    this.#keys.set(index, key);
    return undefined;
  }

  get(index: number): FrameKey | undefined {
    return this.#keys.get(index);
  }

  /** The key that frames are encrypted with; none until one is chosen. */
  get sending(): FrameKey | undefined {
    return this.#sending;
  }

  /** Chooses the sending key; an index without a key stops sending. */
  use(index: number): boolean {
    this.#sending = this.#keys.get(index);
    return this.#sending !== undefined;
  }

  /** Sends nothing until a key is chosen. */
  halt(): void {
    this.#sending = undefined;
  }

  forget(index: number): void {
    if (this.#sending?.index === index) this.#sending = undefined;
    this.#keys.delete(index);
  }

  clear(): void {
    this.#sending = undefined;
    this.#keys.clear();
  }
}
