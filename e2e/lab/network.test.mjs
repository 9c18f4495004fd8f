// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { flow, received, seesAndHears, selectedPair, stats } from '../lib/call.mjs';
import { blockUDP, lose, open, rate, unplug } from '../lib/filter.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { sleep, until } from '../lib/wait.mjs';

play('a call over a real interface', {}, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  const pair = await selectedPair(visitor.page);
  assert.equal(pair?.address, '10.77.0.1');
});

play('three percent of all datagrams are lost', { timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await lose(3);
  try {
    await sleep(3_000);
    const rough = await flow(visitor.page, 10_000);
    assert.ok(rough.audioPackets > 450, `sound: ${JSON.stringify(rough)}`);
    assert.ok(rough.frames > 100 && rough.frozenSeconds < 2, `picture: ${JSON.stringify(rough)}`);
    const inbound = (await stats(visitor.page)).find((x) => x.type === 'inbound-rtp' && x.kind === 'video');
    assert.ok(inbound.nackCount > 0, 'lost packets were asked for again');
  } finally {
    await open();
  }
});

play('a narrow line keeps the sound', { timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await rate(250);
  try {
    await sleep(8_000);
    const narrow = await flow(visitor.page, 8_000);
    assert.ok(narrow.audioPackets > 320, `sound goes on: ${JSON.stringify(narrow)}`);
  } finally {
    await rate(0);
  }
  await until('the picture comes back', async () => (await flow(visitor.page, 2_000)).frames > 25, { timeout: 40_000 });
});

play('a pulled cable, for six seconds', { timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await unplug();
  await sleep(6_000);
  await open();
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await Promise.all([host.call.count(1), visitor.call.count(1)]);
});

play('where no datagram passes, people are told', { timeout: 180_000 }, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  await host.enter();
  await blockUDP();
  try {
    const visitor = await s.visit(await s.chromium('green'), link);
    await visitor.knock(people.green.name);
    await host.admit(people.green.name);
    await visitor.sees('nomedia', 90_000);
    assert.equal((await received(visitor.page)).frames, 0);
  } finally {
    await open();
  }
});
