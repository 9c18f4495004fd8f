// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { CallSession } from '../core/call/types';
import { canShareScreen } from '../core/flow/capability';
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
import { announce } from '../ui/live';
import { Toolbar } from '../ui/Toolbar';
import type { PanelName } from './Call';
import { CallButton } from './CallButton';

interface Props {
  session: CallSession;
  panel: PanelName | null;
  unread: number;
  waiting: number;
  open(p: PanelName): void;
  devices(): void;
  leave(): void;
}

export function Controls({ session, panel, unread, waiting, open, devices, leave }: Props) {
  return (
    <Toolbar label={t('call.bar')}>
      <Microphone session={session} />
      <Camera session={session} />
      {canShareScreen(navigator) && <Share session={session} />}
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
      <CallButton id="devices" icon={slidersIcon} text={t('call.more')} hint="" run={devices} />
      <CallButton id="leave" icon={hangupIcon} text={t('call.leave')} hint="" danger run={leave} />
    </Toolbar>
  );
}

interface One {
  session: CallSession;
}

function Microphone({ session }: One) {
  const on = session.snapshot.value.local.microphone === 'on';
  const toggle = async () => {
    await session.setMicrophone(!on);
    const now = session.snapshot.peek().local.microphone === 'on';
    announce(t(now ? 'call.micNow.on' : 'call.micNow.off'));
  };
  return (
    <CallButton
      id="microphone"
      icon={on ? micIcon : micOffIcon}
      text={t(on ? 'call.mic.on' : 'call.mic.off')}
      hint={t(on ? 'call.do.off' : 'call.do.on')}
      off={!on}
      run={() => void toggle()}
    />
  );
}

function Camera({ session }: One) {
  const on = session.snapshot.value.cameraOn;
  const toggle = async () => {
    await session.setCamera(!on);
    announce(t(session.snapshot.peek().cameraOn ? 'call.camNow.on' : 'call.camNow.off'));
  };
  return (
    <CallButton
      id="camera"
      icon={on ? cameraIcon : cameraOffIcon}
      text={t(on ? 'call.cam.on' : 'call.cam.off')}
      hint={t(on ? 'call.do.off' : 'call.do.on')}
      off={!on}
      run={() => void toggle()}
    />
  );
}

function Share({ session }: One) {
  const on = session.snapshot.value.sharing;
  const toggle = async () => {
    await session.setShare(!on);
    // Closing the picker changes nothing and needs no word.
    const now = session.snapshot.peek().sharing;
    if (now !== on) announce(t(now ? 'call.shareNow.on' : 'call.shareNow.off'));
  };
  return (
    <CallButton
      id="share"
      icon={screenIcon}
      text={t(on ? 'call.share.stop' : 'call.share')}
      hint={on ? '' : t('call.share.long')}
      active={on}
      run={() => void toggle()}
    />
  );
}
