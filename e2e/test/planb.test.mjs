// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The way out when nothing else works: the telephone stands on every page, without scripts too.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { chromium, firefox } from 'playwright-core';
import { accessible } from '../lib/axe.mjs';
import { Caddy } from '../lib/caddy.mjs';

const room = `r/${'a'.repeat(26)}#s=broken`;
const phone = 'a[href^="tel:"]';
const browsers = {
  Chromium: () =>
    chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] }),
  Firefox: (scripts = false) =>
    firefox.launch({
      channel: 'moz-firefox',
      executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
      // Firefox is not told by Playwright to do without.
      firefoxUserPrefs: { 'javascript.enabled': scripts },
    }),
};

/** @type {Caddy} */
let caddy;
before(async () => {
  caddy = await Caddy.start();
});
after(async () => {
  await caddy?.stop();
});

/** Opens one page in one browser and closes both. */
async function visit(open, options, path, look, prepare = async (_page) => {}) {
  const browser = await open();
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
    const page = await context.newPage();
    await prepare(page);
    const answer = await page.goto(`${caddy.origin}${caddy.base}/${path}`);
    await look(page, answer);
  } finally {
    await browser.close();
  }
}

/** What a person sees: nothing lies beside the window, and the telephone can be pressed. */
async function readable(page) {
  const link = page.locator(phone).locator('visible=true').first();
  assert.ok(await link.isVisible(), 'no telephone can be seen');
  const box = await link.boundingBox();
  const { width, height } = page.viewportSize();
  assert.ok(box && box.x >= 0 && box.x + box.width <= width && box.y + box.height <= height, JSON.stringify(box));
  const wide = page.locator('body');
  assert.ok(((await wide.boundingBox())?.width ?? 0) <= width, 'the page is wider than the window');
}

for (const [name, open] of Object.entries(browsers)) {
  test(`${name}: without JavaScript every page names the telephone`, { timeout: 180_000 }, async () => {
    for (const path of ['', 'host/', room]) {
      await visit(open, { javaScriptEnabled: false, viewport: { width: 390, height: 844 } }, path, async (page) => {
        await readable(page);
        // Beside the text there is room: no rule of the interface's own style reaches into this page.
        const card = await page.locator('main').locator('visible=true').boundingBox();
        assert.ok(card && card.x >= 8 && card.x + card.width <= 390 - 8, JSON.stringify(card));
        assert.match(await page.locator('h1').locator('visible=true').textContent(), /JavaScript/, path);
        assert.equal(await page.getByText('Browser zu alt').isVisible(), false, 'both reasons at once');
      });
    }
  });

  test(`${name}: the page about privacy needs no JavaScript`, { timeout: 60_000 }, async () => {
    await visit(open, { javaScriptEnabled: false }, 'privacy', async (page, answer) => {
      assert.equal(answer?.status(), 200);
      const text = await page.locator('main').textContent();
      assert.match(text, /von Browser zu Browser verschlüsselt/);
      assert.match(text, /der Name, mit dem Sie anklopfen, werden von Browser zu Browser verschlüsselt/);
      assert.match(text, /bis man Sie hereinlässt/);
      assert.doesNotMatch(text, /ohne HTTPS/);
      // The style is the page's own and the policy lets it through.
      assert.equal(await page.locator('main').evaluate((e) => getComputedStyle(e).borderRadius), '20px');
    });
  });
}

test('a browser that cannot run the program says so and names the telephone', { timeout: 60_000 }, async () => {
  const old = (page) =>
    page.route('**/app.js', (route) => route.fulfill({ contentType: 'text/javascript', body: 'a newer language {{' }));
  await visit(
    browsers.Chromium,
    { viewport: { width: 390, height: 844 } },
    room,
    async (page) => {
      await page.getByText('Browser zu alt').waitFor({ state: 'visible' });
      await page.waitForFunction(() => getComputedStyle(document.querySelector('.late')).opacity === '1');
      await readable(page);
    },
    old,
  );
});

test('a path that leads nowhere is a page and not a line of data', { timeout: 60_000 }, async () => {
  await visit(browsers.Chromium, {}, 'r/a/b', async (page, answer) => {
    assert.equal(answer?.status(), 404);
    await readable(page);
    assert.match(await page.locator('h1').textContent(), /gibt es nicht/);
  });
  for (const colorScheme of ['light', 'dark']) {
    for (const path of ['r/a/b', 'privacy']) {
      await visit(browsers.Chromium, { colorScheme }, path, (page) => accessible(page, `${path}, ${colorScheme}`));
    }
  }
  const data = await caddy.get('/video/r/a/b', { headers: { Accept: 'application/json' } });
  assert.equal(data.status, 404);
  assert.match(String(data.headers['content-type']), /json/);
});

for (const [name, open] of Object.entries(browsers)) {
  test(`${name}: a server that starts is waited for, and the link stays whole`, { timeout: 90_000 }, async () => {
    let there = false;
    const behind = http.createServer((_, answer) => {
      answer.writeHead(there ? 200 : 503, { 'Content-Type': 'text/html' });
      answer.end('<h1>Da</h1>');
    });
    await new Promise((listening) => behind.listen(0, '127.0.0.1', listening));
    const before = `reverse_proxy /video/soon 127.0.0.1:${behind.address().port} {
		@down status 503
		handle_response @down {
			error 503
		}
	}`;
    await caddy.reload({ before });
    try {
      await visit(
        () => open(true),
        {},
        'soon#s=cap',
        async (page, answer) => {
          assert.equal(answer?.status(), 503);
          assert.match(await page.locator('h1').textContent(), /Einen Moment/);
          await readable(page);
          await accessible(page, 'waiting for the server');
          await page.waitForTimeout(6_000);
          there = true;
          await page.getByText('Da', { exact: true }).waitFor();
          assert.equal(new URL(page.url()).hash, '#s=cap');
        },
      );
    } finally {
      behind.close();
      await caddy.reload();
    }
  });
}
