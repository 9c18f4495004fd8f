// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { flow, seesAndHears, selectedPair, sent, showsPerson } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { VisitorPage } from '../lib/ui.mjs';
import { until } from '../lib/wait.mjs';

play('host and visitor see and hear each other', {}, async (s) => {
  const [hostSeat, visitorSeat] = [await s.chromium('red'), await s.chromium('green')];
  const { host, link } = await s.host(hostSeat);
  assert.match(link, new RegExp(`^${s.origin}/video/r/[a-z2-7]{26}#s=[A-Za-z0-9_-]{22,}$`));

  // Before admission a visitor is nobody to the media plane, and sees nobody.
  const visitor = await VisitorPage.open(visitorSeat, link);
  await visitor.knock(people.green.name);
  await host.waiting(people.green.name).waitFor();
  assert.equal(await visitor.page.evaluate(() => window.__vr.pcs.length), 0, 'no peer connection while waiting');
  assert.ok(!visitorSeat.witness.urls.some((u) => u.includes('/rtc')), 'no signaling while waiting');

  await host.enter();
  await host.admit(people.green.name);
  await visitor.call.joined();
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await Promise.all([
    showsPerson(host.page, host.call.video(people.green.name), 'green'),
    showsPerson(visitor.page, visitor.call.video('Dr. Muster'), 'red'),
  ]);

  const running = await flow(visitor.page, 4_000);
  assert.ok(running.frames >= 40, `at least 10 frames a second: ${JSON.stringify(running)}`);
  assert.ok(running.audioPackets >= 150, `sound without gaps: ${JSON.stringify(running)}`);
  assert.ok((await sent(visitor.page)).layers >= 2, 'pictures are sent in several sizes');

  // Media runs straight to our one port.
  for (const { page } of [host, visitor]) {
    const pair = await selectedPair(page);
    assert.equal(pair?.port, s.caddy.ports.media, JSON.stringify(pair));
    assert.equal(pair?.protocol, 'udp');
  }

  await visitor.call.leave();
  await host.call.count(0);
  await until('the visitor sends nothing any more', async () => {
    const pcs = await visitor.page.evaluate(() => window.__vr.pcs.map((p) => p.connectionState));
    return pcs.every((state) => state === 'closed');
  });
  for (const seat of [hostSeat, visitorSeat]) assert.deepEqual(seat.witness.errors, []);
});
