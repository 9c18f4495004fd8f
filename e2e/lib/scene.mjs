// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// One test: a Caddy of its own, browsers for its people, and what is left of
// them when it fails.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openChromium, openFirefox } from './browsers.mjs';
import { Caddy } from './caddy.mjs';
import { people } from './media.mjs';
import { Relay } from './proxy.mjs';
import { HostPage, VisitorPage } from './ui.mjs';

const out = fileURLToPath(new URL('../out', import.meta.url));

export class Scene {
  /** @type {import('./browsers.mjs').Seat[]} */
  seats = [];
  /** @type {Relay | undefined} */
  relay;

  /** @param {Caddy} caddy */
  constructor(caddy) {
    this.caddy = caddy;
  }

  /** Where browsers find the site: through the relay when there is one. */
  get origin() {
    return this.relay?.origin ?? this.caddy.origin;
  }

  /** @param {keyof typeof people} person */
  async chromium(person, o) {
    return this.#sit(await openChromium(person, o));
  }

  /** @param {keyof typeof people} person */
  async firefox(person, o) {
    return this.#sit(await openFirefox(person, o));
  }

  #sit(seat) {
    this.seats.push(seat);
    return seat;
  }

  /** A host who has signed in and opened a room. */
  async host(seat) {
    const host = await HostPage.open(seat, await this.caddy.hostLink(this.origin));
    return { host, link: await host.openRoom() };
  }

  /** Somebody who has opened the visitor's link. */
  visit(seat, link) {
    return VisitorPage.open(seat, link);
  }

  /** A visitor who knocks, is admitted, and is in the call. */
  async join(seat, host, link, name = people[seat.person].name) {
    const visitor = await VisitorPage.open(seat, link);
    await visitor.knock(name);
    await host.admit(name);
    await visitor.call.joined();
    return visitor;
  }

  /** Host and visitor in a call. */
  async pair(hostSeat, visitorSeat) {
    const { host, link } = await this.host(hostSeat);
    await host.enter();
    const visitor = await this.join(visitorSeat, host, link);
    return { host, visitor, link };
  }

  async keep(name) {
    const file = name.replaceAll(/[^a-z0-9]+/gi, '-');
    await mkdir(out, { recursive: true });
    for (const [i, seat] of this.seats.entries()) {
      await seat.shoot(`${file}-${i}`);
      await writeFile(
        path.join(out, `${file}-${i}-console.txt`),
        seat.witness.console.concat(seat.witness.errors).join('\n'),
      );
    }
    await writeFile(path.join(out, `${file}-caddy.log`), this.caddy.log);
  }

  async close() {
    await Promise.allSettled(this.seats.map((s) => s.close()));
    await this.relay?.close();
    await this.caddy.close();
  }
}

/**
 * Declares a test with a running Caddy.
 * @param {string} name
 * @param {{site?: import('./caddy.mjs').SiteOptions, place?: import('./caddy.mjs').Place, relay?: boolean, timeout?: number}} options
 * @param {(s: Scene, t: import('node:test').TestContext) => Promise<void>} act
 */
export function play(name, { site, place, relay = false, timeout = 120_000 }, act) {
  test(name, { timeout }, async (t) => {
    const scene = new Scene(await Caddy.start(site, place));
    try {
      if (relay) scene.relay = await Relay.to(scene.caddy.ports.https);
      // Node ends a test that is late without its finally blocks; end it first.
      await within(timeout - 10_000, act(scene, t));
      noPanic(scene.caddy.log);
    } catch (error) {
      await scene.keep(name);
      throw error;
    } finally {
      await scene.close();
    }
  });
}

function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the test did not end within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function noPanic(log) {
  const line = log.split('\n').find((l) => /panic|runtime error|DATA RACE|goroutine \d+ \[/.test(l));
  if (line) throw new Error(`Caddy said: ${line.slice(0, 600)}`);
}
