// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { flow, longestGap, received, seesAndHears } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { sleep, until } from '../lib/wait.mjs';

const rounds = 20;

const openSockets = (page, part) =>
  page.evaluate((p) => window.__vr.sockets.filter((s) => s.path.includes(p) && s.opened && !s.closed).length, part);
const signalingSockets = (page) =>
  page.evaluate(() => window.__vr.sockets.filter((s) => s.path.includes('/rtc')).length);
const connections = (page) => page.evaluate(() => window.__vr.pcs.length);

play('twenty cut connections do not end a call', { relay: true, timeout: 300_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  const pages = [host.page, visitor.page];
  await Promise.all(pages.map((p) => seesAndHears(p)));
  const before = await Promise.all(pages.map(connections));
  for (let round = 1; round <= rounds; round++) {
    const had = await received(visitor.page);
    const made = await Promise.all(pages.map(signalingSockets));
    assert.ok((s.relay?.cut() ?? 0) >= 2, 'there were connections to cut');
    // A cut while a session is being resumed counts as one more failed attempt
    // in the client, which gives up after ten; so the next one waits.
    await Promise.all(
      pages.map((p, i) =>
        until(`round ${round}: the session is resumed`, async () => {
          const live = await p.locator('[data-testid="call"][data-phase="live"]').count();
          return live === 1 && (await signalingSockets(p)) > made[i] && (await openSockets(p, '/rtc')) === 1;
        }),
      ),
    );
    // Media does not run through the cut connections and goes on meanwhile.
    const now = await received(visitor.page);
    assert.ok(now.audioPackets > had.audioPackets, `round ${round}: sound stopped`);
    await Promise.all([host.call.count(1), visitor.call.count(1)]);
  }
  await Promise.all(pages.map((p) => seesAndHears(p)));
  assert.deepEqual(await Promise.all(pages.map(connections)), before, 'sessions are resumed, not begun anew');
  const { participants, rooms } = await s.caddy.counts();
  assert.deepEqual({ participants, rooms }, { participants: 2, rooms: 1 });
});

play('twenty reloads of the configuration do not touch a call', { timeout: 240_000 }, async (s, t) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  const pages = [host.page, visitor.page];
  await Promise.all(pages.map((p) => seesAndHears(p)));
  const sockets = await Promise.all(pages.map((p) => p.evaluate(() => window.__vr.sockets.length)));
  const pcs = await Promise.all(pages.map(connections));
  // What the machine does by itself is known from a time without reloads.
  const calm = await longestGap(visitor.page, () => sleep(6_000));
  const gap = await longestGap(visitor.page, async () => {
    for (let round = 1; round <= rounds; round++) {
      await s.caddy.reload({ version: `v${round}`, videoroom: round % 2 ? 'max_participants 5' : '' });
      assert.equal((await s.caddy.get('/version')).text, `v${round}`, 'the site itself changed');
      const running = await flow(visitor.page, 500);
      assert.ok(running.audioPackets > 10, `round ${round}: ${JSON.stringify(running)}`);
    }
  });
  t.diagnostic(`longest time without a packet: ${gap} ms during ${rounds} reloads, ${calm} ms without`);
  // 200 ms on a machine with nothing else to do; two browsers and a test on two
  // busy processors add their own stalls.
  assert.ok(gap <= 200 || gap <= calm + 300, `media stopped for ${gap} ms (${calm} ms without reloads)`);
  const [a, b] = await Promise.all(pages.map((p) => flow(p, 3_000)));
  assert.ok(a.frames > 20 && b.frames > 20, JSON.stringify([a, b]));
  assert.deepEqual(
    await Promise.all(pages.map((p) => p.evaluate(() => window.__vr.sockets.length))),
    sockets,
    'no socket was opened anew',
  );
  assert.deepEqual(await Promise.all(pages.map(connections)), pcs);
  // The new generation serves the same rooms: the host still moderates.
  await host.mute(people.green.name);
  await visitor.call.microphone('muted');
});

play('after a restart everybody comes back by themselves', { timeout: 240_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  const pages = [host.page, visitor.page];
  await Promise.all(pages.map((p) => seesAndHears(p)));
  const end = await s.caddy.stop('SIGTERM');
  assert.equal(end.signal, null, 'Caddy ended by itself');
  assert.equal(end.code, 0);
  assert.ok(end.ms < 15_000, `it took ${Math.round(end.ms)} ms to end`);
  await sleep(1_000);
  await s.caddy.launch();
  await Promise.all(pages.map((p) => seesAndHears(p, { timeout: 60_000 })));
  await Promise.all([host.call.count(1, 60_000), visitor.call.count(1, 60_000)]);
  await host.mute(people.green.name);
  await visitor.call.microphone('muted');
});

play('a visitor who waits is not lost by a cut and a reload', { relay: true }, async (s) => {
  const { host, link } = await s.host(await s.chromium('red'));
  const visitor = await s.visit(await s.chromium('green'), link);
  await visitor.knock(people.green.name);
  await host.waiting(people.green.name).waitFor();
  for (let round = 1; round <= 3; round++) {
    s.relay?.cut();
    await until('the visitor knocks again', async () => (await openSockets(visitor.page, '/knock')) === 1);
    await until('the host is back', async () => (await openSockets(host.page, '/api/v1/host')) === 1);
    await until('once, not twice', async () => (await host.waiting(people.green.name).count()) === 1);
  }
  await s.caddy.reload({ version: '2' });
  await sleep(1_000);
  await host.enter();
  await host.admit(people.green.name);
  await visitor.call.joined();
  await seesAndHears(visitor.page);
});

play('a site without its directive lets people go with notice', {}, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await seesAndHears(host.page);
  await s.caddy.reload({ removed: true });
  assert.equal((await s.caddy.get('/video/')).status, 404, 'the pages are gone at once');
  await until('the rooms are closed', async () => (await s.caddy.counts()).participants === 0, { timeout: 60_000 });
  assert.ok(visitor);
});
