// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Stock browsers of the machine, each process with its person's camera.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium, firefox } from 'playwright-core';
import { filesOf } from './media.mjs';
import { Witness } from './witness.mjs';

const probe = fileURLToPath(new URL('./probe.js', import.meta.url));
const out = fileURLToPath(new URL('../out', import.meta.url));

const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const run = promisify(execFile);
const firefoxPath = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

/** Opens a Chromium whose camera and microphone are those of a person. */
export async function openChromium(person, { args = [], ...context } = {}) {
  const { video, audio } = await filesOf(person);
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--autoplay-policy=no-user-gesture-required',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${video}`,
      `--use-file-for-fake-audio-capture=${audio}`,
      '--auto-select-desktop-capture-source=Entire screen',
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      '--allow-loopback-in-peer-connection',
      ...args,
    ],
  });
  return new Seat(browser, person, await newContext(browser, context));
}

/**
 * Opens a Firefox ESR; its camera and microphone are the browser's own fakes. Pages may have any certificate, relays
 * only one of the authority trust, the path of its root.
 */
export async function openFirefox(person, { prefs = {}, trust, ...context } = {}) {
  const launch = {
    channel: 'moz-firefox',
    executablePath: firefoxPath,
    firefoxUserPrefs: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.peerconnection.ice.loopback': true,
      'messaging-system.rsexperimentloader.enabled': false,
      ...prefs,
    },
  };
  if (!trust) {
    const browser = await firefox.launch(launch);
    return new Seat(browser, person, await newContext(browser, context));
  }
  const profile = await mkdtemp(path.join(tmpdir(), 'videoroom-firefox-'));
  await run('certutil', ['-A', '-d', `sql:${profile}`, '-n', 'test', '-t', 'C,,', '-i', trust]);
  const own = await firefox.launchPersistentContext(profile, { ...launch, ...everywhere, ...context });
  await own.addInitScript({ path: probe });
  const close = async () => {
    await own.close();
    await rm(profile, { recursive: true, force: true });
  };
  return new Seat({ close }, person, own);
}

const everywhere = { ignoreHTTPSErrors: true, locale: 'de-DE', viewport: { width: 1280, height: 720 } };

async function newContext(browser, options) {
  const context = await browser.newContext({ ...everywhere, ...options });
  await context.addInitScript({ path: probe });
  return context;
}

/** A browser with one person before it, and what was witnessed of it. */
export class Seat {
  constructor(browser, person, context) {
    this.browser = browser;
    this.person = person;
    this.context = context;
    this.witness = new Witness();
  }

  /** @returns {Promise<import('playwright-core').Page>} */
  async page() {
    const page = await this.context.newPage();
    page.setDefaultTimeout(20_000);
    this.witness.watch(page);
    return page;
  }

  /** Pictures and histories of all pages, for a test that failed. */
  async shoot(name) {
    await mkdir(out, { recursive: true });
    for (const [i, page] of this.context.pages().entries()) {
      const file = path.join(out, `${name}-${this.person}-${i}`);
      await page.screenshot({ path: `${file}.png` }).catch(() => {});
      const history = await page.evaluate(() => window.__vr.history).catch(() => []);
      await writeFile(`${file}.txt`, [page.url(), ...history].join('\n'));
    }
  }

  async close() {
    await this.browser.close();
  }
}
