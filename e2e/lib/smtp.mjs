// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A mail server as far as a practice needs one: takes letters, refuses the addresses it is told to.

import net from 'node:net';

/** @typedef {{from: string, to: string[], text: string}} Letter */

export class MailServer {
  /** @type {Letter[]} */
  letters = [];
  /** Addresses that are refused for good. */
  refused = new Set();
  #server = net.createServer((socket) => this.#talk(socket));

  static async start() {
    const mail = new MailServer();
    await new Promise((resolve) => mail.#server.listen(0, '127.0.0.1', () => resolve(undefined)));
    // A test that failed does not wait for it.
    mail.#server.unref();
    return mail;
  }

  get port() {
    return /** @type {net.AddressInfo} */ (this.#server.address()).port;
  }

  close() {
    return new Promise((resolve) => this.#server.close(() => resolve(undefined)));
  }

  /** @param {net.Socket} socket */
  #talk(socket) {
    let letter = { from: '', to: /** @type {string[]} */ ([]), text: '' };
    let data = false;
    let rest = '';
    const say = (line) => socket.write(`${line}\r\n`);
    socket.on('error', () => {});
    socket.setEncoding('utf8');
    say('220 localhost ESMTP');
    socket.on('data', (chunk) => {
      rest += chunk;
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (data) {
          if (line !== '.') {
            letter.text += `${line}\n`;
            continue;
          }
          data = false;
          this.letters.push(letter);
          letter = { from: '', to: [], text: '' };
          say('250 taken');
          continue;
        }
        const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'EHLO' || verb === 'HELO') say('250 localhost');
        else if (verb === 'MAIL') {
          letter = { from: address, to: [], text: '' };
          say('250 ok');
        } else if (verb === 'RCPT') {
          if (this.refused.has(address)) say('550 5.1.1 no such person');
          else {
            letter.to.push(address);
            say('250 ok');
          }
        } else if (verb === 'DATA') {
          data = true;
          say('354 go on');
        } else if (verb === 'QUIT') {
          say('221 bye');
          socket.end();
        } else say('250 ok');
      }
    });
  }
}
