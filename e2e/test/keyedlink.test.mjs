// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A link with a key in it: confirmed without comparing words, never sent anywhere, and no call for whoever lacks it, whatever
// the server says.

import assert from 'node:assert/strict';
import { accessible } from '../lib/axe.mjs';
import { seesAndHears, showsPerson } from '../lib/call.mjs';
import { digits } from '../lib/lock.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { HostPage } from '../lib/ui.mjs';
import { until } from '../lib/wait.mjs';

const site = { videoroom: 'e2ee required' };
const linked = (page) => page.locator('[data-testid="lock"][data-state="linked"]').waitFor({ timeout: 60_000 });
const fails = (page, code) => page.locator(`[data-testid="error"][data-code="${code}"]`).waitFor({ timeout: 30_000 });

/** Everything that a seat's pages send from now on, as octets. */
function listen(seat) {
  const sent = [];
  const note = (x) => x && sent.push(Buffer.from(x));
  seat.context.on('page', (page) => {
    page.on('request', (r) => {
      note(r.url());
      note(JSON.stringify(r.headers()));
      note(r.postDataBuffer());
    });
    page.on('websocket', (ws) => {
      note(ws.url());
      ws.on('framesent', (f) => note(f.payload));
    });
  });
  return sent;
}

/** A host who has opened a room and put a key into its link. */
async function keyed(s, seat) {
  const { host, link } = await s.host(seat);
  await host.page.getByTestId('key-link').click();
  await host.page.locator('[data-testid="key-choice"][data-keyed="true"]').waitFor();
  const whole = await host.page.getByTestId('visitor-link').inputValue();
  const secret = /^#s=[\w-]+&e=([\w-]{22})$/.exec(new URL(whole).hash)?.[1];
  assert.ok(secret && whole === `${link}&e=${secret}`, whole);
  return { host, link, whole, secret };
}

/** All forms in which octets may stand somewhere. */
function forms(secret) {
  const octets = Buffer.from(secret, 'base64url');
  return {
    octets,
    base64url: Buffer.from(secret),
    base64: Buffer.from(octets.toString('base64').slice(0, 20)),
    digits: Buffer.from(octets.toString('hex')),
  };
}

/** A server that says nothing of keys in links. */
async function denying(seat) {
  const strip = (m) => String(m).replaceAll(/,?"key(ed|able)":true/g, '');
  await seat.context.route('**/api/v1/room', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: strip(await answer.text()) });
  });
  await seat.context.routeWebSocket(/api\/v1\/(knock|host)$/, (ws) => {
    const server = ws.connectToServer();
    server.onMessage((m) => ws.send(strip(m)));
  });
}

