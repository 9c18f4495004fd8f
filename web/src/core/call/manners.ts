// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What people in a room tell each other about the place they are in: whether they are alone there, and that somebody
// comes in. It travels as small messages over the data channel, beside the chat; the server reads none of it.

export const mannersTopic = 'vr.manners';
const longestMessage = 200;

/** What one person says. `alone` null: has said nothing. */
export interface Manners {
  alone: boolean | null;
  /** Somebody has come in at this person's place. */
  company: boolean;
}

export const silent: Manners = { alone: null, company: false };

/** `ask`: whoever has something to say tells it to the sender, who is new here. */
export function encode(m: Manners, ask = false): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ v: 1, alone: m.alone, company: m.company, ...(ask && { ask }) }));
}

/** Null for everything that is not a message of this kind. */
export function decode(data: Uint8Array): (Manners & { ask: boolean }) | null {
  if (data.byteLength > longestMessage) return null;
  try {
    const m: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
    if (typeof m !== 'object' || m === null) return null;
    const { v, alone, company, ask } = m as Record<string, unknown>;
    if (v !== 1 || typeof company !== 'boolean' || (alone !== null && typeof alone !== 'boolean')) return null;
    return { alone, company, ask: ask === true };
  } catch {
    return null;
  }
}

export interface MannersPort {
  /** To one person, or to everybody. */
  send(data: Uint8Array<ArrayBuffer>, to?: string): void;
  /** Something to show is different. */
  changed(): void;
}

/** Keeps what each person says. One owner; nothing outlives the call. */
export class MannersBook {
  readonly #port: MannersPort;
  readonly #others = new Map<string, Manners>();
  #own = silent;

  constructor(port: MannersPort) {
    this.#port = port;
  }

  get own(): Manners {
    return this.#own;
  }

  of(identity: string): Manners {
    return this.#others.get(identity) ?? silent;
  }

  say(change: Partial<Manners>): void {
    this.#own = { ...this.#own, ...change };
    this.#port.send(encode(this.#own));
    this.#port.changed();
  }

  /** After arriving, and after a cut: the others say again what counts. */
  arrive(): void {
    this.#port.send(encode(this.#own, true));
  }

  /** Returns what somebody says now and said before, null when that is no message. */
  hear(identity: string, data: Uint8Array): { now: Manners; before: Manners } | null {
    const m = decode(data);
    if (!m) return null;
    const before = this.of(identity);
    const now = { alone: m.alone, company: m.company };
    this.#others.set(identity, now);
    if (m.ask && (this.#own.alone !== null || this.#own.company)) this.#port.send(encode(this.#own), identity);
    this.#port.changed();
    return { now, before };
  }

  gone(identity: string): void {
    this.#others.delete(identity);
  }
}
