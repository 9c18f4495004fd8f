// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A stand-in for the server while working on the pages: serves dist/ under the real policy and speaks the admission
// API from memory. It forwards no media. Links: http://127.0.0.1:8137/video/r/<room>#s=<cap> with a cap of `good`,
// `expired`, `bad`, `full`, `busy` or `closed`; the host page takes any key but `wrong`.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';

const root = new URL('..', import.meta.url).pathname;
const port = Number(process.env.PORT ?? 8137);
const base = '/video';
const places = Number(process.env.PLACES ?? 10);
const phone = '+49 69 123456';
const practice = 'Praxis Dr. Muster';
const host = { id: 'muster', name: 'Dr. Eva Muster' };
const language = process.env.LANGUAGE ?? 'de';
const address = process.env.ADDRESS ?? 'sie';
const e2ee = process.env.E2EE ?? 'off';
const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
};

const policy = [
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:",
  "media-src 'self' blob:; font-src 'self'; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; base-uri 'none'",
  "form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types videoroom",
].join('; ');

const id = (n = 16) => randomBytes(n).toString('hex');
const roomName = () => [...randomBytes(26)].map((b) => 'abcdefghijklmnopqrstuvwxyz234567'[b & 31]).join('');

/** @type {Map<string, {id: string, opened_at: string, participants: object[], waiting: Map<string, object>}>} */
const rooms = new Map();
const knocks = new Map();
const hosts = new Set();
const caps = {
  expired: [410, 'link_expired'],
  bad: [404, 'bad_link'],
  full: [409, 'room_full'],
  busy: [503, 'unavailable'],
  closed: [409, 'room_closed'],
};

const server = createServer(async (req, res) => {
  const url = new URL(req.url ?? '/', 'http://x');
  const path = url.pathname;
  if (path.startsWith(`${base}/api/v1/`)) return api(req, res, path.slice(base.length + 8));
  if (path.startsWith(`${base}/_vr/`)) return file(res, join(root, 'dist', path.split('/').slice(4).join('/')));
  if (path.startsWith(`${base}/_dev/`)) return file(res, join(root, 'dev/out', path.slice(base.length + 6)));
  const rest = path.slice(base.length);
  const kind = rest === '/' ? 'landing' : rest.startsWith('/r/') ? 'room' : rest === '/host/' ? 'host' : '';
  if (!path.startsWith(base) || !kind) return send(res, 404, 'text/plain', 'not found');
  send(res, 200, 'text/html', page(kind));
});

function page(kind) {
  const html = readFileSync(join(root, 'dist/index.html'), 'utf8');
  const data = Object.entries({ page: kind, base, language, address, practice, phone, e2ee });
  const attributes = data.map(([k, v]) => ` data-${k}="${v}"`).join('');
  return html
    .replace('<html lang="de">', `<html lang="${language}"${attributes}>`)
    .replaceAll('./a/', `${base}/_vr/00000000/a/`);
}

function file(res, path) {
  const clean = normalize(path);
  if (!clean.startsWith(root) || !existsSync(clean)) return send(res, 404, 'text/plain', 'not found');
  send(res, 200, types[extname(clean)] ?? 'application/octet-stream', readFileSync(clean));
}

function send(res, status, type, body) {
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Security-Policy': policy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  });
  res.end(body);
}

const json = (res, status, body) => send(res, status, 'application/json', JSON.stringify(body));

async function api(req, res, name) {
  const body = await read(req);
  if (name === 'site')
    return json(res, 200, {
      practice,
      phone,
      language,
      address,
      hosts: [host],
      e2ee,
      waiting_room: true,
      max_participants: 10,
      version: 'mock',
    });
  if (name === 'room') {
    const refusal = caps[body.cap];
    if (refusal && refusal[0] !== 409) return json(res, refusal[0], { error: { code: refusal[1] } });
    return json(res, 200, { host, open: rooms.has(body.room) });
  }
  if (name === 'host/session') {
    if (body.key === 'wrong') return json(res, 401, { error: { code: 'not_host' } });
    return json(res, 200, { token: id(), expires_in: 600, host });
  }
  json(res, 404, { error: { code: 'not_found' } });
}

