// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What a listener still sees and hears when the speaker's line up, or the
// listener's line down, is bad. Each result is also one line of
// e2e/out/quality.jsonl. scripts/lab.sh quality runs this.

import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { received, seesAndHears } from '../lib/call.mjs';
import { at, counts, cut, impair, mend, restore } from '../lib/impair.mjs';
import { people } from '../lib/media.mjs';
import { clock, codecs, encoded, load, offset, picture, sound, tape, told, watch } from '../lib/quality.mjs';
import { play } from '../lib/scene.mjs';
import { VisitorPage } from '../lib/ui.mjs';
import { sleep, until } from '../lib/wait.mjs';

const results = fileURLToPath(new URL('../out/quality.jsonl', import.meta.url));
const second = 1000;
/** What the film of the speaker's camera allows. */
const full = { height: 720, fps: 25 };
/** Loss and jitter of the acceptance; the delay makes room for the jitter. */
const rough = process.env.E2E_ROUGH ?? 'loss=3 delay=60 jitter=50';

/**
 * Whose line is bad in which direction. The speaker is the host, the listener the visitor: nothing covers the picture
 * there.
 */
const sides = {
  uplink: { line: 'host', direction: 'up', page: (c) => c.host.page },
  downlink: { line: 'visitor', direction: 'down', page: (c) => c.visitor.page },
};
/** Speaker and listener. Firefox has no camera from a file: what it sends is simple. */
const pairs = {
  uplink: [
    ['chromium', 'chromium'],
    ['firefox', 'chromium'],
  ],
  downlink: [
    ['chromium', 'chromium'],
    ['chromium', 'firefox'],
  ],
};

for (const [speaker, listener] of [...pairs.uplink, pairs.downlink[1]]) {
  scene('a good line', 'none', [speaker, listener], async (c) => {
    const row = await measure(c, 15 * second);
    assert.ok(row.sound.concealed < 0.5, `concealed: ${row.sound.concealed} %`);
    assert.ok(row.sound.heard > 97, `heard: ${row.sound.heard} %`);
    assert.equal(row.picture.height, full.height);
    assert.ok(row.picture.fps > 0.9 * full.fps, `${row.picture.fps} frames a second`);
    assert.equal(row.picture.freezes, 0);
    assert.equal(row.told.weak, 0);
  });
}

each('3 % loss, 50 ms jitter, 2 Mbit/s', async (c, { line, direction }) => {
  await impair(line, 'both', rough);
  await impair(line, direction, 'rate=2000');
  await sleep(15 * second);
  const row = await measure(c, 20 * second);
  assert.ok(row.sound.concealed < 2, `concealed: ${row.sound.concealed} %`);
  assert.equal(row.picture.height, 720);
  assert.ok(row.picture.fps >= 0.9 * full.fps, `${row.picture.fps} frames a second`);
});

each('30 % loss', async (c, { line }) => {
  await impair(line, 'both', 'loss=30');
  await sleep(5 * second);
  const row = await measure(c, 30 * second);
  assert.ok(row.sound.heard > 95, `heard: ${row.sound.heard} %`);
  assert.ok(row.sound.long <= 5, `concealed for longer than 60 ms in a row: ${row.sound.long} %`);
  assert.equal(row.ended, false);
});

each('80 kbit/s, 5 % loss', async (c, { line, direction }) => {
  await impair(line, 'both', 'loss=5');
  await impair(line, direction, 'rate=80');
  await sleep(20 * second);
  const row = await measure(c, 20 * second);
  assert.ok(row.sound.noPacket < 500, `no sound for ${row.sound.noPacket} ms`);
  assert.ok(row.sound.concealed < 5, `concealed: ${row.sound.concealed} %`);
  assert.equal(row.picture.fps, 0, 'the picture is paused');
  assert.ok(row.told.weak > 90, `the notice is shown ${row.told.weak} % of the time`);
});

each('100 kbit/s', async (c, { line, direction }) => {
  await impair(line, direction, 'rate=100');
  await sleep(20 * second);
  const row = await measure(c, 20 * second);
  assert.ok(row.sound.concealed < 5, `concealed: ${row.sound.concealed} %`);
  assert.ok(row.picture.fps >= 2, `${row.picture.fps} frames a second`);
});

each('500 kbit/s', async (c, { line, direction }) => {
  await impair(line, direction, 'rate=500');
  await sleep(15 * second);
  const row = await measure(c, 20 * second);
  assert.ok(row.sound.concealed < 2, `concealed: ${row.sound.concealed} %`);
  assert.ok(row.picture.height >= 360, `${row.picture.height} lines`);
  assert.ok(row.picture.fps >= 15, `${row.picture.fps} frames a second`);
});

