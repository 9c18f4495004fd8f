// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A real Caddy process with its own ports, storage and logs.

import { execFile, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './ports.mjs';
import { until } from './wait.mjs';

const run = promisify(execFile);
// The lab runs Caddy in a network of its own: its address, and the command
// that starts a process there.
const address = process.env.E2E_ADDRESS ?? 'localhost';
const prefix = process.env.E2E_CADDY_PREFIX?.split(' ') ?? [];
const binary = process.env.CADDY ?? fileURLToPath(new URL('../out/caddy', import.meta.url));

/** The host every test joins as. */
export const hostId = 'muster';

/**
 * @typedef {object} SiteOptions
 * @property {string} [videoroom] lines of the directive's block beside practice, phone and host
 * @property {string} [before] lines of the site block before the directive
 * @property {string} [version] what /version of the site answers
 * @property {boolean} [removed] leave the directive away
 */

/**
 * Where a Caddy listens. Its administration endpoint then stays inside its own network. prepare makes the place.
 * @typedef {object} Place
 * @property {string} address
 * @property {{https: number, http: number, admin: number, media: number}} ports
 * @property {() => Promise<void>} [prepare]
 */

/** One Caddy process. Every test file has its own. */
export class Caddy {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process;
  #log = '';

  /** @param {string} dir @param {Place['ports']} ports @param {Place} [place] */
  constructor(dir, ports, place) {
    this.dir = dir;
    this.ports = ports;
    this.address = place?.address ?? address;
    this.adminAddress = place ? 'localhost' : address;
    this.origin = `https://${this.address}${ports.https === 443 ? '' : `:${ports.https}`}`;
    this.base = '/video';
  }

  /**
   * @param {SiteOptions} [site]
   * @param {Place} [place] free ports of the lab's address unless given
   * @returns {Promise<Caddy>}
   */
  static async start(site = {}, place) {
    if (!existsSync(binary)) throw new Error(`no binary at ${binary}: run scripts/test.sh build`);
    await place?.prepare?.();
    const dir = await mkdtemp(path.join(tmpdir(), 'videoroom-e2e-'));
    await mkdir(path.join(dir, 'site'));
    await writeFile(path.join(dir, 'site', 'index.html'), '<!doctype html><title>Praxis</title><p>Praxis</p>');
    const ports = place?.ports ?? {
      https: await freePort(),
      http: await freePort(),
      admin: await freePort(),
      media: await freePort(),
    };
    const caddy = new Caddy(dir, ports, place);
    await caddy.launch(site);
    return caddy;
  }

  /** The Caddyfile of a generation. */
  caddyfile({ videoroom = '', before = '', version = '1', removed = false } = {}) {
    const directive = `
	videoroom ${this.base} {
		practice "Praxis Dr. Muster"
		phone "+49 69 123456"
		host ${hostId} {
			name "Dr. Muster"
		}
		${videoroom}
	}`;
    return `{
	admin ${this.adminAddress}:${this.ports.admin}
	persist_config off
	skip_install_trust
	http_port ${this.ports.http}
	https_port ${this.ports.https}
	grace_period 5s
	videoroom {
		media_port ${this.ports.media}
	}
}
${this.address} {
	tls internal
	${before}
	respond /version "${version}"${removed ? '' : directive}
	root * ${this.dir}/site
	file_server
}
`;
  }

  /** Starts the process (again) on the same storage. @param {SiteOptions} [site] */
  async launch(site = {}) {
    if (this.#process) throw new Error('Caddy is running');
    const file = path.join(this.dir, 'Caddyfile');
    await writeFile(file, this.caddyfile(site));
    const sink = createWriteStream(path.join(this.dir, 'caddy.log'), { flags: 'a' });
    const [command, ...args] = [...prefix, binary, 'run', '--config', file, '--adapter', 'caddyfile'];
    const child = spawn(command, args, { env: this.#env() });
    this.#process = child;
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (b) => {
        this.#log += b;
        sink.write(b);
      });
    }
    const died = this.exited.then(() => {
      throw new Error(`Caddy ended at start:\n${this.log.slice(-4000)}`);
    });
    await Promise.race([died, until('Caddy answers', () => this.get('/version').then((r) => r.status === 200))]);
    died.catch(() => {}); // a later end is awaited by stop()
  }

  /** Hands the running process a new configuration. @param {SiteOptions} [site] */
  async reload(site = {}) {
    const answer = await this.admin('/load', {
      method: 'POST',
      headers: { 'Content-Type': 'text/caddyfile', 'Cache-Control': 'must-revalidate' },
      body: this.caddyfile(site),
    });
    if (answer.status !== 200) throw new Error(`reload: ${answer.status} ${answer.text}`);
  }

  /** Ends the process as an init system does and waits for it. @returns {Promise<{code: number | null, signal: string | null, ms: number}>} */
  async stop(signal = 'SIGTERM') {
    const child = this.#process;
    if (!child) return { code: null, signal: null, ms: 0 };
    const began = performance.now();
    child.kill(/** @type {NodeJS.Signals} */ (signal));
    const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
    const end = await this.exited;
    clearTimeout(late);
    this.#process = undefined;
    return { ...end, ms: performance.now() - began };
  }

  /** Ends the process and removes its files. */
  async close() {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Which of these byte strings stand anywhere in the memory that the process can write. @param {Record<string, Buffer>} wanted */
  async inMemory(wanted) {
    const pid = this.#process?.pid;
    const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
    const memory = await open(`/proc/${pid}/mem`, 'r');
    const longest = Math.max(...Object.values(wanted).map((b) => b.length));
    const found = new Set();
    const step = 8 << 20;
    const chunk = Buffer.alloc(step + longest);
    try {
      for (const line of maps.split('\n')) {
        const m = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
        if (!m) continue;
        const end = Number.parseInt(m[2], 16);
        for (let at = Number.parseInt(m[1], 16); at < end; at += step) {
          // What is not backed by memory cannot be read.
          const { bytesRead } = await memory
            .read(chunk, 0, Math.min(chunk.length, end - at), at)
            .catch(() => ({ bytesRead: 0 }));
          for (const [name, octets] of Object.entries(wanted)) {
            if (chunk.subarray(0, bytesRead).includes(octets)) found.add(name);
          }
        }
      }
    } finally {
      await memory.close();
    }
    return [...found];
  }

  /** Resident memory and open files of the process. */
  async usage() {
    const pid = this.#process?.pid;
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return { rssKiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) };
  }

  /** The root certificate of the process's own authority. */
  get root() {
    return path.join(this.dir, 'data/caddy/pki/authorities/local/root.crt');
  }

  /** Everything the process has said so far. */
  get log() {
    return this.#log;
  }

  /** Runs a sub-command of the binary beside the process. @returns {Promise<string>} its standard output */
  async command(...args) {
    const [command, ...rest] = [...prefix, binary, ...args];
    const { stdout } = await run(command, rest, { env: this.#env() });
    return stdout;
  }

  /** The sockets on which anything listens in the process's network. @returns {Promise<{udp: boolean, port: number}[]>} */
  async listening() {
    const [command, ...rest] = [...prefix, 'ss', '-Hlntu'];
    const { stdout } = await run(command, rest);
    const lines = stdout
      .trim()
      .split('\n')
      .map((l) => l.split(/\s+/));
    return lines.map(([kind, , , , at]) => ({ udp: kind === 'udp', port: Number(at.slice(at.lastIndexOf(':') + 1)) }));
  }

  /** The private link of a host, on this origin. */
  async hostLink(origin = this.origin, host = hostId) {
    const out = await this.command(
      'videoroom',
      'host-link',
      '--host',
      host,
      '--address',
      `${this.adminAddress}:${this.ports.admin}`,
    );
    const key = /#k=([A-Za-z0-9_.~-]+)/.exec(out)?.[1];
    if (!key) throw new Error(`no host link in ${JSON.stringify(out)}`);
    return `${origin}${this.base}/host/#k=${key}`;
  }

  /**
   * One HTTPS request to the site, trusting whatever certificate it has.
   * @param {string} target path with query
   * @param {{method?: string, headers?: Record<string, string>, body?: string | Buffer, from?: string}} [o]
   * from: the client's address
   * @returns {Promise<{status: number, headers: import('node:http').IncomingHttpHeaders, text: string}>}
   */
  get(target, o = {}) {
    const options = { host: this.address, port: this.ports.https, path: target, rejectUnauthorized: false };
    return ask(https.request, options, o);
  }

  /** One request to the administration endpoint. */
  admin(target, o = {}) {
    return ask(http.request, { host: this.adminAddress, port: this.ports.admin, path: target }, o);
  }

  /** The running engine's numbers. @returns {Promise<Record<string, number>>} */
  async counts() {
    return JSON.parse((await this.admin('/videoroom/')).text);
  }

  /** One request to the admission API. */
  api(name, body, headers = {}) {
    const json = body === undefined ? undefined : JSON.stringify(body);
    return this.get(`${this.base}/api/v1/${name}`, {
      method: json === undefined ? 'GET' : 'POST',
      headers: json === undefined ? headers : { Origin: this.origin, 'Content-Type': 'application/json', ...headers },
      body: json,
    });
  }

  #env() {
    return {
      PATH: process.env.PATH,
      HOME: this.dir,
      XDG_DATA_HOME: path.join(this.dir, 'data'),
      XDG_CONFIG_HOME: path.join(this.dir, 'config'),
    };
  }
}

/** Options of a connection that comes from a given address. @param {string} [from] */
export const localSide = (from) => (from ? { localAddress: from, family: 4 } : {});

/** @returns {Promise<{status: number, headers: import('node:http').IncomingHttpHeaders, text: string}>} */
function ask(request, options, { method = 'GET', headers = {}, body, from } = {}) {
  return new Promise((resolve, reject) => {
    const req = request({ ...options, ...localSide(from), agent: false, method, headers }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (d) => {
        text += d;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
    });
    req.setTimeout(10_000, () => req.destroy(new Error('no answer within 10 s')));
    req.on('error', reject);
    req.end(body);
  });
}
