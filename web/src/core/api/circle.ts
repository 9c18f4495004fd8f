// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The line over which the members of a call agree on keys. The server numbers what it passes on and keeps it until it is
// confirmed, and so does this side: a cut loses nothing. What travels is opaque here.

import { fromBase64url, toBase64url } from '../e2ee/base64url';
import type { Bytes, Pid } from '../e2ee/keys/types';
import { Backoff } from './backoff';
import { type Dial, dial, JsonSocket } from './socket';
import { type ApiCode, apiCode } from './types';

export interface CirclePerson {
  pid: Pid;
  identity: string;
  host: boolean;
}

/** Somebody who wants to come into the circle. */
export interface Candidate {
  pid: Pid;
  identity: string;
  host: boolean;
  knock: Bytes;
  proof: Bytes;
  /** The public key of the page. */
  key: string;
}

type Frame =
  | { type: 'welcome'; circle: string; resume: string; pid: string; identity: string; host: string }
  | { type: 'ack'; n: number }
  | { type: 'pong' }
  | { type: 'restart' }
  | { type: 'error'; code: string; retry_after?: number }
  | { type: 'roster'; n: number; data: string; people: CirclePerson[] }
  | { type: 'message'; n: number; data: string }
  | {
      type: 'asking';
      n: number;
      list: { [k in keyof Candidate]: Candidate[k] extends Bytes ? string : Candidate[k] }[];
    };

export interface CircleEvents {
  /**
   * The circle took this page's knock. `host`: pid of the first host, empty where there is none yet; said again, and never
   * as empty, after a cut and when there is one.
   */
  welcome(host: Pid): void;
  roster(octets: Bytes, people: readonly CirclePerson[]): void;
  message(octets: Bytes): void;
  asking(list: readonly Candidate[]): void;
  /** The circle is another one now, or knows this page no more: everything begins anew, with a new knock. */
  restart(): void;
  /** Final. */
  refused(code: ApiCode): void;
}

export interface CircleOptions {
  url: string;
  /** The newest media token. */
  token(): string;
  knock: Bytes;
  proof: Bytes;
  events: CircleEvents;
  dial?: Dial;
  random?: () => number;
}

/** Answers that pass by themselves. */
const passing: readonly ApiCode[] = ['unavailable', 'internal', 'too_many'];
const confirmAfter = 1_000;
/** What may be under way without the server's word that it came. */
const maxUnconfirmed = 4_096;

export class Circle {
  readonly #o: CircleOptions;
  readonly #backoff: Backoff;
  #socket: JsonSocket<Frame> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #confirm: ReturnType<typeof setTimeout> | undefined;
  #resume = '';
  #got = 0;
  #sent = 0;
  #unconfirmed: { n: number; [k: string]: unknown }[] = [];
  #up = false;
  #done = false;

  constructor(o: CircleOptions) {
    this.#o = o;
    this.#backoff = new Backoff(o.random);
    this.#connect();
  }

  /** Octets for one member, or for all. They arrive once and in order, or this page is no member any more. */
  send(data: Bytes, to?: Pid): void {
    this.#number({ type: 'send', ...(to && { to }), data: toBase64url(data) });
  }

  /** A host's word that somebody may come in. */
  admit(pid: Pid, data: Bytes): void {
    this.#number({ type: 'admit', pid, data: toBase64url(data) });
  }

  /** Tells who has not answered; the server knows whether they are there. */
  missing(pids: readonly Pid[]): void {
    this.#socket?.send({ type: 'missing', pids });
  }

  /** The network has changed: a socket that looks open may lead nowhere. */
  hurry(): void {
    if (this.#done || !this.#resume) return;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#connect();
  }

  /** Leaves the circle. */
  close(): void {
    this.#socket?.send({ type: 'bye' });
    this.#finish();
  }

  #number(frame: object): void {
    if (this.#done) return;
    const numbered = { ...frame, n: ++this.#sent };
    this.#unconfirmed.push(numbered);
    if (this.#unconfirmed.length > maxUnconfirmed) {
      this.#finish();
      return this.#o.events.restart();
    }
    if (this.#up) this.#socket?.send({ ...numbered, got: this.#got });
  }

  #connect(): void {
    this.#timer = undefined;
    this.#up = false;
    const { knock, proof } = this.#o;
    const socket = new JsonSocket<Frame>(this.#o.dial ?? dial, this.#o.url, {
      open: () => {
        const token = this.#o.token();
        if (this.#resume) socket.send({ type: 'hello', token, resume: this.#resume, got: this.#got });
        else socket.send({ type: 'hello', token, knock: toBase64url(knock), proof: toBase64url(proof) });
      },
      frame: (f) => this.#frame(f),
      down: () => this.#retry(),
    });
    this.#socket = socket;
  }

  #frame(f: Frame): void {
    switch (f.type) {
      case 'welcome':
        return this.#welcome(f.resume, f.host);
      case 'ack':
        this.#unconfirmed = this.#unconfirmed.filter((u) => u.n > f.n);
        return;
      case 'restart':
        this.#finish();
        return this.#o.events.restart();
      case 'error':
        return this.#error(apiCode(f.code), f.retry_after);
      case 'roster':
      case 'message':
      case 'asking':
        return this.#numbered(f);
    }
  }

  #welcome(resume: string, host: string): void {
    const again = this.#resume !== '';
    this.#resume = resume;
    this.#up = true;
    this.#backoff.reset();
    for (const frame of this.#unconfirmed) this.#socket?.send({ ...frame, got: this.#got });
    // Again: who is first has become known meanwhile.
    if (!again || host) this.#o.events.welcome(host);
  }

  #numbered(f: Extract<Frame, { n: number; type: 'roster' | 'message' | 'asking' }>): void {
    // What came before a cut may come again.
    if (f.n <= this.#got) return;
    this.#got = f.n;
    this.#confirm ??= setTimeout(() => {
      this.#confirm = undefined;
      this.#socket?.send({ type: 'ping', got: this.#got });
    }, confirmAfter);
    if (f.type === 'asking') return this.#o.events.asking(f.list.flatMap((c) => candidate(c)));
    const data = fromBase64url(f.data);
    if (!data) return;
    if (f.type === 'message') this.#o.events.message(data);
    else this.#o.events.roster(data, f.people);
  }

  #error(code: ApiCode, retryAfter?: number): void {
    if (passing.includes(code)) {
      this.#socket?.close();
      return this.#retry(retryAfter);
    }
    this.#finish();
    this.#o.events.refused(code);
  }

  #retry(seconds = 0): void {
    if (this.#done) return;
    this.#up = false;
    this.#timer = setTimeout(() => this.#connect(), Math.max(this.#backoff.next(), seconds * 1000));
  }

  #finish(): void {
    this.#done = true;
    this.#up = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#confirm);
    this.#socket?.close();
  }
}

function candidate(c: Record<keyof Candidate, unknown>): Candidate[] {
  const [knock, proof] = [fromBase64url(c.knock), fromBase64url(c.proof)];
  if (!knock || !proof || typeof c.pid !== 'string' || typeof c.key !== 'string') return [];
  return [{ pid: c.pid, identity: String(c.identity), host: c.host === true, key: c.key, knock, proof }];
}
