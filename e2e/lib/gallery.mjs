// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The call's screens with made-up people, built from the sources and served as a page of the site.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { freePort } from './ports.mjs';

const web = fileURLToPath(new URL('../../web', import.meta.url));
const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Builds and serves it, and opens a browser. */
export async function openGallery() {
  const vite = `${web}/node_modules/.bin/vite`;
  await promisify(execFile)(vite, ['build', '--config', 'vite.gallery.config.ts'], { cwd: web });
  const port = await freePort();
  const env = { ...process.env, PORT: String(port) };
  const server = spawn(process.execPath, ['dev/mock.mjs'], { cwd: web, env, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(server.stdout, 'data');
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
  return {
    /** A scene, by its query; the parameters stand in the gallery's source. `window.said` is what was announced. */
    async show(query) {
      const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
      page.setDefaultTimeout(20_000);
      // What is announced stands for seconds only: it is kept here.
      await page.addInitScript(() => {
        window.said = [];
        new MutationObserver(() => {
          const text = document.querySelector('[data-testid=live]')?.textContent;
          if (text && window.said.at(-1) !== text) window.said.push(text);
        }).observe(document, { subtree: true, childList: true, characterData: true });
      });
      await page.goto(`http://127.0.0.1:${port}/video/_dev/gallery.html?${query}`);
      return page;
    },
    async close() {
      await browser.close();
      server.kill();
    },
  };
}
