// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { computed, type ReadonlySignal, signal } from '@preact/signals-core';
import { AppointmentsApi } from '../api/appointments';
import { ApiError, request } from '../api/client';
import { HostChannel } from '../api/host';
import type { Admission, HostAppointment, HostSession, WaitingPerson } from '../api/types';
import type { SecureOptions } from '../call/secured';
import type { CallEnd, CallSession } from '../call/types';
import type { PageKey } from '../e2ee/pagekey';
import { Capture, kinds, MediaRefused } from '../media/capture';
import { unlockTones } from '../media/tone';
import { type Page, socketURL } from '../page';
import { encryptionObstacle, obstacle } from './capability';
import { DoorNames } from './doornames';
import { type ErrorCode, fromApi } from './errors';
import type { CallModule } from './visit';

export type DeskMode =
  | { at: 'list' }
  | { at: 'check'; room: string; note: ErrorCode | null }
  | { at: 'connecting'; room: string }
  | { at: 'call'; room: string; session: CallSession }
  /** The call ended in a way that wants a word; the room may still be there. */
  | { at: 'lost'; room: string; code: ErrorCode };

/** The host's side: the line to the server, the rooms, and at most one call. */
export class Desk {
  readonly page: Page;
  readonly channel: HostChannel;
  readonly appointments: AppointmentsApi;
  readonly capture = new Capture(() => {});
  readonly #load: () => Promise<CallModule>;
  readonly #mode = signal<DeskMode>({ at: 'list' });
  /** Stands for this page where calls are encrypted from end to end. */
  #key: Promise<PageKey> | undefined;
  /** Names that the server does not know, where calls are encrypted from end to end. */
  readonly #names: DoorNames | undefined;
  /** Keys of the pages that were let in here. */
  readonly #letIn = new Set<string>();

  constructor(page: Page, key: string, load: () => Promise<CallModule>) {
    this.page = page;
    this.#load = load;
    const path = `${page.base}/api/v1/host`;
    const names = page.e2ee
      ? new DoorNames(
          () => this.#pageKey(),
          () => this.channel.dress(),
        )
      : undefined;
    this.#names = names;
    this.channel = new HostChannel({
      url: socketURL(path, location),
      session: () => request<HostSession>(`${path}/session`, key ? { key } : {}),
      ...(names && { door: () => names.page(), dress: (rooms) => names.dress(rooms) }),
    });
    this.appointments = new AppointmentsApi(page.base, () => this.channel.token);
    window.addEventListener('online', () => this.channel.hurry());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.channel.hurry();
    });
    window.addEventListener('pagehide', () => this.capture.stop());
  }

  get mode(): ReadonlySignal<DeskMode> {
    return this.#mode;
  }

  /** Everybody at any door, for the tone and the window title. */
  readonly waiting: ReadonlySignal<readonly WaitingPerson[]> = computed(() =>
    this.channel.state.value.rooms.flatMap((r) => r.waiting),
  );

  /** The host is in one of the rooms, be it from another device. */
  readonly inSession: ReadonlySignal<boolean> = computed(() =>
    this.channel.state.value.rooms.some((r) => r.participants.some((p) => p.host)),
  );

  /** What can be done at a room's door. */
  door(room: string) {
    return {
      colleagues: this.channel.state.value.colleagues,
      admit: (knock: string) => this.#admit(room, knock),
      decline: (knock: string) => this.channel.do({ do: 'decline', room, knock }),
      message: async (knock: string, text: string) =>
        this.channel.do((await this.#names?.message(room, knock, text)) ?? { do: 'message', room, knock, text }),
      hand: (knock: string, host: string) => this.channel.do({ do: 'hand', room, knock, host }),
    };
  }

  #admit(room: string, knock: string) {
    const waiting = this.channel.state.peek().rooms.find((r) => r.id === room)?.waiting;
    const { key } = waiting?.find((w) => w.id === knock) ?? {};
    if (key) this.#letIn.add(key);
    return this.channel.do({ do: 'admit', room, knock });
  }

  /** What this page brings to an encrypted call. */
  async #secure(): Promise<SecureOptions | undefined> {
    if (!this.page.e2ee) return undefined;
    const key = await this.#pageKey();
    // Nobody else's word counts, also where the site has no waiting room: a server could say so to get somebody in.
    return {
      key,
      welcome: (key) => this.#letIn.has(key),
      door: {
        of: (key) => this.#names?.of(key) ?? '',
        inside: (identity) => {
          const all = this.channel.state.peek().rooms.flatMap((r) => r.participants);
          return all.find((p) => p.identity === identity)?.name ?? '';
        },
        watch: (changed) => this.channel.state.subscribe(() => changed()),
      },
    };
  }

  #pageKey(): Promise<PageKey> {
    this.#key ??= import('../e2ee/pagekey').then(({ makePageKey }) => makePageKey());
    this.#key.catch(() => {
      this.#key = undefined;
    });
    return this.#key;
  }

  /** The whole address of a link; the server gives some below the base path. */
  link(path: string): string {
    return /^https?:/.test(path) ? path : `${location.origin}${this.page.base}/${path}`;
  }

  /** Opens the room of an appointment, and goes on to the devices. */
  async begin(a: HostAppointment): Promise<void> {
    unlockTones();
    await this.channel.do({ do: 'open_room', appointment: a.id });
    await this.enter(a.room);
  }

  /** Opens the devices and shows the check; the call starts with start(). */
  async enter(room: string): Promise<void> {
    unlockTones();
    const code = obstacle(window) ?? (await encryptionObstacle(this.page.e2ee));
    if (code) {
      this.#mode.value = { at: 'lost', room, code };
      return;
    }
    this.#mode.value = { at: 'check', room, note: null };
    let note: ErrorCode | null;
    try {
      note = await this.capture.open(kinds);
    } catch (e) {
      note = e instanceof MediaRefused ? e.code : 99;
    }
    const m = this.#mode.peek();
    if (m.at === 'check' && m.room === room) this.#mode.value = { at: 'check', room, note };
    else this.capture.stop();
  }

  back(): void {
    this.capture.stop();
    this.#mode.value = { at: 'list' };
  }

  async start(): Promise<void> {
    const m = this.#mode.peek();
    if (m.at !== 'check') return;
    const { room } = m;
    this.#mode.value = { at: 'connecting', room };
    try {
      const secure = await this.#secure();
      const r = await this.channel.do({ do: 'enter', room, ...(secure && { key: secure.key.id }) });
      const admission: Admission = { token: r.token ?? '', url: r.url ?? '', identity: r.identity ?? '' };
      const call = await this.#load();
      const session = await call.connect({
        admission,
        url: socketURL(admission.url, location),
        name: this.channel.state.peek().host?.name ?? '',
        media: this.capture.handOver(),
        ...(secure && { secure }),
        ended: (end) => this.#ended(room, end),
      });
      this.#mode.value = { at: 'call', room, session };
    } catch (e) {
      this.capture.stop();
      this.#mode.value = { at: 'lost', room, code: codeOf(e) };
    }
  }

  #ended(room: string, end: CallEnd): void {
    // A room that this host closed needs no explanation.
    if (end.code === null || end.code === 51) this.#mode.value = { at: 'list' };
    else this.#mode.value = { at: 'lost', room, code: end.code };
  }
}

function codeOf(e: unknown): ErrorCode {
  if (e instanceof ApiError) return fromApi(e.code, navigator.onLine);
  const code = (e as { code?: unknown }).code;
  return typeof code === 'number' ? (code as ErrorCode) : 34;
}
