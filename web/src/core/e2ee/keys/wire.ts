// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The messages of vr-e2ee-1 in octets. All are of fixed length but the roster; see PROTOCOL-E2EE.md. What does not decode
// to the last octet is refused.

import type { Bytes, StopReason } from './types';

export const version = 1;
export const maxMembers = 50;
export const size = { id: 32, kem: 1216, enc: 1120, sig: 64, hash: 32, pid: 16, wrapped: 48 } as const;

export type Role = 0 | 1;

export interface Knock {
  type: 'knock';
  id: Bytes;
  kem: Bytes;
  sig: Bytes;
}
export interface Admit {
  type: 'admit';
  call: Bytes;
  pid: Bytes;
  role: Role;
  knock: Bytes;
  signer: Bytes;
  sig: Bytes;
}
export interface Commit {
  type: 'commit';
  from: Bytes;
  epoch: number;
  roster: Bytes;
  commitment: Bytes;
  /** Stands for the link's secret. */
  link: Bytes;
  sig: Bytes;
}
export interface Reveal {
  type: 'reveal';
  from: Bytes;
  epoch: number;
  nonce: Bytes;
  sig: Bytes;
}
export interface Pair {
  type: 'pair';
  from: Bytes;
  to: Bytes;
  enc: Bytes;
  sig: Bytes;
}
export interface Key {
  type: 'key';
  from: Bytes;
  to: Bytes;
  epoch: number;
  generation: number;
  counter: number;
  wrapped: Bytes;
}
export interface Ack {
  type: 'ack';
  from: Bytes;
  to: Bytes;
  epoch: number;
  generation: number;
  mac: Bytes;
}
export type Message = Knock | Admit | Commit | Reveal | Pair | Key | Ack;

/** A roster's entry: the words of the member and of the host who let it in. */
export interface Entry {
  knock: Knock;
  admit: Admit;
}
export interface Roster {
  epoch: number;
  previous: Bytes;
  entries: Entry[];
}

/** A message or roster that is none. */
export class WireError extends Error {
  constructor(readonly reason: Extract<StopReason, 'version' | 'malformed'>) {
    super(reason);
  }
}

type Field = [name: string, octets: number | 'u32' | 'role'];

/** Types by number, and their fields in order after the version and the type. */
const layouts: Record<Message['type'], { number: number; fields: Field[] }> = {
  knock: {
    number: 1,
    fields: [
      ['id', size.id],
      ['kem', size.kem],
      ['sig', size.sig],
    ],
  },
  admit: {
    number: 2,
    fields: [
      ['call', 32],
      ['pid', size.pid],
      ['role', 'role'],
      ['knock', 32],
      ['signer', size.id],
      ['sig', size.sig],
    ],
  },
  commit: {
    number: 3,
    fields: [
      ['from', size.pid],
      ['epoch', 'u32'],
      ['roster', 32],
      ['commitment', 32],
      ['link', 32],
      ['sig', size.sig],
    ],
  },
  reveal: {
    number: 4,
    fields: [
      ['from', size.pid],
      ['epoch', 'u32'],
      ['nonce', 32],
      ['sig', size.sig],
    ],
  },
  pair: {
    number: 5,
    fields: [
      ['from', size.pid],
      ['to', size.pid],
      ['enc', size.enc],
      ['sig', size.sig],
    ],
  },
  key: {
    number: 6,
    fields: [
      ['from', size.pid],
      ['to', size.pid],
      ['epoch', 'u32'],
      ['generation', 'u32'],
      ['counter', 'u32'],
      ['wrapped', size.wrapped],
    ],
  },
  ack: {
    number: 7,
    fields: [
      ['from', size.pid],
      ['to', size.pid],
      ['epoch', 'u32'],
      ['generation', 'u32'],
      ['mac', 32],
    ],
  },
};
const rosterNumber = 8;
const rosterHead = 2 + 4 + 32 + 1;

