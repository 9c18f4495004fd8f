// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, signal } from '@preact/signals-core';
import { Backoff } from '../api/backoff';
import { request } from '../api/client';
import { Knock } from '../api/knock';
import type { Admission, DoorPage, WaitingFrame } from '../api/types';
import type { SecureOptions } from '../call/secured';
import type { CallEnd, CallSession } from '../call/types';
import type { NameSealer } from '../e2ee/door';
import type { Bytes } from '../e2ee/keys/types';
import { linkSecret } from '../e2ee/linksecret';
import type { PageKey } from '../e2ee/pagekey';
import { Capture, type Handover, type Kind, kinds, MediaRefused } from '../media/capture';
import { play, unlockTones } from '../media/tone';
import { type Page, readFragment, socketURL } from '../page';
import { type ErrorCode, fromApi } from './errors';
import { onExit } from './exit';
import { type Event, type State, step, type Want } from './machine';

/** A media token is good for ten minutes; a little is kept back for the way. */
const tokenUsable = 9 * 60_000;

const devices: Readonly<Record<Want, readonly Kind[]>> = { both: kinds, audio: ['microphone'], none: [] };

/** The newest media token of a call that ended, and how long it was. */
type Ending = Pick<CallEnd, 'token' | 'seconds'>;

export interface CallModule {
  connect(o: {
    admission: Admission;
    url: string;
    name: string;
    media: Handover;
    secure?: SecureOptions;
    ended(end: CallEnd): void;
  }): Promise<CallSession>;
}

/** One visit from the question for permission to the end of the call. */
export class Visit {
  readonly page: Page;
  readonly capture: Capture;
  #room: string;
  #cap: string;
  /** The link's own secret: there is no call without it where the link has one. */
  readonly #secret: Bytes | undefined;
  readonly #damaged: boolean;
  readonly #load: () => Promise<CallModule>;
  readonly #state = signal<State>({ at: 'primer' });
  readonly #session = signal<CallSession | null>(null);
  readonly #lostDevice = signal<'camera' | 'microphone' | null>(null);
  readonly #backoff = new Backoff();
  #name = '';
  /** What a return to the call switches on. */
  #devices: readonly Kind[] = [];
  #knock: Knock | undefined;
  #admission: (Admission & { at: number }) | undefined;
  /** Stands for this page where calls are encrypted from end to end. */
  #key: PageKey | undefined;
  /** Seals the name for the host's pages, one after the other. */
  #sealer: NameSealer | undefined;
  #sealing: Promise<unknown> = Promise.resolve();
  /** The id of the knock, what was written to this page there, and the newest word of the door. */
  #place = '';
  /** The pages that the name was sealed for last. */
  #doors: readonly string[] = [];
  #read: readonly string[] = [];
  #news: WaitingFrame | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `link`: the secret in the link's fragment, null where there is none. */
  constructor(page: Page, cap: string, load: () => Promise<CallModule>, link: string | null) {
    this.page = page;
    this.#room = page.room;
    this.#cap = cap;
    this.#secret = linkSecret(link);
    this.#damaged = link !== null && !this.#secret;
    this.#load = load;
    this.capture = new Capture((kind) => {
      this.#lostDevice.value = kind;
    });
    window.addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#hurry());
    window.addEventListener('pagehide', () => this.capture.stop());
    onExit(() => this.capture.stop());
  }

  get state(): ReadonlySignal<State> {
    return this.#state;
  }

  get session(): ReadonlySignal<CallSession | null> {
    return this.#session;
  }

  /** A device that went away before the call. */
  get lostDevice(): ReadonlySignal<'camera' | 'microphone' | null> {
    return this.#lostDevice;
  }

  get name(): string {
    return this.#name;
  }

  async ask(want: Want): Promise<void> {
    unlockTones();
    this.#lostDevice.value = null;
    this.#go({ on: 'ask', want });
    try {
      const note = await this.capture.open(devices[want]);
      this.#go({ on: 'ready', note });
    } catch (e) {
      this.#go({ on: 'refused', code: e instanceof MediaRefused ? e.code : 99 });
    }
  }

  join(name: string): void {
    this.#name = name;
    this.#sealer = undefined;
    this.#go({ on: 'join' });
    void this.#startKnock();
  }

  /** Goes to the colleague, or stays. */
  answer(host: string, accept: boolean): void {
    this.#knock?.answer(host, accept);
  }

