// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { flow, received, seesAndHears, showsPerson, stats } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { until } from '../lib/wait.mjs';

play('microphone, camera, chat and leaving', { timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);

  await visitor.call.toggleMicrophone();
  await until('the host hears nothing', async () => (await flow(host.page, 1_000)).energy < 1e-5);
  assert.ok((await flow(host.page, 2_000)).frames > 10, 'the picture goes on without sound');
  await visitor.call.toggleMicrophone();
  await until('the host hears again', async () => (await flow(host.page, 1_000)).energy > 1e-4);

  await visitor.call.toggleCamera();
  await until('no picture reaches the host', async () => (await flow(host.page, 1_000)).frames === 0);
  assert.ok((await flow(host.page, 1_000)).energy > 1e-4, 'sound goes on without a picture');
  await visitor.call.toggleCamera();
  await showsPerson(host.page, host.call.video(people.green.name), 'green');

  await visitor.call.say('Guten Tag, hören Sie mich? <b>ä</b> 🙂');
  await host.call.hasMessage('Guten Tag, hören Sie mich? <b>ä</b> 🙂', people.green.name);
  await host.call.say('Ja, sehr gut.');
  await visitor.call.hasMessage('Ja, sehr gut.', 'Dr. Muster');

  await visitor.call.leave();
  await visitor.sees('left');
  await host.call.count(0);
});

play('screen share', { timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await host.call.toggleShare();
  await visitor.page.locator(visitor.call.screen('Dr. Muster')).waitFor();
  await until('screen and camera are both decoded', async () => (await received(visitor.page)).videoStreams >= 2);
  const shown = await until('the screen has a picture', () =>
    visitor.page.evaluate((q) => window.__vr.look(q), visitor.call.screen('Dr. Muster')),
  );
  assert.ok(shown.width >= 640, `the screen is not shrunk to a thumbnail: ${JSON.stringify(shown)}`);
  await host.call.toggleShare();
  await visitor.page.locator(visitor.call.screen('Dr. Muster')).waitFor({ state: 'detached' });
  await showsPerson(visitor.page, visitor.call.video('Dr. Muster'), 'red');
});

play('who comes late sees a picture within two seconds', { timeout: 240_000 }, async (s, t) => {
  const { host, link, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  const usual = (await flow(host.page, 2_000)).frames;
  const seat = await s.chromium('blue');
  // The machine may be busy with something else once, not three times: what it delays looks like a
  // weak line, and pictures pause, with notice, while sound goes on.
  const tries = [];
  const good = ({ first, others }) => first <= 2_000 && others > usual / 4;
  for (let attempt = 0; attempt < 3 && !tries.some(good); attempt++) {
    const late = await s.visit(seat, link);
    await late.knock(people.blue.name);
    const first = late.page.evaluate(() => window.__vr.firstFrame());
    await host.admit(people.blue.name);
    await late.call.joined();
    const { connected, frame } = await first;
    // Nobody else is disturbed by it.
    const { frames } = await flow(host.page, 2_000);
    tries.push({ first: Math.round(frame - connected), others: frames });
    await late.call.leave();
    await host.call.count(1);
    await late.page.close();
  }
  const said = tries.map(({ first, others }) => `first picture after ${first} ms, ${others} at the host's in 2 s`);
  t.diagnostic(`${said.join('; ')}; ${usual} before`);
  assert.ok(tries.some(good), said.join('; '));
});

play('without camera, and without anything', { timeout: 180_000 }, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  await host.enter();
  const listener = await s.visit(await s.chromium('green'), link);
  await listener.knock(people.green.name, { with: 'nothing' });
  await host.admit(people.green.name);
  await listener.call.joined();
  await seesAndHears(listener.page);
  const sending = (await stats(listener.page)).filter((x) => x.type === 'outbound-rtp' && x.packetsSent > 0);
  assert.deepEqual(sending, [], 'who gives nothing sends nothing');
  const speaker = await s.visit(await s.chromium('blue'), link);
  await speaker.knock(people.blue.name, { with: 'audio' });
  await host.admit(people.blue.name);
  await speaker.call.joined();
  await until('the host hears the speaker', async () => (await flow(host.page, 1_000)).energy > 1e-4);
});
