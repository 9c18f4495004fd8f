// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Dial, RawSocket } from '../../src/core/api/socket';

/** A WebSocket whose other end is the test. */
export class FakeSocket implements RawSocket {
  readyState = 0;
  onopen: ((ev: never) => void) | null = null;
  onmessage: ((ev: { data: unknown }) => void) | null = null;
  onclose: ((ev: never) => void) | null = null;
  readonly sent: { type: string; [k: string]: unknown }[] = [];
  closed = false;

  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.(undefined as never);
  }

  say(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }

  drop(): void {
    this.readyState = 3;
    this.onclose?.(undefined as never);
  }
}

export function fakeDial(): { dial: Dial; sockets: FakeSocket[]; last(): FakeSocket } {
  const sockets: FakeSocket[] = [];
  const dial: Dial = () => {
    const s = new FakeSocket();
    sockets.push(s);
    return s;
  };
  const last = () => {
    const s = sockets.at(-1);
    if (!s) throw new Error('nothing was dialled');
    return s;
  };
  return { dial, sockets, last };
}
