// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// More cameras than are shown at once, in a room that the server hears nothing of: who speaks comes into view. The
// cameras are tiny, so that one machine can encode and decode them all. scripts/lab.sh many runs this.

import assert from 'node:assert/strict';
import { secured } from '../lib/lock.mjs';
import { play } from '../lib/scene.mjs';
import { sleep, until } from '../lib/wait.mjs';

const guests = 14;
const shown = 12;

/** Runs in the pages of guests: a camera of 64 by 36 dots, and a microphone that is silent until `speak(true)`. */
function tinyDevices() {
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const tracks = [];
    if (wanted.video) {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
      const pen = canvas.getContext('2d');
      setInterval(() => {
        pen.fillStyle = `hsl(120 80% ${30 + 40 * Math.random()}%)`;
        pen.fillRect(0, 0, 64, 36);
      }, 250);
      tracks.push(...canvas.captureStream(4).getVideoTracks());
    }
    if (wanted.audio) {
      const context = new AudioContext();
      const tone = new OscillatorNode(context);
      const volume = new GainNode(context, { gain: 0 });
      const out = context.createMediaStreamDestination();
      tone.connect(volume).connect(out);
      tone.start();
      window.speak = (on) => {
        volume.gain.value = on ? 0.5 : 0;
      };
      tracks.push(...out.stream.getAudioTracks());
    }
    return new MediaStream(tracks);
  };
}

/** Names in view, and how many frames of each were painted. */
const inView = (page) =>
  page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('[data-testid="tile"]')]
        .filter((tile) => tile.querySelector('video:not([hidden])') && tile.dataset.paused === 'false')
        .map((tile) => [
          tile.querySelector('[data-testid="tile-name"]').textContent,
          tile.querySelector('video').getVideoPlaybackQuality().totalVideoFrames,
        ]),
    ),
  );

/** Pictures for which packets came within 2 s. */
const coming = async (page) => {
  const packets = async () =>
    new Map(
      (await page.evaluate(() => window.__vr.stats()))
        .filter((s) => s.type === 'inbound-rtp' && s.kind === 'video')
        .map((s) => [s.id, s.packetsReceived]),
    );
  const before = await packets();
  await sleep(2000);
  return [...(await packets())].filter(([id, n]) => n > (before.get(id) ?? 0)).length;
};

const site = { videoroom: 'e2ee required' };
play('fourteen cameras, encrypted: who speaks comes into view', { site, timeout: 600_000 }, async (s, t) => {
  const { host, link } = await s.host(await s.chromium('red'));
  await host.enter();
  const seat = await s.chromium('blue', { viewport: { width: 420, height: 320 } });
  await seat.context.addInitScript(tinyDevices);
  const people = [];
  for (let i = 1; i <= guests; i++) {
    const visitor = await s.visit(seat, link);
    await visitor.knock(`Gast ${i}`);
    await host.admit(`Gast ${i}`);
    await visitor.call.joined(60_000);
    people.push(visitor);
  }
  await host.call.count(guests, 60_000);
  await secured(host.page, 120_000);
  const first = Array.from({ length: shown }, (_, i) => `Gast ${i + 1}`).sort();
  await until(
    'the first twelve are in view',
    async () => {
      assert.deepEqual(Object.keys(await inView(host.page)).sort(), first);
      return true;
    },
    { timeout: 60_000 },
  );
  await until(
    'no more than twelve pictures come',
    async () => {
      const n = await coming(host.page);
      if (n !== shown) throw new Error(`${n} come`);
      return true;
    },
    { timeout: 60_000 },
  );

  const last = people.at(-1).page;
  const began = Date.now();
  await last.evaluate(() => window.speak(true));
  await until('who speaks is in view', async () => (await inView(host.page))['Gast 14'] > 0, { timeout: 30_000 });
  t.diagnostic(`in view ${Date.now() - began} ms after the first word`);
  const now = await inView(host.page);
  assert.deepEqual(Object.keys(now).sort(), [...first.filter((n) => n !== 'Gast 12'), 'Gast 14'].sort());
  await last.evaluate(() => window.speak(false));
  await until('frames of the speaker go on', async () => (await inView(host.page))['Gast 14'] > now['Gast 14'] + 4);
  await host.page.screenshot({ path: 'out/many-host.png' });
});
