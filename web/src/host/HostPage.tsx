// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { CallProps, HostTools } from '../call/Call';
import { named } from '../call/named';
import type { WaitingPerson } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { plannedEnd } from '../core/flow/plan';
import { WakeLock } from '../core/flow/wakelock';
import { play } from '../core/media/tone';
import { maybe, t } from '../i18n';
import { Connecting } from '../room/screens';
import { DeviceCheck } from '../ui/DeviceCheck';
import { Failure } from '../ui/Failure';
import { announce } from '../ui/live';
import { Heading, Shell } from '../ui/Shell';
import { Overview } from './Overview';

interface Props {
  desk: Desk;
  call: ReadonlySignal<ComponentType<CallProps> | null>;
}

export function HostPage({ desk, call }: Props) {
  const mode = desk.mode.value;
  const inCall = mode.at === 'call';
  const lock = useMemo(() => new WakeLock(), []);
  useEffect(() => lock.want(inCall), [lock, inCall]);
  useArrivals(desk.waiting.value, inCall || desk.inSession.value);
  const Call = call.value;
  if (mode.at === 'call' && Call) return <InCall desk={desk} room={mode.room} session={mode.session} view={Call} />;
  return (
    <Shell page={desk.page} wide={mode.at === 'check' || mode.at === 'list'}>
      <Screen desk={desk} />
    </Shell>
  );
}

function Screen({ desk }: { desk: Desk }) {
  const { page } = desk;
  const mode = desk.mode.value;
  switch (mode.at) {
    case 'check':
      return (
        <section data-testid="check">
          <div class="intro">
            <Heading practice={page.practice}>{t('desk.check')}</Heading>
            <button type="button" class="link" data-testid="back" onClick={() => desk.back()}>
              {t('desk.back')}
            </button>
          </div>
          <DeviceCheck
            capture={desk.capture}
            name={null}
            notes={mode.note ? [`${maybe(`e${mode.note}`) ?? ''}. ${maybe(`e${mode.note}.t`) ?? ''}`] : []}
            submit={t('desk.start')}
            onJoin={() => void desk.start()}
          />
        </section>
      );
    case 'connecting':
      return <Connecting page={page} />;
    case 'lost': {
      const actions = { rejoin: () => void desk.enter(mode.room), retry: () => desk.back() };
      return (
        <>
          <Failure page={page} code={mode.code} actions={actions} host />
          <p class="aside">
            <button type="button" class="link" data-testid="back" onClick={() => desk.back()}>
              {t('desk.back')}
            </button>
          </p>
        </>
      );
    }
    default:
      return <Overview desk={desk} />;
  }
}

interface InCallProps {
  desk: Desk;
  room: string;
  session: CallProps['session'];
  view: ComponentType<CallProps>;
}

function InCall({ desk, room, session, view: View }: InCallProps) {
  const { channel } = desk;
  const waiting = useComputed(() => channel.state.value.rooms.find((r) => r.id === room)?.waiting ?? []);
  const elsewhere = useComputed(() => desk.waiting.value.length - waiting.value.length);
  const locked = useComputed(() => channel.state.value.rooms.find((r) => r.id === room)?.locked ?? false);
  const door = useComputed(() => desk.door(room));
  const tools = useMemo<HostTools>(
    () => ({
      waiting,
      elsewhere,
      locked,
      door,
      plannedEnd: plannedEnd(channel.state.peek().appointments, room),
      lock: (on) => channel.do({ do: on ? 'lock' : 'unlock', room }),
      back: (identity) => channel.do({ do: 'back', room, identity }),
      mute: (identity) => channel.do({ do: 'mute', room, identity, kind: 'audio' }),
      remove: (identity) => channel.do({ do: 'remove', room, identity }),
      end: () => channel.do({ do: 'end', room }),
    }),
    [channel, room, waiting, elsewhere, locked, door],
  );
  return <View page={desk.page} session={session} host={tools} />;
}

/** Milliseconds that a name may take to be opened before somebody is announced without it. */
const nameWithin = 3000;

/** Each person is announced once, by name where that comes in time. */
function useSpokenArrivals(waiting: readonly WaitingPerson[]): void {
  const silent = useRef(new Map<string, ReturnType<typeof setTimeout>>());
  const spoken = useRef(new Set<string>());
  useEffect(() => {
    const here = new Set(waiting.map((w) => w.id));
    for (const [id, timer] of silent.current) {
      if (here.has(id)) continue;
      clearTimeout(timer);
      silent.current.delete(id);
    }
    spoken.current = new Set([...spoken.current].filter((id) => here.has(id)));
    const say = (id: string, name: string) => {
      clearTimeout(silent.current.get(id));
      silent.current.delete(id);
      spoken.current.add(id);
      announce(t('host.arrived', { name: named(name) }));
    };
    for (const w of waiting.filter(({ id }) => !spoken.current.has(id))) {
      if (w.name) say(w.id, w.name);
      else if (!silent.current.has(w.id))
        silent.current.set(
          w.id,
          setTimeout(() => say(w.id, ''), nameWithin),
        );
    }
  }, [waiting]);
  useEffect(
    () => () => {
      for (const timer of silent.current.values()) clearTimeout(timer);
    },
    [],
  );
}

/** A tone for somebody new at the door; while the host talks, on this device or another, only the badge and a spoken line. */
function useArrivals(waiting: readonly WaitingPerson[], quiet: boolean): void {
  const known = useRef(new Set<string>());
  useEffect(() => {
    const fresh = waiting.filter((w) => !known.current.has(w.id));
    known.current = new Set(waiting.map((w) => w.id));
    if (fresh.length > 0 && !quiet) play('arrival');
  }, [waiting, quiet]);
  useSpokenArrivals(waiting);
  const n = waiting.length;
  useEffect(() => {
    const bare = document.title.replace(/^\(\d+\) .*? – /, '');
    document.title = n ? t('desk.tab', { n, title: bare }) : bare;
  });
}
