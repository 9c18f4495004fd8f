// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// People whose address changes while they talk.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { seesAndHears, stats } from '../lib/call.mjs';
import { open, readdress, renumber, translate } from '../lib/filter.mjs';
import { play } from '../lib/scene.mjs';
import { sleep } from '../lib/wait.mjs';

const server = '203.0.113.10';
const [wifi, mobile] = ['203.0.113.20', '203.0.113.120'];
const ports = { https: 443, http: 80, admin: 2019, media: 443 };
const place = {
  address: 'public.test',
  ports,
  prepare: async () => {
    await open();
    await renumber(server, wifi);
  },
};
/** The longest time without sound or picture, in milliseconds. */
const limit = 3_000;
const watched = 15_000;

const orders = [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
];

after(async () => {
  await open();
  await renumber('10.77.0.1', '10.77.0.2');
});

for (const [hosts, visits] of orders) {
  scene('both get another address, as a phone does between networks', hosts, visits, async () => {
    await readdress(wifi, mobile);
  });
  scene('a NAT gives the visitor another port', hosts, visits, async (_, visitor) => {
    const { port } = await localEnd(visitor.page);
    await translate({ [port]: port < 40_000 ? 61_000 : 21_000 });
  });
  scene('a NAT gives the host another port', hosts, visits, async (host) => {
    const { port } = await localEnd(host.page);
    await translate({ [port]: port < 40_000 ? 61_000 : 21_000 });
  });
}

// E2E_MOVES=50 walks that often between Wi-Fi and mobile within one call, two seconds without any address in between.
const walks = Number(process.env.E2E_MOVES ?? 0);
if (walks > 0) {
  play(`${walks} times from network to network`, { place, timeout: 90_000 + walks * 25_000 }, async (s, t) => {
    const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green', { trust: s.caddy.root }));
    const pages = { chromium: host.page, firefox: visitor.page };
    await Promise.all(Object.values(pages).map((page) => seesAndHears(page, { timeout: 40_000 })));
    const back = { chromium: [], firefox: [] };
    for (let i = 0; i < walks; i++) {
      await sleep(3_000);
      const gaps = Promise.all(Object.values(pages).map((page) => page.evaluate((ms) => window.__vr.gaps(ms), 9_000)));
      await Promise.all(Object.values(pages).map(mark));
      await readdress(...(i % 2 ? [mobile, wifi] : [wifi, mobile]), 2_000);
      for (const [k, { audio, video }] of (await gaps).entries()) {
        back[Object.keys(pages)[k]].push({ audio: audio - 2_000, video: video - 2_000 });
        const kind = Object.keys(pages)[k];
        t.diagnostic(`${i} ${kind}: ${audio - 2_000} ${video - 2_000} ms: ${await timeline(pages[kind])}`);
      }
    }
    for (const [kind, all] of Object.entries(back)) {
      for (const what of ['audio', 'video']) {
        const sorted = all.map((gap) => gap[what]).sort((a, b) => a - b);
        const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
        t.diagnostic(`${kind}, ${what} back after: p50 ${at(0.5)}, p95 ${at(0.95)}, longest ${sorted.at(-1)} ms`);
        if (what === 'audio') assert.ok(at(0.95) <= limit, `${kind}: ${at(0.95)} ms`);
      }
    }
  });
}

/**
 * A call in which something happens to an address. Media must come back in time, to the same people: nobody knocks again,
 * and nobody is shown twice or vanishes.
 */
function scene(name, hosts, visits, act) {
  play(`${name}: ${hosts} hosts, ${visits} visits`, { place, timeout: 120_000 }, async (s, t) => {
    const sit = (kind, person) =>
      kind === 'chromium' ? s.chromium(person) : s.firefox(person, { trust: s.caddy.root });
    const { host, visitor } = await s.pair(await sit(hosts, 'red'), await sit(visits, 'green'));
    const pages = { [hosts]: host.page, [visits]: visitor.page };
    await Promise.all(Object.values(pages).map((page) => seesAndHears(page, { timeout: 40_000 })));
    await sleep(3_000);
    const before = await Promise.all(Object.values(pages).map(knocks));
    const seen = Object.entries(pages).map(async ([kind, page]) => [kind, await watch(page)]);
    await sleep(1_000);
    try {
      await Promise.all(Object.values(pages).map(mark));
      await act(host, visitor);
      const found = Object.fromEntries(await Promise.all(seen));
      t.diagnostic(`without media: ${JSON.stringify(found)}`);
      for (const [kind, page] of Object.entries(pages)) t.diagnostic(`${kind}: ${await timeline(page)}`);
      await Promise.all(Object.values(pages).map((page) => seesAndHears(page)));
      assert.deepEqual(await Promise.all(Object.values(pages).map(knocks)), before, 'nobody knocked again');
      for (const [kind, { gap, tiles }] of Object.entries(found)) {
        assert.deepEqual(tiles, [1], `${kind} always showed one other person`);
        assert.ok(Math.max(gap.video, gap.audio) <= limit, `${kind}: ${JSON.stringify(gap)}`);
      }
    } finally {
      await open();
    }
  });
}

/** What a page plays and shows for a while: the longest gaps, and how many other people there were. */
async function watch(page) {
  const tiles = page.evaluate(async (ms) => {
    const seen = new Set();
    for (const end = performance.now() + ms; performance.now() < end; ) {
      seen.add(document.querySelectorAll('[data-testid="tile"]').length);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return [...seen];
  }, watched);
  const gap = await page.evaluate((ms) => window.__vr.gaps(ms), watched);
  return { gap, tiles: await tiles };
}

const mark = (page) =>
  page.evaluate(() => {
    window.__vr.moved = performance.now();
  });

/** What a page did after the move, and when, in milliseconds. */
async function timeline(page) {
  const notes = await page.evaluate(() => {
    const { history, sockets, moved } = window.__vr;
    const notes = history.map((line) => [Number.parseInt(line, 10), line.replace(/^\d+ ms: /, '').slice(0, 48)]);
    for (const { path, made, opened, closed } of sockets) {
      notes.push([made, `${path} made`], [opened, `${path} opened`], [closed, `${path} closed`]);
    }
    return notes.map(([at, what]) => [Math.round(at - moved), what]).filter(([at]) => at >= 0);
  });
  return notes
    .sort(([a], [b]) => a - b)
    .map(([at, what]) => `${at} ${what.split('\n')[0]}`)
    .join(' | ');
}

/** How often a page has knocked. */
const knocks = (page) =>
  page.evaluate(() => window.__vr.sockets.filter((socket) => socket.path.endsWith('/knock')).length);

/** Where the browser sends media from. */
async function localEnd(page) {
  const all = await stats(page);
  const selected = all.find((x) => x.type === 'transport')?.selectedCandidatePairId;
  const pair = all.find(
    (x) => x.type === 'candidate-pair' && (selected ? x.id === selected : x.nominated && x.selected),
  );
  const local = all.find((x) => x.id === pair?.localCandidateId);
  assert.equal(local?.protocol, 'udp');
  return local;
}
