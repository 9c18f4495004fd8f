// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Whether a shared screen with text of 11 pt can be read over a narrow line,
// and how soon after it was scrolled. scripts/lab.sh reading runs this.

import assert from 'node:assert/strict';
import { impair } from '../lib/impair.mjs';
import { encoded, load, spread } from '../lib/quality.mjs';
import { scene, sides } from '../lib/talk.mjs';
import { readAlong, reading, shareText, sheet, spectacles } from '../lib/text.mjs';
import { sleep, until } from '../lib/wait.mjs';

const second = 1000;
/**
 * Nearly every letter resembles itself the most, and is as sharp as in a copy of nine tenths of the size. Copies of half
 * the size, which nobody can read, have 95 % and 0.77.
 */
const legible = (f) => f.right >= 0.99 && f.alike >= 0.9;
/** Whole pages are harder than lines: nothing of them was sent before. */
const steps = [
  ['3 lines', 3, 3],
  ['a page', sheet.rows, 3],
];

for (const [side, { line, direction }] of Object.entries(sides)) {
  for (const kbit of [1000, 2000]) {
    scene(
      `a page of text, ${kbit} kbit/s`,
      side,
      ['chromium', 'chromium'],
      async (c) => {
        const page = c.visitor.page;
        await impair(line, direction, `rate=${kbit}`);
        await sleep(5 * second);
        await spectacles(page);
        await c.host.call.toggleShare();
        const shared = Date.now();
        const screen = page.locator(c.visitor.call.screen('Dr. Muster'));
        await screen.waitFor();
        await until('there is a frame', () => screen.evaluate((v) => v.videoWidth > 0));
        await readAlong(page, c.visitor.call.screen('Dr. Muster'), 0);
        const limits = await c.host.page.evaluate(() => window.__sheet.limits(0.5));
        const soon = async (from, timeout) => {
          const is = async () => (await reading(page)).find((f) => f.t > from && legible(f));
          const f = await until('it can be read', is, { timeout }).catch(() => undefined);
          return f ? Math.round(f.t - from) : null;
        };
        const begin = await soon(shared, 20 * second);
        await sleep(5 * second);
        const still = last(await reading(page));
        const rows = [];
        let from = 0;
        await load();
        for (const [what, lines, times] of steps) {
          for (let i = 0; i < times; i++) {
            from += lines;
            await readAlong(page, c.visitor.call.screen('Dr. Muster'), from);
            const scrolled = await c.host.page.evaluate((n) => window.__sheet.scroll(n), lines);
            const legibleAfter = await soon(scrolled, 10 * second);
            await sleep(2 * second);
            const seen = (await reading(page)).filter((f) => f.t > scrolled);
            const shown = seen.find((f) => f.right > 0.3);
            rows.push({ what, shown: shown ? Math.round(shown.t - scrolled) : null, legibleAfter, end: last(seen) });
          }
        }
        await c.report({ limits, begin, still, rows, encoded: await encoded(c.host.page), load: await load() });
        const text = JSON.stringify({ begin, still, rows });
        assert.ok(!legible(limits.small) && legible(limits.whole), `the measure measures: ${JSON.stringify(limits)}`);
        assert.ok(begin !== null && still && legible(still), `it cannot be read: ${text}`);
        const after = spread(rows.map((row) => row.legibleAfter ?? Number.POSITIVE_INFINITY));
        assert.ok(after.p50 <= 2 * second && after.max <= 5 * second, `after a scroll: ${text}`);
      },
      {
        view: { viewport: { width: sheet.width, height: sheet.height } },
        prepare: shareText,
      },
    );
  }
}

/** The newest frame, in figures that can be read themselves. */
function last(frames) {
  const f = frames.at(-1);
  if (!f) return null;
  const two = (x) => Math.round(x * 1000) / 1000;
  return { height: f.height, right: two(f.right), alike: two(f.alike), edges: two(f.edges) };
}