play('a key in the link confirms the call, and stays where it is', { site, timeout: 240_000 }, async (s) => {
  const [red, green] = [await s.chromium('red'), await s.chromium('green')];
  const sent = [red, green].map(listen);
  const { host, whole, secret } = await keyed(s, red);
  await accessible(host.page, 'the choice of a key');
  await host.page.reload();
  await until('the link is the same', async () => (await host.page.getByTestId('visitor-link').inputValue()) === whole);
  const kept = await host.page.evaluate(() => Object.entries(localStorage));
  assert.equal(kept.length, 1);
  assert.ok(kept[0][1].includes(secret) && !kept[0][1].includes(new URL(whole).pathname.split('/').at(-1)));
  await host.enter();

  const visitor = await s.visit(green, whole);
  await visitor.page.getByTestId('continue').waitFor();
  await visitor.page.reload();
  await visitor.knock(people.green.name);
  await host.admit(people.green.name);
  await visitor.call.joined();
  await Promise.all([host, visitor].map(({ page }) => linked(page)));
  await Promise.all([host, visitor].map(({ page }) => seesAndHears(page, { timeout: 60_000 })));
  await showsPerson(visitor.page, visitor.call.video('Dr. Muster'), 'red');
  assert.equal(await host.page.getByTestId('fresh').count(), 0);
  assert.deepEqual(await digits(host.page), await digits(visitor.page));
  await visitor.page.locator('[data-testid=lock] summary').click();
  await accessible(visitor.page, 'confirmed by the link');
  await visitor.page.keyboard.press('Escape');

  const all = sent.map((one) => Buffer.concat(one));
  for (const one of all) assert.ok(one.length > 10_000, `${one.length} octets were seen`);
  // The search finds what does travel: the link's other part.
  const cap = /s=([\w-]+)/.exec(whole)[1];
  assert.ok(all[1].includes(cap), 'the capability was sent');
  for (const [form, octets] of Object.entries(forms(secret)))
    for (const one of all) assert.ok(!one.includes(octets), `${form} was sent`);
  const wanted = { ...forms(secret), cap: Buffer.from(cap) };
  assert.deepEqual(await until('memory is read', () => s.caddy.inMemory(wanted)), ['cap']);
  for (const octets of Object.values(forms(secret))) assert.ok(!s.caddy.log.includes(octets.toString()));

  // A third one with the same link; nobody is asked to compare.
  const blue = await s.join(await s.firefox('blue'), host, whole);
  await Promise.all([host, visitor, blue].map(({ page }) => linked(page)));
  await Promise.all([host, blue].map(({ page }) => seesAndHears(page, { streams: 2, timeout: 60_000 })));
  const left = await visitor.page.evaluate(() => window.__vr.kept());
  assert.deepEqual({ local: left.local, session: left.session }, { local: [], session: [] });
  await host.end();
  await until('nothing is left', async () => (await host.page.evaluate(() => localStorage.length)) === 0);
});

play('a link without its key is incomplete, and another device of the host says so', { site }, async (s) => {
  const { host, link, whole } = await keyed(s, await s.chromium('red'));
  const green = await s.chromium('green');
  for (const [url, language] of [
    [link, 'Der Link ist unvollständig'],
    [whole.slice(0, -1), 'Der Link ist unvollständig'],
    [`${link}&e=${'A'.repeat(22)}&l=en`, 'The link is incomplete'],
  ]) {
    const { page } = await s.visit(green, url);
    await fails(page, 44);
    await page.getByText(language).waitFor();
    await accessible(page, 'a link without its key');
    await page.close();
  }
  const elsewhere = await HostPage.open(await s.chromium('blue'), await s.caddy.hostLink());
  await elsewhere.page.getByTestId('key-elsewhere').getByText('den nur das Gerät hat').waitFor();
  for (const id of ['enter', 'visitor-link', 'key-link'])
    assert.equal(await elsewhere.page.getByTestId(id).count(), 0, id);
  await accessible(elsewhere.page, 'a key on another device');

  // The whole link still leads to the host who has it.
  const visitor = await s.visit(green, whole);
  await visitor.knock(people.green.name);
  await elsewhere.page.getByText('Eine Person wartet').waitFor();
  assert.equal(await elsewhere.page.getByTestId('admit').count(), 0);
  await host.waiting(people.green.name).waitFor();
});

play('a server that denies the key brings no call about', { site, timeout: 240_000 }, async (s) => {
  const red = await s.chromium('red');
  const { host, link, whole } = await keyed(s, red);
  await host.enter();

  // The visitor's link has lost its key on the way, and nobody tells.
  const green = await s.chromium('green');
  await denying(green);
  const visitor = await s.visit(green, link);
  await visitor.knock(people.green.name);
  await host.admit(people.green.name);
  await Promise.all([fails(visitor.page, 44), fails(host.page, 58)]);
  assert.equal(await visitor.page.evaluate(() => document.querySelectorAll('video').length), 0);
  await accessible(host.page, 'keys that do not match');
  await visitor.page.close();
  await host.page.getByTestId('back').click();

  // The host's other device has no key, and nobody tells.
  const blue = await s.chromium('blue');
  await denying(blue);
  const elsewhere = await HostPage.open(blue, await s.caddy.hostLink());
  await elsewhere.enter();
  const again = await s.visit(await s.chromium('green'), whole);
  await again.knock(people.green.name);
  await elsewhere.admit(people.green.name);
  await Promise.all([fails(again.page, 58), fails(elsewhere.page, 47)]);
});
