// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// Notes everything a browser asks of the network and says on its console.

export class Witness {
  /** @type {string[]} */
  urls = [];
  /** @type {string[]} */
  console = [];
  /** @type {string[]} */
  errors = [];
  /** @type {{path: string, status: number, headers: Record<string, string>}[]} */
  responses = [];

  /** @param {import('playwright-core').Page} page */
  watch(page) {
    page.on('request', (r) => this.urls.push(r.url()));
    page.on('websocket', (ws) => this.urls.push(ws.url()));
    page.on('response', (r) => {
      this.responses.push({ path: new URL(r.url()).pathname, status: r.status(), headers: r.headers() });
    });
    page.on('console', (m) => this.console.push(`${m.type()}: ${m.text()}`));
    page.on('pageerror', (e) => this.errors.push(String(e)));
  }

  /** Hosts that were asked for anything, beside documents the browser makes itself. */
  hosts() {
    const real = this.urls.filter((u) => !/^(blob|data|about|chrome|moz-extension|resource):/.test(u));
    return [...new Set(real.map((u) => new URL(u).host))];
  }
}
