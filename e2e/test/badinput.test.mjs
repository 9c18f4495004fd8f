// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What strangers and broken clients send while a conversation runs.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { HostLine, KnockLine, Line } from '../lib/admission.mjs';
import { flow, seesAndHears } from '../lib/call.mjs';
import { people } from '../lib/media.mjs';
import { play } from '../lib/scene.mjs';
import { badTokens } from '../lib/tokens.mjs';
import { sleep, until } from '../lib/wait.mjs';

// Strangers without a browser bring no keys: what they send is to get further than that.
const open = { videoroom: 'e2ee off' };

// Limits hold per address; a new one for each try shows what is behind them.
let strangers = 0;
const stranger = () => {
  strangers += 1;
  return `127.0.${1 + (strangers >> 7)}.${1 + (strangers & 127)}`;
};

/** The conversation goes on as if nothing had happened. A busy machine may hold one look up, but not three. */
async function undisturbed(visitor, what) {
  let running;
  for (let i = 0; i < 3; i++) {
    running = await flow(visitor.page, 2_000);
    if (running.audioPackets >= 70 && running.frames >= 10) return;
  }
  assert.fail(`${what}: ${JSON.stringify(running)}`);
}

async function call(s) {
  const { host, visitor, link } = await s.pair(await s.chromium('red'), await s.chromium('green'));
  await Promise.all([seesAndHears(host.page), seesAndHears(visitor.page)]);
  const room = /\/r\/([a-z2-7]{26})#s=(.+)$/.exec(link);
  return { host, visitor, room: room?.[1] ?? '', cap: room?.[2] ?? '' };
}

play('foreign pages, oversize and malformed input', { site: open, timeout: 180_000 }, async (s) => {
  const { host, visitor, room, cap } = await call(s);
  const knock = { room, cap, name: 'Fremd' };

  for (const origin of [
    'https://evil.example',
    'null',
    `${s.origin}.evil.example`,
    s.origin.replace('https', 'http'),
    null,
  ]) {
    for (const path of ['api/v1/knock', 'api/v1/host']) {
      const line = new Line(s.caddy, path, { origin });
      assert.equal(await line.settled, 'refused', `${path} from ${origin}`);
      assert.equal(line.refused, 403, `${path} from ${origin}`);
    }
    const headers = { 'Content-Type': 'application/json', ...(origin === null ? {} : { Origin: origin }) };
    const post = await s.caddy.get('/video/api/v1/host/session', { method: 'POST', headers, body: '{"key":"x"}' });
    if (origin !== null) assert.equal(post.status, 403, `POST from ${origin}`);
    else assert.ok(post.status >= 400, 'POST without Origin');
  }
  await undisturbed(visitor, 'foreign origins');

  // Frames and bodies beyond their limits.
  const long = new KnockLine(s.caddy, { ...knock, name: 'n'.repeat(17_000) });
  await long.ended;
  assert.ok(!long.frames.some((f) => f.type === 'waiting'));
  const body = await s.caddy.get('/video/api/v1/room', {
    method: 'POST',
    headers: { Origin: s.origin, 'Content-Type': 'application/json' },
    body: JSON.stringify({ room, cap, more: 'm'.repeat(200_000) }),
  });
  assert.equal(body.status, 413);
  const uri = await s.caddy.get(`/video/rtc/v1?access_token=${'a'.repeat(60_000)}`);
  assert.ok(uri.status >= 400 && uri.status < 500, `long query: ${uri.status}`);

  // First frames that are not what they should be.
  const strange = [
    '',
    '{',
    '[]',
    'null',
    '"knock"',
    '{"type":"knock"}',
    '{"type":"admitted"}',
    '{"type":["knock"]}',
    JSON.stringify({ type: 'knock', room: '../../etc', cap, name: 'x' }),
    JSON.stringify({ type: 'knock', room, cap: 7, name: 'x' }),
    `{"type":"knock","room":"${room}","cap":"${cap}","name":"a\u0000b"}`,
    JSON.stringify({ type: 'knock', room, cap, name: '' }),
    JSON.stringify({ type: 'knock', room, cap, name: 'a\u202Eb' }),
    '['.repeat(8_000),
    randomBytes(512),
  ];
  for (const frame of strange) {
    const line = await new Line(s.caddy, 'api/v1/knock', { from: stranger() }).open();
    line.send(frame);
    await Promise.race([line.ended, sleep(7_000)]);
    assert.ok(line.closed, `${String(frame).slice(0, 60)} leaves the socket open`);
    assert.ok(!line.frames.some((f) => f.type === 'waiting' || f.type === 'admitted'), String(frame).slice(0, 60));
  }
  const silent = await new Line(s.caddy, 'api/v1/knock', { from: stranger() }).open();
  const began = performance.now();
  await silent.ended;
  assert.ok(performance.now() - began < 8_000, 'who says nothing is sent away');
  await undisturbed(visitor, 'malformed frames');

  // Methods and paths.
  for (const [method, path] of [
    ['DELETE', 'api/v1/room'],
    ['GET', 'api/v1/room'],
    ['POST', 'api/v1/site'],
    ['PUT', 'host/'],
    ['GET', 'api/v1/nothing'],
    ['GET', '_vr/../../../etc/passwd'],
    ['GET', '_vr/%2e%2e/%2e%2e/etc/passwd'],
    ['GET', 'r/'],
    ['GET', `r/${'a'.repeat(5_000)}`],
    ['GET', 'r/%00'],
    ['GET', 'api/v1//site'],
    ['TRACE', 'api/v1/site'],
  ]) {
    const answer = await s.caddy.get(`/video/${path}`, { method, headers: { Origin: s.origin } });
    assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
    assert.ok(!answer.text.includes('root:'), `${method} ${path}`);
  }
  await undisturbed(visitor, 'methods and paths');
  await host.call.count(1);
});