each('2.5 Mbit/s, 300 kbit/s, and back, twice', async (c, { line, direction }) => {
  await impair(line, direction, 'rate=2500');
  await sleep(5 * second);
  const cycles = [];
  const before = (await measure(c, 5 * second, { quiet: true })).picture.height;
  for (let i = 0; i < 2; i++) {
    await impair(line, direction, 'rate=300');
    const dropped = Date.now();
    const low = await measure(c, 15 * second, { part: `300 kbit/s ${i + 1}` });
    await impair(line, direction, 'rate=2500');
    const lifted = Date.now();
    const high = await measure(c, 20 * second, { part: `2.5 Mbit/s again ${i + 1}` });
    const { frames } = await tape(c.visitor.page);
    const after = (t, is) => {
      const f = frames.find((x) => x.t > t && is(x));
      return f ? Math.round(f.t - t) : null;
    };
    cycles.push({
      before,
      reaction: after(dropped, (f) => f.height < before),
      longest: low.picture.longest,
      concealed: low.sound.concealed,
      back: after(lifted, (f) => f.height >= 0.9 * before),
      backFreeze: high.picture.longest,
    });
  }
  await c.report({ part: 'cycles', cycles });
  for (const cycle of cycles) {
    const text = JSON.stringify(cycle);
    assert.ok(cycle.before >= 360, `there is a picture to make smaller: ${text}`);
    assert.ok(cycle.reaction !== null && cycle.reaction <= 2 * second, `reaction: ${text}`);
    assert.ok(cycle.longest <= 500, `freeze: ${text}`);
    assert.ok(cycle.back !== null && cycle.back <= 10 * second, `recovery: ${text}`);
  }
});

each('no line for 30 s', async (c, { line }) => {
  await cut(line);
  await sleep(30 * second);
  await mend(line);
  const mended = Date.now();
  const row = await measure(c, 15 * second, { quiet: true });
  const now = await tape(c.visitor.page);
  const first = (list, is) => {
    const x = list.find((e) => e.t > mended + 100 && is(e)); // not what was on its way
    return x ? Math.round(x.t - mended) : null;
  };
  const back = { picture: first(now.frames, () => true), sound: first(now.sound, (s) => s.packets > 0) };
  await c.report({ ...row, part: 'after', back });
  assert.equal(row.ended, false);
  for (const [what, ms] of Object.entries(back)) assert.ok(ms !== null && ms <= 3 * second, `${what} after ${ms} ms`);
});

each(
  'picture and sound together',
  async (c, { line }) => {
    // 3 % loss and jitter force the longest buffers the acceptance knows.
    for (const [part, words] of [
      ['good line', 'delay=10'],
      ['bad line', rough],
    ]) {
      await impair(line, 'both', words);
      await sleep(5 * second);
      c.clocked ??= Promise.all([clock(c.host.page, 'mine'), clock(c.visitor.page, 'theirs')]);
      await c.clocked;
      await Promise.all([c.host.page, c.visitor.page].map((page) => page.evaluate(forget)));
      const row = await measure(c, 20 * second, { quiet: true });
      const late = offset(await tape(c.host.page), await tape(c.visitor.page));
      await c.report({ ...row, part, late });
      assert.ok(late, 'there are numbers and marks to compare');
      assert.ok(Math.abs(late.offset) <= 100, `sound is ${late.offset} ms behind the picture`);
    }
    assert.ok(c.first <= 2 * second, `the first frame came ${c.first} ms after admission`);
  },
  [['chromium', 'chromium']],
);

function forget() {
  window.__quality.numbers = [];
  window.__quality.marks = [];
}

/** Declares a scene for both sides. */
function each(name, act, only) {
  for (const [side, of] of Object.entries(sides)) {
    for (const pair of only ?? pairs[side]) scene(name, side, pair, (c) => act(c, of));
  }
}

/**
 * @typedef {object} Call
 * @property {import('../lib/ui.mjs').HostPage} host the speaker
 * @property {VisitorPage} visitor the listener
 * @property {number} first when the visitor's first frame came, in ms after admission
 * @property {(row: object) => Promise<void>} report writes a result down
 */

/** Declares a test: a call that is good, and then what act does. @param {(c: Call) => Promise<void>} act */
function scene(name, side, [speaks, hears], act) {
  play(`${name}: ${side}, ${speaks} speaks, ${hears} listens`, { timeout: 240 * second }, async (s, t) => {
    await restore();
    const report = async (row) => {
      const line = JSON.stringify({ scene: name, side, speaks, hears, ...row });
      t.diagnostic(`quality ${line}`);
      await appendFile(results, `${line}\n`);
    };
    try {
      const c = await call(s, speaks, hears);
      await act(Object.assign(c, { report, side: sides[side] ?? sides.downlink }));
    } finally {
      await restore();
    }
  });
}

/** @returns {Promise<any>} */
async function call(s, speaks, hears) {
  // The browser's own clock plays the sound: a sound server that is late looks like a bad line.
  const own = { args: ['--disable-audio-output'] };
  const open = (kind, person) => s[kind](person, kind === 'chromium' ? own : {});
  const hostSeat = await at('host', () => open(speaks, 'speaker'));
  const visitorSeat = await at('visitor', () => open(hears, 'green'));
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
  await until('the picture is whole', async () => shows(visitor.page), { timeout: 25 * second, every: second }).catch(
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

async function shows(page) {
  const now = await shown(page, 2 * second);
  return now.height >= full.height && now.fps > 0.8 * full.fps;
}

/** Measures for a while and reports. base is what there was before the line became bad. */
async function measure(c, ms, { part, quiet = false } = {}) {
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
