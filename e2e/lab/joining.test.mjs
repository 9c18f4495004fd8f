// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// How long somebody who comes late waits for the picture of those who are
// there: from admission to the first decoded frame. scripts/lab.sh joining runs
// this.

import assert from 'node:assert/strict';
import { received, seesAndHears } from '../lib/call.mjs';
import { at, restore } from '../lib/impair.mjs';
import { people } from '../lib/media.mjs';
import { load, spread } from '../lib/quality.mjs';
import { play } from '../lib/scene.mjs';
import { note, own } from '../lib/talk.mjs';
import { VisitorPage } from '../lib/ui.mjs';
import { until } from '../lib/wait.mjs';

const joins = 20;
const most = 2_000;

for (const [speaks, hears] of [
  ['chromium', 'chromium'],
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
]) {
  play(`twenty who come late: ${speaks} is there, ${hears} joins`, { timeout: 420_000 }, async (s, t) => {
    await restore();
    const hostSeat = await at('host', () => s[speaks]('speaker', own(speaks)));
    const visitorSeat = await at('visitor', () => s[hears]('green', own(hears)));
    const { host, link } = await s.host(hostSeat);
    await host.enter();
    const times = [];
    const parts = [];
    await load();
    for (let i = 0; i < joins; i++) {
      const visitor = await VisitorPage.open(visitorSeat, link);
      await visitor.knock(people.green.name, { with: 'audio' });
      const frame = visitor.page.evaluate(() => window.__vr.firstFrame());
      frame.catch(() => {}); // awaited below, unless admission fails before
      await host.admit(people.green.name);
      const { at: seen, connected, frame: decoded } = await frame;
      times.push(Math.round(seen - (await visitor.page.evaluate(() => window.__vr.admitted))));
      parts.push(Math.round(decoded - connected));
      await visitor.call.joined();
      await seesAndHears(visitor.page);
      await until('the speaker hears', async () => (await received(host.page)).audioEnergy > 0);
      await visitor.call.leave();
      await host.call.count(0);
      await visitor.page.close();
    }
    const figures = { admitted: spread(times), signaling: spread(parts) };
    await note(t, { scene: 'late joiner', speaks, hears, figures, times, load: await load() });
    assert.ok(figures.admitted.p95 <= most, `first frame after ${times.join(', ')} ms`);
  });
}
