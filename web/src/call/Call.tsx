// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { WaitingPerson } from '../core/api/types';
import { arrangement } from '../core/call/layout';
import type { CallSession } from '../core/call/types';
import { canShareScreen } from '../core/flow/capability';
import type { Page } from '../core/page';
import { t } from '../i18n';
import {
  cameraIcon,
  cameraOffIcon,
  chatIcon,
  hangupIcon,
  micIcon,
  micOffIcon,
  peopleIcon,
  screenIcon,
  slidersIcon,
} from '../ui/icons-media';
import { announce, Live } from '../ui/live';
import { Toolbar } from '../ui/Toolbar';
import { Banners, type ToastText, useNotices } from './Banners';
import { CallButton } from './CallButton';
import { Chat } from './Chat';
import { Devices } from './Devices';
import { LeaveDialog } from './LeaveDialog';
import { People } from './People';
import { Stage } from './Stage';
import { TopBar } from './TopBar';

/** What only the host may do. Every promise rejects when the server refuses. */
export interface HostTools {
  waiting: ReadonlySignal<readonly WaitingPerson[]>;
  admit(knock: string): Promise<unknown>;
  decline(knock: string): Promise<unknown>;
  mute(identity: string): Promise<unknown>;
  remove(identity: string): Promise<unknown>;
  end(): Promise<unknown>;
}

export interface CallProps {
  page: Page;
  session: CallSession;
  host: HostTools | null;
}

type Panel = 'chat' | 'people' | null;

export function Call({ page, session, host }: CallProps) {
  const s = session.snapshot.value;
  const [panel, setPanel] = useState<Panel>(null);
  const [dialog, setDialog] = useState<'devices' | 'leave' | null>(null);
  const selfView = useSignal(true);
  const toasts = useSignal<readonly ToastText[]>([]);
  useNotices(session, toasts, panel === 'chat');
  useTitle(page);
  const unread = useUnread(session, panel === 'chat');
  const open = (p: Panel) => setPanel((old) => (old === p ? null : p));
  const screens = s.remotes.filter((m) => m.screen).length;
  const micOn = s.local.microphone === 'on';
  const sharing = s.sharing;
  const waiting = host?.waiting.value.length ?? 0;

  const toggle = async (change: Promise<void>, say: () => string) => {
    await change;
    announce(say());
  };
  const mic = () =>
    void toggle(session.setMicrophone(!micOn), () =>
      t(session.snapshot.peek().local.microphone === 'on' ? 'call.micNow.on' : 'call.micNow.off'),
    );
  const camera = () =>
    void toggle(session.setCamera(!s.cameraOn), () =>
      t(session.snapshot.peek().cameraOn ? 'call.camNow.on' : 'call.camNow.off'),
    );
  const share = () =>
    void toggle(session.setShare(!sharing), () =>
      t(session.snapshot.peek().sharing ? 'call.shareNow.on' : 'call.shareNow.off'),
    );
  const closePanel = () => {
    const opener = panel;
    setPanel(null);
    document.querySelector<HTMLElement>(`[data-testid=${opener}]`)?.focus();
  };
  const leave = () => (host ? setDialog('leave') : void session.leave());

  return (
    <div class="call" data-testid="call" data-phase={s.phase} data-panel={panel ?? 'none'}>
      <TopBar page={page} startedAt={s.startedAt} />
      <main class="stage-box">
        <h1 class="vh" tabIndex={-1}>
          {t('call.title')}
        </h1>
        <Stage snapshot={s} selfView={selfView.value} arrangement={arrangement(s.remotes.length, screens)} />
        <Banners session={session} toasts={toasts} />
      </main>
      {panel === 'chat' && <Chat session={session} onClose={closePanel} />}
      {panel === 'people' && <People snapshot={s} host={host} onClose={closePanel} />}
      <Toolbar label={t('call.bar')}>
        <CallButton
          id="microphone"
          icon={micOn ? micIcon : micOffIcon}
          text={t(micOn ? 'call.mic.on' : 'call.mic.off')}
          hint={t(micOn ? 'call.do.off' : 'call.do.on')}
          off={!micOn}
          run={mic}
        />
        <CallButton
          id="camera"
          icon={s.cameraOn ? cameraIcon : cameraOffIcon}
          text={t(s.cameraOn ? 'call.cam.on' : 'call.cam.off')}
          hint={t(s.cameraOn ? 'call.do.off' : 'call.do.on')}
          off={!s.cameraOn}
          run={camera}
        />
        {canShareScreen(navigator) && (
          <CallButton
            id="share"
            icon={screenIcon}
            text={t(sharing ? 'call.share.stop' : 'call.share')}
            hint={sharing ? '' : t('call.share.long')}
            active={sharing}
            run={share}
          />
        )}
        <CallButton
          id="chat"
          icon={chatIcon}
          text={t('call.chat')}
          hint={unread ? t('call.unread', { n: unread }) : ''}
          badge={unread}
          expanded={panel === 'chat'}
          run={() => open('chat')}
        />
        <CallButton
          id="people"
          icon={peopleIcon}
          text={t('call.people')}
          hint={waiting ? t('call.waitingCount', { n: waiting }) : ''}
          badge={waiting}
          expanded={panel === 'people'}
          run={() => open('people')}
        />
        <CallButton id="devices" icon={slidersIcon} text={t('call.more')} hint="" run={() => setDialog('devices')} />
        <CallButton id="leave" icon={hangupIcon} text={t('call.leave')} hint="" danger run={leave} />
      </Toolbar>
      {dialog === 'devices' && <Devices session={session} selfView={selfView} onClose={() => setDialog(null)} />}
      {dialog === 'leave' && host && <LeaveDialog session={session} host={host} onClose={() => setDialog(null)} />}
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
