// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The agreement on keys as one call has it: a session of vr-e2ee-1 on the circle's line, begun anew where the circle is.
// Keys go out to the worker and to the content cipher, and what people see comes out.

import { type Candidate, Circle, type CirclePerson } from '../api/circle';
import type { Dial } from '../api/socket';
import type { ApiCode } from '../api/types';
import { fromBase64url } from './base64url';
import { Content, contentVersion } from './content';
import type { Order } from './frames/service';
import { firstHost, type Newcomer, Session } from './keys/session';
import type { Bytes, Pid, SafetyCode, StopReason } from './keys/types';
import { hex } from './keys/wire';
import { type PageKey, vouches } from './pagekey';

/** Milliseconds between two looks at the clock; times of the session are multiples of seconds. */
const tickEvery = 250;
/** How often it is begun anew within a minute before that is a failure. */
const mostRestarts = 6;
const restartsWithin = 60_000;

export interface AgreementEvents {
  /** Something to show is different. */
  changed(): void;
  heard(identity: string, plain: Bytes): void;
  /** There is a host who may be asked to let this page in. */
  met?(): void;
  /** Our content reaches everybody who is there: they may not know it yet. */
  renewed(): void;
  /** Final: the call must end. */
  stopped(reason: StopReason): void;
  /** The server does not let this page into the circle. */
  refused(code: ApiCode): void;
}

export interface AgreementOptions {
  /** WebSocket address of the site. */
  url: string;
  identity: string;
  token(): string;
  key: PageKey;
  /** Of hosts: whether the page of this key is let in without asking. Undefined for everybody else. */
  welcome?: (key: string) => boolean;
  post(order: Order, transfer?: Transferable[]): void;
  events: AgreementEvents;
  dial?: Dial;
  now?: () => number;
}

const random = (octets: number): Bytes => crypto.getRandomValues(new Uint8Array(octets));
/** Stands for the secret of a link that has none. */
const noSecret = new Uint8Array(16);

/** One attempt: a session, its line, and everything that ends with them. */
interface Attempt {
  newcomer: Newcomer;
  session: Session | undefined;
  circle: Circle;
  content: Content;
  /** The first host; empty until it is known. */
  host: Pid;
}

export class Agreement {
  readonly #o: AgreementOptions;
  readonly #now: () => number;
  #attempt: Attempt | undefined;
  #people: readonly CirclePerson[] = [];
  #asking: readonly Candidate[] = [];
  readonly #letIn = new Set<Pid>();
  #code: SafetyCode | undefined;
  /** Those whom the people here have compared with. */
  readonly #verified = new Set<Pid>();
  #compared = false;
  #sending = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #restarts: number[] = [];
  #done = false;

  constructor(o: AgreementOptions) {
    this.#o = o;
    this.#now = o.now ?? (() => performance.now());
    this.#timer = setInterval(() => void this.#attempt?.session?.tick(), tickEvery);
    this.#begin();
  }

  /** Who is in the circle besides this page. */
  get others(): readonly CirclePerson[] {
    return this.#people.filter((p) => p.pid !== this.pid);
  }

