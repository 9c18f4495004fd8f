// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A TCP relay between browser and Caddy, so that a test can cut connections
// the way a network does. Media does not pass here.

import { connect, createServer } from 'node:net';

export class Relay {
  #open = new Set();

  /** @param {import('node:net').Server} server */
  constructor(server, port) {
    this.#server = server;
    this.port = port;
    this.origin = `https://localhost:${port}`;
  }
  #server;

  /** @param {number} target local port @returns {Promise<Relay>} */
  static async to(target) {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
    const relay = new Relay(server, /** @type {import('node:net').AddressInfo} */ (server.address()).port);
    server.on('connection', (client) => relay.#join(client, connect(target, 'localhost')));
    return relay;
  }

  #join(a, b) {
    this.#open.add(a);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        this.#open.delete(a);
      });
    }
  }

  /** Connections that pass right now. */
  get connections() {
    return this.#open.size;
  }

  /** Resets every connection, as a dying network does. @returns {number} how many */
  cut() {
    const all = [...this.#open];
    for (const socket of all) socket.resetAndDestroy();
    return all.length;
  }

  close() {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve(undefined)));
  }
}
