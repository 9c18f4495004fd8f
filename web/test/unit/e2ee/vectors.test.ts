// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { PairChannel } from '../../../src/core/e2ee/keys/pair';
import { identityOf, pairInfo } from '../../../src/core/e2ee/keys/primitives';
import { decode, hex, unhex } from '../../../src/core/e2ee/keys/wire';
import { Village } from './village';

const folder = new URL('../../../../internal/e2eetest/testdata/', import.meta.url);
const link = new Uint8Array(16).fill(9);

describe('vectors that both implementations read', () => {
  it('are what this one makes: a call of three', async () => {
    const village = new Village(2026);
    for (let i = 0; i < 3; i++) await village.join(link);
    const roster = village.roster(village.all);
    village.present = village.all;
    for (const v of village.all) await v.session.onRoster(roster);
    await village.settle();
    expect(village.agree()).toBe(true);
    const first = village.all[0];
    const vector = {
      link: hex(link),
      roster: hex(roster),
      roster_hash: hex(first?.session.rosterHash ?? new Uint8Array(0)),
      words: first?.session.safetyCode()?.words,
      members: village.all.map((v) => ({
        pid: v.pid,
        id_seed: hex(v.seeds[0] ?? new Uint8Array(0)),
        kem_seed: hex(v.seeds[1] ?? new Uint8Array(0)),
        media: hex(village.all[0]?.session.senderKey(1, v.pid)?.secret ?? new Uint8Array(0)),
      })),
      messages: village.sent.map((l) => hex(l.octets)).filter((m, i, all) => all.indexOf(m) === i),
    };
    const file = new URL('session.json', folder);
    // VECTORS=write makes the file anew.
    if (process.env['VECTORS'] === 'write') await writeFile(file, `${JSON.stringify(vector, null, 2)}\n`);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(vector);
  });

  it("are understood: a pair and a key of Go's", async () => {
    const v = JSON.parse(await readFile(new URL('go.json', folder), 'utf8')) as Record<string, string>;
    const of = (name: string) => unhex(v[name] ?? '');
    const me = await identityOf(of('id_seed'), of('kem_seed'));
    const info = await pairInfo(of('call'), of('from_id'), me.id, of('link'));
    const secret = await me.decapsulate(of('enc'), info);
    expect(secret && hex(secret)).toBe(v['secret']);
    if (!secret) return;
    const key = decode(of('key'));
    const ack = decode(of('ack'));
    if (key.type !== 'key' || ack.type !== 'ack') throw new Error('other messages');
    const channel = await PairChannel.of(of('call'), of('enc'), secret, me.pid, key.from);
    const sender = await channel.unwrap(key, of('transcript'));
    expect(sender && hex(sender)).toBe(v['sender']);
    expect(await channel.acknowledged(ack, of('transcript'))).toBe(true);
    expect(await channel.acknowledged({ ...ack, generation: 9 }, of('transcript'))).toBe(false);
  });
});
