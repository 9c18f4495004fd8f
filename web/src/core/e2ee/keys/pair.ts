// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The channel between us and one other member: a chain of keys each way, of which every one is used once.

import { hkdf, join, mac, macHolds, openWith, sealWith } from './primitives';
import { Stop } from './roster';
import type { Bytes } from './types';
import type { Ack, Key } from './wire';

/** Keys that may have been sent and not arrived. */
const maxSkipped = 1024;

/** What both sides hold for one direction. */
interface Direction {
  chain: Bytes;
  next: number;
  ack: Bytes;
}

async function direction(secret: Bytes, from: Bytes, to: Bytes): Promise<Direction> {
  return {
    chain: await hkdf(secret, join('vr1 dir', from, to)),
    next: 0,
    ack: await hkdf(secret, join('vr1 ack', from, to)),
  };
}

const step = (chain: Bytes): Promise<Bytes> => hkdf(chain, join('vr1 next'));

const keyData = (call: Bytes, m: Key, transcript: Bytes): Bytes =>
  join('vr1 key', call, m.epoch, m.generation, m.from, m.to, transcript);
const ackData = (call: Bytes, m: Ack, transcript: Bytes): Bytes =>
  join('vr1 ack', call, m.epoch, m.generation, m.from, m.to, transcript);

export class PairChannel {
  private constructor(
    private readonly call: Bytes,
    readonly enc: Bytes,
    private readonly ours: Direction,
    private readonly theirs: Direction,
  ) {}

  static async of(call: Bytes, enc: Bytes, secret: Bytes, us: Bytes, them: Bytes): Promise<PairChannel> {
    const channel = new PairChannel(call, enc, await direction(secret, us, them), await direction(secret, them, us));
    secret.fill(0);
    return channel;
  }

  /** Wraps a sender key; the message is complete then. */
  async wrap(message: Omit<Key, 'counter' | 'wrapped'>, sender: Bytes, transcript: Bytes): Promise<Key> {
    const key: Key = { ...message, counter: this.ours.next, wrapped: new Uint8Array(0) };
    key.wrapped = await sealWith(this.ours.chain, key.counter, sender, keyData(this.call, key, transcript));
    await advance(this.ours, this.ours.next + 1);
    return key;
  }

  /** The sender key of a message; undefined for one that came before. */
  async unwrap(message: Key, transcript: Bytes): Promise<Bytes | undefined> {
    if (message.counter < this.theirs.next) return undefined;
    if (message.counter - this.theirs.next > maxSkipped) throw new Stop('decrypt');
    const ahead = { ...this.theirs, chain: this.theirs.chain.slice() };
    await advance(ahead, message.counter);
    const data = keyData(this.call, message, transcript);
    const sender = await openWith(ahead.chain, message.counter, message.wrapped, data);
    if (!sender) throw new Stop('decrypt');
    await advance(ahead, message.counter + 1);
    this.theirs.chain.fill(0);
    this.theirs.chain = ahead.chain;
    this.theirs.next = ahead.next;
    return sender;
  }

  async acknowledge(message: Omit<Ack, 'mac'>, transcript: Bytes): Promise<Ack> {
    const ack: Ack = { ...message, mac: new Uint8Array(0) };
    ack.mac = await mac(this.ours.ack, ackData(this.call, ack, transcript));
    return ack;
  }

  acknowledged(message: Ack, transcript: Bytes): Promise<boolean> {
    return macHolds(this.theirs.ack, message.mac, ackData(this.call, message, transcript));
  }

  wipe(): void {
    for (const side of [this.ours, this.theirs]) {
      side.chain.fill(0);
      side.ack.fill(0);
    }
  }
}

async function advance(side: Direction, to: number): Promise<void> {
  while (side.next < to) {
    const next = await step(side.chain);
    side.chain.fill(0);
    side.chain = next;
    side.next++;
  }
}
