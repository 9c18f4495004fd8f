// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A server of the circle's protocol in the test's own process. It is honest until it is told otherwise.

import { createHash } from 'node:crypto';
import type { RawSocket } from '../../../src/core/api/socket';
import { fromBase64url, toBase64url } from '../../../src/core/e2ee/base64url';
import type { Bytes, Pid } from '../../../src/core/e2ee/keys/types';
import { type Admit, decode, encodeRoster, type Knock } from '../../../src/core/e2ee/keys/wire';

type Frame = { type: string; [k: string]: unknown };

/** One page's place, which outlives its sockets. */
export interface Place {
  pid: Pid;
  identity: string;
  host: boolean;
  knock: Bytes;
  proof: string;
  key: string;
  admit: Bytes | undefined;
  socket: Socket | undefined;
  resume: string;
  /** Frames for this page that it has not confirmed. */
  kept: Frame[];
  last: number;
  /** Highest number that came from it. */
  heard: number;
  gone: boolean;
}

/** A frame on its way to one page; what a server that means ill returns instead is sent. */
export type Tamper = (frame: Frame, to: Place) => Frame[];

class Socket implements RawSocket {
  readyState = 0;
  onopen: ((ev: never) => void) | null = null;
  onmessage: ((ev: { data: unknown }) => void) | null = null;
  onclose: ((ev: never) => void) | null = null;
  place: Place | undefined;

  constructor(private readonly server: CircleServer) {
    queueMicrotask(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.(undefined as never);
    });
  }

  send(data: string): void {
    // What was sent before the end arrives.
    if (this.readyState === 1) queueMicrotask(() => this.server.frame(this, JSON.parse(data)));
  }

  say(frame: Frame): void {
    const data = JSON.stringify(frame);
    queueMicrotask(() => this.readyState === 1 && this.onmessage?.({ data }));
  }

  close(): void {
    this.readyState = 3;
    const { place } = this;
    queueMicrotask(() => {
      if (place?.socket === this) place.socket = undefined;
    });
  }

  /** The network gives up. */
  cut(): void {
    this.close();
    this.onclose?.(undefined as never);
  }
}

export class CircleServer {
  readonly places: Place[] = [];
  members: Place[] = [];
  tamper: Tamper = (frame) => [frame];
  first: Pid = '';
  #epoch = 0;
  #previous: Bytes = new Uint8Array(32);
  #secrets = 0;
  #queued = false;

  /** For one page: its identity on the media wire, its public key as the token has it, and whether the token says host. */
  readonly dial =
    (identity: string, host: boolean) =>
    (key: string): Socket => {
      const socket = new Socket(this);
      this.#tokens.set(socket, { identity, host, key });
      return socket;
    };

  readonly #tokens = new Map<Socket, { identity: string; host: boolean; key: string }>();

  frame(socket: Socket, f: Frame): void {
    if (f.type === 'hello') return this.#hello(socket, f);
    const { place } = socket;
    if (!place) return;
    if (typeof f['got'] === 'number') place.kept = place.kept.filter((k) => Number(k['n']) > Number(f['got']));
    if (f.type === 'bye') return this.leave(place);
    if (typeof f['n'] !== 'number') return;
    socket.say({ type: 'ack', n: Math.max(place.heard, f['n']) });
    if (f['n'] <= place.heard) return;
    place.heard = f['n'];
    if (f.type === 'send') {
      for (const to of this.places) {
        if (to === place || to.gone || (f['to'] !== undefined && f['to'] !== to.pid)) continue;
        if (this.members.includes(to)) this.give(to, { type: 'message', data: f['data'] });
      }
    } else if (f.type === 'admit') {
      const one = this.places.find((p) => p.pid === f['pid'] && !p.gone);
      if (!one) return;
      one.admit = fromBase64url(f['data']);
      if (!this.first) {
        this.first = one.pid;
        // Whoever has come before is told as well.
        for (const p of this.places) if (p !== one && !p.gone && p.socket) this.#take(p.socket, p);
      }
      this.#change();
    }
  }

