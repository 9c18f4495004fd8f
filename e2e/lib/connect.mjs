// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// An HTTP proxy that serves CONNECT alone (RFC 9110 §9.3.6), as a program of its
// own so that it can run in another network:
//
//   node connect.mjs <address> <port> [tls]
//
// "tls" makes it one that looks into the tunnel and ends what does not begin
// with a TLS record. A line "CONNECT <target> <first byte>" is printed for each.

import http from 'node:http';
import { connect } from 'node:net';

const [address, port, strict] = process.argv.slice(2);
const tlsRecord = 0x16;

const server = http.createServer((_, res) => res.writeHead(405).end());
server.on('connect', (req, client) => {
  const [, host, to] = /^\[?([-\w:.]+?)\]?:(\d+)$/.exec(req.url ?? '') ?? [];
  if (!host) return client.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  const target = connect(Number(to), host);
  for (const [a, b] of [
    [client, target],
    [target, client],
  ]) {
    a.setNoDelay(true);
    a.on('error', () => b.destroy());
    a.on('close', () => b.destroy());
  }
  target.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.once('data', (first) => {
      console.log(`CONNECT ${req.url} ${first[0]}`);
      if (strict && first[0] !== tlsRecord) return client.destroy();
      target.write(first);
      client.pipe(target);
      target.pipe(client);
    });
  });
});
server.listen(Number(port), address, () => console.log('ready'));