const width = (kind: Field[1]): number => (kind === 'u32' ? 4 : kind === 'role' ? 1 : kind);
const lengthOf = (type: Message['type']): number => layouts[type].fields.reduce((n, [, kind]) => n + width(kind), 2);
const knockLength = lengthOf('knock');
const admitLength = lengthOf('admit');
const typeOf = new Map(Object.entries(layouts).map(([type, { number }]) => [number, type as Message['type']]));

/** The octets of a message. */
export function encode(message: Message): Bytes {
  const { number, fields } = layouts[message.type];
  const out = new Uint8Array(lengthOf(message.type));
  const view = new DataView(out.buffer);
  out.set([version, number]);
  let at = 2;
  for (const [name, kind] of fields) {
    const value = (message as unknown as Record<string, Bytes | number>)[name];
    if (typeof value === 'number') kind === 'u32' ? view.setUint32(at, value) : view.setUint8(at, value);
    else if (value?.length === kind) out.set(value, at);
    else throw new WireError('malformed');
    at += width(kind);
  }
  return out;
}

/** What a message's signature covers of it: everything before. */
export function unsigned(message: Message): Bytes {
  return encode(message).slice(0, -size.sig);
}

/** Reads a message, all of it. Throws WireError. */
export function decode(octets: Uint8Array): Message {
  if (octets.length < 2) throw new WireError('malformed');
  if (octets[0] !== version) throw new WireError('version');
  const type = typeOf.get(octets[1] ?? 0);
  if (!type || octets.length !== lengthOf(type)) throw new WireError('malformed');
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const message: Record<string, unknown> = { type };
  let at = 2;
  for (const [name, kind] of layouts[type].fields) {
    if (kind === 'u32') message[name] = view.getUint32(at);
    else if (kind === 'role') message[name] = roleOf(view.getUint8(at));
    else message[name] = Uint8Array.from(octets.subarray(at, at + kind));
    at += width(kind);
  }
  return message as unknown as Message;
}

function roleOf(octet: number): Role {
  if (octet !== 0 && octet !== 1) throw new WireError('malformed');
  return octet;
}

/** The octets of a roster. */
export function encodeRoster(roster: Roster): Bytes {
  const out = new Uint8Array(rosterHead + roster.entries.length * (knockLength + admitLength));
  out.set([version, rosterNumber]);
  new DataView(out.buffer).setUint32(2, roster.epoch);
  out.set(roster.previous, 6);
  out[rosterHead - 1] = roster.entries.length;
  let at = rosterHead;
  for (const { knock, admit } of roster.entries) {
    out.set(encode(knock), at);
    out.set(encode(admit), at + knockLength);
    at += knockLength + admitLength;
  }
  return out;
}

/** Reads a roster of 1 to 50 members in the order of their pids. Throws WireError. */
export function decodeRoster(octets: Uint8Array): Roster {
  if (octets.length < rosterHead) throw new WireError('malformed');
  if (octets[0] !== version) throw new WireError('version');
  const count = octets[rosterHead - 1] ?? 0;
  const whole = rosterHead + count * (knockLength + admitLength);
  if (octets[1] !== rosterNumber || count < 1 || count > maxMembers || octets.length !== whole) {
    throw new WireError('malformed');
  }
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const entries: Entry[] = [];
  for (let at = rosterHead; at < whole; at += knockLength + admitLength) {
    const knock = decode(octets.subarray(at, at + knockLength));
    const admit = decode(octets.subarray(at + knockLength, at + knockLength + admitLength));
    if (knock.type !== 'knock' || admit.type !== 'admit') throw new WireError('malformed');
    const last = entries.at(-1)?.admit.pid;
    if (last && compare(last, admit.pid) >= 0) throw new WireError('malformed');
    entries.push({ knock, admit });
  }
  return { epoch: view.getUint32(2), previous: Uint8Array.from(octets.subarray(6, 38)), entries };
}

/** Below, equal or above zero as a comes before, is or comes after b. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export const hex = (octets: Uint8Array): string => Array.from(octets, (b) => b.toString(16).padStart(2, '0')).join('');

export const unhex = (digits: string): Bytes =>
  Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
