// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Calls that the server cannot read, in real browsers: everybody sees and hears everybody, and the server has nothing.

import assert from 'node:assert/strict';
import { flow, seesAndHears, showsPerson } from '../lib/call.mjs';
import { digits, secured } from '../lib/lock.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { until } from '../lib/wait.mjs';

const site = { videoroom: 'e2ee required' };

for (const [first, second] of [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
]) {
  play(`${first} hosts, ${second} visits: decoded on both sides, one code`, { site, timeout: 180_000 }, async (s) => {
    const { host, visitor } = await s.pair(await s[first]('red'), await s[second]('green'));
    await Promise.all([host, visitor].map(({ page }) => seesAndHears(page, { timeout: 60_000 })));
    await Promise.all([host, visitor].map(({ page }) => secured(page)));
    // A Firefox shows its own test picture.
    if (first === 'chromium') await showsPerson(visitor.page, visitor.call.video('Dr. Muster'), 'red');
    else await showsPerson(host.page, host.call.video(people.green.name), 'green');
    await hidesAndShows(host.page, host.call.video(people.green.name));
    const [atHost, atVisitor] = [await digits(host.page), await digits(visitor.page)];
    assert.match(atHost.digits ?? '', /^(\d{5}\s){11}\d{5}$/);
    assert.deepEqual(atHost, atVisitor);
    await visitor.call.say('Guten Tag, hört uns jemand?');
    await host.call.hasMessage('Guten Tag, hört uns jemand?', people.green.name);
    assert.ok(!s.caddy.log.includes('hört uns'));
  });
}

/** A tile without a visible picture, as people have whose turn it is not: nothing of it comes, and it is back soon. */
async function hidesAndShows(page, video) {
  const hide = (yes) =>
    page.locator(video).evaluate((el, hidden) => {
      el.hidden = hidden;
    }, yes);
  await hide(true);
  await until('no picture comes', async () => {
    const { frames, audioPackets } = await flow(page);
    if (frames === 0 && audioPackets > 0) return true;
    throw new Error(`${frames} frames, ${audioPackets} packets of sound`);
  });
  await hide(false);
  await seesAndHears(page);
}

/** What is agreed on for sound, and the mean length of its packets while there is sound and while there is none. */
const sound = (page) =>
  page.evaluate(async () => {
    const pc = window.__vr.pcs.find((c) => c.connectionState === 'connected');
    const sections = [pc.localDescription, pc.remoteDescription]
      .flatMap(({ sdp }) => sdp.split(/^(?=m=)/m))
      .filter((s) => /^m=audio [1-9]/.test(s) && /^a=(send|recv)only/m.test(s));
    const sent = async () => {
      const all = (await window.__vr.stats()).filter((s) => s.type === 'outbound-rtp' && s.kind === 'audio');
      const sum = (of) => all.reduce((n, s) => n + (s[of] ?? 0), 0);
      return {
        packets: sum('packetsSent') - sum('retransmittedPacketsSent'),
        bytes: sum('bytesSent') - sum('retransmittedBytesSent'),
      };
    };
    const { track } = pc.getSenders().find((s) => s.track?.kind === 'audio');
    const lengths = [];
    for (const on of [true, false]) {
      track.enabled = on;
      await new Promise((done) => setTimeout(done, 1000));
      const before = await sent();
      await new Promise((done) => setTimeout(done, 2000));
      const now = await sent();
      lengths.push((now.bytes - before.bytes) / (now.packets - before.packets));
    }
    track.enabled = true;
    return { sections, lengths };
  });

play(
  'sound is asked for again, of one length, and tells nobody how loud it is',
  { site, timeout: 180_000 },
  async (s) => {
    const { host, visitor } = await s.pair(await s.chromium('red'), await s.firefox('green'));
    for (const { page } of [host, visitor]) await seesAndHears(page, { timeout: 60_000 });
    // Firefox does not tell in statistics how loud its own microphone is.
    for (const { page } of [host, visitor]) {
      for (const tile of ['tile', 'tile-local']) {
        await page.locator(`[data-testid="${tile}"][data-speaking="true"]`).waitFor({ timeout: 20_000 });
      }
    }
    for (const { page } of [host, visitor]) {
      const { sections, lengths } = await sound(page);
      assert.ok(sections.length >= 2, 'neither sent nor received');
      for (const section of sections) {
        const [, opus] = /a=rtpmap:(\d+) opus/.exec(section);
        assert.match(section, new RegExp(`a=rtcp-fb:${opus} nack\r\n`));
        assert.doesNotMatch(section, /audio-level/);
      }
      const [speech, silence] = lengths;
      // Firefox takes no constant bit rate from a description.
      if (page === host.page)
        assert.ok(Math.abs(speech - silence) < speech / 100, `${speech} octets of sound, ${silence} of silence`);
    }
  },
);