  /** Those of whom and to whom everything is decrypted. */
  get agreed(): ReadonlySet<Pid> {
    return new Set(this.#sending ? this.#attempt?.session?.agreed : []);
  }

  /** This page's own pid in the agreement that runs. */
  get pid(): Pid {
    return this.#attempt ? hex(this.#attempt.newcomer.me.pid) : '';
  }

  get code(): SafetyCode | null {
    return this.others.length > 0 ? (this.#code ?? null) : null;
  }

  /** True where nobody is there who could begin. */
  get waiting(): boolean {
    return this.#people.length === 0;
  }

  /** Those in the circle with whom nobody here compared, and whether anybody was ever compared with. */
  get fresh(): { everCompared: boolean; people: readonly CirclePerson[] } {
    return { everCompared: this.#compared, people: this.others.filter((p) => !this.#verified.has(p.pid)) };
  }

  /** Those who wait for this host's word. */
  get asking(): readonly Candidate[] {
    return this.#asking.filter((c) => !this.#letIn.has(c.pid));
  }

  pidOf(identity: string): Pid | undefined {
    return this.#people.find((p) => p.identity === identity)?.pid;
  }

  identityOf(pid: Pid): string | undefined {
    return this.#people.find((p) => p.pid === pid)?.identity;
  }

  /** The people compared the words of this code with all who are there now. */
  confirm(code: SafetyCode): void {
    if (code !== this.#code) return;
    this.#compared = true;
    for (const { pid } of this.others) this.#verified.add(pid);
    this.#o.events.changed();
  }

  /** A host's word for somebody who asks. */
  letIn(pid: Pid): void {
    const c = this.#asking.find((a) => a.pid === pid);
    if (c) this.#run(() => this.#admit(c));
  }

  /** Content for everybody, or for one participant; false where it cannot be sent. */
  say(plain: Bytes, identity?: string): boolean {
    const to = identity === undefined ? undefined : this.pidOf(identity);
    if (identity !== undefined && to === undefined) return false;
    return this.#attempt?.content.say(plain, to) ?? false;
  }

  /** The network has changed. */
  hurry(): void {
    this.#attempt?.circle.hurry();
  }

  close(): void {
    if (this.#done) return;
    this.#done = true;
    clearInterval(this.#timer);
    this.#drop();
  }

  #run(work: () => Promise<unknown>): void {
    this.#turn = this.#turn
      .then(() => (this.#done ? undefined : work()))
      .then(
        () => {},
        () => this.#stop('internal'),
      );
  }

  #begin(): void {
    this.#run(async () => {
      const newcomer = await Session.newcomer(random);
      const proof = await this.#o.key.vouch(newcomer.knock);
      if (this.#done) return;
      // What is late of an attempt that was given up must not reach the next one.
      const mine = (work: (a: Attempt) => void | Promise<void>) => {
        if (this.#attempt === attempt) this.#run(async () => this.#attempt === attempt && work(attempt));
      };
      const circle = new Circle({
        url: `${this.#o.url}/api/v1/circle`,
        token: this.#o.token,
        knock: newcomer.knock,
        proof,
        ...(this.#o.dial && { dial: this.#o.dial }),
        events: {
          welcome: (host) => mine((a) => this.#welcome(a, host)),
          roster: (octets, people) => mine((a) => this.#roster(a, octets, people)),
          message: (octets) => mine((a) => this.#message(a, octets)),
          asking: (list) => mine((a) => this.#ask(a, list)),
          restart: () => mine(() => this.#again()),
          refused: (code) => mine(() => this.#o.events.refused(code)),
        },
      });
      const content = new Content({
        send: (octets, to) => circle.send(octets, to),
        heard: (from, plain) => {
          const identity = this.identityOf(from);
          if (identity !== undefined && this.#attempt === attempt) this.#o.events.heard(identity, plain);
        },
      });
      const attempt: Attempt = { newcomer, session: undefined, circle, content, host: '' };
      this.#attempt = attempt;
    });
  }

  async #welcome(a: Attempt, host: Pid): Promise<void> {
    a.host = host;
    if (host && !this.#o.welcome) this.#o.events.met?.();
    if (host || !this.#o.welcome) return;
    // Nobody was here: the call is this host's own.
    a.session = await this.#session(a, undefined);
    a.circle.admit(this.pid, await a.session.admit(a.newcomer.knock, 1));
  }

  #session(a: Attempt, host: Bytes | undefined): Promise<Session> {
    const alive = () => this.#attempt === a && !this.#done;
    const participant = hex(a.newcomer.me.pid);
    return Session.create(
      {
        link: noSecret,
        ...(host && { host }),
        now: this.#now,
        random,
        events: {
          send: (message, to) => a.circle.send(message, to),
          install: (pid, key) => {
            const secret = key.secret.slice().buffer;
            this.#o.post({ do: 'key', participant: pid, index: key.index, secret }, [secret]);
            if (pid !== participant) a.content.install(pid, key);
            this.#o.events.changed();
          },
          use: (key) => {
            if (!alive()) return;
            this.#sending = key !== undefined;
            if (key) this.#o.post({ do: 'use', participant, index: key.index });
            else this.#o.post({ do: 'halt', participant });
            a.content.use(participant, key);
            if (key) this.#o.events.renewed();
            this.#o.events.changed();
          },
          forget: (pid, index) => {
            this.#o.post({ do: 'forget', participant: pid, index });
            a.content.forget(pid, index);
          },
          code: (code) => {
            this.#code = code;
            this.#o.events.changed();
          },
          waiting: (pids) => a.circle.missing(pids),
          stopped: (reason) => alive() && this.#stopped(reason),
        },
      },
      a.newcomer,
    );
  }

  async #roster(a: Attempt, octets: Bytes, people: readonly CirclePerson[]): Promise<void> {
    if (!a.session) {
      const host = a.host ? fromHex(a.host) : await firstHost(octets).catch(() => undefined);
      if (!host) return this.#stop('roster');
      a.session = await this.#session(a, host);
    }
    await a.session.onRoster(octets);
    // Only what the session took is shown.
    const members = new Set(a.session.members);
    if (a.session.stopped || this.#attempt !== a) return;
    this.#people = people.filter((p) => members.has(p.pid));
    if (this.#people.length !== members.size) return this.#stop('roster');
    // Each has one place in the room, and this page its own.
    const places = new Set(people.map((p) => p.identity));
    if (places.size !== people.length || this.identityOf(this.pid) !== this.#o.identity) return this.#stop('roster');
    this.#o.events.changed();
  }

  async #message(a: Attempt, octets: Bytes): Promise<void> {
    if (octets[0] === contentVersion) return a.content.hear(octets);
    // What is said before the first roster belongs to an agreement that this page is not part of.
    await a.session?.onMessage(octets);
    this.#o.events.changed();
  }

  async #ask(a: Attempt, list: readonly Candidate[]): Promise<void> {
    const { welcome } = this.#o;
    // Whoever is no host has nobody to let in, whatever the server says.
    if (!welcome) return;
    this.#asking = list;
    for (const c of list) {
      // Another host becomes one by the person's own word alone: hosts can let others in.
      if (!c.host && !this.#letIn.has(c.pid) && welcome(c.key) && this.#attempt === a) await this.#admit(c);
    }
    this.#o.events.changed();
  }

  async #admit(c: Candidate): Promise<void> {
    const a = this.#attempt;
    const id = fromBase64url(c.key);
    if (!a?.session || !id || !(await vouches(id, c.proof, c.knock))) return;
    const admit = await a.session.admit(c.knock, c.host ? 1 : 0).catch(() => undefined);
    if (!admit || this.#attempt !== a) return;
    this.#letIn.add(c.pid);
    a.circle.admit(c.pid, admit);
    this.#o.events.changed();
  }

  /** A new attempt with a new identity. */
  #again(): void {
    this.#drop();
    const now = this.#now();
    this.#restarts = [...this.#restarts.filter((at) => now - at < restartsWithin), now];
    if (this.#restarts.length > mostRestarts) return this.#stop('blocked');
    this.#o.events.changed();
    this.#begin();
  }

  #drop(): void {
    const a = this.#attempt;
    this.#attempt = undefined;
    this.#sending = false;
    this.#code = undefined;
    a?.content.close();
    a?.circle.close();
    void a?.session?.close();
    for (const { pid } of this.#people) this.#o.post({ do: 'remove', participant: pid });
    if (a) this.#o.post({ do: 'remove', participant: hex(a.newcomer.me.pid) });
    this.#people = [];
    this.#asking = [];
  }

  #stopped(reason: StopReason): void {
    // A line that was slow is tried again; whatever else is wrong is wrong for good.
    if (reason === 'blocked' || reason === 'limit') this.#again();
    else if (reason !== 'closed') this.#stop(reason);
  }

  #stop(reason: StopReason): void {
    if (this.#done) return;
    this.close();
    this.#o.events.stopped(reason);
  }
}

function fromHex(pid: Pid): Bytes {
  return Uint8Array.from(pid.match(/../g) ?? [], (two) => Number.parseInt(two, 16));
}
