// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { accessible } from '../lib/axe.mjs';
import { flow, seesAndHears } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { until } from '../lib/wait.mjs';

const phone = { viewport: { width: 390, height: 844 } };
const signOf = (view, name) => view.call.tile(name).getByTestId('alone-sign');

play('both say whether they are alone, and the other one sees it', { timeout: 240_000 }, async (s) => {
  const { host, visitor, link } = await s.pair(await s.chromium('red'), await s.firefox('green', phone));
  await visitor.page.getByTestId('alone-question').waitFor();
  await accessible(visitor.page, 'the question');
  await visitor.page.getByTestId('alone-yes').click();
  await host.page.getByTestId('alone-no').click();
  await signOf(host, people.green.name).and(host.page.locator('[data-alone="true"]')).waitFor();
  await signOf(visitor, 'Dr. Muster').and(visitor.page.locator('[data-alone="false"]')).waitFor();
  // Who comes later learns it as well.
  const late = await s.join(await s.chromium('blue'), host, link);
  await signOf(late, people.green.name).and(late.page.locator('[data-alone="true"]')).waitFor();
  await host.call.panel('people');
  await host.page.getByTestId('people-panel').getByText('allein im Raum', { exact: false }).first().waitFor();
  await accessible(host.page, 'the people');
});

play('somebody comes in: silence, no picture, and the sign within 300 ms', { timeout: 300_000 }, async (s, t) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green', phone));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await host.page.evaluate(() => {
    window.signed = new Promise((resolve) => {
      new MutationObserver(() => {
        if (document.querySelector('[data-testid=others-company]')) resolve(Date.now());
      }).observe(document.body, { childList: true, subtree: true });
    });
  });
  const tapped = await visitor.page.evaluate(() => {
    const at = Date.now();
    document.querySelector('[data-testid=company]').click();
    return at;
  });
  const ms = (await host.page.evaluate(() => window.signed)) - tapped;
  await visitor.page.getByTestId('own-company').waitFor();
  t.diagnostic(`sign after ${ms} ms`);
  assert.ok(ms <= 300, `sign after ${ms} ms`);
  await until('nothing is heard or seen any more', async () => {
    const f = await flow(host.page, 1_000);
    return f.energy < 1e-5 && f.frames === 0;
  });
  await accessible(host.page, 'somebody has come in there');
  await accessible(visitor.page, 'somebody has come in here');
  assert.equal(await visitor.page.getByTestId('microphone').getAttribute('data-on'), 'false');
  await visitor.page.getByTestId('company-over').click();
  await host.page.getByTestId('others-company').waitFor({ state: 'detached' });
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
});

for (const way of ['button', 'Escape twice']) {
  play(
    `quick exit by ${way}: devices off, an empty page, no way back`,
    { site: { videoroom: 'profile beratung' } },
    async (s, t) => {
      const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green', phone));
      await seesAndHears(host.page);
      assert.equal(await host.page.getByTestId('quick-exit').count(), 0, 'hosts have no use for it');
      const { page } = visitor;
      const before = await page.evaluate(() => history.length);
      // How long the page's own part takes: afterwards nothing is shown or captured any more.
      const ms = await page.evaluate((way) => {
        const began = performance.now();
        if (way === 'button') document.querySelector('[data-testid=quick-exit]').click();
        else for (let i = 0; i < 2; i++) window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
        if (!document.documentElement.hidden) throw new Error('the page is still shown');
        return Math.round(performance.now() - began);
      }, way);
      await page.waitForURL('about:blank');
      t.diagnostic(`empty after ${ms} ms`);
      assert.ok(ms < 300, `empty after ${ms} ms`);
      assert.equal(await page.evaluate(() => document.body?.textContent ?? ''), '');
      assert.equal(await page.title(), '');
      assert.equal(await page.evaluate(() => history.length), before, 'no entry was added');
      await host.call.count(0);
      await page.goBack({ timeout: 2_000 }).catch(() => null);
      assert.ok(!page.url().includes('/video/'), `back leads to ${page.url()}`);
    },
  );
}

play(
  'the quick exit is there while waiting, and nowhere without counselling',
  { site: { videoroom: 'profile beratung' } },
  async (s) => {
    const { link } = await s.host(await s.chromium('red'));
    const visitor = await s.visit(await s.firefox('green', phone), link);
    await visitor.knock(people.green.name);
    await accessible(visitor.page, 'waiting with a quick exit');
    await visitor.page.getByTestId('quick-exit').click();
    await visitor.page.waitForURL('about:blank');
    await s.caddy.reload({ videoroom: 'profile praxis' });
    const other = await s.visit(s.seats[1], link);
    await other.knock(people.green.name);
    assert.equal(await other.page.getByTestId('quick-exit').count(), 0);
  },
);

play('the host alone has a clock, with a hint before the end', { timeout: 240_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green'));
  assert.equal(await visitor.page.getByTestId('clock').count(), 0);
  await host.page.getByTestId('clock').waitFor();
  const state = (name) => host.page.locator(`[data-testid="session-clock"][data-state="${name}"]`);
  await state('open').waitFor();
  await host.page.getByTestId('session-length').selectOption('15');
  await state('running').waitFor();
  assert.equal(await host.page.getByTestId('session-hint').count(), 0);
  // Ten minutes pass at once for this page's clock.
  await host.page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 10 * 60_000;
  });
  await state('ending').waitFor();
  await host.page.getByTestId('session-hint').waitFor();
  await accessible(host.page, 'the hint');
  assert.equal(await visitor.page.getByTestId('session-hint').count(), 0);
});