  give(to: Place, frame: Frame): void {
    for (const f of this.tamper(frame, to)) {
      const numbered = { ...f, n: ++to.last };
      to.kept.push(numbered);
      to.socket?.say(numbered);
    }
  }

  /** The page's socket is cut; what is meant for it waits. */
  cut(identity: string): void {
    this.#placeOf(identity)?.socket?.cut();
  }

  remove(identity: string): void {
    const place = this.#placeOf(identity);
    if (!place) return;
    place.socket?.say({ type: 'error', code: 'not_allowed' });
    this.leave(place);
  }

  leave(place: Place): void {
    place.gone = true;
    place.socket = undefined;
    if (this.members.includes(place)) this.#change();
  }

  #placeOf(identity: string): Place | undefined {
    return this.places.find((p) => p.identity === identity && !p.gone);
  }

  #hello(socket: Socket, f: Frame): void {
    const token = this.#tokens.get(socket);
    if (!token) return;
    if (f['resume'] !== undefined) {
      const place = this.places.find((p) => p.resume === f['resume'] && !p.gone);
      if (!place) return socket.say({ type: 'restart' });
      place.kept = place.kept.filter((k) => Number(k['n']) > Number(f['got']));
      this.#take(socket, place);
      for (const k of place.kept) socket.say(k);
      return;
    }
    const knock = fromBase64url(f['knock']) ?? new Uint8Array();
    const pid = createHash('sha256')
      .update((decode(knock) as Knock).id)
      .digest('hex')
      .slice(0, 32);
    const before = this.#placeOf(token.identity);
    if (before) this.leave(before);
    if (token.host && this.members.length > 0 && !this.members.some((m) => m.host)) this.#restart();
    const place: Place = {
      ...{ pid, knock, proof: String(f['proof']), admit: undefined, kept: [], last: 0, heard: 0, gone: false },
      ...{ identity: token.identity, host: token.host, key: token.key, socket, resume: `r${++this.#secrets}` },
    };
    this.places.push(place);
    this.#take(socket, place);
    this.#list();
  }

  #take(socket: Socket, place: Place): void {
    place.socket = socket;
    socket.place = place;
    const { pid, identity, resume } = place;
    socket.say({ type: 'welcome', circle: 'c', resume, pid, identity, host: this.first });
  }

  #restart(): void {
    for (const p of this.places.filter((q) => !q.gone)) {
      p.gone = true;
      p.socket?.say({ type: 'restart' });
    }
    this.members = [];
    this.first = '';
    this.#epoch = 0;
    this.#previous = new Uint8Array(32);
  }

  #list(): void {
    const list = this.places
      .filter((p) => !p.gone && !p.admit)
      .map(({ pid, identity, host, knock, proof, key }) => ({
        ...{ pid, identity, host, knock: toBase64url(knock), proof, key },
      }));
    for (const m of this.members) if (m.host && !m.gone) this.give(m, { type: 'asking', list });
  }

  /** Changes of one turn make one epoch. */
  #change(): void {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      this.#round();
    });
  }

  #round(): void {
    this.members = this.places.filter((p) => !p.gone && p.admit).sort((a, b) => (a.pid < b.pid ? -1 : 1));
    if (this.members.length === 0) return;
    const entries = this.members.map((m) => ({
      knock: decode(m.knock) as Knock,
      admit: decode(m.admit as Bytes) as Admit,
    }));
    const epoch = ++this.#epoch;
    const data = toBase64url(encodeRoster({ epoch, previous: this.#previous, entries }));
    const hash = createHash('sha256')
      .update('vr1 roster')
      .update(entries[0]?.admit.call ?? '');
    const number = (n: number) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
    hash.update(number(epoch)).update(number(entries.length));
    for (const { knock, admit } of entries) {
      hash.update(admit.pid).update(knock.id).update(knock.kem).update(Uint8Array.of(admit.role));
    }
    this.#previous = Uint8Array.from(hash.update(this.#previous).digest());
    const people = this.members.map(({ pid, identity, host }) => ({ pid, identity, host }));
    for (const m of this.members) this.give(m, { type: 'roster', data, people });
    this.#list();
  }
}
