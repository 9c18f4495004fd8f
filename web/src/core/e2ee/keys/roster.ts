// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Who is in the call: signed words of each member and of the host who let it in, checked without trust in the server.

import { join, pidOf, sha256, signatureHolds } from './primitives';
import type { Bytes, Pid, StopReason } from './types';
import {
  type Admit,
  compare,
  type Entry,
  encode,
  hex,
  type Knock,
  type Message,
  type Role,
  type Roster,
  unsigned,
} from './wire';

/** Thrown inside the session, which then stops. */
export class Stop extends Error {
  constructor(readonly reason: StopReason) {
    super(reason);
  }
}

export interface Member {
  pid: Bytes;
  id: Bytes;
  kem: Bytes;
  role: Role;
  entry: Entry;
}

export type Members = Map<Pid, Member>;

const noCall = new Uint8Array(32);

/** What a signature is made over. */
export function signedBytes(call: Bytes, message: Message, more: Uint8Array = new Uint8Array(0)): Bytes {
  return join('vr1 sign', call, unsigned(message), more);
}

export const knockBytes = (knock: Knock): Bytes => signedBytes(noCall, knock);
export const knockHash = (knock: Knock): Promise<Bytes> => sha256('vr1 knock', knock.id, knock.kem);

/**
 * Checks a roster; known are those who have been checked before in this call. Returns all members. Hosts are those whom
 * the pinned host made so, directly or by other hosts.
 */
export async function checkRoster(roster: Roster, call: Bytes, pin: Bytes, known: Members): Promise<Members> {
  const members: Members = new Map();
  for (const entry of roster.entries) {
    const pid = hex(entry.admit.pid);
    const before = known.get(pid);
    if (before && !sameEntry(before.entry, entry)) throw new Stop('roster');
    members.set(pid, before ?? (await checkEntry(entry, call)));
  }
  for (const [pid, member] of members) {
    if (!known.has(pid) && !(await isAdmitted(member, pin, members, known))) throw new Stop('ghost');
  }
  return members;
}

const sameEntry = (a: Entry, b: Entry): boolean =>
  compare(encode(a.knock), encode(b.knock)) === 0 && compare(encode(a.admit), encode(b.admit)) === 0;

async function checkEntry({ knock, admit }: Entry, call: Bytes): Promise<Member> {
  const pid = await pidOf(knock.id);
  if (compare(pid, admit.pid) !== 0 || compare(await knockHash(knock), admit.knock) !== 0) throw new Stop('ghost');
  if (compare(admit.call, call) !== 0) throw new Stop('ghost');
  if (!(await signatureHolds(knock.id, knock.sig, knockBytes(knock)))) throw new Stop('signature');
  if (!(await signatureHolds(admit.signer, admit.sig, signedBytes(call, admit)))) throw new Stop('signature');
  return { pid, id: knock.id, kem: knock.kem, role: admit.role, entry: { knock, admit } };
}

/** Whether a chain of hosts leads from the pinned one to the member. */
async function isAdmitted(member: Member, pin: Bytes, members: Members, known: Members): Promise<boolean> {
  const seen = new Set<Pid>();
  let admit: Admit = member.entry.admit;
  for (;;) {
    const signer = await pidOf(admit.signer);
    if (compare(signer, pin) === 0) return true;
    const key = hex(signer);
    const host = members.get(key) ?? known.get(key);
    if (host?.role !== 1 || seen.has(key)) return false;
    seen.add(key);
    admit = host.entry.admit;
  }
}

/** Stands for a roster and all that came before it. */
export function rosterHash(call: Bytes, epoch: number, members: Members, previous: Bytes): Promise<Bytes> {
  const all = [...members.values()].flatMap((m) => [m.pid, m.id, m.kem, Uint8Array.of(m.role)]);
  return sha256('vr1 roster', call, epoch, members.size, ...all, previous);
}
