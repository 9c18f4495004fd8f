// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ApiCode, apiCode } from './types';

const requestTimeout = 10_000;

export class ApiError extends Error {
  readonly code: ApiCode;

  constructor(code: ApiCode) {
    super(code);
    this.name = 'ApiError';
    this.code = code;
  }
}

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** One JSON request beneath the base path. Rejects with ApiError only. */
export async function request<T>(path: string, body?: unknown, fetcher: Fetch = fetch): Promise<T> {
  const init: RequestInit = {
    method: body === undefined ? 'GET' : 'POST',
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    signal: AbortSignal.timeout(requestTimeout),
  };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'Content-Type': 'application/json' };
  }
  let answer: Response;
  try {
    answer = await fetcher(path, init);
  } catch {
    throw new ApiError('network');
  }
  const json = await answer.json().catch(() => null);
  if (answer.ok && json !== null) return json as T;
  const code = (json as { error?: { code?: unknown } } | null)?.error?.code;
  throw new ApiError(code === undefined ? (answer.status >= 500 ? 'unavailable' : 'internal') : apiCode(code));
}