play('sixty bad tokens and a broken client', { site: open, timeout: 180_000 }, async (s) => {
  const { host, visitor } = await call(s);
  const held = new URL(s.seats[1].witness.urls.find((u) => u.includes('/rtc/v1')) ?? '').searchParams;
  const good = held.get('access_token') ?? '';
  const query = (token) => new URLSearchParams({ access_token: token, join_request: held.get('join_request') ?? '' });
  const validate = (token, from) => s.caddy.get(`/video/rtc/v1/validate?${query(token)}`, { from });
  assert.equal((await validate(good, stranger())).status, 200, 'the good one is accepted');
  const bad = badTokens(good);
  assert.ok(bad.length >= 60, `${bad.length} tokens`);
  for (const [name, token] of bad) {
    const from = stranger();
    const answer = await validate(token, from);
    assert.ok([401, 403, 413, 414, 431].includes(answer.status), `${answer.status} for: ${name}`);
    const line = new Line(s.caddy, `rtc/v1?${query(token)}`, { from });
    assert.equal(await line.settled, 'refused', `rtc/v1 accepts: ${name}`);
  }
  const guesser = stranger();
  await until(
    'guessing from one address is slowed down',
    async () => (await validate('a.b.c', guesser)).status === 429,
  );
  await undisturbed(visitor, 'bad tokens');

  // A client that is let in and then breaks every rule.
  const desk = await HostLine.signIn(s.caddy);
  const { id, cap } = await desk.openRoom();
  const rogue = new KnockLine(s.caddy, { room: id, cap, name: 'Rabauke' });
  await rogue.waiting();
  await desk.admit(id, 'Rabauke');
  const { token } = await rogue.admitted();
  for (const misdeed of [
    (l) => l.send(randomBytes(4_000)),
    (l) => l.send(randomBytes(400_000)),
    (l) => l.send('text'),
    (l) => l.send('{"leave":{}}'),
    (l) => {
      for (let i = 0; i < 2_000; i++) l.send(Buffer.from([0x0a, 0x02, 0x0a, 0x00]));
    },
    (l) => l.send(Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.from([0x0a, 0x02])))),
  ]) {
    const line = await new Line(s.caddy, `rtc/v1?${query(token)}`, { from: stranger() }).open();
    misdeed(line);
    await Promise.race([line.ended, sleep(1_500)]);
    line.socket.terminate();
  }
  await undisturbed(visitor, 'a broken client');
  await host.call.count(1);
  await desk.close();
});

play('floods at the door and at the media port', { site: open, timeout: 180_000 }, async (s) => {
  const { host, visitor, room, cap } = await call(s);

  // Many knocks from one address: few wait, the host's page stays usable.
  const lines = [];
  for (let i = 0; i < 40; i++) lines.push(new KnockLine(s.caddy, { room, cap, name: `Flut ${i}` }));
  await Promise.all(lines.map((l) => Promise.race([l.settled, sleep(5_000)])));
  await sleep(2_000);
  const waiting = lines.filter((l) => l.frames.some((f) => f.type === 'waiting') && !l.closed).length;
  assert.ok(waiting <= 3, `${waiting} wait from one address`);
  assert.ok(
    lines.some((l) => l.refused === 429 || l.frames.some((f) => f.code === 'too_many')),
    'the others are told',
  );
  await host.call.panel('people');
  await until('the host sees few of them', async () => {
    const shown = await host.waiting('Flut').count();
    return shown > 0 && shown <= 3;
  });
  await undisturbed(visitor, 'a flood of knocks');
  await Promise.all(lines.filter((l) => !l.closed && !l.refused).map((l) => l.close()));

  // Guessing links is answered alike, then not at all.
  const answers = new Set();
  for (let i = 0; i < 30; i++) {
    const wrong = { room: i % 2 ? room : 'a'.repeat(26), cap: randomBytes(48).toString('base64url') };
    const answer = await s.caddy.api('room', wrong);
    assert.ok([404, 429].includes(answer.status), `${answer.status}`);
    if (answer.status === 404) answers.add(answer.text);
    if (i === 29) assert.equal(answer.status, 429, 'guessing is slowed down');
  }
  assert.equal(answers.size, 1, 'one answer for every wrong link');

  // Datagrams from a stranger are not answered and disturb nobody.
  const udp = createSocket('udp4');
  let replies = 0;
  udp.on('message', () => {
    replies += 1;
  });
  const binding = Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), randomBytes(12)]);
  const hello = Buffer.concat([Buffer.from([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1]), randomBytes(59)]);
  for (let i = 0; i < 6_000; i++) {
    const kind = [
      randomBytes(1 + (i % 1400)),
      binding,
      hello,
      Buffer.concat([Buffer.from([0x80, 96]), randomBytes(900)]),
    ][i % 4];
    udp.send(kind, s.caddy.ports.media, '127.0.0.1');
    if (i % 50 === 0) await sleep(5);
  }
  await undisturbed(visitor, 'a flood of datagrams');
  assert.equal(replies, 0, 'strangers get no answer from the media port');
  udp.close();

  await host.call.count(1);
  await host.mute(people.green.name);
  await visitor.call.microphone('muted');
});
