// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { accessible } from '../lib/axe.mjs';
import { seesAndHears } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { HostPage } from '../lib/ui.mjs';
import { until } from '../lib/wait.mjs';

const colleague = `host zweit {
			name "Dr. Zweit"
		}`;
const phone = { viewport: { width: 390, height: 844 } };

play('three wait: order and count for the host alone, a message to one of them', {}, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  const seat = await s.chromium('green', phone);
  const names = ['Anna Klein', 'Boris Groß', 'Chiara de Luca'];
  const visitors = [];
  for (const name of names) {
    const v = await s.visit(seat, link);
    await v.knock(name);
    await host.waiting(name).waitFor();
    visitors.push(v);
  }
  assert.equal(await host.page.getByTestId('waiting-count').getAttribute('data-count'), '3');
  const order = await host.page.getByTestId('waiting-person').allInnerTexts();
  for (const [i, name] of names.entries()) assert.ok(order[i].includes(name), `place ${i + 1}: ${order[i]}`);
  assert.match(await host.page.title(), /^\(3\) wartet – /);
  await accessible(host.page, 'desk with a queue');

  await host.message(names[1], 'Ich brauche noch zehn Minuten.\nBitte bleiben Sie da.');
  await visitors[1].page.getByTestId('waiting-message').getByText('zehn Minuten').waitFor();
  await host.waiting(names[1]).getByTestId('told').waitFor();
  await accessible(visitors[1].page, 'waiting with a message');
  for (const i of [0, 2]) {
    assert.equal(await visitors[i].page.getByTestId('waiting-message').count(), 0, 'others read nothing');
    const text = await visitors[i].page.getByTestId('waiting').textContent();
    assert.ok(!/\b3\b|Platz|Boris|Anna|Chiara/.test(text.replace(names[i], '')), `no count, no names: ${text}`);
  }
});

play('who waits is not told to be seen while the line is cut', {}, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  const visitor = await s.visit(await s.chromium('green', phone), link);
  await visitor.knock('Anna Klein');
  await host.waiting('Anna Klein').waitFor();
  await visitor.page.getByTestId('waiting-state').waitFor();
  await s.caddy.stop();
  await visitor.page.getByTestId('waiting-interrupted').waitFor();
  assert.equal(await visitor.page.getByTestId('waiting-state').count(), 0);
});

play('the host is not disturbed in a session, and hears a tone otherwise', {}, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  // Tones are made by oscillators; each that starts is counted.
  await host.page.evaluate(() => {
    window.tones = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...args) {
      window.tones++;
      return start.apply(this, args);
    };
  });
  const tones = () => host.page.evaluate(() => window.tones);
  const seat = await s.chromium('green');
  await (await s.visit(seat, link)).knock('Anna Klein');
  await host.waiting('Anna Klein').waitFor();
  await until('a tone sounds', async () => (await tones()) > 0);
  await host.enter();
  const before = await tones();
  await (await s.visit(seat, link)).knock('Boris Groß');
  await host.page.locator('[data-testid="people-badge"][data-count="2"]').waitFor();
  await until('the title counts both', async () => (await host.page.title()).startsWith('(2) wartet – '));
  assert.equal(await tones(), before, 'no sound into the talk');
});

play('put back, waiting with a picture of oneself, and in again', { timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await host.back(people.green.name);
  await visitor.page.getByTestId('waiting-back').waitFor();
  await visitor.page.getByTestId('preview').waitFor();
  await host.call.count(0);
  await host.waiting(people.green.name).waitFor();
  await accessible(visitor.page, 'put back');
  await host.admit(people.green.name);
  await visitor.call.joined();
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
});

play(
  'a guest is handed to a colleague when they agree',
  { site: { videoroom: colleague }, timeout: 180_000 },
  async (s) => {
    const { host, link } = await s.host(await s.chromium('red'));
    const second = await HostPage.open(await s.chromium('blue'), await s.caddy.hostLink(s.origin, 'zweit'));
    const visitor = await s.visit(await s.chromium('green', phone), link);
    await visitor.knock(people.green.name);
    await host.hand(people.green.name, 'zweit');
    await visitor.page.getByTestId('waiting-offer').waitFor();
    await accessible(visitor.page, 'offered a colleague');
    await visitor.page.getByTestId('offer-no').click();
    await host.waiting(people.green.name).getByText('bleibt lieber hier').waitFor();
    await host.hand(people.green.name, 'zweit');
    await visitor.page.getByTestId('offer-yes').click();
    await visitor.page.getByTestId('waiting-moved').waitFor();
    await host.waiting(people.green.name).waitFor({ state: 'detached' });
    await second.waiting(people.green.name).getByText('kommt von Dr. Muster').waitFor();
    assert.ok(!visitor.page.url().includes(new URL(link).pathname), 'a reload leads to the colleague');
    await second.admit(people.green.name);
    await visitor.call.joined();
    await second.enter();
    await Promise.all([seesAndHears(second.page), seesAndHears(visitor.page)]);
  },
);

play('a locked room keeps even known links waiting', { site: { videoroom: 'waiting_room off' } }, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  await host.enter();
  const visitor = await s.visit(await s.chromium('green'), link);
  await visitor.knock(people.green.name);
  await visitor.call.joined();
  await host.call.panel('people');
  await host.page.getByTestId('lock-room').check();
  const late = await s.visit(s.seats[1], link);
  await late.knock('Zoe Spät');
  await late.page.getByTestId('waiting').getByText('abgeschlossen').waitFor();
  await host.page.getByTestId('lock-room').uncheck();
  await late.call.joined();
  await visitor.call.count(2);
});
