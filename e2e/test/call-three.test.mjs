// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { flow, seesAndHears, showsPerson } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';

play('three people see and hear each other', { timeout: 180_000 }, async (s) => {
  const seats = [await s.chromium('red'), await s.chromium('green'), await s.chromium('blue')];
  const { host, visitor: second, link } = await s.pair(seats[0], seats[1]);
  const third = await s.join(seats[2], host, link);
  const all = [host, second, third];
  await Promise.all(all.map((p) => p.call.count(2)));
  await Promise.all(all.map((p) => seesAndHears(p.page, { streams: 2 })));
  const names = ['Dr. Muster', people.green.name, people.blue.name];
  const colours = ['red', 'green', 'blue'];
  for (const [i, p] of all.entries()) {
    for (const [k, name] of names.entries()) {
      if (k !== i) await showsPerson(p.page, p.call.video(name), colours[k]);
    }
  }
  // One leaves, the others go on undisturbed.
  await second.call.leave();
  await Promise.all([host.call.count(1), third.call.count(1)]);
  const [a, b] = await Promise.all([flow(host.page, 3_000), flow(third.page, 3_000)]);
  assert.ok(a.frames >= 20 && a.energy > 0, JSON.stringify(a));
  assert.ok(b.frames >= 20 && b.energy > 0, JSON.stringify(b));
});

play('the room is full at its limit', { site: { videoroom: 'max_participants 2' } }, async (s) => {
  const { host, visitor, link } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  const third = await s.visit(await s.chromium('blue'), link);
  await third.knock(people.blue.name);
  await host.admit(people.blue.name);
  await host.page.getByTestId('host-failed').waitFor();
  await host.waiting(people.blue.name).waitFor();
  assert.equal(await third.page.evaluate(() => window.__vr.pcs.length), 0, 'nothing of the call reaches who waits');
  await host.call.count(1);

  // As soon as somebody leaves there is room.
  await visitor.call.leave();
  await host.call.count(0);
  await host.admit(people.blue.name);
  await third.call.joined();
  await Promise.all([seesAndHears(host.page), seesAndHears(third.page)]);
});
