// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What a call looks and sounds like from one page.

import { people } from './media.mjs';
import { sleep, until } from './wait.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** Statistics of all open peer connections of a page. @param {Page} page */
export const stats = (page) => page.evaluate(() => window.__vr.stats());

/** Sums of the streams a page receives. @param {Page} page */
export async function received(page) {
  const all = await stats(page);
  const inbound = all.filter((s) => s.type === 'inbound-rtp');
  const sum = (kind, field) => inbound.filter((s) => s.kind === kind).reduce((total, s) => total + (s[field] ?? 0), 0);
  return {
    frames: sum('video', 'framesDecoded'),
    videoStreams: inbound.filter((s) => s.kind === 'video' && s.framesDecoded > 0).length,
    audioStreams: inbound.filter((s) => s.kind === 'audio' && s.packetsReceived > 0).length,
    audioEnergy: sum('audio', 'totalAudioEnergy'),
    audioPackets: sum('audio', 'packetsReceived'),
    freezes: sum('video', 'freezeCount'),
    frozenSeconds: sum('video', 'totalFreezesDuration'),
  };
}

/** Sums of what a page sends. @param {Page} page */
export async function sent(page) {
  const outbound = (await stats(page)).filter((s) => s.type === 'outbound-rtp');
  const of = (kind) => outbound.filter((s) => s.kind === kind);
  return {
    frames: of('video').reduce((n, s) => n + (s.framesSent ?? s.framesEncoded ?? 0), 0),
    audioPackets: of('audio').reduce((n, s) => n + (s.packetsSent ?? 0), 0),
    layers: of('video').length,
  };
}

/** Waits until a page decodes at least so many more frames and hears something. */
export async function seesAndHears(page, { frames = 20, streams = 1, timeout = 30_000 } = {}) {
  const before = await received(page);
  return until(
    `${streams} stream(s), ${frames} more frames and sound`,
    async () => {
      const now = await received(page);
      const ok =
        now.videoStreams >= streams && now.frames - before.frames >= frames && now.audioEnergy > before.audioEnergy;
      if (!ok) throw new Error(JSON.stringify({ before, now }));
      return now;
    },
    { timeout },
  );
}

/** How many frames and how much sound arrive within ms, on streams that are there all the time or new. */
export async function flow(page, ms = 2_000) {
  const inbound = async () => (await stats(page)).filter((s) => s.type === 'inbound-rtp');
  const before = new Map((await inbound()).map((s) => [s.id, s]));
  await sleep(ms);
  const now = await inbound();
  const gain = (kind, field) =>
    now
      .filter((s) => s.kind === kind)
      .reduce((total, s) => total + (s[field] ?? 0) - (before.get(s.id)?.[field] ?? 0), 0);
  return {
    frames: gain('video', 'framesDecoded'),
    energy: gain('audio', 'totalAudioEnergy'),
    audioPackets: gain('audio', 'packetsReceived'),
    frozenSeconds: gain('video', 'totalFreezesDuration'),
  };
}

/**
 * Watches what comes in while act runs and returns the longest time, in ms,
 * without a single packet of sound or picture. (Sound alone pauses by itself
 * between words.) A late look at the counters does not count as a gap when they
 * show that packets have come meanwhile.
 * @param {Page} page @param {() => Promise<void>} act
 */
export async function longestGap(page, act) {
  await page.evaluate(() => {
    const watch = { longest: 0, stopped: false };
    window.__vr.gap = watch;
    const look = async () => {
      const inbound = (await window.__vr.stats()).filter((s) => s.type === 'inbound-rtp');
      return { at: performance.now(), packets: inbound.reduce((n, s) => n + s.packetsReceived, 0) };
    };
    watch.done = (async () => {
      let last = await look();
      for (let quiet = 0; !watch.stopped; ) {
        await new Promise((resolve) => setTimeout(resolve, 40));
        const now = await look();
        quiet = now.packets > last.packets ? 0 : quiet + now.at - last.at;
        watch.longest = Math.max(watch.longest, quiet);
        last = now;
      }
    })();
  });
  await act();
  return page.evaluate(async () => {
    window.__vr.gap.stopped = true;
    await window.__vr.gap.done;
    return Math.round(window.__vr.gap.longest);
  });
}

/** What a <video> shows right now, or null. @param {Page} page @param {string} selector */
export const look = (page, selector) => page.evaluate((s) => window.__vr.look(s), selector);

/** Hue in degrees of an average colour, -30…330. */
export function hue({ r, g, b }) {
  const max = Math.max(r, g, b);
  const d = max - Math.min(r, g, b);
  if (d < 40) return Number.NaN; // grey
  let h = max === r ? ((g - b) / d) * 60 : max === g ? 120 + ((b - r) / d) * 60 : 240 + ((r - g) / d) * 60;
  if (h < -30) h += 360;
  return h;
}

/** Waits until the <video> shows this person, in moving pictures. */
export async function showsPerson(page, selector, person, { timeout = 30_000 } = {}) {
  const [low, high] = people[person].hue;
  let last;
  const shown = await until(
    `${selector} shows ${person}`,
    async () => {
      const seen = await look(page, selector);
      if (!seen) throw new Error('no picture');
      const h = hue(seen);
      if (!(h >= low && h <= high)) throw new Error(`hue ${h} of ${JSON.stringify(seen)}`);
      const moved = last !== undefined && last !== seen.sum;
      last = seen.sum;
      return moved && seen;
    },
    { timeout },
  );
  return shown;
}

/**
 * The pair of addresses media runs over: the server's, and how the browser gets there ("turn" tells the protocol to a
 * relay).
 * @param {Page} page
 */
export async function selectedPair(page) {
  const all = await stats(page);
  const transport = all.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
  const pair =
    all.find((s) => s.type === 'candidate-pair' && s.id === transport?.selectedCandidatePairId) ??
    all.find((s) => s.type === 'candidate-pair' && (s.selected || (s.nominated && s.state === 'succeeded')));
  if (!pair) return null;
  const remote = all.find((s) => s.id === pair.remoteCandidateId);
  const local = all.find((s) => s.id === pair.localCandidateId);
  return {
    protocol: remote?.protocol,
    address: remote?.address,
    port: remote?.port,
    type: remote?.candidateType,
    local: local?.candidateType,
    turn: local?.relayProtocol || undefined,
  };
}
