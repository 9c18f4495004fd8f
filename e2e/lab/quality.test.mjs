// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What a listener still sees and hears when the speaker's line up, or the
// listener's line down, is bad. Each result is also one line of
// e2e/out/quality.jsonl. scripts/lab.sh quality runs this.

import assert from 'node:assert/strict';
import { cut, impair, mend } from '../lib/impair.mjs';
import { believed, clock, load, offset, picture, sound, spread, tape } from '../lib/quality.mjs';
import { full, measure, scene, sides } from '../lib/talk.mjs';
import { sleep, until } from '../lib/wait.mjs';

const second = 1000;
/** Loss and jitter of the acceptance; the delay makes room for the jitter. */
const rough = process.env.E2E_ROUGH ?? 'loss=3 delay=60 jitter=50';

/** Speaker and listener. Firefox has no camera from a file: what it sends is simple, unless it has a studio. */
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

scene(
  '2.5 Mbit/s, 300 kbit/s, and back, twenty times',
  'downlink',
  ['chromium', 'chromium'],
  async (c) => {
    const { line, direction } = sides.downlink;
    const page = c.visitor.page;
    await impair(line, direction, 'rate=2500');
    await sleep(5 * second);
    const before = picture(await tape(page), Date.now() - 4 * second, Date.now()).height;
    assert.ok(before >= 360, `there is a picture to make smaller: ${before} lines`);
    const cycles = [];
    for (let i = 0; i < 20; i++) {
      await impair(line, direction, 'rate=300');
      const dropped = Date.now();
      await sleep(6 * second);
      await impair(line, direction, 'rate=2500');
      const lifted = Date.now();
      const large = () => page.evaluate(showsLarge, { from: lifted, height: 0.9 * before });
      await until('the picture is back', large, { timeout: 25 * second }).catch(() => {}); // the result tells
      await sleep(1 * second);
      const all = await tape(page);
      const smaller = all.frames.find((f) => f.t > dropped && f.height < before);
      const back = all.frames.find((f) => f.t > lifted && f.height >= 0.9 * before);
      cycles.push({
        reaction: smaller ? Math.round(smaller.t - dropped) : null,
        freeze: picture(all, dropped, lifted).longest,
        concealed: sound(all, dropped, lifted).concealed,
        back: back ? Math.round(back.t - lifted) : null,
        backFreeze: picture(all, lifted, Date.now()).longest,
      });
    }
    const of = (field) => spread(cycles.map((x) => x[field] ?? Number.POSITIVE_INFINITY));
    const figures = Object.fromEntries(Object.keys(cycles[0]).map((field) => [field, of(field)]));
    await c.report({ figures, cycles, load: await load(), base: c.base });
    const text = JSON.stringify(cycles);
    assert.ok(
      cycles.every((x) => x.reaction !== null && x.back !== null),
      `something stays as it is: ${text}`,
    );
    assert.ok(figures.reaction.p95 <= 2 * second, `reaction: ${text}`);
    assert.ok(figures.freeze.p50 <= 500 && figures.freeze.p95 <= 1.5 * second, `freeze: ${text}`);
    assert.ok(figures.back.p50 <= 5 * second && figures.back.p95 <= 10 * second, `recovery: ${text}`);
    assert.equal(await c.visitor.call.tiles().count(), 1, 'the call goes on');
  },
  { timeout: 600 * second },
);

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
      await c.report({ ...row, part, late, believed: await believed(c.visitor.page) });
      assert.ok(late, 'there are numbers and marks to compare');
      assert.ok(Math.abs(late.offset) <= 100, `sound is ${late.offset} ms behind the picture`);
    }
    assert.ok(c.first <= 2 * second, `the first frame came ${c.first} ms after admission`);
  },
  { studio: true },
);

/** Whether the newest picture is so high, and newer than a time. */
function showsLarge({ from, height }) {
  const last = window.__quality.frames.at(-1);
  return last !== undefined && last.t > from && last.height >= height;
}

function forget() {
  window.__quality.numbers = [];
  window.__quality.marks = [];
}

/** Declares a scene for both sides. */
function each(name, act, setting) {
  for (const [side, of] of Object.entries(sides)) {
    for (const pair of pairs[side]) scene(name, side, pair, (c) => act(c, of), setting);
  }
}
