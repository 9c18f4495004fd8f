// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it, vi } from 'vitest';
import { AppointmentsApi, FieldsError, type NewAppointment } from '../../src/core/api/appointments';

const wanted: NewAppointment = {
  kind: 'beratung',
  start: '2026-11-24T14:30',
  duration_minutes: 50,
  label: 'A.',
  guests: [{ name: 'Anna', email: 'a@example.org' }],
};

function api(status: number, body: unknown) {
  const fetcher = vi.fn(async (_url: string, _init: RequestInit) => new Response(JSON.stringify(body), { status }));
  return { fetcher, api: new AppointmentsApi('/video', () => 'token', fetcher) };
}

describe('appointments over HTTP', () => {
  it('are made with the host’s proof in the header', async () => {
    const { api: a, fetcher } = api(201, { appointments: [{ id: 'x' }] });
    await expect(a.create(wanted)).resolves.toEqual([{ id: 'x' }]);
    const [url, init] = fetcher.mock.calls[0] ?? [];
    expect(url).toBe('/video/api/v1/appointments');
    expect(init).toMatchObject({ method: 'POST', headers: { Authorization: 'Bearer token' } });
    expect(JSON.parse(String(init?.body))).toEqual(wanted);
  });

  it('are cancelled alone or with what follows', async () => {
    const { api: a, fetcher } = api(200, { appointments: [] });
    await a.cancel('x', 'one');
    await a.cancel('x', 'following');
    expect(fetcher.mock.calls.map(([u, i]) => `${i.method} ${u}`)).toEqual([
      'DELETE /video/api/v1/appointments/x',
      'DELETE /video/api/v1/appointments/x?series=following',
    ]);
  });

  it('show the link of the guest it was asked for', async () => {
    const guests = [{ id: 'g1' }, { id: 'g2', link: 'r/x#s=y' }];
    await expect(api(200, { guests }).api.link('x', 'g2')).resolves.toBe('r/x#s=y');
  });

  it('say which fields are wrong', async () => {
    const fields = { 'guests.0.email': 'malformed' };
    const failed = await api(422, { error: { code: 'invalid', fields } })
      .api.create(wanted)
      .catch((e) => e);
    expect(failed).toBeInstanceOf(FieldsError);
    expect(failed.fields).toEqual(fields);
  });

  it('fail with the codes of all requests', async () => {
    await expect(api(503, null).api.create(wanted)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(api(409, { error: { code: 'conflict' } }).api.cancel('x', 'one')).rejects.toMatchObject({
      code: 'conflict',
    });
    const broken = new AppointmentsApi(
      '',
      () => 't',
      async () => {
        throw new TypeError('failed to fetch');
      },
    );
    await expect(broken.remind('x', 'g')).rejects.toMatchObject({ code: 'network' });
  });
});
