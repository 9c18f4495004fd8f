// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What people write and say of themselves: sealed under the content key of its sender, for everybody who has that key.
// Message: 2 | pid 16 | key index 1 | counter 8 | AES-256-GCM. The first 26 octets are authenticated; the nonce is
// 0^4 || counter, and a counter is taken only once.

import type { Bytes, Pid, SenderKey } from './keys/types';
import { hex } from './keys/wire';

/** The first octet, which tells it from messages of the key agreement. */
export const contentVersion = 2;
const head = 26;
const tag = 16;
/** The longest plaintext, in octets. */
export const longestContent = 9_000;
/** Messages that may wait for their key, and for our own. */
const maxWaiting = 64;

export interface ContentEvents {
  /** To one member, or to all. */
  send(octets: Bytes, to: Pid | undefined): void;
  heard(from: Pid, plain: Bytes): void;
}

interface Held {
  key: CryptoKey;
  generation: number;
  /** The highest counter that was taken. */
  taken: bigint;
}

const nonce = (counter: bigint): Bytes => {
  const octets = new Uint8Array(12);
  new DataView(octets.buffer).setBigUint64(4, counter);
  return octets;
};

const importKey = (secret: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt']);

/** Seals and opens; whatever does not open is dropped. Every method takes its turn after those before. */
export class Content {
  readonly #events: ContentEvents;
  #turn: Promise<void> = Promise.resolve();
  #me: { pid: Pid; index: number; key: CryptoKey; counter: bigint } | undefined;
  #unsent: { plain: Bytes; to: Pid | undefined }[] = [];
  #unopened: Bytes[] = [];
  readonly #keys = new Map<string, Held>();
  #done = false;

  constructor(events: ContentEvents) {
    this.#events = events;
  }

  /** A member's messages may come under this key from now on. */
  install(pid: Pid, { index, generation, content }: SenderKey): void {
    const secret = content.slice();
    this.#run(async () => {
      this.#keys.set(`${pid} ${index}`, { key: await importKey(secret), generation, taken: -1n });
      secret.fill(0);
      const waiting = this.#unopened;
      this.#unopened = [];
      for (const octets of waiting) await this.#open(octets);
    });
  }

  forget(pid: Pid, index: number): void {
    this.#run(async () => void this.#keys.delete(`${pid} ${index}`));
  }

  /** What we say is sealed with this key; without one it waits. */
  use(pid: Pid, key: SenderKey | undefined): void {
    const secret = key?.content.slice();
    this.#run(async () => {
      this.#me = undefined;
      if (!key || !secret) return;
      this.#me = { pid, index: key.index, key: await importKey(secret), counter: 0n };
      secret.fill(0);
      const waiting = this.#unsent;
      this.#unsent = [];
      for (const { plain, to } of waiting) await this.#seal(plain, to);
    });
  }

  /** False for what is too long, or more than can wait for a key. */
  say(plain: Bytes, to?: Pid): boolean {
    if (this.#done || plain.length > longestContent || this.#unsent.length >= maxWaiting) return false;
    this.#run(() => this.#seal(plain, to));
    return true;
  }

  hear(octets: Bytes): void {
    this.#run(() => this.#open(octets));
  }

  /** Forgets every key. */
  close(): void {
    this.#done = true;
    this.#me = undefined;
    this.#keys.clear();
    this.#unsent = [];
    this.#unopened = [];
  }

  #run(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(() => (this.#done ? undefined : work())).catch(() => {});
  }

  async #seal(plain: Bytes, to: Pid | undefined): Promise<void> {
    const me = this.#me;
    if (!me) return void this.#unsent.push({ plain, to });
    const octets = new Uint8Array(head + plain.length + tag);
    octets[0] = contentVersion;
    octets.set(pidOctets(me.pid), 1);
    octets[17] = me.index;
    const counter = me.counter++;
    new DataView(octets.buffer).setBigUint64(18, counter);
    const how = { name: 'AES-GCM', iv: nonce(counter), additionalData: octets.slice(0, head) };
    octets.set(new Uint8Array(await crypto.subtle.encrypt(how, me.key, plain)), head);
    this.#events.send(octets, to);
  }

  async #open(octets: Bytes): Promise<void> {
    if (octets.length < head + tag || octets[0] !== contentVersion) return;
    const pid = hex(octets.slice(1, 17));
    const held = this.#keys.get(`${pid} ${octets[17]}`);
    if (!held) {
      this.#unopened = [...this.#unopened, octets].slice(-maxWaiting);
      return;
    }
    const counter = new DataView(octets.buffer, octets.byteOffset).getBigUint64(18);
    if (counter <= held.taken) return;
    const how = { name: 'AES-GCM', iv: nonce(counter), additionalData: octets.slice(0, head) };
    const plain = await crypto.subtle.decrypt(how, held.key, octets.slice(head)).catch(() => undefined);
    if (!plain || this.#done) return;
    held.taken = counter;
    this.#events.heard(pid, new Uint8Array(plain));
  }
}

function pidOctets(pid: Pid): Bytes {
  return Uint8Array.from(pid.match(/../g) ?? [], (two) => Number.parseInt(two, 16));
}
