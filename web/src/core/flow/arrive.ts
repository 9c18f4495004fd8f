// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, signal } from '@preact/signals-core';
import { Backoff } from '../api/backoff';
import { ApiError, request } from '../api/client';
import type { RoomInfo } from '../api/types';
import { mustEncrypt, type Page, secretForm } from '../page';
import { encryptionObstacle, obstacle } from './capability';
import { automatic, type ErrorCode, fromApi } from './errors';

export type ArriveState = { at: 'checking' } | { at: 'welcome'; info: RoomInfo } | { at: 'failed'; code: ErrorCode };

/** Before anything is asked: can this browser call, and is the link good? */
export class Arrive {
  readonly #page: Page;
  readonly #cap: string;
  readonly #link: string | null;
  readonly #state = signal<ArriveState>({ at: 'checking' });
  readonly #backoff = new Backoff();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `link`: the secret in the link's fragment, which is looked at here alone. */
  constructor(page: Page, cap: string, link: string | null = null) {
    this.#page = page;
    this.#cap = cap;
    this.#link = link;
    window.addEventListener('online', () => this.#timer && this.retry());
  }

  get state(): ReadonlySignal<ArriveState> {
    return this.#state;
  }

  async start(): Promise<void> {
    const { host, room, base } = this.#page;
    const cap = this.#cap;
    const able = obstacle(window) ?? (await encryptionObstacle(this.#page.e2ee));
    const otherwise = !this.#page.e2ee && mustEncrypt(cap) ? 48 : null;
    const code = able ?? otherwise ?? (host || (room && cap) ? null : 43);
    if (code) return this.#fail(code);
    try {
      const body = { room, cap, host };
      const info = await request<RoomInfo>(`${base}/api/v1/room`, body);
      const cut = this.#link === null ? info.keyed : !secretForm.test(this.#link);
      if (cut) return this.#fail(44);
      this.#state.value = { at: 'welcome', info };
    } catch (e) {
      this.#fail(fromApi(e instanceof ApiError ? e.code : 'internal', navigator.onLine));
    }
  }

  retry(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.start();
  }

  #fail(code: ErrorCode): void {
    this.#state.value = { at: 'failed', code };
    if (automatic.has(code)) this.#timer = setTimeout(() => this.retry(), this.#backoff.next());
  }
}
