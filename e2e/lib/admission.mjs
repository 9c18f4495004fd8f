// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The admission API as plain sockets: for hosts and visitors without a
// browser, and for those who do not keep to it.

import { WebSocket } from 'ws';
import { localSide } from './caddy.mjs';
import { until } from './wait.mjs';

/**
 * A WebSocket of the admission API or the signaling, with everything that came in.
 * @typedef {{headers?: Record<string, string>, origin?: string | null, from?: string}} DialOptions
 */
export class Line {
  /** @type {any[]} */
  frames = [];
  /** @type {{code: number, reason: string} | undefined} */
  closed;
  /** HTTP status of a refused upgrade. @type {number | undefined} */
  refused;

  /** @param {import('./caddy.mjs').Caddy} caddy @param {string} target below the base path @param {DialOptions} [o] */
  constructor(caddy, target, { headers = {}, origin = caddy.origin, from } = {}) {
    const url = `wss://${caddy.address}:${caddy.ports.https}${caddy.base}/${target}`;
    this.socket = new WebSocket(url, {
      rejectUnauthorized: false,
      perMessageDeflate: false,
      ...localSide(from),
      handshakeTimeout: 10_000,
      headers: origin === null ? headers : { Origin: origin, ...headers },
    });
    this.settled = new Promise((resolve) => {
      this.socket.on('open', () => resolve('open'));
      this.socket.on('unexpected-response', (_, res) => {
        this.refused = res.statusCode;
        res.resume();
        this.socket.terminate();
        resolve('refused');
      });
      this.socket.on('error', () => resolve('refused'));
    });
    this.ended = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.closed = { code, reason: String(reason) };
        resolve(this.closed);
      });
    });
    this.socket.on('message', (data, binary) => this.frames.push(binary ? data : JSON.parse(String(data))));
  }

  /** Waits for the upgrade. @returns {Promise<this>} */
  async open() {
    if ((await this.settled) !== 'open') throw new Error(`refused with ${this.refused}`);
    return this;
  }

  send(frame) {
    this.socket.send(typeof frame === 'object' && !Buffer.isBuffer(frame) ? JSON.stringify(frame) : frame);
  }

  /** The newest frame for which want is true. */
  frame(what, want, timeout = 10_000) {
    return until(what, () => this.frames.findLast(want), { timeout });
  }

  close() {
    this.socket.close();
    return this.ended;
  }
}

/** A host without a browser. */
export class HostLine extends Line {
  #id = 0;

  /** Signs in with the private link's key and says hello. @param {import('./caddy.mjs').Caddy} caddy */
  static async signIn(caddy, rooms = []) {
    const key = new URL(await caddy.hostLink()).hash.replace('#k=', '');
    const answer = await caddy.api('host/session', { key });
    if (answer.status !== 200) throw new Error(`host/session: ${answer.status} ${answer.text}`);
    const line = new HostLine(caddy, 'api/v1/host');
    await line.open();
    line.send({ type: 'hello', token: JSON.parse(answer.text).token, rooms });
    await line.frame('the first state', (f) => f.type === 'state');
    return line;
  }

  get state() {
    return this.frames.findLast((f) => f.type === 'state');
  }

  async command(command) {
    const id = ++this.#id;
    this.send({ type: 'cmd', id, ...command });
    const result = await this.frame(`the result of ${command.do}`, (f) => f.type === 'result' && f.id === id);
    if (!result.ok) throw Object.assign(new Error(`${command.do}: ${result.error.code}`), { code: result.error.code });
    return result;
  }

  /** Opens a room. @returns {Promise<{id: string, cap: string, link: string}>} link below the base path */
  async openRoom() {
    const { room } = await this.command({ do: 'open_room' });
    const { link } = await until('the room is in the state', () => this.state.rooms.find((r) => r.id === room));
    return { id: room, cap: new URL(link, 'https://x/').hash.replace('#s=', ''), link };
  }

  room(id) {
    return this.state.rooms.find((r) => r.id === id);
  }

  /** Admits the one who knocks under this name. */
  async admit(room, name) {
    const knock = await until(`${name} waits`, () => this.room(room)?.waiting.find((w) => w.name === name));
    await this.command({ do: 'admit', room, knock: knock.id });
  }
}

/** A visitor without a browser. */
export class KnockLine extends Line {
  constructor(caddy, { room, cap, name, resume }, o) {
    super(caddy, 'api/v1/knock', o);
    this.socket.on('open', () => this.send({ type: 'knock', room, cap, name, ...(resume ? { resume } : {}) }));
  }

  waiting(timeout) {
    return this.frame('waiting', (f) => f.type === 'waiting', timeout);
  }

  admitted(timeout) {
    return this.frame('admitted', (f) => f.type === 'admitted', timeout);
  }
}
