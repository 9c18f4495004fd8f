// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { ApiError, type Fetch } from './client';
import { apiCode, type HostAppointment } from './types';

const requestTimeout = 15_000;

/** The server found fault with single fields: names as in the request ("guests.0.email"), each with a reason. */
export class FieldsError extends ApiError {
  readonly fields: Readonly<Record<string, string>>;

  constructor(fields: Readonly<Record<string, string>>) {
    super('invalid');
    this.fields = fields;
  }
}

export interface NewGuest {
  name: string;
  email: string;
}

export interface NewAppointment {
  kind: string;
  /** Wall-clock time in the practice's zone: "2026-11-24T14:30". */
  start: string;
  duration_minutes: number;
  label: string;
  in_person?: boolean;
  guests: NewGuest[];
  repeat?: { every: 'day' | 'week' | '2weeks'; count: number };
  notify?: boolean;
}

export interface AppointmentChange {
  start?: string;
  duration_minutes?: number;
  label?: string;
}

export type SeriesPart = 'one' | 'following' | 'all';

/** A host's appointments over HTTP. Every promise rejects with ApiError only. */
export class AppointmentsApi {
  readonly #base: string;
  readonly #token: () => string;
  readonly #fetch: Fetch;

  constructor(base: string, token: () => string, fetcher: Fetch = (input, init) => fetch(input, init)) {
    this.#base = `${base}/api/v1/appointments`;
    this.#token = token;
    this.#fetch = fetcher;
  }

  async create(a: NewAppointment): Promise<HostAppointment[]> {
    return (await this.#ask<{ appointments: HostAppointment[] }>('POST', '', a)).appointments;
  }

  change(id: string, c: AppointmentChange): Promise<HostAppointment> {
    return this.#ask('PATCH', `/${id}`, c);
  }

  cancel(id: string, part: SeriesPart): Promise<unknown> {
    return this.#ask('DELETE', `/${id}${part === 'one' ? '' : `?series=${part}`}`);
  }

  /** A new link; the one before is void. */
  async link(id: string, guest: string): Promise<string> {
    const a = await this.#ask<HostAppointment>('POST', `/${id}/guests/${guest}/link`, {});
    return a.guests.find((g) => g.id === guest)?.link ?? '';
  }

  remind(id: string, guest: string): Promise<unknown> {
    return this.#ask('POST', `/${id}/guests/${guest}/remind`, {});
  }

  revoke(id: string, guest: string): Promise<unknown> {
    return this.#ask('POST', `/${id}/guests/${guest}/revoke`, {});
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    let answer: Response;
    try {
      answer = await this.#fetch(this.#base + path, {
        method,
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'error',
        signal: AbortSignal.timeout(requestTimeout),
        headers: { Authorization: `Bearer ${this.#token()}`, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch {
      throw new ApiError('network');
    }
    const json: unknown = await answer.json().catch(() => null);
    if (answer.ok && json !== null) return json as T;
    const error = (json as { error?: { code?: unknown; fields?: Record<string, string> } } | null)?.error;
    if (error?.code === 'invalid') throw new FieldsError(error.fields ?? {});
    throw new ApiError(error ? apiCode(error.code) : answer.status >= 500 ? 'unavailable' : 'internal');
  }
}
