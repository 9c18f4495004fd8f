// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { accessible } from '../lib/axe.mjs';
import { seesAndHears } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { MailServer } from '../lib/smtp.mjs';
import { HostPage, VisitorPage } from '../lib/ui.mjs';
import { until } from '../lib/wait.mjs';

const phone = { viewport: { width: 390, height: 844 } };

/** Date and time of the practice's clock, some minutes from now. */
function soon(minutes) {
  const text = new Intl.DateTimeFormat('sv', {
    timeZone: 'Europe/Berlin',
    dateStyle: 'short',
    timeStyle: 'short',
  }).format(new Date(Date.now() + minutes * 60_000));
  const [date, time] = text.split(' ');
  return { date, time };
}

async function signIn(s, seat) {
  return HostPage.open(seat, await s.caddy.hostLink(s.origin));
}

/** Fills the form and sends it. @returns {Promise<string[]>} the links */
async function create(page, fields) {
  await page.getByTestId('new-appointment').click();
  for (const [name, value] of Object.entries(fields)) {
    const field = page.getByTestId(`form-${name}`);
    if (name === 'kind' || name === 'repeat') await field.selectOption(value);
    else await field.fill(value);
  }
  await page.getByTestId('form-send').click();
  const made = page.getByTestId('appointment-made');
  await made.waitFor();
  const links = await made.getByTestId('visitor-link').evaluateAll((all) => all.map((el) => el.value));
  return links;
}

