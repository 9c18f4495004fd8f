// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The secrets of links that this browser's host has made, kept in the browser alone until their rooms end. Kept are the
// secret, a digest in place of the room's id, and when it is forgotten at the latest; of few rooms, the newest ones.

import { toBase64url } from '../e2ee/base64url';
import { linkSecret, makeLinkSecret } from '../e2ee/linksecret';

const item = 'videoroom.links';
export const mostKept = 50;
/** A link is good for 24 hours, and a talk may go on after that. Milliseconds. */
export const keptFor = 36 * 60 * 60_000;

type Entry = readonly [digest: string, secret: string, until: number];

/** The browser does not keep it. */
export class NotKept extends Error {
  override name = 'NotKept';
}

export class LinkKeys {
  readonly #storage: () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly #now: () => number;

  /** `storage` may throw, as the browser's does where pages may not keep anything. */
  constructor(storage: () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>, now: () => number = Date.now) {
    this.#storage = storage;
    this.#now = now;
  }

  /** True where there is nothing to look for. */
  get empty(): boolean {
    return this.#read().length === 0;
  }

  /** The secret of a room's link, in base64url. */
  async find(room: string): Promise<string | undefined> {
    const digest = await digestOf(room);
    return this.#read().find((e) => e[0] === digest)?.[1];
  }

  /** A secret for a room's link, the one that is kept if there is one. Rejects with NotKept. */
  async make(room: string): Promise<string> {
    const digest = await digestOf(room);
    const all = this.#read();
    const before = all.find((e) => e[0] === digest);
    if (before) return before[1];
    const secret = makeLinkSecret();
    this.#write([...all, [digest, secret, this.#now() + keptFor]]);
    if ((await this.find(room)) !== secret) throw new NotKept();
    return secret;
  }

  async forget(room: string): Promise<void> {
    const digest = await digestOf(room);
    const all = this.#read();
    const rest = all.filter((e) => e[0] !== digest);
    if (rest.length < all.length) this.#write(rest);
  }

  #read(): Entry[] {
    try {
      const all: unknown = JSON.parse(this.#storage().getItem(item) ?? '[]');
      return Array.isArray(all) ? all.filter((e) => isEntry(e) && e[2] > this.#now()) : [];
    } catch {
      return [];
    }
  }

  #write(all: Entry[]): void {
    try {
      if (all.length === 0) this.#storage().removeItem(item);
      else this.#storage().setItem(item, JSON.stringify(all.slice(-mostKept)));
    } catch {
      throw new NotKept();
    }
  }
}

function isEntry(e: unknown): e is Entry {
  return Array.isArray(e) && typeof e[0] === 'string' && linkSecret(e[1]) !== undefined && typeof e[2] === 'number';
}

async function digestOf(room: string): Promise<string> {
  const octets = new TextEncoder().encode(`vr1 link room ${room}`);
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', octets)));
}
