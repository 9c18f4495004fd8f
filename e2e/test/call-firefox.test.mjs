// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { flow, seesAndHears, showsPerson } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';

play('Chromium hosts, Firefox visits', { timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green'));
  await Promise.all([seesAndHears(host.page, { timeout: 60_000 }), seesAndHears(visitor.page, { timeout: 60_000 })]);
  await showsPerson(visitor.page, visitor.call.video('Dr. Muster'), 'red');
  const atHost = await flow(host.page, 4_000);
  assert.ok(atHost.frames >= 20, JSON.stringify(atHost));
  await visitor.call.leave();
  await host.call.count(0);
});

play('Firefox hosts, Chromium visits', { timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.firefox('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page, { timeout: 60_000 }), seesAndHears(visitor.page, { timeout: 60_000 })]);
  await showsPerson(host.page, host.call.video(people.green.name), 'green');
  const atVisitor = await flow(visitor.page, 4_000);
  assert.ok(atVisitor.frames >= 20, JSON.stringify(atVisitor));
});