play('a talk at once is a link in two clicks', {}, async (s) => {
  const host = await signIn(s, await s.chromium('red'));
  await host.page.getByTestId('open-room').click();
  await host.page.getByTestId('copy-link').click();
  assert.match(await host.page.getByTestId('visitor-link').inputValue(), /\/video\/r\/[a-z2-7]{26}#s=/);
});

play('from the form to the talk: now, and later with a countdown', { timeout: 240_000 }, async (s, t) => {
  const host = await signIn(s, await s.chromium('red'));
  await accessible(host.page, 'the desk without appointments');
  const began = performance.now();
  const [link] = await create(host.page, { ...soon(10), name0: people.green.name, label: 'A. K.' });
  t.diagnostic(`made in ${Math.round(performance.now() - began)} ms`);
  assert.ok(performance.now() - began < 30_000);
  await accessible(host.page, 'an appointment made');
  await host.page.getByTestId('made-close').click();
  const row = host.page.getByTestId('appointment-row').filter({ hasText: 'A. K.' });
  await row.waitFor();
  await accessible(host.page, 'the desk with an appointment');

  // It is time: the link leads into the waiting room of this appointment.
  const visitor = await s.visit(await s.chromium('green', phone), link);
  await visitor.knock(people.green.name);
  await row.getByTestId('waiting-person').waitFor();
  await row.getByTestId('admit').click();
  await visitor.call.joined();
  await row.getByTestId('begin').click();
  for (const d of ['camera', 'microphone'])
    await host.page.locator(`[data-testid="toggle-${d}"][data-on="true"]`).waitFor();
  await host.page.getByTestId('join').click();
  await host.call.joined();
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  // The clock knows the planned end.
  await host.page.locator('[data-testid="session-clock"]:not([data-state="open"])').waitFor();
  await host.call.leave();

  // Another one is days away.
  const [later] = await create(host.page, { ...soon(3 * 1440), name0: 'Boris' });
  await host.page.getByTestId('made-close').click();
  const early = await VisitorPage.open(s.seats[1], later);
  await early.page.locator('[data-testid="appointment"][data-state="early"]').waitFor();
  assert.match((await early.page.getByTestId('countdown').textContent()) ?? '', /in (2|3) Tagen/);
  await early.page.getByTestId('plan-b').getByText('69').waitFor();
  await accessible(early.page, 'too early');
  const [test] = await Promise.all([
    early.page.context().waitForEvent('page'),
    early.page.getByTestId('term-test').click(),
  ]);
  await test.getByTestId('test-intro').waitFor();
  const [download] = await Promise.all([
    early.page.waitForEvent('download'),
    early.page.getByTestId('term-calendar').click(),
  ]);
  assert.equal(download.suggestedFilename(), 'termin.ics');

  // Moved into the next minutes: the same link opens the door, without a reload being asked for.
  const other = host.page.getByTestId('appointment-row').filter({ hasText: 'Boris' });
  await other.getByTestId('details').click();
  await accessible(host.page, 'details');
  await host.page.getByTestId('move').click();
  const { date, time } = soon(5);
  await host.page.getByTestId('form-date').fill(date);
  await host.page.getByTestId('form-time').fill(time);
  await host.page.getByTestId('move-send').click();
  await host.page.getByTestId('move-form').waitFor({ state: 'detached' });
  await early.page.reload();
  await early.page.getByTestId('arrival').waitFor();

  // Called off.
  await host.page.getByTestId('call-off').click();
  await host.page.getByTestId('call-off-one').click();
  await other.waitFor({ state: 'detached' });
  await early.page.reload();
  await early.page.locator('[data-testid="appointment"][data-state="cancelled"]').waitFor();
  await early.page.getByTestId('act-call').waitFor();
  assert.equal(await early.page.getByTestId('plan-b').count(), 0, 'nothing is said of a video that will not be');
  await accessible(early.page, 'cancelled');
});

play(
  'too late: the page says so, and how to reach the practice',
  { site: { videoroom: 'closes_after 1m' }, timeout: 240_000 },
  async (s) => {
    const host = await signIn(s, await s.chromium('red'));
    // It has all but ended: five minutes are the least, and it began almost five minutes ago.
    const start = new Date(Date.now() - 4 * 60_000 - 50_000).toISOString();
    const made = await host.page.evaluate(
      async ([key, start]) => {
        const post = async (path, body, headers = {}) => {
          const answer = await fetch(`/video/api/v1/${path}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify(body),
          });
          return answer.json();
        };
        const { token } = await post('host/session', { key });
        const guests = [{ name: 'Anna' }];
        const appointment = { kind: 'beratung', start, duration_minutes: 5, guests };
        return post('appointments', appointment, { authorization: `Bearer ${token}` });
      },
      [new URLSearchParams(new URL(await s.caddy.hostLink(s.origin)).hash.slice(1)).get('k'), start],
    );
    const { appointments } = made;
    const visitor = await s.visit(await s.chromium('green', phone), appointments[0].guests[0].link);
    await visitor.page.getByTestId('arrival').waitFor();
    const over = visitor.page.locator('[data-testid="appointment"][data-state="over"]');
    await until(
      'it is over',
      async () => {
        await visitor.page.reload();
        return over.waitFor({ timeout: 4_000 }).then(
          () => true,
          () => false,
        );
      },
      { timeout: 120_000, every: 5_000 },
    );
    await visitor.page.getByText('69').first().waitFor();
    await accessible(visitor.page, 'too late');
  },
);

play('a series in one step, called off from the second on', {}, async (s) => {
  const host = await signIn(s, await s.chromium('red'));
  const links = await create(host.page, { ...soon(60), name0: 'Anna', repeat: 'day', count: '5' });
  assert.equal(new Set(links).size, 5, 'each date has a link of its own');
  await host.page.getByText('5 Termine sind angelegt').waitFor();
  await host.page.getByTestId('made-close').click();
  const rows = host.page.getByTestId('appointment-row');
  await until('five are shown', async () => (await rows.count()) === 5);
  await rows.nth(1).getByTestId('details').click();
  await host.page.getByTestId('call-off').click();
  await host.page.getByTestId('call-off-following').click();
  await until('one is left', async () => (await rows.count()) === 1);
});

play('the rules of kinds, and faults next to their fields', {}, async (s) => {
  const host = await signIn(s, await s.chromium('red', phone));
  const { page } = host;
  await page.getByTestId('new-appointment').click();
  await page.getByTestId('form-kind').selectOption('therapie');
  await page.getByTestId('form-name0').fill('Anna');
  await page.getByTestId('form-email0').fill('keine Adresse');
  await page.getByTestId('form-date').fill('2020-01-01');
  await page.getByTestId('form-send').click();
  await page.getByTestId('form-failed').waitFor();
  await page.getByText('Ohne diesen Haken gibt es für Therapie keine Einladung.').waitFor();
  await page.getByText('Das liegt in der Vergangenheit.').waitFor();
  assert.equal(await page.getByTestId('form-email0').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.getByTestId('form-name0').inputValue(), 'Anna', 'nothing typed is lost');
  await accessible(page, 'the form with faults');
  await page.getByTestId('form-in-person').check();
  await page.getByTestId('form-email0').fill('');
  await page.getByTestId('form-date').fill(soon(60).date);
  await page.getByTestId('form-time').fill(soon(60).time);
  await page.getByTestId('form-send').click();
  await page.getByTestId('appointment-made').waitFor();
  await page.getByTestId('made-close').click();
  // A new link makes the old one void; a revoked one leads nowhere.
  await page.getByTestId('details').click();
  await page.getByTestId('new-link').click();
  const link = await page.getByTestId('details-dialog').getByTestId('visitor-link').inputValue();
  const visitor = await s.visit(await s.chromium('green', phone), link);
  await visitor.page.getByTestId('appointment').waitFor();
  await page.getByTestId('details-close').click();
  await page.getByTestId('details').click();
  await page.getByTestId('revoke').click();
  await page.locator('[data-testid="guest"][data-revoked="true"]').waitFor();
  await visitor.page.reload();
  await visitor.sees('badLink');
});

const mail = await MailServer.start();
const smtp = `smtp 127.0.0.1:${mail.port} {
			from praxis@example.org
			tls off
		}`;

/** The text of a letter, its soft line breaks and escapes undone. */
function textOf(letter) {
  const bytes = letter.text
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

play(
  'from the letter to the talk, on a phone, and a letter that calls it off',
  { site: { videoroom: smtp } },
  async (s) => {
    const host = await signIn(s, await s.chromium('red'));
    const { green } = people;
    const [today] = await create(host.page, {
      ...soon(10),
      name0: green.name,
      email0: 'gast@example.org',
      repeat: 'week',
      count: '3',
    });
    await host.page.getByTestId('made-close').click();
    const letters = () => mail.letters.filter((l) => l.to.includes('gast@example.org'));
    await until('a letter for each date', () => letters().length >= 3, { timeout: 30_000 });
    const text = textOf(letters()[0]);
    assert.match(letters()[0].text, /^Subject: Ihr Termin/m);
    assert.ok(!letters().some((l) => /^Subject:.*(green|Muster)/im.test(l.text)), 'no name in a subject');
    assert.match(text, /\+49 69 123456/, 'the way out');
    const links = new Set(letters().flatMap((l) => textOf(l).match(/https?:\/\/\S+\/r\/[a-z2-7]{26}#s=[\w-]+/g) ?? []));
    assert.equal(links.size, 3, 'each date has a link of its own');

    assert.ok(links.has(today), 'the letters lead where the page does');
    const visitor = await s.visit(await s.chromium('green', phone), today);
    await visitor.knock(green.name);
    const row = host.page.getByTestId('appointment-row').first();
    await row.getByTestId('admit').click();
    await visitor.call.joined();

    const before = letters().length;
    const last = host.page.getByTestId('appointment-row').last();
    await last.getByTestId('details').click();
    await host.page.getByTestId('call-off').click();
    await host.page.getByTestId('call-off-one').click();
    await until('the letter that calls it off', () => letters().length > before, { timeout: 30_000 });
    assert.match(letters().at(-1).text, /METHOD:CANCEL|method=CANCEL/i);
  },
);

play('mail: what was sent, and what was refused, at the appointment', { site: { videoroom: smtp } }, async (s) => {
  mail.refused.add('weg@example.org');
  const host = await signIn(s, await s.chromium('red'));
  await create(host.page, { ...soon(60), name0: 'Anna', email0: 'anna@example.org' });
  await host.page.getByTestId('made-close').click();
  await host.page.locator('[data-testid="appointment-row"][data-mail="sent"]').waitFor({ timeout: 30_000 });
  await create(host.page, { ...soon(120), name0: 'Wega', email0: 'weg@example.org' });
  await host.page.getByTestId('made-close').click();
  await host.page.getByTestId('mail-trouble').waitFor({ timeout: 30_000 });
  const row = host.page.locator('[data-testid="appointment-row"][data-mail="trouble"]');
  await row.getByTestId('details').click();
  await host.page
    .locator('[data-testid="letter"][data-what="invitation"][data-state="failed"]')
    .getByText('abgelehnt')
    .waitFor();
  await accessible(host.page, 'trouble with mail');
  assert.ok(mail.letters.some((l) => l.to.includes('anna@example.org')));
  await mail.close();
});
