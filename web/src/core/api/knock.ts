// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { Backoff } from './backoff';
import { type Dial, dial, JsonSocket } from './socket';
import { type Admission, type ApiCode, apiCode, type DoorPage, type KnockFrame, type WaitingFrame } from './types';

/** Tries that never opened before plain HTTPS is asked whether only sockets are blocked. */
const probeAfter = 3;
/** Answers that pass by themselves: the knock is repeated. */
const passing: readonly ApiCode[] = ['unavailable', 'internal', 'too_many'];

export interface KnockEvents {
  waiting(hostPresent: boolean, frame: WaitingFrame): void;
  /** For these pages of the host the name is to be sealed, bound to the id of the knock. */
  doors?(knock: string, pages: readonly DoorPage[]): void;
  /** The socket is gone; it comes back by itself. */
  interrupted(): void;
  /** `moved`: the room that was opened for somebody without a link. */
  admitted(a: Admission, moved: WaitingFrame['moved']): void;
  declined(): void;
  closed(reason: 'ended' | 'expired'): void;
  /** Final. */
  refused(code: ApiCode): void;
}

export interface KnockOptions {
  url: string;
  room: string;
  cap: string;
  /** Whom one visits without a link: instead of room and cap. */
  host?: string;
  /** Empty where it travels sealed. */
  name: string;
  /** Public key of the page, where calls are encrypted from end to end. */
  key?: string;
  /** Media token of a page that was put back: its place at the door is asked for instead of a new one. */
  back?: string;
  events: KnockEvents;
  /** Resolves when plain HTTPS works. */
  probe(): Promise<unknown>;
  dial?: Dial;
  random?: () => number;
}

/** One person's knock: survives cut sockets, ends with exactly one of admitted, declined, closed, refused or leave(). */
export class Knock {
  readonly #o: KnockOptions;
  readonly #backoff: Backoff;
  #socket: JsonSocket<KnockFrame> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resume = '';
  #at: { room: string; cap: string } | { host: string };
  #unopened = 0;
  #done = false;

  constructor(o: KnockOptions) {
    this.#o = o;
    this.#at = o.host ? { host: o.host } : { room: o.room, cap: o.cap };
    this.#backoff = new Backoff(o.random);
    this.#connect();
  }

  /** Withdraws the knock. */
  leave(): void {
    this.#socket?.send({ type: 'leave' });
    this.#finish();
  }

  /** Answers whether one goes to the colleague. */
  answer(host: string, accept: boolean): void {
    this.#socket?.send({ type: 'answer', host, accept });
  }

  /** The name, sealed for one page of the host. */
  seal(sealed: { for: string; data: string }): void {
    this.#socket?.send({ type: 'sealed', ...sealed });
  }

  /** Tries at once instead of waiting for the back-off (network is back, page is visible again). */
  hurry(): void {
    if (this.#done || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #connect(): void {
    this.#timer = undefined;
    const socket = new JsonSocket<KnockFrame>(this.#o.dial ?? dial, this.#o.url, {
      open: () => {
        this.#unopened = 0;
        const { name, back, key } = this.#o;
        const who = { ...(key && { key }), ...(this.#resume && { resume: this.#resume }) };
        if (back && !this.#resume) socket.send({ type: 'knock', back, ...who });
        else socket.send({ type: 'knock', ...this.#at, ...(name && { name }), ...who });
      },
      frame: (f) => this.#frame(f),
      down: (opened) => this.#down(opened),
    });
    this.#socket = socket;
  }

  #frame(f: KnockFrame): void {
    switch (f.type) {
      case 'waiting':
        this.#backoff.reset();
        this.#resume = f.resume;
        if (f.moved) this.#at = { room: f.moved.room, cap: f.moved.cap };
        return this.#o.events.waiting(f.host_present, f);
      case 'doors':
        return this.#o.events.doors?.(f.knock, f.pages ?? []);
      case 'admitted':
        this.#finish();
        return this.#o.events.admitted({ token: f.token, url: f.url, identity: f.identity }, f.moved);
      case 'declined':
        this.#finish();
        return this.#o.events.declined();
      case 'closed':
        this.#finish();
        return this.#o.events.closed(f.reason);
      case 'error':
        return this.#error(apiCode(f.code), f.retry_after);
    }
  }

  #error(code: ApiCode, retryAfter?: number): void {
    if (passing.includes(code)) {
      this.#socket?.close();
      this.#o.events.interrupted();
      return this.#retry(retryAfter);
    }
    this.#finish();
    this.#o.events.refused(code);
  }

  #down(opened: boolean): void {
    this.#o.events.interrupted();
    if (!opened && ++this.#unopened === probeAfter) {
      this.#o.probe().then(
        () => this.#blocked(),
        () => {},
      );
    }
    this.#retry();
  }

  #blocked(): void {
    if (this.#done || this.#unopened < probeAfter) return;
    this.#finish();
    this.#o.events.refused('websocket');
  }

  #retry(seconds?: number): void {
    const delay = Math.max(this.#backoff.next(), (seconds ?? 0) * 1000);
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  #finish(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket?.close();
  }
}
