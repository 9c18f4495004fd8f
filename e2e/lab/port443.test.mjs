// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Calls through the port of the site alone, whatever a network lets through.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seesAndHears, selectedPair, stats } from '../lib/call.mjs';
import { only, open, renumber } from '../lib/filter.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { VisitorPage } from '../lib/ui.mjs';
import { sleep, until } from '../lib/wait.mjs';

const publicly = { name: 'public.test', server: '203.0.113.10', browsers: '203.0.113.20' };
const privately = { name: 'private.test', server: '10.77.0.1', browsers: '10.77.0.2' };
const ports = { https: 443, http: 80, admin: 2019, media: 443 };
const proxyPort = 3128;
/** From "admitted" to the first frame, and from the loss of a way to the next one, in milliseconds. */
const limit = 5_000;

/** How media may run: by which protocol, and for relays by which the relay is reached. */
const ways = {
  udp: (p) => p.protocol === 'udp' && !p.turn && p.port === 443,
  iceTCP: (p) => p.protocol === 'tcp' && !p.turn && p.port === 443,
  turnTLS: (p) => p.turn === 'tls' && p.address.startsWith('198.18.'),
};
const anyTCP = (p) => ways.iceTCP(p) || ways.turnTLS(p);

const browsers = { chromium: 'Chromium', firefox: 'Firefox' };
const orders = [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
];

/**
 * @typedef {object} Network
 * @property {typeof publicly} at
 * @property {() => Promise<void>} [filter] what the network lets through; everything unless given
 * @property {'any' | 'tls'} [proxy] reaches the site, through a proxy that may insist on TLS
 * @property {Record<string, (pair: any) => boolean>} way what must be selected, by browser
 */

/** @type {Record<string, Network>} */
const networks = {
  'only UDP 443, and TCP 443 for the page': {
    at: publicly,
    filter: () => only({ udp: [443], tcp: [443] }),
    way: { chromium: ways.udp, firefox: ways.udp },
  },
  'only TCP 443, public address': {
    at: publicly,
    filter: () => only({ tcp: [443] }),
    way: { chromium: anyTCP, firefox: anyTCP },
  },
  'only TCP 443, private address': {
    at: privately,
    filter: () => only({ tcp: [443] }),
    way: { chromium: ways.turnTLS, firefox: anyTCP },
  },
  'only an HTTP proxy': {
    at: publicly,
    filter: () => only({ tcp: [proxyPort] }),
    proxy: 'any',
    way: { chromium: anyTCP, firefox: anyTCP },
  },
  'only an HTTP proxy that insists on TLS': {
    at: publicly,
    filter: () => only({ tcp: [proxyPort] }),
    proxy: 'tls',
    way: { chromium: ways.turnTLS, firefox: ways.turnTLS },
  },
  'everything open': { at: publicly, way: { chromium: ways.udp, firefox: ways.udp } },
};

after(async () => {
  await open();
  await renumber(privately.server, privately.browsers);
});

for (const [name, network] of Object.entries(networks)) {
  for (const [hosts, visits] of orders) {
    scene(`${name}: ${browsers[hosts]} hosts, ${browsers[visits]} visits`, network, async (s, t) => {
      const { host, visitor } = await call(s, t, network, hosts, visits);
      await runsOver(t, host.page, network.way[hosts], browsers[hosts]);
      await runsOver(t, visitor.page, network.way[visits], browsers[visits]);
      if (network.proxy) return;
      const open = (await s.caddy.listening()).map((l) => `${l.udp ? 'udp' : 'tcp'} ${l.port}`);
      assert.deepEqual([...new Set(open)].sort(), ['tcp 2019', 'tcp 443', 'tcp 80', 'udp 443']);
    });
  }
}

for (const [hosts, visits] of orders) {
  const network = { at: publicly, way: { chromium: ways.udp, firefox: ways.udp } };
  scene(`UDP dies in mid-call: ${browsers[hosts]} hosts, ${browsers[visits]} visits`, network, async (s, t) => {
    const { host, visitor } = await call(s, t, network, hosts, visits);
    const pages = { [hosts]: host.page, [visits]: visitor.page };
    for (const [kind, page] of Object.entries(pages)) await runsOver(t, page, ways.udp, browsers[kind]);
    const watched = Object.entries(pages).map(async ([kind, page]) => [
      kind,
      await page.evaluate(() => window.__vr.gaps(45_000)),
    ]);
    await sleep(1_000);
    await only({ tcp: [443] });
    const gaps = Object.fromEntries(await Promise.all(watched));
    t.diagnostic(`without media: ${JSON.stringify(gaps)}`);
    for (const [kind, page] of Object.entries(pages)) await runsOver(t, page, anyTCP, browsers[kind]);
    await Promise.all(Object.values(pages).map((page) => seesAndHears(page)));
    for (const [kind, gap] of Object.entries(gaps)) {
      assert.ok(Math.max(gap.video, gap.audio) <= limit, `${browsers[kind]}: ${JSON.stringify(gap)}`);
    }
  });
}

