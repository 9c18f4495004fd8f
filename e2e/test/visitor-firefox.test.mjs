// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The visitor's ways once more, in Firefox.

import assert from 'node:assert/strict';
import { accessible } from '../lib/axe.mjs';
import { flow, seesAndHears } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { MailServer } from '../lib/smtp.mjs';
import { HostPage } from '../lib/ui.mjs';
import { until } from '../lib/wait.mjs';

const patient = { timeout: 60_000 };
const { green } = people;
const bothSeeAndHear = (a, b) => Promise.all([seesAndHears(a.page, patient), seesAndHears(b.page, patient)]);

play('Firefox waits, reads a message, comes in, is put back and comes in again', { timeout: 240_000 }, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  const visitor = await s.visit(await s.firefox('green'), link);
  await visitor.knock(green.name);
  await host.waiting(green.name).waitFor();
  await host.message(green.name, 'Ich brauche noch zehn Minuten.\nBitte bleiben Sie da.');
  await visitor.page.getByTestId('waiting-message').getByText('zehn Minuten').waitFor();
  await accessible(visitor.page, 'waiting with a message');
  await host.admit(green.name);
  await visitor.call.joined();
  await host.enter();
  await bothSeeAndHear(host, visitor);

  await host.back(green.name);
  await visitor.page.getByTestId('waiting-back').waitFor();
  await visitor.page.getByTestId('preview').waitFor();
  await host.call.count(0);
  await host.waiting(green.name).waitFor();
  await host.admit(green.name);
  await visitor.call.joined();
  await bothSeeAndHear(host, visitor);
  await visitor.call.leave();
  await visitor.sees('left');
  await host.call.count(0);
});

play('Firefox reloads while waiting and in the call, and keeps the place', { timeout: 240_000 }, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  const visitor = await s.visit(await s.firefox('green'), link);
  await visitor.knock(green.name);
  await host.waiting(green.name).waitFor();
  await host.enter();
  await host.admit(green.name);
  await visitor.call.joined();
  await bothSeeAndHear(host, visitor);
  await visitor.page.reload();
  await visitor.knock(green.name);
  await host.admit(green.name);
  await visitor.call.joined();
  await host.call.count(1);
  await bothSeeAndHear(host, visitor);
});

const mail = await MailServer.start();
const smtp = `smtp 127.0.0.1:${mail.port} {
			from praxis@example.org
			tls off
		}`;

play('from the letter to the talk in Firefox', { site: { videoroom: smtp }, timeout: 240_000 }, async (s) => {
  const host = await HostPage.open(await s.chromium('red'), await s.caddy.hostLink(s.origin));
  await host.page.getByTestId('new-appointment').click();
  const at = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Berlin', dateStyle: 'short', timeStyle: 'short' });
  const [date, time] = at.format(new Date(Date.now() + 10 * 60_000)).split(' ');
  for (const [name, value] of Object.entries({ date, time, name0: green.name, email0: 'gast@example.org' }))
    await host.page.getByTestId(`form-${name}`).fill(value);
  await host.page.getByTestId('form-send').click();
  await host.page.getByTestId('made-close').click();
  await until('the letter', () => mail.letters.length > 0, { timeout: 30_000 });
  const link = mail.letters[0].text
    .replace(/=\n/g, '')
    .replace(/=3D/g, '=')
    .match(/https?:\/\/\S+\/r\/[a-z2-7]{26}#s=[\w-]+/)?.[0];
  assert.ok(link, mail.letters[0].text);

  const visitor = await s.visit(await s.firefox('green'), link);
  await visitor.page.getByTestId('arrival').waitFor(patient);
  await accessible(visitor.page, 'the page of the letter');
  await visitor.knock(green.name);
  const row = host.page.getByTestId('appointment-row');
  await row.getByTestId('waiting-person').waitFor();
  await row.getByTestId('admit').click();
  await visitor.call.joined();
  await row.getByTestId('begin').click();
  for (const d of ['camera', 'microphone'])
    await host.page.locator(`[data-testid="toggle-${d}"][data-on="true"]`).waitFor();
  await host.page.getByTestId('join').click();
  await host.call.joined();
  await bothSeeAndHear(host, visitor);
  assert.equal(mail.letters.length, 1);
  await mail.close();
});

for (const way of ['button', 'Escape twice']) {
  play(
    `quick exit in Firefox by ${way}: devices off, an empty page, no way back`,
    { site: { videoroom: 'profile beratung' }, timeout: 180_000 },
    async (s) => {
      const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green'));
      await seesAndHears(host.page, patient);
      const { page } = visitor;
      const before = await page.evaluate(() => history.length);
      if (way === 'button') await page.getByTestId('quick-exit').click({ noWaitAfter: true });
      else for (let i = 0; i < 2; i++) await page.keyboard.press('Escape');
      await page.waitForURL('about:blank');
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
  'somebody comes in where Firefox is: silence and no picture, until it is over',
  { timeout: 240_000 },
  async (s) => {
    const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green'));
    await bothSeeAndHear(host, visitor);
    await visitor.page.getByTestId('company').click();
    await host.page.getByTestId('others-company').waitFor();
    await visitor.page.getByTestId('own-company').waitFor();
    await until('nothing is heard or seen any more', async () => {
      const f = await flow(host.page, 1_000);
      return f.energy < 1e-5 && f.frames === 0;
    });
    await visitor.page.getByTestId('company-over').click();
    await host.page.getByTestId('others-company').waitFor({ state: 'detached' });
    await bothSeeAndHear(host, visitor);
  },
);