  withdraw(): void {
    this.#knock?.leave();
    this.#go({ on: 'withdraw' });
  }

  /** Back to the door after an end or a failure: the same devices, the same name, the token while it is good, else a new knock. */
  async rejoin(): Promise<void> {
    clearTimeout(this.#timer);
    unlockTones();
    try {
      await this.capture.open(this.#devices);
    } catch {
      return this.ask(this.#devices.includes('camera') ? 'both' : 'audio');
    }
    const a = this.#admission;
    this.#admission = undefined;
    if (a && Date.now() - a.at < tokenUsable) {
      this.#go({ on: 'admitted' });
      return this.#connect(a);
    }
    this.#go({ on: 'join' });
    return this.#startKnock();
  }

  /** `back`: the call from which the host put this page back. */
  async #startKnock(back?: Ending): Promise<void> {
    if (this.#damaged) return this.#fail(44);
    if (this.page.e2ee || this.#secret) {
      try {
        const [{ makePageKey }, { cleanName }] = await Promise.all([
          import('../e2ee/pagekey'),
          import('../e2ee/cleaned'),
        ]);
        this.#key ??= await makePageKey();
        // Where the server does not see the name it cannot refuse it.
        if (cleanName(this.#name) === undefined) return this.#fail(fromApi('bad_request', true));
      } catch {
        return this.#fail(22);
      }
    }
    this.#read = [];
    if (this.#state.peek().at !== 'knocking') return;
    this.#knock = new Knock({
      url: socketURL(this.#path('knock'), location),
      room: this.#room,
      cap: this.#cap,
      // Once a room has been opened for this visitor the way leads there.
      ...(!this.#room && { host: this.page.host }),
      name: this.#key ? '' : this.#name,
      ...(this.#key && { key: this.#key.id }),
      ...(back && { back: back.token }),
      probe: () => request(this.#path('site')),
      events: {
        waiting: (hostPresent, news) => this.#told(hostPresent, news),
        doors: (knock, pages) => {
          this.#place = knock;
          void this.#seal(knock, pages, (sealed) => this.#knock?.seal(sealed));
        },
        interrupted: () => this.#go({ on: 'interrupted' }),
        admitted: (a, moved) => {
          play('admitted');
          if (moved && !this.#moves(moved)) return;
          this.#go({ on: 'admitted' });
          void this.#connect(a);
        },
        declined: () => this.#fail(45),
        closed: (reason) => this.#fail(reason === 'ended' ? 51 : 41),
        refused: (code) => {
          // The hours have ended meanwhile: the page says when they begin again.
          if (code === 'too_early' && !this.#room) return location.reload();
          // No place is kept: this was a removal.
          if (back && code === 'not_allowed') this.#go({ on: 'lost', code: 50, seconds: back.seconds });
          else this.#fail(fromApi(code, navigator.onLine));
        },
      },
    });
  }

  /** Does something with the page's sealer, after what was begun before. */
  #withSealer<T>(work: (sealer: NameSealer) => Promise<T>): Promise<T> {
    const turn = this.#sealing.then(async () => {
      if (!this.#key) throw new Error('no key');
      const { NameSealer } = await import('../e2ee/door');
      this.#sealer ??= new NameSealer(this.#key, this.#name);
      return work(this.#sealer);
    });
    this.#sealing = turn.catch(() => {});
    return turn;
  }

  /** Seals the name for pages of the host's. Without it the host sees somebody without a name. */
  async #seal(
    place: string,
    pages: readonly DoorPage[],
    post: (sealed: { for: string; data: string }) => unknown,
  ): Promise<void> {
    try {
      const all = await this.#withSealer((s) => s.seal(place, pages));
      this.#doors = all.map((sealed) => sealed.for);
      for (const sealed of all) await post(sealed);
    } catch {}
  }

  /** In the room, and not let in to the keys yet: the host is to see who asks. */
  async #introduce(identity: string, token: string): Promise<void> {
    const path = this.#path('door');
    const { pages } = await request<{ pages: DoorPage[] }>(path, { token }).catch(() => ({ pages: [] }));
    await this.#seal(identity, pages, (sealed) => request(path, { token, ...sealed }));
  }

  /** What the door says. Messages that the server cannot read are opened first. */
  #told(hostPresent: boolean, news: WaitingFrame): void {
    this.#news = news;
    const { letters } = news;
    if (!letters?.length) return this.#waits(hostPresent, news);
    this.#waits(hostPresent, { ...news, messages: this.#read });
    void this.#withSealer(async (s) => {
      this.#read = await s.read(this.#place, letters);
      if (this.#news === news) this.#waits(hostPresent, { ...news, messages: this.#read });
    }).catch(() => {});
  }

  #waits(hostPresent: boolean, news: WaitingFrame): void {
    const { moved } = news;
    if (moved && moved.room !== this.#room && !this.#moves(moved)) return;
    if (news.keyed && !this.#secret) return this.#turnAway(44);
    const s = this.#state.peek();
    const old = s.at === 'waiting' ? s.news : undefined;
    if (news.back && s.at === 'knocking') void this.capture.open(this.#devices).catch(() => {});
    if ((news.messages?.length && news.messages.at(-1) !== old?.messages?.at(-1)) || (news.offer && !old?.offer)) {
      play('message');
    }
    this.#go({ on: 'waiting', hostPresent, now: Date.now(), news });
  }

  /** False where the secret of this link leads nowhere else. */
  #moves({ room, cap }: NonNullable<WaitingFrame['moved']>): boolean {
    if (this.#secret) {
      this.#turnAway(58);
      return false;
    }
    this.#room = room;
    this.#cap = cap;
    // A reload finds the way as well.
    const { language } = readFragment(location.hash);
    const hash = `#s=${cap}${language && `&l=${language}`}`;
    history.replaceState(null, '', `${this.page.base}/r/${room}${hash}`);
    return true;
  }

  #turnAway(code: ErrorCode): void {
    this.#knock?.leave();
    this.#fail(code);
  }

  async #connect(a: Admission): Promise<void> {
    this.#admission = { ...a, at: Date.now() };
    const { camera, microphone } = this.capture.state.peek();
    this.#devices = kinds.filter((k) => (k === 'camera' ? camera : microphone));
    try {
      const call = await this.#load();
      this.#session.value = await call.connect({
        admission: a,
        url: socketURL(a.url, location),
        name: this.#name,
        media: this.capture.handOver(),
        ...(this.#key && {
          secure: {
            key: this.#key,
            ...(this.#secret && { link: this.#secret }),
            introduce: (identity, token) => void this.#introduce(identity, token),
            doors: () => this.#doors,
          },
        }),
        ended: (end) => this.#ended(end),
      });
      this.#go({ on: 'connected' });
    } catch (e) {
      this.capture.stop();
      const { code } = e as { code?: unknown };
      // The host has them in the list already, and may put them back.
      if (code === 50) return this.#return({ token: a.token, seconds: 0 });
      // Whoever takes another network need not wait at the door again.
      if (code !== 33) this.#admission = undefined;
      this.#go({ on: 'lost', code: typeof code === 'number' ? (code as ErrorCode) : 34, seconds: 0 });
    }
  }

  #ended(end: CallEnd): void {
    this.#session.value = null;
    const back = this.#admission;
    this.#devices = kinds.filter((k) => end.on[k]);
    // Nobody comes back through an old token after being removed or after the end.
    this.#admission = back && returning(end.code) ? { ...back, token: end.token, at: end.tokenAt } : undefined;
    if (end.code === 50) return this.#return(end);
    if (end.code === null) return this.#go({ on: 'left', seconds: end.seconds, mayReturn: true });
    this.#go({ on: 'lost', code: end.code, seconds: end.seconds });
    if (end.code === 54) this.#timer = setTimeout(() => void this.rejoin(), this.#backoff.next());
  }

  /** Removed or put back: where a place at the door was kept it was the latter. */
  #return(end: Ending): void {
    this.#admission = undefined;
    this.#go({ on: 'back' });
    void this.#startKnock(end);
  }

  #fail(code: ErrorCode): void {
    const { camera, microphone } = this.capture.state.peek();
    this.#devices = kinds.filter((k) => (k === 'camera' ? camera : microphone));
    this.capture.stop();
    this.#go({ on: 'fail', code });
  }

  #hurry(): void {
    this.#knock?.hurry();
  }

  #path(name: string): string {
    return `${this.page.base}/api/v1/${name}`;
  }

  #go(e: Event): void {
    this.#state.value = step(this.#state.peek(), e);
  }
}

function returning(code: ErrorCode | null): boolean {
  return code === null || code === 52 || code === 61 || code === 33;
}
