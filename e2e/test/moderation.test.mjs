// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { Line } from '../lib/admission.mjs';
import { flow, seesAndHears } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { sleep, until } from '../lib/wait.mjs';

play('a visitor is declined, and the next is admitted', {}, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  const declined = await s.visit(await s.chromium('blue'), link);
  await declined.knock(people.blue.name);
  await host.decline(people.blue.name);
  await declined.sees('declined');
  await host.waiting(people.blue.name).waitFor({ state: 'detached' });
  assert.equal(await declined.page.evaluate(() => window.__vr.pcs.length), 0);

  await host.enter();
  const admitted = await s.join(await s.chromium('green'), host, link);
  await Promise.all([seesAndHears(host.page), seesAndHears(admitted.page)]);
});

play('a visitor who gives up no longer waits', {}, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  const visitor = await s.visit(await s.chromium('green'), link);
  await visitor.knock(people.green.name);
  await host.waiting(people.green.name).waitFor();
  await visitor.giveUp();
  await host.waiting(people.green.name).waitFor({ state: 'detached' });
});

play('the host mutes, and the visitor may speak again', {}, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await host.mute(people.green.name);
  await visitor.call.microphone('muted');
  await until('silence reaches the host', async () => (await flow(host.page, 1_000)).energy < 1e-5);
  await visitor.call.toggleMicrophone();
  await visitor.call.microphone('on');
  await seesAndHears(host.page);
});

play('who is removed is out, and does not come back with what they hold', {}, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await seesAndHears(host.page);
  const held = new URL(s.seats[1].witness.urls.find((u) => u.includes('/rtc/v1')) ?? '');
  const validate = () => s.caddy.get(`/video/rtc/v1/validate${held.search}`);
  assert.equal((await validate()).status, 200, 'the token is good as long as they are in');
  await host.remove(people.green.name);
  await visitor.sees('removed');
  await host.call.count(0);
  assert.ok([401, 403].includes((await validate()).status), 'the token of somebody removed is refused');
  const again = new Line(s.caddy, `rtc/v1${held.search}`);
  assert.notEqual(await again.settled, 'open', 'and does not connect');
  await sleep(3_000);
  await host.call.count(0);
});

play('the host ends the conversation for everybody', {}, async (s) => {
  const { host, visitor, link } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await seesAndHears(visitor.page);
  await host.end();
  await visitor.sees('ended');
  await until('the visitor sends nothing any more', () =>
    visitor.page.evaluate(() => window.__vr.pcs.every((p) => p.connectionState === 'closed')),
  );
  // The link leads nowhere now.
  const late = await s.visit(s.seats[1], link);
  await late.sees('closed');
});