play(
  'three talk, one is removed and comes back: the code is another one each time',
  { site, timeout: 240_000 },
  async (s) => {
    const { host, link } = await s.host(await s.chromium('red'));
    await host.enter();
    const green = await s.join(await s.chromium('green'), host, link);
    await Promise.all([host, green].map(({ page }) => secured(page)));
    const before = await digits(host.page);
    const blue = await s.join(await s.chromium('blue'), host, link);
    const all = [host, green, blue];
    await Promise.all(all.map(({ page }) => seesAndHears(page, { streams: 2, timeout: 60_000 })));
    const together = await digits(host.page);
    assert.notEqual(together.digits, before.digits);
    await host.remove(people.blue.name);
    await Promise.all([host, green].map(({ call }) => call.count(1)));
    await until('the code of two is another one', async () => {
      await secured(host.page);
      const now = await digits(host.page);
      return (
        now.digits !== together.digits &&
        now.digits !== before.digits &&
        now.digits === (await digits(green.page)).digits
      );
    });
    await seesAndHears(host.page, { timeout: 30_000 });
    await blue.page.reload();
    await blue.knock(people.blue.name);
    await host.admit(people.blue.name);
    await blue.call.joined();
    await Promise.all(all.map(({ page }) => seesAndHears(page, { streams: 2, timeout: 60_000 })));
  },
);

play('a host who comes back is asked whom to go on with', { site, timeout: 180_000 }, async (s) => {
  const { host, visitor } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([host, visitor].map(({ page }) => secured(page)));
  await host.page.reload();
  await host.page.locator('[data-testid="desk"][data-link="up"]').waitFor();
  await host.enter();
  await host.page.getByTestId('let-in').click();
  await Promise.all([host, visitor].map(({ page }) => secured(page)));
  await Promise.all([host, visitor].map(({ page }) => seesAndHears(page, { timeout: 60_000 })));
});

play('a call that was agreed on as encrypted stays so, or is none', { site, timeout: 180_000 }, async (s) => {
  const { host, visitor, link } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([host, visitor].map(({ page }) => secured(page)));
  const code = await digits(host.page);
  await s.caddy.reload({ videoroom: 'e2ee off' });
  // Those who talk go on as they were.
  await Promise.all([host, visitor].map(({ page }) => seesAndHears(page, { timeout: 60_000 })));
  await Promise.all([host, visitor].map(({ page }) => secured(page)));
  assert.deepEqual(await digits(host.page), code);
  // The link was for such a call, and begins no other.
  const late = await (await s.chromium('blue')).page();
  await late.goto(link);
  await late.locator('[data-testid="error"][data-code="48"]').waitFor();
  assert.equal(await late.evaluate(() => window.__vr.pcs.length), 0);
});

play(
  'nothing is shown of a page that has no keys, and nothing of it can be read',
  { site, timeout: 120_000 },
  async (s) => {
    // The circle's line is cut for the visitor before it begins: media alone connects.
    const seat = await s.chromium('green');
    const { host, link } = await s.host(await s.chromium('red'));
    await host.enter();
    const visitor = await s.visit(seat, link);
    await visitor.page.routeWebSocket(/api\/v1\/circle/, (ws) => ws.close());
    await visitor.knock(people.green.name);
    await host.admit(people.green.name);
    await visitor.call.joined();
    await host.call.count(1);
    await visitor.page.getByTestId('lock').waitFor();
    const got = await flow(visitor.page, 5_000);
    assert.equal(got.frames, 0, 'pictures without keys');
    assert.equal((await flow(host.page, 2_000)).frames, 0, 'pictures from a page without keys');
    await host.page.locator('[data-testid="tile"][data-securing="true"]').waitFor();
    await host.page.locator('[data-testid="lock"][data-state="securing"]').waitFor();
  },
);

play('a browser that cannot encrypt is told before its camera is asked for', { site, timeout: 60_000 }, async (s) => {
  const { link } = await s.host(await s.chromium('red'));
  const seat = await s.chromium('green');
  const page = await seat.page();
  await page.addInitScript(() => {
    delete window.RTCRtpScriptTransform;
    delete RTCRtpSender.prototype.createEncodedStreams;
    window.asked = 0;
    navigator.mediaDevices.getUserMedia = () => {
      window.asked++;
      return Promise.reject(new DOMException('', 'NotAllowedError'));
    };
  });
  await page.goto(link);
  await page.locator('[data-testid="error"][data-code="22"]').waitFor();
  assert.equal(await page.evaluate(() => window.asked), 0);
});
