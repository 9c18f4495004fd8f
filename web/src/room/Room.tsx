// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { type CallModule, Visit } from '../core/flow/visit';
import { WakeLock } from '../core/flow/wakelock';
import type { Page } from '../core/page';
import { t } from '../i18n';
import { DeviceCheck } from '../ui/DeviceCheck';
import { Failure } from '../ui/Failure';
import { QuickExit } from '../ui/QuickExit';
import { SecureLine } from '../ui/SecureLine';
import { Heading, Shell } from '../ui/Shell';
import { Asking, Connecting, Ended, Primer } from './screens';
import { Waiting } from './Waiting';

type CallView = ComponentType<import('../call/Call').CallProps>;
const view = signal<CallView | null>(null);

/** The call chunk is by far the largest part: fetched while the visitor is still busy with name and devices. */
async function load(): Promise<CallModule> {
  const module = await import('../call/entry');
  view.value = module.Call;
  if (document.documentElement.dataset['e2ee']) await module.prepare();
  return module;
}

function prefetch(): void {
  void load().catch(() => {});
}

export interface RoomProps {
  page: Page;
  cap: string;
  /** The secret in the link's fragment; null where the link has none. */
  link: string | null;
}

/** From the permission question to the end. */
export function Room({ page, cap, link }: RoomProps) {
  const visit = useMemo(() => new Visit(page, cap, load, link), [page, cap, link]);
  useStayAwake(visit);
  usePrefetch(visit);

  const session = visit.session.value;
  const Call = view.value;
  if (visit.state.value.at === 'call' && session && Call) return <Call page={page} session={session} host={null} />;
  return (
    <>
      {page.exit && (
        <div class="exit-bar">
          <QuickExit />
        </div>
      )}
      <Shell page={page} wide={visit.state.value.at === 'check'}>
        <Screen visit={visit} page={page} />
      </Shell>
    </>
  );
}

function Screen({ visit, page }: { visit: Visit; page: Page }) {
  const s = visit.state.value;
  switch (s.at) {
    case 'call':
      return (
        <p class="boot" role="status" data-testid="boot">
          {t('boot')}
        </p>
      );
    case 'primer':
      return <Primer key={s.at} page={page} ask={(want) => void visit.ask(want)} />;
    case 'asking':
      return <Asking key={s.at} page={page} />;
    case 'blocked': {
      const retry = () => void visit.ask(s.want);
      const audio = s.want === 'audio' ? undefined : () => void visit.ask('audio');
      const actions = { retry, audio, watch: () => void visit.ask('none') };
      return <Failure key={`blocked${s.code}`} page={page} code={s.code} actions={actions} />;
    }
    case 'check':
      return <Check key={s.at} visit={visit} page={page} />;
    case 'knocking':
    case 'waiting':
      return <Waiting key="waiting" visit={visit} page={page} />;
    case 'connecting':
      return <Connecting key={s.at} page={page} />;
    case 'ended': {
      const rejoin = () => void visit.rejoin();
      if (s.code) return <Failure key={`ended${s.code}`} page={page} code={s.code} actions={{ rejoin }} />;
      return <Ended key={s.at} page={page} seconds={s.seconds} again={s.mayReturn ? rejoin : null} />;
    }
    case 'fatal':
      return (
        <Failure key={`fatal${s.code}`} page={page} code={s.code} actions={{ retry: () => void visit.rejoin() }} />
      );
  }
}

function Check({ visit, page }: { visit: Visit; page: Page }) {
  const s = visit.state.value;
  const lost = visit.lostDevice.value;
  const { camera } = visit.capture.state.value;
  const notes: string[] = [];
  if (lost) notes.push(t(lost === 'camera' ? 'check.lostCamera' : 'check.lostMicrophone'));
  if (s.at === 'check' && s.note === 15) notes.push(t(camera ? 'check.noMicrophone' : 'check.noCamera'));
  if (s.at === 'check' && s.note === 14) notes.push(t(camera ? 'check.busyMicrophone' : 'check.busyCamera'));
  return (
    <section data-testid="check">
      <div class="intro">
        <Heading practice={page.practice}>{t('check.title')}</Heading>
        <p class="lead">{t('check.lead')}</p>
        {page.e2ee && <SecureLine />}
      </div>
      <DeviceCheck
        capture={visit.capture}
        name={visit.name}
        notes={notes}
        submit={t('check.join')}
        onJoin={(name) => visit.join(name)}
        onInput={prefetch}
      />
    </section>
  );
}

function usePrefetch(visit: Visit): void {
  const ready = visit.state.value.at === 'check';
  useEffect(() => {
    const saving = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
    if (!ready || saving) return;
    const timer = setTimeout(prefetch, 2000);
    return () => clearTimeout(timer);
  }, [ready]);
}

function useStayAwake(visit: Visit): void {
  const lock = useMemo(() => new WakeLock(), []);
  const { at } = visit.state.value;
  useEffect(() => lock.want(at === 'waiting' || at === 'connecting' || at === 'call'), [lock, at]);
}