for (const [name, kind, route] of [
  ['everything open', 'chromium', 'udp'],
  ['everything open', 'firefox', 'udp'],
  ['only TCP 443, private address', 'chromium', 'relay'],
  ['only an HTTP proxy that insists on TLS', 'chromium', 'relay'],
  ['only an HTTP proxy that insists on TLS', 'firefox', 'relay'],
]) {
  const network = networks[name];
  scene(`${name}: the test page in ${browsers[kind]}`, network, async (s, t) => {
    const seat = await sit(s, kind, 'green', network);
    const page = await seat.page();
    await page.goto(`${s.origin}${s.caddy.base}/test`);
    await page.getByTestId('test-consent').check();
    await page.getByTestId('test-start').click();
    await page.locator('[data-testid="network-text"][data-stage="done"]').waitFor({ timeout: 90_000 });
    const facts = page.getByTestId('network-facts');
    const said = (await facts.textContent()) ?? '';
    t.diagnostic(said);
    assert.equal(await facts.getAttribute('data-route'), route, said);
    assert.match(said, /[1-9][\d,.]* (k|M)bit\/s/);
    await page.getByTestId('test-result').locator('summary').click();
    const report = await page.getByTestId('test-report').inputValue();
    t.diagnostic(report);
    assert.match(report, route === 'udp' ? /UDP: geht\n/ : /UDP: geht nicht\n/);
    assert.match(report, /TLS[^\n]*: geht\n/);
  });
}

/**
 * A test in a network.
 * @param {string} name @param {Network} network
 * @param {(s: import('../lib/scene.mjs').Scene, t: import('node:test').TestContext) => Promise<void>} act
 */
function scene(name, { at, filter = open, proxy }, act) {
  const place = {
    address: at.name,
    ports,
    prepare: async () => {
      await open();
      await renumber(at.server, at.browsers);
    },
  };
  play(name, { place, timeout: 180_000 }, async (s, t) => {
    const through = proxy && (await startProxy(at.server, proxy));
    await filter();
    try {
      await act(s, t);
    } catch (error) {
      for (const seat of s.seats) for (const page of seat.context.pages()) await excerpt(t, seat.person, page);
      if (through) t.diagnostic(through.log());
      throw error;
    } finally {
      await open();
      through?.stop();
    }
  });
}

/** Host and visitor in a call in time. */
async function call(s, t, network, hosts, visits) {
  const [hostSeat, visitorSeat] = [await sit(s, hosts, 'red', network), await sit(s, visits, 'green', network)];
  const { host, link } = await s.host(hostSeat);
  await host.enter();
  const visitor = await VisitorPage.open(visitorSeat, link);
  await visitor.knock(people.green.name);
  const first = Promise.all([host.page, visitor.page].map((page) => page.evaluate(() => window.__vr.firstFrame())));
  first.catch(() => {}); // awaited below, unless admission fails before
  await host.admit(people.green.name);
  await visitor.call.joined();
  await Promise.all([host.page, visitor.page].map((page) => seesAndHears(page, { timeout: 40_000 })));
  const admitted = await visitor.page.evaluate(() => window.__vr.admitted);
  const [atHost, atVisitor] = (await first).map((f) => Math.round(f.at - admitted));
  t.diagnostic(`first frame after admission: ${atHost} ms at the host's, ${atVisitor} ms at the visitor's`);
  assert.ok(Math.max(atHost, atVisitor) <= limit, `first frames after ${atHost} and ${atVisitor} ms`);
  return { host, visitor };
}

function sit(s, kind, person, { at, proxy }) {
  if (kind === 'chromium') {
    const args = ['--ignore-certificate-errors'];
    if (proxy) args.push(`--proxy-server=http://${at.server}:${proxyPort}`);
    return s.chromium(person, { args });
  }
  const prefs = { 'network.proxy.type': 1, 'network.proxy.ssl': at.server, 'network.proxy.ssl_port': proxyPort };
  return s.firefox(person, { prefs: proxy ? prefs : {}, trust: s.caddy.root });
}

async function runsOver(t, page, way, who) {
  const pair = await until(
    `${who}'s media runs the right way`,
    async () => {
      const now = await selectedPair(page);
      if (!now || !way(now)) throw new Error(JSON.stringify(now));
      return now;
    },
    { timeout: 5_000 },
  );
  t.diagnostic(`${who}: ${JSON.stringify(pair)}`);
}

/** What a failed test needs to tell: the pairs that were tried. */
async function excerpt(t, who, page) {
  const all = await stats(page).catch(() => []);
  const end = (id) => {
    const c = all.find((s) => s.id === id) ?? {};
    return `${c.candidateType} ${c.relayProtocol ?? ''} ${c.protocol} ${c.address}:${c.port} ${c.tcpType ?? ''}`;
  };
  for (const p of all.filter((s) => s.type === 'candidate-pair')) {
    t.diagnostic(
      `${who}: ${p.state}${p.nominated ? ' nominated' : ''} ${end(p.localCandidateId)} -> ${end(p.remoteCandidateId)}` +
        ` sent ${p.bytesSent} received ${p.bytesReceived} checks ${p.requestsSent}/${p.responsesReceived}`,
    );
  }
  for (const r of all.filter((s) => /bound-rtp/.test(s.type) && !s.type.startsWith('remote'))) {
    t.diagnostic(
      `${who}: ${r.type} ${r.kind} ${r.rid ?? ''} ${r.packetsSent ?? r.packetsReceived} packets, ${r.framesSent ?? r.framesDecoded} frames`,
    );
  }
  const history = await page.evaluate(() => window.__vr.history.map((h) => h.split('\n')[0])).catch(() => []);
  for (const line of history) t.diagnostic(`${who}: ${line}`);
}

async function startProxy(address, kind) {
  const prefix = process.env.E2E_CADDY_PREFIX?.split(' ') ?? [];
  const program = fileURLToPath(new URL('../lib/connect.mjs', import.meta.url));
  const args = [program, address, String(proxyPort), ...(kind === 'tls' ? ['tls'] : [])];
  const [command, ...rest] = [...prefix, process.execPath, ...args];
  const child = spawn(command, rest);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (b) => {
      log += b;
    });
  }
  await until('the proxy listens', () => log.includes('ready'));
  return { stop: () => child.kill(), log: () => log };
}
