// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks';
import { clock } from '../core/call/layout';
import { type Page, telHref } from '../core/page';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { phoneIcon } from '../ui/icons';
import { lockIcon } from '../ui/icons-media';

export function TopBar({ page, startedAt }: { page: Page; startedAt: number }) {
  return (
    <header class="call-top">
      <details class="lock" data-testid="lock" onKeyDown={closeOnEscape} onFocusOut={closeOnLeave}>
        <summary>
          <Icon of={lockIcon} size={18} />
          <span>{t('call.lock')}</span>
        </summary>
        <p>{t('call.lock.t')}</p>
      </details>
      <span class="brand">{page.practice}</span>
      <Clock startedAt={startedAt} />
      {page.phone && (
        <a
          class="phone"
          href={telHref(page.phone)}
          data-testid="phone"
          aria-label={t('help.call', { phone: page.phone })}
          title={t('help.call', { phone: page.phone })}
        >
          <Icon of={phoneIcon} size={18} />
          <span>{page.phone}</span>
        </a>
      )}
    </header>
  );
}

function Clock({ startedAt }: { startedAt: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class="clock" role="timer" data-testid="clock">
      {clock((now - startedAt) / 1000)}
    </span>
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
