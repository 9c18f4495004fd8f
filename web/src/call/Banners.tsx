// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type PauseReason, pauseReason } from '../core/call/paused';
import type { CallSession, Notice } from '../core/call/types';
import { play } from '../core/media/tone';
import { maybe, t } from '../i18n';
import { Icon } from '../ui/Icon';
import { closeIcon } from '../ui/icons-media';
import { announce } from '../ui/live';
import { useHeld } from './held';
import { pauseText } from './Tile';

const shortLife = 6000;
const bannerAfter = 2000;
const pausedAgain = 60_000;

export interface ToastText {
  id: number;
  kind: Notice['kind'];
  text: string;
}

/** Notices of the call as toasts and announcements. What asks for an action stays until it is closed. */
export function useNotices(session: CallSession, toasts: Signal<readonly ToastText[]>, chatOpen: boolean): void {
  useEffect(() => {
    let last = toasts.peek().at(-1)?.id ?? 0;
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const end = session.onNotice((n) => {
      if (n.kind === 'message') play('message');
      if (n.kind === 'message' && chatOpen) return;
      // As long as it lasts a banner of its own says so.
      if (n.kind === 'company' && n.on) return;
      const text = textOf(n);
      const toast = { id: ++last, kind: n.kind, text };
      announce(text, n.kind === 'mutedByHost');
      toasts.value = [...toasts.value.slice(-2), toast];
      if (n.kind === 'mutedByHost' || n.kind === 'failed') return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        toasts.value = toasts.value.filter((x) => x.id !== toast.id);
      }, shortLife);
      timers.add(timer);
    });
    return () => {
      end();
      for (const timer of timers) clearTimeout(timer);
      toasts.value = toasts.peek().filter((x) => x.kind === 'mutedByHost' || x.kind === 'failed');
    };
  }, [session, toasts, chatOpen]);
}

function textOf(n: Notice): string {
  switch (n.kind) {
    case 'joined':
      return t('call.joined', { name: n.name });
    case 'gone':
      return t('call.gone', { name: n.name });
    case 'company':
      return t(n.on ? 'manners.company.other' : 'manners.company.gone', { name: n.name });
    case 'mutedByHost':
      return t('call.mutedByHost');
    case 'deviceSwitched':
      return t(`call.switched.${n.device}`);
    case 'message':
      return t('call.chat.from', { name: n.from });
    case 'failed':
      return `${maybe(`e${n.code}`) ?? t('e99')} (VR-${n.code})`;
  }
}

interface Props {
  session: CallSession;
  toasts: Signal<readonly ToastText[]>;
  children?: ComponentChildren;
}

export function Banners({ session, toasts, children }: Props) {
  const s = session.snapshot.value;
  const cut = useHeld(s.phase === 'reconnecting', bannerAfter);
  const weak = s.remotes.find((m) => m.weak);
  useEffect(() => {
    if (cut) announce(t('e60'));
  }, [cut]);
  usePaused(s.remotes.some((m) => m.cameraPaused || m.screenPaused) ? pauseReason(s) : null);
  const close = (id: number) => {
    toasts.value = toasts.value.filter((x) => x.id !== id);
  };
  return (
    <div class="banners">
      {cut && (
        <p class="banner warn" data-testid="banner-reconnecting" data-code="60">
          {t('e60')}
        </p>
      )}
      {!cut && s.local.weak && (
        <p class="banner" data-testid="banner-weak" data-code="62">
          {t('e62')}
        </p>
      )}
      {!cut && !s.local.weak && weak && (
        <p class="banner" data-testid="banner-weak" data-code="62">
          {t('e62.other', { name: weak.name })}
        </p>
      )}
      {s.audioBlocked && (
        <div class="banner" data-testid="banner-audio" data-code="72">
          <span>{t('e72')}</span>
          <button
            type="button"
            class="button primary"
            data-testid="start-audio"
            onClick={() => void session.startAudio()}
          >
            {t('e72.do')}
          </button>
        </div>
      )}
      {children}
      {toasts.value.map((x) => (
        <div class="banner toast" key={x.id} data-testid="toast" data-kind={x.kind}>
          <span>{x.text}</span>
          <button type="button" class="quiet-button" aria-label={t('call.dismiss')} onClick={() => close(x.id)}>
            <Icon of={closeIcon} size={18} />
          </button>
        </div>
      ))}
    </div>
  );
}

/** Says once that pictures are paused, and again only after a while: a weak way wavers. */
function usePaused(why: PauseReason | null): void {
  const said = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (!why || performance.now() - said.current < pausedAgain) return;
    said.current = performance.now();
    announce(`${t('call.paused')} – ${t(pauseText[why])}`);
  }, [why]);
}
