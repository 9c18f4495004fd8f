// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { accessible } from '../lib/axe.mjs';
import { play } from '../lib/scene.mjs';
import { until } from '../lib/wait.mjs';

const phone = { viewport: { width: 390, height: 844 } };
const stateOf = (page, part) => page.getByTestId(`part-${part}`).getAttribute('data-state');

async function open(s, seat) {
  const page = await seat.page();
  await page.goto(`${s.origin}${s.caddy.base}/test`);
  await page.getByTestId('test-intro').waitFor();
  return page;
}

/** Everything a page asks any server for. */
function requests(page) {
  const all = [];
  page.on('request', (r) => all.push(`${r.method()} ${r.url()} ${r.postData() ?? ''}`));
  return all;
}

play('the whole test: camera, microphone, loudspeaker, network, report', { timeout: 180_000 }, async (s, t) => {
  const page = await open(s, await s.chromium('green', phone));
  const asked = requests(page);
  await accessible(page, 'the test explained');
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, 'wider than a narrow window');
  await page.setViewportSize(phone.viewport);
  await page.getByTestId('test-start').click();
  await page.getByText('Bitte setzen Sie zuerst den Haken.').waitFor();
  assert.equal(await page.getByTestId('bench').count(), 0, 'nothing starts without consent');
  await page.getByTestId('test-consent').check();
  await page.getByTestId('test-start').click();
  await page.getByTestId('bench').waitFor();

  await until(
    'advice on the picture',
    async () => (await page.getByTestId('camera-advice').getAttribute('data-advice')) !== null,
  );
  await page.locator('[data-testid="mic-level"][data-heard="yes"]').waitFor();
  await page.getByTestId('test-tone').click();
  await page.getByTestId('heard-yes').click();
  await page.getByTestId('record').click();
  await page.locator('[data-testid="record"][aria-disabled="true"]').waitFor();
  const audio = page.getByTestId('playback');
  await audio.waitFor();
  await until('the recording plays', async () => (await audio.evaluate((el) => el.currentTime)) > 0.5);
  const length = await audio.evaluate(
    (el) =>
      new Promise((done) => {
        el.ontimeupdate = () => Number.isFinite(el.duration) && done(el.duration);
        el.currentTime = 1e6; // the file has no length in front; the browser finds it
      }),
  );
  assert.ok(length > 3.5 && length < 6.5, `five seconds: ${length}`);

  await page.locator('[data-testid="network-text"][data-stage="done"]').waitFor({ timeout: 60_000 });
  const facts = page.getByTestId('network-facts');
  assert.equal(await facts.getAttribute('data-route'), 'udp');
  t.diagnostic((await facts.textContent()) ?? '');
  assert.ok(['good', 'hint'].includes(await stateOf(page, 'network')));
  assert.match((await facts.textContent()) ?? '', /[1-9][\d,.]* (k|M)bit\/s/);
  await page.locator('[data-testid="test-result"]:not([data-result="open"]):not([data-result="trouble"])').waitFor();
  await page.getByTestId('test-result').locator('summary').click();
  const report = await page.getByTestId('test-report').inputValue();
  assert.match(report, /UDP: geht\n/);
  assert.match(report, new RegExp(`${s.caddy.address}, TCP ${s.caddy.ports.https}`));
  await accessible(page, 'the test with its result');

  const storage = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
  assert.deepEqual(storage, [0, 0, ''], 'nothing is stored');
  const allowed = ['/test', '/api/v1/test', '/rtc/v1', '/_vr/'];
  for (const r of asked) {
    if (r.includes(' blob:')) continue;
    assert.ok(r.includes(s.origin), `a request elsewhere: ${r}`);
    assert.ok(
      allowed.some((p) => r.includes(`${s.caddy.base}${p}`)),
      `an unexpected request: ${r}`,
    );
    assert.ok(r.length < 4000, 'no picture and no sound in a request');
  }
  await page.getByTestId('test-stop').click();
  await page.getByTestId('test-intro').waitFor();
});

play('without a camera the rest can be tried', {}, async (s) => {
  const seat = await s.chromium('green', { permissions: [] });
  const page = await seat.page();
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('no', 'NotAllowedError');
    };
  });
  await page.goto(`${s.origin}${s.caddy.base}/test`);
  await page.getByTestId('test-consent').check();
  await page.getByTestId('test-start').click();
  await page.getByTestId('test-refused').waitFor();
  assert.equal(await stateOf(page, 'camera'), 'bad');
  for (const part of ['camera', 'microphone']) {
    const text = (await page.getByTestId(`part-${part}`).textContent()) ?? '';
    assert.match(text, /gesperrt/, 'what is refused is not said to be missing');
    assert.doesNotMatch(text, /finden/);
  }
  await page.locator('[data-testid="network-text"][data-stage="done"]').waitFor({ timeout: 60_000 });
  await page.locator('[data-testid="test-result"][data-result="trouble"]').waitFor();
  await accessible(page, 'the test without a camera');
});

play('the test in Firefox, in English', { timeout: 180_000 }, async (s) => {
  const page = await open(s, await s.firefox('blue'));
  await page.getByTestId('language').selectOption('en');
  await page.getByTestId('test-consent').check();
  await page.getByTestId('test-start').click();
  await page.locator('[data-testid="network-text"][data-stage="done"]').waitFor({ timeout: 90_000 });
  assert.equal(await page.getByTestId('network-facts').getAttribute('data-route'), 'udp');
  await page.getByTestId('record').click();
  await page.getByTestId('playback').waitFor();
  await page.getByRole('heading', { name: 'Equipment test' }).waitFor();
});

play('where the server gives out no more test rooms the page says so', {}, async (s) => {
  const page = await open(s, await s.chromium('green'));
  await page.getByTestId('test-consent').check();
  // One comes back every fifteen seconds. Asked from the page: the limit counts addresses.
  const answers = await page.evaluate(async (url) => {
    const ask = () => fetch(url, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } });
    return (await Promise.all([1, 2, 3, 4, 5].map(ask))).map((r) => r.status);
  }, `${s.caddy.base}/api/v1/test`);
  assert.ok(answers.includes(429), answers.join(' '));
  await page.getByTestId('test-start').click();
  await page.locator('[data-testid="network-text"][data-stage="failed"]').waitFor();
});
