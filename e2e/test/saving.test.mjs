// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What people receive at their own wish, what they see of their connection, and in which sizes cameras are sent.

import assert from 'node:assert/strict';
import { flow, seesAndHears, stats } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { sleep, until } from '../lib/wait.mjs';

/** What a page receives within ms, in bit/s with all headers. */
async function arriving(page, ms = 3_000) {
  const bytes = async () =>
    (await stats(page))
      .filter((s) => s.type === 'inbound-rtp')
      .reduce((n, s) => n + s.bytesReceived + (s.headerBytesReceived ?? 0) + 28 * s.packetsReceived, 0);
  const [before, began] = [await bytes(), performance.now()];
  await sleep(ms);
  return (((await bytes()) - before) * 8000) / (performance.now() - began);
}

const rate = (page, ok, what) =>
  until(
    what,
    async () => {
      const now = await arriving(page);
      if (!ok(now)) throw new Error(`${Math.round(now / 1000)} kbit/s`);
      return now;
    },
    { timeout: 40_000 },
  );

/** Packets of sound that a page sends each second: 50 as browsers like it, 17 for somebody with a narrow line. */
async function spoken(page, ms = 2_000) {
  const sent = async () =>
    (await stats(page))
      .filter((x) => x.type === 'outbound-rtp' && x.kind === 'audio')
      .reduce((n, x) => n + x.packetsSent, 0);
  const [before, began] = [await sent(), performance.now()];
  await sleep(ms);
  return (((await sent()) - before) * 1000) / (performance.now() - began);
}

const speaks = (page, ok, what) =>
  until(
    what,
    async () => {
      const now = await spoken(page);
      if (!ok(now)) throw new Error(`${Math.round(now)} packets a second`);
      return now;
    },
    { timeout: 60_000 },
  );

async function save(page, kbits) {
  await page.getByTestId('devices').click();
  await page.getByTestId('saver').setChecked(kbits > 0);
  if (kbits > 0) await page.getByTestId('saver-rate').selectOption(String(kbits));
  await page.getByTestId('devices-close').click();
}

async function savesAndLooks(host, visitor) {
  await Promise.all([seesAndHears(host.page, { timeout: 60_000 }), seesAndHears(visitor.page, { timeout: 60_000 })]);
  // These pictures are simple: their largest layer takes little more.
  await rate(host.page, (n) => n > 120_000, 'the host receives the whole picture');

  await save(host.page, 100);
  await rate(host.page, (n) => n < 110_000, 'the picture has become smaller');
  await speaks(visitor.page, (n) => n > 10 && n < 22, 'sound comes in long packets');
  assert.ok((await spoken(host.page)) > 40, 'and only to whom it helps');
  // A picture that did not fit beside short packets comes back beside long ones.
  await until('sound and picture go on', async () => {
    const { energy, frames } = await flow(host.page, 4_000);
    if (energy > 1e-4 && frames > 8) return true;
    throw new Error(`${energy}, ${frames}`);
  });

  await host.page.getByTestId('devices').click();
  await host.page.getByTestId('connection').click();
  const panel = host.page.getByTestId('connection-panel');
  await panel.getByTestId('connection-grade').waitFor();
  assert.equal(await panel.locator('.connection').getAttribute('data-route'), 'udp');
  const person = panel.getByTestId('connection-person');
  assert.equal(await person.count(), 1);
  const said = await until('the panel tells what comes from the visitor', async () => {
    const text = await person.textContent();
    return /\dp · \d+ kbit\/s/.test(text) && /Ton: \d+ kbit\/s/.test(text) && text;
  });
  assert.ok(said.includes(people.green.name), said);
  await panel.getByTestId('connection-panel-close').click();
  assert.equal(await host.page.evaluate(() => document.activeElement?.dataset.testid), 'devices', 'the focus is lost');

  await save(host.page, 0);
  await rate(host.page, (n) => n > 120_000, 'the whole picture is back');
  await speaks(visitor.page, (n) => n > 40, 'sound comes as before');
}

play('saving data, and the own connection', { timeout: 240_000 }, async (s, t) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await savesAndLooks(host, visitor);
  // The camera of these tests has 360 lines: two layers.
  const layers = await until('two layers are sent', async () => {
    const out = (await stats(visitor.page)).filter((x) => x.type === 'outbound-rtp' && x.framesSent > 0 && x.rid);
    return out.length === 2 && out;
  });
  t.diagnostic(layers.map((x) => `${x.rid} ${x.frameHeight} lines, ${x.targetBitrate} bit/s`).join(', '));
  for (const [rid, lines, most] of [
    ['q', 180, 70_000],
    ['h', 360, 340_000],
  ]) {
    const layer = layers.find((x) => x.rid === rid);
    assert.ok(layer.frameHeight <= lines, `${rid} has ${layer.frameHeight} lines`);
    assert.ok(layer.targetBitrate <= most, `${rid} aims at ${layer.targetBitrate} bit/s`);
  }
  assert.ok(
    layers.find((x) => x.rid === 'q').framesPerSecond <= 17,
    'the smallest has no more than 15 pictures a second',
  );
});

play('saving data where Firefox sends', { timeout: 240_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green'));
  await savesAndLooks(host, visitor);
});
