// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A call between a speaker and a listener whose lines can be made bad, and
// what the listener has of it. Each result is also one line of
// e2e/out/quality.jsonl.

import { appendFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { received, seesAndHears } from './call.mjs';
import { at, counts, restore } from './impair.mjs';
import { people } from './media.mjs';
import { codecs, encoded, load, picture, sound, tape, told, watch } from './quality.mjs';
import { play } from './scene.mjs';
import { stage, studio } from './studio.mjs';
import { VisitorPage } from './ui.mjs';
import { sleep, until } from './wait.mjs';

const results = fileURLToPath(new URL('../out/quality.jsonl', import.meta.url));
const second = 1000;
/** What the film of the speaker's camera allows. */
export const full = { height: 720, fps: 25 };

/**
 * Whose line is bad in which direction. The speaker is the host, the listener the visitor: nothing covers the picture
 * there.
 */
export const sides = {
  uplink: { line: 'host', direction: 'up', page: (c) => c.host.page },
  downlink: { line: 'visitor', direction: 'down', page: (c) => c.visitor.page },
};

/**
 * @typedef {object} Call
 * @property {import('../lib/ui.mjs').HostPage} host the speaker
 * @property {VisitorPage} visitor the listener
 * @property {number} first when the visitor's first frame came, in ms after admission
 * @property {(row: object) => Promise<void>} report writes a result down
 */

/**
 * @typedef {object} Setting
 * @property {number} [timeout] of the whole test, in ms
 * @property {boolean} [studio] Firefox speaks with the film's numbers and marks, not with its own fakes
 * @property {object} [view] options of the listener's browser
 * @property {(context: import('playwright-core').BrowserContext) => Promise<void>} [prepare] the speaker's browser
 */

/**
 * Declares a test: a call that is good, and then what act does.
 * @param {(c: Call) => Promise<void>} act @param {Setting} [setting]
 */
export function scene(name, side, [speaks, hears], act, setting = {}) {
  const { timeout = 240 * second } = setting;
  play(`${name}: ${side}, ${speaks} speaks, ${hears} listens`, { timeout }, async (s, t) => {
    await restore();
    const report = (row) => note(t, { scene: name, side, speaks, hears, ...row });
    try {
      const c = await call(s, speaks, hears, setting);
      await act(Object.assign(c, { report, side: sides[side] ?? sides.downlink }));
    } finally {
      await restore();
    }
  });
}

/** The browser's own clock plays the sound: a sound server that is late looks like a bad line. */
export const own = (kind) => (kind === 'chromium' ? { args: ['--disable-audio-output'] } : {});

/** Writes a result down. @param {import('node:test').TestContext} t @param {object} row */
export async function note(t, row) {
  const line = JSON.stringify(row);
  t.diagnostic(`quality ${line}`);
  await appendFile(results, `${line}\n`);
}

/** @returns {Promise<any>} */
async function call(s, speaks, hears, { studio: staged = false, view = {}, prepare }) {
  const hostSeat = await at('host', () => s[speaks]('speaker', own(speaks)));
  const visitorSeat = await at('visitor', () => s[hears]('green', { ...own(hears), ...view }));
  const drawn = staged && speaks === 'firefox';
  if (drawn) await studio(hostSeat.context);
  await prepare?.(hostSeat.context);
  const { host, link } = await s.host(hostSeat);
  await host.enter();
  const visitor = await VisitorPage.open(visitorSeat, link);
  // The listener sends sound alone: two cores do not encode two cameras.
  await visitor.knock(people.green.name, { with: 'audio' });
  const frame = visitor.page.evaluate(() => window.__vr.firstFrame());
  frame.catch(() => {}); // awaited below, unless admission fails before
  await host.admit(people.green.name);
  await visitor.call.joined();
  await seesAndHears(visitor.page);
  await until('the speaker hears the listener', async () => (await received(host.page)).audioEnergy > 0);
  const first = Math.round((await frame).at - (await visitor.page.evaluate(() => window.__vr.admitted)));
  await Promise.all([watch(host.page), watch(visitor.page)]);
  const c = { host, visitor, first };
  await until('the picture is whole', () => shows(visitor.page, drawn ? stage.height : full.height), {
    timeout: 25 * second,
    every: second,
  }).catch(
    () => {}, // the result tells
  );
  await sleep(2 * second);
  c.base = await shown(visitor.page, 4 * second);
  return c;
}

async function shown(page, ms) {
  const now = Date.now();
  const all = await tape(page);
  return { ...picture(all, now - ms, now), concealed: sound(all, now - ms, now).concealed };
}

async function shows(page, lines) {
  const now = await shown(page, 2 * second);
  return now.height >= lines && now.fps > 0.8 * full.fps;
}

/** Measures for a while and reports. base is what there was before the line became bad. */
export async function measure(c, ms, { part, quiet = false } = {}) {
  await load();
  const before = await counts(c.side.line);
  const from = Date.now();
  await sleep(ms);
  const to = Date.now();
  const all = await tape(c.visitor.page);
  const after = await counts(c.side.line);
  const seen = await c.visitor.call.tiles().count();
  const row = {
    part,
    picture: picture(all, from, to),
    sound: sound(all, from, to),
    told: told(await tape(c.side.page(c)), from, to),
    ended: seen !== 1,
    first: c.first,
    base: c.base,
    encoded: await encoded(c.host.page),
    codecs: { sent: await codecs(c.host.page, 'outbound-rtp'), heard: await codecs(c.visitor.page, 'inbound-rtp') },
    line: carried(before, after, (to - from) / second),
    load: await load(),
  };
  if (!quiet) await c.report(row);
  return row;
}

/** What the bad line carried: kbit/s, and packets lost by chance and by its queue. */
function carried(before, after, seconds) {
  const of = (direction) => {
    const gain = (field) => after[direction][field] - before[direction][field];
    return {
      kbit: Math.round((gain('outBytes') * 8) / 1000 / seconds),
      lost: gain('lost'),
      overflowed: gain('overflowed'),
    };
  };
  return { up: of('up'), down: of('down') };
}
