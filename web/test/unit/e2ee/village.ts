// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { Session } from '../../../src/core/e2ee/keys/session';
import type { Bytes, KeyEvents, Pid, SafetyCode, SenderKey } from '../../../src/core/e2ee/keys/types';
import { decode, type Entry, encodeRoster, hex } from '../../../src/core/e2ee/keys/wire';

/** Chance that can be repeated (mulberry32). */
export function chance(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Villager {
  session: Session;
  pid: Pid;
  entry: Entry;
  codes: SafetyCode[];
  used: (SenderKey | undefined)[];
  installed: Map<string, string>;
  waiting: Pid[];
  /** What it was made from: the seeds of the identity key and the KEM key. */
  seeds: Bytes[];
}

export interface Letter {
  to: Pid;
  from: Pid;
  octets: Bytes;
}

/** Several sessions in one process, a server between them that delivers what it likes, and a clock that it sets. */
export class Village {
  clock = 1_000;
  readonly chance: () => number;
  readonly all: Villager[] = [];
  present: Villager[] = [];
  letters: Letter[] = [];
  readonly sent: Letter[] = [];
  epoch = 0;

  constructor(seed: number) {
    this.chance = chance(seed);
  }

  readonly random = (n: number): Bytes => Uint8Array.from({ length: n }, () => this.chance() * 256);

  async join(link = new Uint8Array(16).fill(9)): Promise<Villager> {
    const host = this.all[0];
    const one: Partial<Villager> = { codes: [], used: [], installed: new Map(), waiting: [], seeds: [] };
    const events: KeyEvents = {
      send: (octets, to) => this.#post(one.pid ?? '', octets, to),
      install: (pid, key) => one.installed?.set(`${pid} ${key.generation}`, hex(key.secret)),
      use: (key) => one.used?.push(key),
      forget: () => {},
      code: (code) => one.codes?.push(code),
      waiting: (pids) => one.waiting?.push(...pids),
      stopped: () => {},
    };
    const pin = host && Uint8Array.from(Buffer.from(host.pid, 'hex'));
    const random = (n: number): Bytes => {
      const octets = this.random(n);
      if ((one.seeds?.length ?? 0) < 2) one.seeds?.push(octets.slice());
      return octets;
    };
    const session = await Session.create({ link, host: pin, events, now: () => this.clock, random });
    one.session = session;
    one.pid = session.pid;
    const admit = await (host?.session ?? session).admit(session.knock, host ? 0 : 1);
    const [k, a] = [decode(session.knock), decode(admit)];
    if (k.type !== 'knock' || a.type !== 'admit') throw new Error('neither knock nor admit');
    one.entry = { knock: k, admit: a };
    this.all.push(one as Villager);
    return one as Villager;
  }

  #post(from: Pid, octets: Bytes, to: Pid | undefined): void {
    for (const v of this.present) {
      if (v.pid === from || (to !== undefined && v.pid !== to)) continue;
      this.letters.push({ to: v.pid, from, octets });
      this.sent.push({ to: v.pid, from, octets });
    }
  }

  roster(members: Villager[]): Bytes {
    const entries = members.map((v) => v.entry).sort((a, b) => (hex(a.admit.pid) < hex(b.admit.pid) ? -1 : 1));
    const previous = this.present.find((v) => v.session.epoch > 0)?.session.rosterHash ?? new Uint8Array(32);
    return encodeRoster({ epoch: ++this.epoch, previous, entries });
  }

  async gather(members: Villager[]): Promise<void> {
    const roster = this.roster(members);
    const before = this.present;
    this.present = members;
    for (const v of new Set([...before, ...members])) await v.session.onRoster(roster);
  }

  async deliver(letter: Letter): Promise<void> {
    await this.all.find((v) => v.pid === letter.to)?.session.onMessage(letter.octets);
  }

  /** Delivers everything, in an order by chance. */
  async settle(): Promise<void> {
    while (this.letters.length > 0) {
      const [letter] = this.letters.splice(Math.floor(this.chance() * this.letters.length), 1);
      if (letter) await this.deliver(letter);
    }
  }

  /** Delivers one letter by chance. */
  async step(): Promise<void> {
    const [letter] = this.letters.splice(Math.floor(this.chance() * this.letters.length), 1);
    if (letter) await this.deliver(letter);
  }

  async pass(ms: number): Promise<void> {
    this.clock += ms;
    for (const v of this.all) await v.session.tick();
  }

  /** Whether all present go on, with one code, and each has the key that each other uses. */
  agree(): boolean {
    const [first] = this.present;
    return this.present.every((v) => {
      const own = v.session.senderKey(this.epoch, v.pid);
      if (v.session.stopped || !own) return false;
      if (JSON.stringify(v.session.safetyCode()) !== JSON.stringify(first?.session.safetyCode())) return false;
      return this.present.every((w) => w.installed.get(`${v.pid} ${own.generation}`) === hex(own.secret));
    });
  }
}
