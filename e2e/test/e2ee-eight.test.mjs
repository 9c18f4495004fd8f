// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A group that the server cannot read.

import assert from 'node:assert/strict';
import { seesAndHears } from '../lib/call.mjs';
import { digits, secured } from '../lib/lock.mjs';
import { play } from '../lib/scene.mjs';
import { until } from '../lib/wait.mjs';

const site = { videoroom: 'e2ee required' };

play('eight in a room, in Chromium and Firefox: come, go, and come back', { site, timeout: 300_000 }, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  await host.enter();
  const fire = await s.join(await s.firefox('green'), host, link);
  await Promise.all([host, fire].map(({ page }) => secured(page)));
  // The others watch: eight cameras are more than one machine can encode.
  const watchers = [];
  const seat = await s.chromium('blue');
  const enter = async (name) => {
    const visitor = await s.visit(seat, link);
    await visitor.knock(name, { with: 'nothing' });
    await host.admit(name);
    await visitor.call.joined();
    return visitor;
  };
  for (let i = 0; i < 6; i++) watchers.push(await enter(`Gast ${i + 1}`));
  const all = [host, fire, ...watchers];
  await Promise.all(all.map(({ call }) => call.count(7)));
  await Promise.all(all.map(({ page }) => secured(page, 60_000)));
  for (const { page } of watchers) await seesAndHears(page, { streams: 2, frames: 5, timeout: 60_000 });
  const code = await digits(host.page);
  for (const { page } of [fire, ...watchers]) assert.deepEqual(await digits(page), code);

  await host.remove('Gast 6');
  await watchers[4].call.leave();
  const left = [host, fire, ...watchers.slice(0, 4)];
  await Promise.all(left.map(({ call }) => call.count(5)));
  await until('those who are left have another code', async () => {
    await secured(host.page);
    const now = await digits(host.page);
    return now.digits !== code.digits && now.digits === (await digits(fire.page)).digits;
  });
  const again = await enter('Gast 5');
  await secured(again.page, 60_000);
  await seesAndHears(again.page, { streams: 2, frames: 5, timeout: 60_000 });
});
