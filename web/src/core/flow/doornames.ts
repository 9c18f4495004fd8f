// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { ApiError } from '../api/client';
import type { DoorPage, HostCommand, HostRoom, Letter, RoomPerson, WaitingPerson } from '../api/types';
import type { NameOpener } from '../e2ee/door';
import type { PageKey } from '../e2ee/pagekey';

/** Names of pages, and letters of this one, that are kept. */
const most = 1000;

/**
 * The names at the doors of a host's rooms where the server does not know them. What came sealed is opened; until it is,
 * and where it does not open, there is no name.
 */
export class DoorNames {
  readonly #opener: () => Promise<NameOpener>;
  readonly #changed: () => void;
  /** What has been opened or is being opened, by place and page; without a name until it is, and where it did not open. */
  readonly #opened = new Map<string, { data: string; name: string; reached: boolean }>();
  /** Names by the key of the page that sealed them. */
  readonly #names = new Map<string, string>();
  /** What this page wrote, by counter. */
  readonly #texts = new Map<number, string>();
  #own = '';
  #turn: Promise<void> = Promise.resolve();

  constructor(key: () => Promise<PageKey>, changed: () => void) {
    let opener: Promise<NameOpener> | undefined;
    this.#opener = async () => {
      opener ??= import('../e2ee/door').then(async ({ NameOpener }) => NameOpener.make(await key()));
      try {
        const one = await opener;
        this.#own = one.page.key;
        return one;
      } catch (e) {
        opener = undefined;
        throw e;
      }
    };
    this.#changed = changed;
  }

  async page(): Promise<DoorPage> {
    return (await this.#opener()).page;
  }

  /** The name that the page of this key sealed, empty where there is none. */
  of(key: string | undefined): string {
    return (key && this.#names.get(key)) || '';
  }

  dress(rooms: readonly HostRoom[]): readonly HostRoom[] {
    return rooms.map((r) => ({
      ...r,
      waiting: r.waiting.map((w) => this.#atDoor(w)),
      participants: r.participants.map((p) => this.#inside(p)),
    }));
  }

  #atDoor(w: WaitingPerson): WaitingPerson {
    this.#take(w.id, w.key, w.sealed);
    const { letters } = w;
    const opened = this.#opened.get(`${w.id} ${w.key}`);
    return {
      ...w,
      name: w.name || opened?.name || '',
      unreachable: !opened?.reached,
      // What another page of this host wrote cannot be read here.
      ...(letters && { messages: letters.map((l) => (l.key === this.#own && this.#texts.get(l.n)) || '') }),
    };
  }

  #inside(p: RoomPerson): RoomPerson {
    this.#take(p.identity, p.key, p.sealed);
    return { ...p, name: p.name || this.of(p.key) };
  }

  #take(place: string, key: string | undefined, data: string | undefined): void {
    const at = `${place} ${key}`;
    if (!key || !data || this.#opened.get(at)?.data === data) return;
    const entry = { data, name: '', reached: false };
    bounded(this.#opened, at, entry);
    this.#turn = this.#turn
      .then(async () => {
        const opener = await this.#opener();
        const name = await opener.open(place, key, data);
        entry.name = name ?? '';
        entry.reached = opener.reaches(place);
        if (name) bounded(this.#names, key, name);
        this.#changed();
      })
      .catch(() => {
        this.#opened.delete(at);
      });
  }

  /** The command by which one waiting person, and nobody else, reads a line. */
  async message(room: string, knock: string, text: string): Promise<HostCommand> {
    const letter: Letter | undefined = await (await this.#opener()).write(knock, text);
    if (!letter) throw new ApiError('not_found');
    bounded(this.#texts, letter.n, text);
    return { do: 'message', room, knock, ...letter };
  }
}

/** Sets an entry; the oldest goes where there are too many. */
function bounded<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  const [oldest] = map.keys();
  if (map.size >= most && oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}