async function read(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  try {
    return JSON.parse(text || '{}');
  } catch {
    return {};
  }
}

const wss = new WebSocketServer({ server });
wss.on('connection', (ws, req) => {
  const talk = { [`${base}/api/v1/knock`]: knock, [`${base}/api/v1/host`]: hostLine }[req.url ?? ''];
  if (!talk) return ws.close(1008);
  const say = (frame) => ws.send(JSON.stringify(frame));
  const hear = talk(ws, say);
  ws.on('message', (data) => {
    const frame = JSON.parse(String(data));
    if (frame.type === 'ping') return say({ type: 'pong' });
    hear(frame);
  });
});

function knock(ws, say) {
  let mine;
  ws.on('close', () => {
    if (!mine) return;
    rooms.get(mine.room)?.waiting.delete(mine.id);
    knocks.delete(mine.id);
    broadcast();
  });
  return (f) => {
    if (f.type === 'leave') return ws.close(1000);
    if (f.type !== 'knock') return;
    const refusal = caps[f.cap];
    if (refusal) {
      say({ type: 'error', code: refusal[1] });
      return ws.close(1000);
    }
    mine = { id: f.resume || id(), room: f.room, name: f.name, say, ws, since: new Date().toISOString() };
    knocks.set(mine.id, mine);
    rooms.get(f.room)?.waiting.set(mine.id, { id: mine.id, name: mine.name, since: mine.since });
    say({ type: 'waiting', resume: mine.id, host_present: hosts.size > 0 && rooms.has(f.room) });
    broadcast();
  };
}

function hostLine(ws, say) {
  const line = { say };
  ws.on('close', () => hosts.delete(line));
  return (f) => {
    if (f.type === 'hello') {
      hosts.add(line);
      return broadcast();
    }
    if (f.type !== 'cmd') return;
    const answer = commands[f.do]?.(f) ?? { error: { code: 'bad_request' } };
    say({ type: 'result', id: f.id, ok: !answer.error, ...answer });
    broadcast();
  };
}

const commands = {
  open_room() {
    const room = { id: roomName(), opened_at: new Date().toISOString(), participants: [], waiting: new Map() };
    rooms.set(room.id, room);
    return { room: room.id };
  },
  admit({ room, knock: k }) {
    const who = knocks.get(k);
    if (!who) return { error: { code: 'not_found' } };
    if ((rooms.get(room)?.participants.length ?? 0) >= places) return { error: { code: 'room_full' } };
    rooms
      .get(room)
      ?.participants.push({ identity: id(), name: who.name, host: false, audio: 'on', video: 'on', screen: false });
    who.say({ type: 'admitted', token: 'mock', url: base, identity: id() });
    who.ws.close(1000);
    return {};
  },
  decline({ knock: k }) {
    knocks.get(k)?.say({ type: 'declined' });
    knocks.get(k)?.ws.close(1000);
    return {};
  },
  enter: () => ({ token: 'mock', url: base, identity: 'host' }),
  mute: () => ({}),
  remove: () => ({}),
  end({ room }) {
    for (const k of knocks.values()) if (k.room === room) k.say({ type: 'closed', reason: 'ended' });
    rooms.delete(room);
    return {};
  },
};

function broadcast() {
  const list = [...rooms.values()].map((r) => ({
    ...r,
    grant: r.id,
    link: `r/${r.id}#s=good`,
    waiting: [...r.waiting.values()],
  }));
  for (const h of hosts) h.say({ type: 'state', host, rooms: list });
  for (const k of knocks.values()) {
    k.say({ type: 'waiting', resume: k.id, host_present: hosts.size > 0 && rooms.has(k.room) });
  }
}

server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}${base}/`));
