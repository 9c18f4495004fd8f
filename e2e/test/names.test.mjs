// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Names and messages at the door, which the server passes on and cannot read.

import assert from 'node:assert/strict';
import { secured } from '../lib/lock.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { HostPage, VisitorPage } from '../lib/ui.mjs';
import { until } from '../lib/wait.mjs';

const site = { videoroom: 'e2ee required' };
const name = 'Ännchen Quittenbaum';
const line = 'Der Aufzug steht, bitte nehmen Sie die Treppe.';
const nobody = /Jemand/;

/** Everything that a page says to the server and hears from it, as text. */
function wire(page) {
  const all = [];
  page.on('websocket', (ws) => {
    for (const e of ['framesent', 'framereceived']) ws.on(e, ({ payload }) => all.push(String(payload)));
  });
  page.on('request', (r) => all.push(r.url(), r.postData() ?? ''));
  return all;
}

/** A page whose wire is read from the start. */
async function watched(seat, url) {
  const page = await seat.page();
  const said = wire(page);
  await page.goto(url);
  return { page, said };
}

play('a name and a message are read by those two pages alone', { site }, async (s) => {
  const desk = await watched(await s.chromium('red'), await s.caddy.hostLink(s.origin));
  const host = new HostPage(desk.page);
  await host.page.locator('[data-testid="desk"][data-link="up"]').waitFor();
  const link = await host.openRoom();
  const visitor = await s.visit(await s.chromium('green'), link);
  const said = wire(visitor.page);
  await visitor.knock(name);
  await host.waiting(name).waitFor();
  await host.message(name, line);
  await visitor.page.getByTestId('waiting-message').getByText(line).waitFor();
  await host.waiting(name).getByTestId('told').getByText(line).waitFor();
  await host.admit(name);
  await host.page.getByTestId('room-inside').getByText(name).waitFor();
  const frames = [...said, ...desk.said];
  // It has been listened to: there are the seals.
  assert.ok(frames.some((f) => f.includes('"sealed"')) && frames.some((f) => f.includes('"letters"')));
  for (const secret of [name, line, 'Quittenbaum', 'Treppe']) {
    const found = frames.find((f) => f.includes(secret) || f.includes(JSON.stringify(secret).slice(1, -1)));
    assert.equal(found, undefined, secret);
    assert.ok(!s.caddy.log.includes(secret), secret);
  }
});

play('a page that is opened anew, and a second one, read the name as well', { site }, async (s) => {
  const seat = await s.chromium('red');
  const { host, link } = await s.host(seat);
  const visitor = await s.visit(await s.chromium('green'), link);
  await visitor.knock(name);
  await host.waiting(name).waitFor();
  await host.page.reload();
  await host.waiting(name).waitFor();
  const other = await HostPage.open(seat, await s.caddy.hostLink(s.origin));
  await other.waiting(name).waitFor();
  await host.message(name, line);
  await visitor.page.getByTestId('waiting-message').getByText(line).waitFor();
  await other.waiting(name).getByTestId('told').waitFor();
  assert.ok(!(await other.waiting(name).getByTestId('told').textContent()).includes('Treppe'));
  await other.message(name, 'Ich komme.');
  await visitor.page.getByTestId('waiting-message').getByText('Ich komme.').waitFor();
  assert.equal(await visitor.page.getByTestId('waiting-message').locator('p').count(), 2);
  // Behind the lock the host sees that another page could read the name.
  await other.page.getByTestId('enter').last().waitFor();
  await other.enter();
  await other.admit(name);
  await visitor.call.joined();
  await secured(other.page, 60_000);
  await other.page.getByTestId('lock').locator('summary').click();
  await other.page
    .getByTestId('lock-doors')
    .getByText(/noch für eine weitere/)
    .waitFor();
});

play('with one page nothing is said of others', { site, timeout: 180_000 }, async (s) => {
  const { host } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await secured(host.page, 60_000);
  await host.page.getByTestId('lock').locator('summary').click();
  await host.page.getByTestId('compare').waitFor();
  assert.equal(await host.page.getByTestId('lock-doors').count(), 0);
});

play('a host who comes back into a call is told by name who asks', { site, timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([host, visitor].map(({ page }) => secured(page, 60_000)));
  await host.page.reload();
  await host.page.locator('[data-testid="desk"][data-link="up"]').waitFor();
  await host.enter();
  await host.page.getByTestId('asking').getByText(people.green.name).first().waitFor();
  await host.page.getByTestId('let-in').click();
  await Promise.all([host, visitor].map(({ page }) => secured(page, 60_000)));
});

play(
  'where nobody waits the host is told by name who asks',
  { site: { videoroom: 'e2ee required\n\t\twaiting_room off' }, timeout: 180_000 },
  async (s) => {
    const { host, link } = await s.host(await s.chromium('red'));
    await host.enter();
    const visitor = await s.visit(await s.chromium('green'), link);
    await visitor.knock(name);
    await visitor.call.joined();
    await host.page.getByTestId('asking').getByText(name).first().waitFor();
    await host.page.getByTestId('let-in').click();
    await Promise.all([host, visitor].map(({ page }) => secured(page, 60_000)));
    await host.call.tile(name).waitFor();
  },
);

play('whoever seals nothing, or nonsense, is somebody', { site }, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  const seat = await s.chromium('green');
  // The first says nothing at all, what the second says is changed on its way.
  for (const broken of [
    () => null,
    (f) => JSON.stringify({ ...f, data: f.data.replace(/^.{40}/, (x) => x.split('').reverse().join('')) }),
  ]) {
    const page = await seat.page();
    await page.routeWebSocket(/\/knock$/, (ws) => {
      const server = ws.connectToServer();
      ws.onMessage((text) => {
        const f = JSON.parse(String(text));
        const out = f.type === 'sealed' ? broken(f) : text;
        if (out !== null) server.send(out);
      });
    });
    const visitor = new VisitorPage(page);
    await page.goto(link);
    await visitor.knock(name);
  }
  await until('two wait', async () => (await host.page.getByTestId('waiting-person').count()) === 2);
  // Longer than a name takes.
  await new Promise((done) => setTimeout(done, 1500));
  for (const text of await host.page.getByTestId('waiting-person').allInnerTexts()) {
    assert.match(text, nobody);
    assert.ok(!text.includes('Quitten'), text);
  }
  assert.equal(await host.page.getByTestId('message').count(), 0, 'nothing can be written to them');
  await host.page.getByTestId('decline').first().click();
  await host.page.getByTestId('waiting-person').nth(1).waitFor({ state: 'detached' });
});
