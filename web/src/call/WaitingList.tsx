// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks';
import type { WaitingPerson } from '../core/api/types';
import { t } from '../i18n';

interface Props {
  waiting: readonly WaitingPerson[];
  admit(knock: string): void;
  decline(knock: string): void;
}

/** Who stands at the door, longest first, as the server lists them. */
export function WaitingList({ waiting, admit, decline }: Props) {
  const now = useMinute();
  return (
    <ul class="waiting-list" aria-label={t('host.waiting')} data-testid="waiting-list">
      {waiting.map((w) => (
        <li key={w.id} data-testid="waiting-person" data-knock={w.id}>
          <span class="person-name">
            {w.name}
            <small>
              {t('host.waitingSince', { n: Math.max(0, Math.floor((now - Date.parse(w.since)) / 60_000)) })}
            </small>
          </span>
          <span class="pair">
            <button
              type="button"
              class="button primary small"
              data-testid="admit"
              aria-label={t('host.admit.who', { name: w.name })}
              onClick={() => admit(w.id)}
            >
              {t('host.admit')}
            </button>
            <button
              type="button"
              class="button small"
              data-testid="decline"
              aria-label={t('host.decline.who', { name: w.name })}
              onClick={() => decline(w.id)}
            >
              {t('host.decline')}
            </button>
          </span>
        </li>
      ))}
    </ul>
  );
}

function useMinute(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 20_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
