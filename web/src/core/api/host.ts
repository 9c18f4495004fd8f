// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, signal } from '@preact/signals-core';
import { Backoff } from './backoff';
import { ApiError } from './client';
import { type Dial, dial, JsonSocket } from './socket';
import {
  type ApiCode,
  apiCode,
  type Colleague,
  type DoorPage,
  type HostAppointment,
  type HostCommand,
  type HostFrame,
  type HostName,
  type HostResult,
  type HostRoom,
  type HostSession,
  type Office,
  type WalkIn,
} from './types';

const commandTimeout = 15_000;

export interface HostState {
  link: 'connecting' | 'up' | 'down' | 'refused';
  host: HostName | null;
  rooms: readonly HostRoom[];
  colleagues: readonly Colleague[];
  appointments: readonly HostAppointment[];
  /** Letters that the host should know of. */
  mailTrouble: number;
  /** Since when the host's own calendar cannot be read (RFC 3339), else empty. */
  calendarTrouble: string;
  /** Null until the server has said it. */
  office: Office | null;
  /** Null where nobody may come without a link. */
  walkIn: WalkIn | null;
}

const unknown: HostState = {
  link: 'connecting',
  host: null,
  rooms: [],
  colleagues: [],
  appointments: [],
  mailTrouble: 0,
  calendarTrouble: '',
  office: null,
  walkIn: null,
};

export interface HostOptions {
  url: string;
  /** A fresh session; rejects with ApiError. */
  session(): Promise<HostSession>;
  /** What this page announces so that names are sealed for it. */
  door?(): Promise<DoorPage>;
  /** Fills in what the server does not know; again by dress(). */
  dress?(rooms: readonly HostRoom[]): readonly HostRoom[];
  dial?: Dial;
  random?: () => number;
}

interface Pending {
  resolve(r: HostResult): void;
  reject(e: ApiError): void;
  timer: ReturnType<typeof setTimeout>;
}

/**
 * The host's line to the server. It comes back by itself after a cut and hands the server the grants of the rooms it
 * knew, so that a restarted server opens them again. Commands in flight when the line drops are rejected, never repeated.
 */
export class HostChannel {
  readonly #o: HostOptions;
  readonly #backoff: Backoff;
  readonly #state = signal<HostState>(unknown);
  readonly #pending = new Map<number, Pending>();
  #socket: JsonSocket<HostFrame> | undefined;
  /** The rooms as they came. */
  #rooms: readonly HostRoom[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #token = '';
  #lastId = 0;
  #done = false;

  constructor(o: HostOptions) {
    this.#o = o;
    this.#backoff = new Backoff(o.random);
    void this.#connect();
  }

  get state(): ReadonlySignal<HostState> {
    return this.#state;
  }

  /** The newest proof of who this is, for requests beside this line. */
  get token(): string {
    return this.#token;
  }

  do(cmd: HostCommand): Promise<HostResult> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (!this.#socket?.send({ type: 'cmd', id, ...cmd })) return reject(new ApiError('network'));
      const timer = setTimeout(() => this.#settle(id)?.reject(new ApiError('network')), commandTimeout);
      this.#pending.set(id, { resolve, reject, timer });
    });
  }

  /** More is known of the people in the rooms. */
  dress(): void {
    this.#patch({ rooms: this.#dressed() });
  }

  hurry(): void {
    if (this.#done || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    void this.#connect();
  }

  close(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#dropPending();
  }

  async #connect(): Promise<void> {
    this.#timer = undefined;
    if (!this.#token && !(await this.#login())) return;
    if (this.#done) return;
    const socket = new JsonSocket<HostFrame>(this.#o.dial ?? dial, this.#o.url, {
      open: () => {
        const rooms = this.#state.peek().rooms.map((r) => r.grant);
        socket.send({ type: 'hello', token: this.#token, rooms });
        this.#o.door?.().then(
          (page) => socket.send({ type: 'door', ...page }),
          () => {}, // without a key people are here without names
        );
      },
      frame: (f) => this.#frame(f),
      down: () => this.#down(),
    });
    this.#socket = socket;
  }

  async #login(): Promise<boolean> {
    try {
      const s = await this.#o.session();
      this.#token = s.token;
      this.#patch({ host: s.host });
      return true;
    } catch (e) {
      const code = e instanceof ApiError ? e.code : 'internal';
      if (code === 'not_host') this.#refuse();
      else this.#down();
      return false;
    }
  }

  #frame(f: HostFrame): void {
    switch (f.type) {
      case 'state':
        this.#backoff.reset();
        this.#rooms = f.rooms;
        return this.#patch({
          link: 'up',
          host: f.host,
          rooms: this.#dressed(),
          colleagues: f.colleagues ?? [],
          appointments: f.appointments ?? [],
          mailTrouble: f.mail_trouble ?? 0,
          calendarTrouble: f.calendar_trouble ?? '',
          office: f.office ?? null,
          walkIn: f.walk_in ?? null,
        });
      case 'session':
        this.#token = f.token;
        return;
      case 'result': {
        const p = this.#settle(f.id);
        if (f.ok) p?.resolve({ room: f.room, token: f.token, url: f.url, identity: f.identity });
        else p?.reject(new ApiError(apiCode(f.error?.code)));
        return;
      }
      case 'error':
        return this.#error(apiCode(f.code));
    }
  }

  #error(code: ApiCode): void {
    // The session ran out while the line was down: ask for a new one, which decides whether this is still the host.
    if (code === 'not_host') this.#token = '';
    this.#socket?.close();
    this.#down();
  }

  #down(): void {
    if (this.#done) return;
    this.#dropPending();
    this.#patch({ link: 'down' });
    this.#timer = setTimeout(() => void this.#connect(), this.#backoff.next());
  }

  #dressed(): readonly HostRoom[] {
    return this.#o.dress?.(this.#rooms) ?? this.#rooms;
  }

  #refuse(): void {
    this.#done = true;
    this.#patch({ link: 'refused', rooms: [] });
  }

  #settle(id: number): Pending | undefined {
    const p = this.#pending.get(id);
    if (!p) return undefined;
    this.#pending.delete(id);
    clearTimeout(p.timer);
    return p;
  }

  #dropPending(): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new ApiError('network'));
  }

  #patch(p: Partial<HostState>): void {
    if (this.#done && p.link !== 'refused') return;
    this.#state.value = { ...this.#state.peek(), ...p };
  }
}
