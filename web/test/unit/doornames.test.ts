// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it, vi } from 'vitest';
import type { HostRoom, WaitingPerson } from '../../src/core/api/types';
import { NameSealer } from '../../src/core/e2ee/door';
import { makePageKey } from '../../src/core/e2ee/pagekey';
import { DoorNames } from '../../src/core/flow/doornames';

function room(waiting: Partial<WaitingPerson>[], participants: Partial<HostRoom['participants'][0]>[] = []): HostRoom {
  return {
    id: 'r',
    grant: '',
    link: '',
    waiting: waiting.map((w) => ({ id: 'k', name: '', since: '', ...w })),
    participants: participants.map((p) => ({
      identity: 'i',
      name: '',
      host: false,
      audio: 'none' as const,
      video: 'none' as const,
      screen: false,
      ...p,
    })),
  };
}

async function desk() {
  const key = await makePageKey();
  const changed = vi.fn();
  const names = new DoorNames(async () => key, changed);
  return { names, changed, page: await names.page() };
}

async function guest(name: string) {
  const key = await makePageKey();
  return { key: key.id, sealer: new NameSealer(key, name) };
}

describe('names at the doors of a host', () => {
  it('appear once they are opened, and stay while they are not told again', async () => {
    const { names, changed, page } = await desk();
    const { key, sealer } = await guest('Anna');
    const [sealed] = await sealer.seal('k', [page]);
    const first = names.dress([room([{ key, sealed: sealed?.data ?? '' }])]);
    expect(first[0]?.waiting[0]).toMatchObject({ name: '', unreachable: true });
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce());
    const later = names.dress([room([{ key }], [{ key }, { key: 'other' }, { name: 'Dr. Muster', host: true }])]);
    expect(later[0]?.waiting[0]).toMatchObject({ name: 'Anna', unreachable: false });
    expect(later[0]?.participants.map((p) => p.name)).toEqual(['Anna', '', 'Dr. Muster']);
    expect(names.of(key)).toBe('Anna');
    // Another page on the same place has not said anything.
    expect(names.dress([room([{ key: 'other' }])])[0]?.waiting[0]).toMatchObject({ name: '', unreachable: true });
  });

  it('of people in the room are opened as well', async () => {
    const { names, changed, page } = await desk();
    const { key, sealer } = await guest('Bert');
    const [sealed] = await sealer.seal('i', [page]);
    names.dress([room([], [{ key, sealed: sealed?.data ?? '' }])]);
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce());
    expect(names.dress([room([], [{ key }])])[0]?.participants[0]?.name).toBe('Bert');
  });

  it('are none where a seal is broken, belongs elsewhere or says no name', async () => {
    const { names, changed, page } = await desk();
    const { key, sealer } = await guest('Anna');
    const liar = await guest('\u202eannA');
    const [good] = await sealer.seal('k', [page]);
    const [lie] = await liar.sealer.seal('lie', [page]);
    names.dress([
      room([
        { id: 'broken', key, sealed: 'AAAA' },
        { id: 'elsewhere', key, sealed: good?.data ?? '' },
        { id: 'lie', key: liar.key, sealed: lie?.data ?? '' },
      ]),
    ]);
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(3));
    const shown = names.dress([
      room([
        { id: 'broken', key },
        { id: 'elsewhere', key },
        { id: 'lie', key: liar.key },
      ]),
    ]);
    expect(shown[0]?.waiting.map((w) => w.name)).toEqual(['', '', '']);
    // Whoever says no name can read nevertheless; the others cannot.
    expect(shown[0]?.waiting.map((w) => w.unreachable)).toEqual([true, true, false]);
    expect(names.of(key)).toBe('');
  });

  it('leave those alone that are on the list of guests', async () => {
    const { names } = await desk();
    expect(names.dress([room([{ name: 'Carla' }])])[0]?.waiting[0]?.name).toBe('Carla');
  });

  it('go with letters that this page, and the one who waits, can read', async () => {
    const { names, changed, page } = await desk();
    const { key, sealer } = await guest('Anna');
    await expect(names.message('r', 'k', 'Hallo')).rejects.toMatchObject({ code: 'not_found' });
    const [sealed] = await sealer.seal('k', [page]);
    names.dress([room([{ key, sealed: sealed?.data ?? '' }])]);
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce());
    const cmd = await names.message('r', 'k', 'Hallo');
    if (!('data' in cmd)) throw new Error('in the clear');
    expect(cmd).toMatchObject({ do: 'message', room: 'r', knock: 'k', key: page.key, n: 0 });
    expect(JSON.stringify(cmd)).not.toContain('Hallo');
    const letters = [
      { key: 'another page', n: 0, data: '' },
      { key: page.key, n: cmd.n, data: cmd.data },
    ];
    expect(names.dress([room([{ key, letters }])])[0]?.waiting[0]?.messages).toEqual(['', 'Hallo']);
    expect(await sealer.read('k', letters)).toEqual(['Hallo']);
  });
});
