// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { seesAndHears } from '../lib/call.mjs';
import { files, leaks } from '../lib/canary.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { sleep } from '../lib/wait.mjs';

/** A whole visit: knock, admission, call, chat, leaving. Returns every secret of it. */
async function visit(s) {
  const seats = [await s.chromium('red'), await s.chromium('green')];
  const { host, visitor, link } = await s.pair(seats[0], seats[1]);
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  await visitor.call.say('Kanarienvogel-4711');
  await host.call.hasMessage('Kanarienvogel-4711', people.green.name);
  const kept = await Promise.all([host.page, visitor.page].map((p) => p.evaluate(() => window.__vr.kept())));
  const violations = await Promise.all([host.page, visitor.page].map((p) => p.evaluate(() => window.__vr.violations)));
  await visitor.call.leave();
  await host.call.count(0);
  await sleep(1_000);

  const url = new URL(link);
  const tokens = seats.flatMap((seat) =>
    seat.witness.urls.map((u) => new URL(u).searchParams.get('access_token')).filter((t) => t !== null),
  );
  const identities = tokens.map((t) => JSON.parse(Buffer.from(t.split('.')[1], 'base64url').toString()).sub);
  const secrets = [
    url.pathname.split('/').at(-1) ?? '',
    url.hash.replace('#s=', ''),
    new URL(await s.caddy.hostLink()).hash.replace('#k=', ''),
    people.green.name,
    'Kanarienvogel',
    ...tokens.flatMap((t) => [t, ...t.split('.').slice(1)]),
    ...identities,
  ];
  assert.ok(tokens.length >= 2 && identities.every(Boolean), 'tokens and identities are known');
  return { seats, kept, violations, secrets };
}

play('a visit asks nobody else, and leaves nothing on the device', { timeout: 180_000 }, async (s) => {
  const { seats, kept, violations } = await visit(s);
  for (const seat of seats) {
    assert.deepEqual(seat.witness.hosts(), [new URL(s.origin).host], 'only the site itself is asked');
    assert.deepEqual(await seat.context.cookies(), [], 'no cookie');
  }
  for (const k of kept) {
    assert.deepEqual(k, { cookies: '', local: [], session: [], databases: [], caches: [], workers: 0 });
  }
  assert.deepEqual(violations, [[], []], 'the pages keep to their policy');
});

play(
  'nobody is named in logs, metrics and files',
  {
    timeout: 180_000,
    site: { before: 'log {\n\t\toutput stderr\n\t}' },
  },
  async (s) => {
    const { secrets } = await visit(s);
    await s.caddy.get('/video/r/nothing-here?access_token=abgelaufen-4711');
    await s.caddy.get('/version');
    const metrics = (await s.caddy.admin('/metrics')).text;
    assert.match(metrics, /caddy_videoroom_rooms/);
    assert.deepEqual(leaks(metrics, secrets), []);

    // The site's own access log works, and knows nothing of our routes.
    assert.match(s.caddy.log, /"uri":"\/version"/);
    assert.deepEqual(
      leaks(s.caddy.log, [...secrets, 'abgelaufen-4711', '/video/r/', '/video/rtc', 'access_token']),
      [],
    );

    for (const [file, text] of await files(s.caddy.dir)) {
      if (file.endsWith('caddy.log')) continue;
      assert.deepEqual(leaks(`${file}\n${text}`, secrets), [], file);
    }
  },
);

play('without an access log no address is written anywhere', { timeout: 180_000 }, async (s) => {
  const { secrets } = await visit(s);
  await s.caddy.stop();
  assert.deepEqual(leaks(s.caddy.log, [...secrets, '"127.0.0.1', ' 127.0.0.1:', '192.0.2.']), []);
});

play('every page and answer carries its headers', {}, async (s) => {
  const page = (p) => s.caddy.get(`/video/${p}`);
  const asset = /(?:src|href)="([^"]*_vr\/[^"]+\.js)"/.exec((await page('')).text)?.[1] ?? '';
  assert.ok(asset, 'the landing page loads a script');
  for (const p of ['', 'host/', `r/${'a'.repeat(26)}`]) {
    const { status, headers } = await page(p);
    assert.equal(status, 200, p);
    const csp = String(headers['content-security-policy']);
    assert.match(csp, /default-src 'none'/, p);
    assert.match(csp, /script-src 'self'/, p);
    assert.match(csp, /frame-ancestors /, p);
    assert.doesNotMatch(csp, /unsafe-(inline|eval)/, p);
    assert.doesNotMatch(csp, /https?:\/\/(?!localhost)/, p);
    assert.equal(headers['referrer-policy'], 'no-referrer', p);
    assert.equal(headers['x-content-type-options'], 'nosniff', p);
    assert.match(String(headers['permissions-policy']), /camera=\(self\)/, p);
    assert.match(String(headers['cache-control']), /no-store|no-cache/, p);
    assert.equal(headers['set-cookie'], undefined, p);
  }
  const script = await s.caddy.get(new URL(asset, `${s.origin}/video/`).pathname);
  assert.equal(script.status, 200);
  assert.match(String(script.headers['content-type']), /javascript/);
  assert.match(String(script.headers['cache-control']), /immutable/);
  const api = await page('api/v1/site');
  assert.equal(api.status, 200);
  assert.match(String(api.headers['cache-control']), /no-store/);
  assert.equal(api.headers['access-control-allow-origin'], undefined);
  const site = JSON.parse(api.text);
  assert.equal(site.practice, 'Praxis Dr. Muster');
  assert.deepEqual(site.hosts, [{ id: 'muster', name: 'Dr. Muster' }]);
  assert.equal(site.waiting_room, true);
});
