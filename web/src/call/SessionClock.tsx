// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Signal } from '@preact/signals';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { clock } from '../core/call/layout';
import { lengths, sessionTime } from '../core/call/sessionclock';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { closeIcon } from '../ui/icons-media';
import { announce } from '../ui/live';

/** Planned end in epoch milliseconds, null with an open end. */
export type PlannedEnd = Signal<number | null>;

/** The host's clock. Nobody else sees it. */
export function SessionClock({ startedAt, end }: { startedAt: number; end: PlannedEnd }) {
  const id = useId();
  const time = useSessionTime(startedAt, end);
  const minutes = end.value === null ? 0 : Math.round((end.value - startedAt) / 60_000);
  const choices = [...new Set([...lengths, minutes])].filter((n) => n >= 0).sort((a, b) => a - b);
  return (
    <span class="session-clock" data-testid="session-clock" data-state={time.state}>
      <span class="clock" role="timer" data-testid="clock">
        {clock(time.elapsed)}
      </span>
      <label class="vh" for={id}>
        {t('clock.length')}
      </label>
      <select
        id={id}
        data-testid="session-length"
        value={minutes}
        onChange={(e) => {
          const n = Number(e.currentTarget.value);
          end.value = n ? startedAt + n * 60_000 : null;
        }}
      >
        {choices.map((n) => (
          <option key={n} value={n}>
            {n ? t('clock.of', { n }) : t('clock.open')}
          </option>
        ))}
      </select>
    </span>
  );
}

/** Five minutes before the end, and at the end: a line for the host, without a sound. */
export function SessionHint({ startedAt, end }: { startedAt: number; end: PlannedEnd }) {
  const { state, left } = useSessionTime(startedAt, end);
  const [closed, setClosed] = useState('');
  const said = useRef('');
  const due = state === 'ending' || state === 'over';
  const text = due
    ? t(state === 'over' ? 'clock.over' : 'clock.soon', { n: Math.max(1, Math.ceil((left ?? 0) / 60)) })
    : '';
  useEffect(() => {
    if (!due || said.current === state) return;
    said.current = state;
    announce(text);
  }, [due, state, text]);
  if (!due || closed === state) return null;
  return (
    <div class="banner toast" data-testid="session-hint" data-state={state}>
      <span>{text}</span>
      <button type="button" class="quiet-button" aria-label={t('call.dismiss')} onClick={() => setClosed(state)}>
        <Icon of={closeIcon} size={18} />
      </button>
    </div>
  );
}

function useSessionTime(startedAt: number, end: PlannedEnd) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return sessionTime(startedAt, end.value, now);
}
