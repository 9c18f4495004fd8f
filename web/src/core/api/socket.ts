// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// One JSON-framed WebSocket: first frame on open, a ping every 20 s, closed when nothing answers.

const pingEvery = 20_000;
const pongWithin = 10_000;
const openWithin = 15_000;

export interface RawSocket {
  readyState: number;
  onopen: ((ev: never) => void) | null;
  onmessage: ((ev: { data: unknown }) => void) | null;
  onclose: ((ev: never) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

export type Dial = (url: string) => RawSocket;

export const dial: Dial = (url) => new WebSocket(url) as unknown as RawSocket;

export interface SocketEvents<F> {
  open(): void;
  frame(frame: F): void;
  /** Once, also when the socket never opened. Never after close(). */
  down(opened: boolean): void;
}

export class JsonSocket<F extends { type: string }> {
  readonly #raw: RawSocket;
  readonly #events: SocketEvents<F>;
  #opened = false;
  #done = false;
  #ping: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout>;

  constructor(dialer: Dial, url: string, events: SocketEvents<F>) {
    this.#events = events;
    this.#raw = dialer(url);
    this.#deadline = setTimeout(() => this.#fail(), openWithin);
    this.#raw.onopen = () => {
      this.#opened = true;
      clearTimeout(this.#deadline);
      this.#schedule();
      events.open();
    };
    this.#raw.onmessage = (ev) => this.#receive(ev.data);
    this.#raw.onclose = () => this.#fail();
  }

  send(frame: object): boolean {
    if (this.#done || !this.#opened || this.#raw.readyState !== 1) return false;
    this.#raw.send(JSON.stringify(frame));
    return true;
  }

  close(): void {
    this.#end();
  }

  #receive(data: unknown): void {
    if (this.#done || typeof data !== 'string') return;
    const frame = parse<F>(data);
    if (!frame) return;
    clearTimeout(this.#deadline);
    if (frame.type !== 'pong') this.#events.frame(frame);
  }

  #schedule(): void {
    this.#ping = setTimeout(() => {
      this.send({ type: 'ping' });
      this.#deadline = setTimeout(() => this.#fail(), pongWithin);
      this.#schedule();
    }, pingEvery);
  }

  #fail(): void {
    if (this.#done) return;
    this.#end();
    this.#events.down(this.#opened);
  }

  #end(): void {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#ping);
    clearTimeout(this.#deadline);
    this.#raw.onclose = null;
    this.#raw.close(1000);
  }
}

function parse<F extends { type: string }>(data: string): F | null {
  try {
    const v: unknown = JSON.parse(data);
    return typeof v === 'object' && v !== null && typeof (v as F).type === 'string' ? (v as F) : null;
  } catch {
    return null;
  }
}
