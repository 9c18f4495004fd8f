// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { WaitingPerson } from '../core/api/types';
import { arrangement } from '../core/call/layout';
import type { CallSession } from '../core/call/types';
import { onExit } from '../core/flow/exit';
import type { Page } from '../core/page';
import { t } from '../i18n';
import { Live } from '../ui/live';
import { Asking, Unseen } from './Asking';
import { Banners, type ToastText, useNotices } from './Banners';
import { Chat } from './Chat';
import { Compare } from './Compare';
import { Connection } from './Connection';
import { Controls } from './Controls';
import { Devices } from './Devices';
import { LeaveDialog } from './LeaveDialog';
import { Fresh, Slow } from './Lock';
import { AloneQuestion, OthersCompany, OwnCompany } from './Manners';
import { People } from './People';
import { SessionHint } from './SessionClock';
import { Stage } from './Stage';
import { TopBar } from './TopBar';
import type { DoorTools } from './WaitingList';

/** What only the host may do. Every promise rejects when the server refuses. */
export interface HostTools {
  waiting: ReadonlySignal<readonly WaitingPerson[]>;
  /** How many wait at the host's other rooms. */
  elsewhere: ReadonlySignal<number>;
  locked: ReadonlySignal<boolean>;
  door: ReadonlySignal<DoorTools>;
  /** End of the appointment in epoch milliseconds, where there is one. */
  plannedEnd: number | null;
  lock(on: boolean): Promise<unknown>;
  back(identity: string): Promise<unknown>;
  mute(identity: string): Promise<unknown>;
  remove(identity: string): Promise<unknown>;
  end(): Promise<unknown>;
}

export interface CallProps {
  page: Page;
  session: CallSession;
  host: HostTools | null;
}

export type PanelName = 'chat' | 'people' | 'connection';

export function Call({ page, session, host }: CallProps) {
  const s = session.snapshot.value;
  const [panel, setPanel] = useState<PanelName | null>(null);
  const [dialog, setDialog] = useState<'devices' | 'leave' | 'compare' | null>(null);
  const selfView = useSignal(true);
  const toasts = useSignal<readonly ToastText[]>([]);
  const end = useSignal<number | null>(host?.plannedEnd ?? null);
  useEffect(() => onExit(() => session.stopNow()), [session]);
  useNotices(session, toasts, panel === 'chat');
  useTitle(page);
  const unread = useUnread(session, panel === 'chat');
  const screens = s.remotes.filter((m) => m.screen).length;
  const closePanel = () => {
    const opener = panel;
    setPanel(null);
    // The connection is opened from a dialog that is gone.
    const button = opener === 'connection' ? 'devices' : opener;
    document.querySelector<HTMLElement>(`[data-testid=${button}]`)?.focus();
  };

  const compare = () => setDialog('compare');
  const compared = () => {
    setDialog(null);
    // The button that opened it may be gone with the reason to press it.
    setTimeout(() => document.querySelector<HTMLElement>('.lock summary')?.focus());
  };

  return (
    <div class="call" data-testid="call" data-phase={s.phase} data-panel={panel ?? 'none'}>
      <TopBar page={page} session={session} end={host && end} compare={compare} />
      <main class="stage-box">
        <h1 class="vh" tabIndex={-1}>
          {t('call.title')}
        </h1>
        <Stage snapshot={s} selfView={selfView.value} arrangement={arrangement(s.remotes.length, screens)} />
        <Banners session={session} toasts={toasts}>
          <Slow session={session} />
          <Fresh session={session} compare={compare} />
          <OwnCompany session={session} />
          <OthersCompany session={session} />
          <Asking session={session} />
          <Unseen session={session} />
          {host && <SessionHint startedAt={s.startedAt} end={end} />}
          <AloneQuestion session={session} />
        </Banners>
      </main>
      {panel === 'chat' && <Chat session={session} onClose={closePanel} />}
      {panel === 'connection' && <Connection session={session} onClose={closePanel} />}
      {panel === 'people' && <People session={session} host={host} onClose={closePanel} />}
      <Controls
        session={session}
        panel={panel}
        unread={unread}
        waiting={host ? host.waiting.value.length + host.elsewhere.value : 0}
        open={(p) => setPanel((old) => (old === p ? null : p))}
        devices={() => setDialog('devices')}
        leave={() => (host ? setDialog('leave') : void session.leave())}
      />
      {dialog === 'devices' && (
        <Devices
          session={session}
          selfView={selfView}
          connection={() => {
            setDialog(null);
            setPanel('connection');
          }}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog === 'leave' && host && <LeaveDialog session={session} host={host} onClose={() => setDialog(null)} />}
      {dialog === 'compare' && <Compare session={session} onClose={compared} />}
      <Live />
    </div>
  );
}

function useUnread(session: CallSession, open: boolean): number {
  const lines = session.snapshot.value.chat.filter((l) => l.from).length;
  const seen = useRef(lines);
  if (open) seen.current = lines;
  return lines - seen.current;
}

function useTitle(page: Page): void {
  useEffect(() => {
    document.title = t('title.state', { state: t('call.title'), practice: page.practice });
    document.querySelector<HTMLElement>('.stage-box h1')?.focus();
  }, [page]);
}
