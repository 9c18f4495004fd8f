// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks';
import type { Colleague, WaitingPerson } from '../core/api/types';
import { t } from '../i18n';
import { HandDialog, MessageDialog } from './DoorDialogs';
import { named } from './named';

/** What a host can do at the door. Every promise rejects when the server refuses. */
export interface DoorTools {
  colleagues: readonly Colleague[];
  admit(knock: string): Promise<unknown>;
  decline(knock: string): Promise<unknown>;
  message(knock: string, text: string): Promise<unknown>;
  hand(knock: string, host: string): Promise<unknown>;
}

interface Props {
  waiting: readonly WaitingPerson[];
  door: DoorTools;
  /** Takes what became of a command. */
  attempt(p: Promise<unknown>): void;
}

type Asking = { what: 'message' | 'hand'; knock: string };

/** Who stands at the door, longest first, as the server lists them. */
export function WaitingList({ waiting, door, attempt }: Props) {
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => setAsking(null);
  const person = waiting.find((w) => w.id === asking?.knock);
  return (
    <section class="door" data-testid="door">
      <h3 class="door-count" data-testid="waiting-count" data-count={waiting.length}>
        {t('door.count', { n: waiting.length })}
      </h3>
      <ol class="waiting-list" aria-label={t('host.waiting')} data-testid="waiting-list">
        {waiting.map((w, i) => (
          <Row key={w.id} person={w} place={i + 1} door={door} attempt={attempt} ask={setAsking} />
        ))}
      </ol>
      {person && asking?.what === 'message' && (
        <MessageDialog
          name={named(person.name)}
          onClose={close}
          send={(text) => {
            attempt(door.message(person.id, text));
            close();
          }}
        />
      )}
      {person && asking?.what === 'hand' && (
        <HandDialog
          name={named(person.name)}
          colleagues={door.colleagues}
          onClose={close}
          hand={(host) => {
            attempt(door.hand(person.id, host));
            close();
          }}
        />
      )}
    </section>
  );
}

interface RowProps {
  person: WaitingPerson;
  place: number;
  door: DoorTools;
  attempt(p: Promise<unknown>): void;
  ask(a: Asking): void;
}

function Row({ person: w, place, door, attempt, ask }: RowProps) {
  const now = useMinute();
  const minutes = Math.max(0, Math.floor((now - Date.parse(w.since)) / 60_000));
  return (
    <li data-testid="waiting-person" data-knock={w.id} data-place={place}>
      <span class="place" aria-hidden="true">
        {place}
      </span>
      <span class="person-name">
        {named(w.name)}
        <small>{[t('host.waitingSince', { n: minutes }), ...facts(w)].join(' · ')}</small>
        {w.messages?.length ? <small data-testid="told">{told(w.messages.at(-1))}</small> : null}
      </span>
      <span class="door-acts">
        <button
          type="button"
          class="button primary small"
          data-testid="admit"
          aria-label={t('host.admit.who', { name: named(w.name) })}
          onClick={() => attempt(door.admit(w.id))}
        >
          {t('host.admit')}
        </button>
        {!w.unreachable && (
          <button
            type="button"
            class="button small"
            data-testid="message"
            aria-label={t('door.message.who', { name: named(w.name) })}
            onClick={() => ask({ what: 'message', knock: w.id })}
          >
            {t('door.message')}
          </button>
        )}
        {door.colleagues.length > 0 && (
          <button
            type="button"
            class="button small"
            data-testid="hand"
            aria-label={t('door.hand.who', { name: named(w.name) })}
            onClick={() => ask({ what: 'hand', knock: w.id })}
          >
            {t('door.hand')}
          </button>
        )}
        <button
          type="button"
          class="button small"
          data-testid="decline"
          aria-label={t('host.decline.who', { name: named(w.name) })}
          onClick={() => attempt(door.decline(w.id))}
        >
          {t('host.decline')}
        </button>
      </span>
    </li>
  );
}

/** Empty is what was written elsewhere, and cannot be read here. */
const told = (text: string | undefined): string => (text ? t('door.told', { text }) : t('door.told.elsewhere'));

function facts(w: WaitingPerson): string[] {
  const all: string[] = [];
  if (w.unlinked) all.push(t('door.unlinked'));
  if (w.back) all.push(t('door.back'));
  if (w.from) all.push(t('door.from', { name: w.from }));
  if (w.hand) all.push(t(w.hand.refused ? 'door.stays' : 'door.asked', { name: w.hand.name }));
  return all;
}

function useMinute(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 20_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
