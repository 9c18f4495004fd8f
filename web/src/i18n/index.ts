// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, signal } from '@preact/signals-core';
import type { Address, Language } from '../core/page';
import type { callDe } from './call-de';
import type { checkDe } from './check-de';
import { de } from './de';
import type { hostDe } from './host-de';
import type { landingDe } from './landing-de';
import type { lockDe } from './lock-de';
import type { openDe } from './open-de';
import type { testDe } from './test-de';

export type Message = string | ((p: never) => string);
export type Part = Readonly<Record<string, Message>>;

/** A translation of T: the same keys, the same parameters. */
export type Like<T> = { readonly [K in keyof T]: T[K] extends (p: infer P) => string ? (p: P) => string : string };

type Messages = typeof de &
  typeof checkDe &
  typeof callDe &
  typeof lockDe &
  typeof hostDe &
  typeof testDe &
  typeof landingDe &
  typeof openDe;
export type Key = keyof Messages;
type Args<K extends Key> = Messages[K] extends (p: infer P) => string ? [P] : [];

type Table = Language | 'du';

const tables: Record<Table, Record<string, Message>> = { de: { ...de }, en: {}, du: {} };
const current = signal<Language>('de');
let address: Address = 'sie';

export const language: ReadonlySignal<Language> = current;

/** Adds texts that arrive with a later chunk. */
export function addMessages(table: Table, part: Part): void {
  Object.assign(tables[table], part);
}

/** Loads what the language needs, then shows it. English and du come as one part each; German is loaded as it is needed. */
export async function setLanguage(next: Language, form: Address = address): Promise<void> {
  address = form;
  if (next === 'en' && !('boot' in tables.en)) addMessages('en', (await import('./en')).en);
  if (form === 'du' && !('arrival.title' in tables.du)) addMessages('du', (await import('./de-du')).du);
  current.value = next;
  document.documentElement.lang = next;
}

export function t<K extends Key>(key: K, ...args: Args<K>): string {
  const own = tables[current.value][key];
  const text =
    (current.value === 'de' && address === 'du' ? tables.du[key] : undefined) ?? own ?? tables.de[key] ?? key;
  return typeof text === 'function' ? text(args[0] as never) : text;
}

/** A key made of parts, for catalogues; undefined where it does not exist. */
export function maybe(key: string): string | undefined {
  return key in tables[current.value] || key in tables.de ? t(key as 'boot') : undefined;
}

export function number(value: number): string {
  return new Intl.NumberFormat(current.value).format(value);
}

/** English as it is written where the practice is: days before months, and 24 hours, like the opening hours. */
const locale = () => (current.value === 'en' ? 'en-GB' : current.value);

export function time(value: string | number | Date, zone?: { timeZone: string }): string {
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', ...zone }).format(new Date(value));
}

/** "Dienstag, 24. November"; a line does not end between day and month. */
export function day(value: string | number | Date, zone?: { timeZone: string }): string {
  return new Intl.DateTimeFormat(locale(), { weekday: 'long', day: 'numeric', month: 'long', ...zone })
    .format(new Date(value))
    .replace(/(\d\.?) /, '$1\u00a0');
}
