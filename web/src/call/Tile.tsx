// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef } from 'preact/hooks';
import { shownAspect } from '../core/call/layout';
import type { PauseReason } from '../core/call/paused';
import type { Member, Picture } from '../core/call/types';
import { type Key, t } from '../i18n';
import { Icon } from '../ui/Icon';
import { companyIcon, lockBusyIcon, micOffIcon, pausedIcon } from '../ui/icons-media';
import { AloneSign } from './Manners';
import { named } from './named';

/** One person: picture or initials, name, and every state as text. */
export function Tile({ member, why }: { member: Member; why: PauseReason }) {
  const { local, name, camera, cameraPaused, waits, microphone, speaking, company, securing } = member;
  const shown = local ? t('call.you') : named(name);
  return (
    <li
      class={local ? 'tile local' : 'tile'}
      data-testid={local ? 'tile-local' : 'tile'}
      data-identity={member.identity}
      data-speaking={speaking}
      data-microphone={microphone}
      data-camera={camera ? 'on' : 'off'}
      data-paused={cameraPaused}
      data-company={company}
      data-securing={securing}
    >
      {securing ? (
        <Securing />
      ) : camera ? (
        <Video picture={camera} mirrored={local} label={shown} hidden={waits} />
      ) : (
        <span class="initials" aria-hidden="true">
          {initials(name)}
        </span>
      )}
      {cameraPaused && !securing && (waits || why === 'many' ? <Waits name={name} /> : <Paused why={why} />)}
      {company && (
        <span class="company-sign" data-testid="company-sign">
          <Icon of={companyIcon} size={28} />
        </span>
      )}
      <p class="plate">
        {microphone !== 'on' && <Icon of={micOffIcon} size={16} />}
        <span class="name" data-testid="tile-name">
          {shown}
        </span>
        <span class="vh">{states(member)}</span>
        {microphone === 'muted' && <span class="tag">{t('call.muted')}</span>}
        <AloneSign alone={member.alone} />
      </p>
    </li>
  );
}

export function ScreenTile({ member, picture, why }: { member: Member; picture: Picture; why: PauseReason }) {
  const label = t('call.screenOf', { name: named(member.name) });
  return (
    <li class="tile screen" data-testid="tile-screen" data-identity={member.identity} data-paused={member.screenPaused}>
      {member.securing ? <Securing /> : <Video picture={picture} mirrored={false} label={label} whole />}
      {member.screenPaused && !member.securing && <Paused why={why} />}
      <p class="plate">
        <span class="name">{label}</span>
      </p>
    </li>
  );
}

export const pauseText = {
  line: 'call.paused.t',
  saver: 'call.paused.saver',
  many: 'call.paused.many',
} as const satisfies Record<PauseReason, Key>;

/** Stands where nothing can be shown yet, because keys are not agreed on. */
function Securing() {
  return (
    <div class="paused" data-testid="tile-securing">
      <span class="paused-badge breathing">
        <Icon of={lockBusyIcon} size={28} />
      </span>
      <p class="paused-title">{t('lock.securing')}</p>
    </div>
  );
}

/** Stands in front of a picture that does not move. The element behind it stays, so that the picture is back at once. */
function Paused({ why }: { why: PauseReason }) {
  return (
    <div class="paused" data-testid="tile-paused">
      <span class="paused-badge">
        <Icon of={pausedIcon} size={28} />
      </span>
      <p class="paused-title">{t('call.paused')}</p>
      <p class="paused-text">{t(pauseText[why])}</p>
    </div>
  );
}

/** Stands in front of a picture that has its turn when the person speaks. */
function Waits({ name }: { name: string }) {
  return (
    <div class="waits" data-testid="tile-paused">
      <span class="initials" aria-hidden="true">
        {initials(name)}
      </span>
      <span class="icon-corner" title={t(pauseText.many)}>
        <Icon of={pausedIcon} size={16} />
      </span>
      <p class="vh">
        {t('call.paused')} – {t(pauseText.many)}
      </p>
    </div>
  );
}

/** Least part of a person's picture that stays visible when it fills another shape. */
const keep = 0.42;

interface VideoProps {
  picture: Picture;
  mirrored: boolean;
  label: string;
  whole?: boolean;
  /** It stays attached, and the media library has the server stop it: what is not seen is not sent. */
  hidden?: boolean;
}

function Video({ picture, mirrored, label, whole, hidden }: VideoProps) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const el = ref.current;
    if (!el) return;
    picture.attach(el);
    el.play().catch(() => {});
    const box = el.parentElement ?? el;
    const adjust = () => {
      const space = { width: box.clientWidth, height: box.clientHeight };
      const aspect = shownAspect({ width: el.videoWidth, height: el.videoHeight }, space, whole ? 1 : keep);
      el.style.setProperty('--w', `${Math.min(space.width, space.height * aspect)}px`);
      el.style.setProperty('--h', `${Math.min(space.height, space.width / aspect)}px`);
    };
    const observer = new ResizeObserver(adjust);
    observer.observe(box);
    el.addEventListener('resize', adjust);
    return () => {
      observer.disconnect();
      el.removeEventListener('resize', adjust);
      picture.detach(el);
    };
  }, [picture, whole]);
  return <video ref={ref} class={mirrored ? 'mirrored' : ''} hidden={hidden} muted playsInline aria-label={label} />;
}

function states(m: Member): string {
  const parts: string[] = [];
  if (m.speaking) parts.push(t('call.speaking'));
  if (m.microphone === 'none') parts.push(t('call.nomic'));
  if (!m.camera) parts.push(t('call.nocam'));
  return parts.length ? `(${parts.join(', ')})` : '';
}

export function initials(name: string): string {
  const words = name.split(/[\s.,-]+/).filter((w) => /^\p{L}/u.test(w));
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return picked.map((w) => [...(w ?? '')][0]?.toUpperCase() ?? '').join('');
}
