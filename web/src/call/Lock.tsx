// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks';
import { type LockState, lockState, unsecured } from '../core/call/safety';
import type { CallSession, CallSnapshot } from '../core/call/types';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import type { Shape } from '../ui/icons';
import { closeIcon, lockBusyIcon, lockCheckIcon, lockIcon } from '../ui/icons-media';
import { announce } from '../ui/live';
import { useHeld } from './held';
import { named } from './named';

/** Keys take a second or two. After this long the page says that something is slow. */
const slowAfter = 10_000;

const icons: Readonly<Record<LockState, Shape>> = {
  server: lockIcon,
  waiting: lockBusyIcon,
  securing: lockBusyIcon,
  alone: lockIcon,
  open: lockIcon,
  again: lockIcon,
  verified: lockCheckIcon,
};

interface Props {
  session: CallSession;
  /** A host waits for anybody, a visitor for the practice. */
  host: boolean;
  /** Opens the words. */
  compare(): void;
}

/** How the call is encrypted: an icon, plain words, and what they mean. */
export function Lock({ session, host, compare }: Props) {
  const s = session.snapshot.value;
  const state = lockState(s.encryption);
  const doors = s.encryption?.doors ?? 0;
  const slow = useHeld(state === 'securing', slowAfter);
  const ref = useRef<HTMLDetailsElement>(null);
  useNews(state);
  const open = () => {
    if (ref.current) ref.current.open = false;
    compare();
  };
  return (
    <details
      ref={ref}
      class="lock"
      data-testid="lock"
      data-state={state}
      onKeyDown={closeOnEscape}
      onFocusOut={closeOnLeave}
    >
      <summary>
        <Icon of={icons[state]} size={20} />
        <span class="long">{label(state, host)}</span>
        {state !== 'server' && (
          <span class="short" aria-hidden="true">
            {t(`lock.${state}.short`)}
          </span>
        )}
      </summary>
      <div class="lock-panel" data-testid="lock-panel">
        <p class="lock-title">{label(state, host)}</p>
        <p>{meaning(state, slow, s)}</p>
        {doors > 0 && <p data-testid="lock-doors">{t('lock.doors', { n: doors })}</p>}
        {s.encryption?.code && state !== 'securing' && (
          <button type="button" class="button small" data-testid="compare" onClick={open}>
            {t(state === 'verified' ? 'lock.words' : 'lock.compare')}
          </button>
        )}
      </div>
    </details>
  );
}

function label(state: LockState, host: boolean): string {
  if (state === 'server') return t('call.lock');
  if (state === 'waiting' && host) return t('lock.waiting.host');
  return t(`lock.${state}`);
}

function meaning(state: LockState, slow: boolean, s: CallSnapshot): string {
  if (state === 'server') return t('call.lock.t');
  if (state === 'securing') return `${t(slow ? 'lock.slow' : 'lock.securing.t')} ${until(s)}`;
  return t(`lock.${state}.t`);
}

function until(s: CallSnapshot): string {
  return t('lock.until', { names: unsecured(s).map(named).join(', ') });
}

/** Says when the call has become safe, and when the words were found equal. */
function useNews(state: LockState): void {
  const old = useRef(state);
  useEffect(() => {
    if (old.current === state) return;
    old.current = state;
    if (state === 'open' || state === 'verified') announce(t(`lock.${state}`));
  }, [state]);
}

/** Stands when keys take unusually long. */
export function Slow({ session }: { session: CallSession }) {
  const s = session.snapshot.value;
  const slow = useHeld(s.encryption?.state === 'securing', slowAfter);
  const text = slow ? `${t('lock.slow')} ${until(s)}` : '';
  useEffect(() => {
    if (text) announce(text);
  }, [text]);
  if (!text) return null;
  return (
    <p class="banner" data-testid="banner-securing">
      {text}
    </p>
  );
}

/** Asks for another comparison once somebody has come since the last. */
export function Fresh({ session, compare }: { session: CallSession; compare(): void }) {
  const { encryption } = session.snapshot.value;
  const names = lockState(encryption) === 'again' ? (encryption?.fresh.join(', ') ?? '') : '';
  const [closed, setClosed] = useState('');
  const text = names ? t('lock.fresh', { names }) : '';
  useEffect(() => {
    if (text) announce(text);
  }, [text]);
  if (!text || closed === names) return null;
  return (
    <section class="banner question fresh" aria-label={text} data-testid="fresh">
      <p>{text}</p>
      <button type="button" class="button primary small" data-testid="compare-again" onClick={compare}>
        {t('lock.compare')}
      </button>
      <button type="button" class="quiet-button" aria-label={t('call.dismiss')} onClick={() => setClosed(names)}>
        <Icon of={closeIcon} size={18} />
      </button>
    </section>
  );
}

function closeOnEscape(e: KeyboardEvent & { currentTarget: HTMLDetailsElement }): void {
  if (e.key !== 'Escape' || !e.currentTarget.open) return;
  e.currentTarget.open = false;
  e.currentTarget.querySelector('summary')?.focus();
}

function closeOnLeave(e: FocusEvent & { currentTarget: HTMLDetailsElement }): void {
  if (!e.currentTarget.contains(e.relatedTarget as Node | null)) e.currentTarget.open = false;
}
