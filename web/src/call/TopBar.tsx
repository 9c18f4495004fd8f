// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { CallSession } from '../core/call/types';
import { type Page, telHref } from '../core/page';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { phoneIcon } from '../ui/icons';
import { lockIcon } from '../ui/icons-media';
import { QuickExit } from '../ui/QuickExit';
import { CompanyButton } from './Manners';
import { type PlannedEnd, SessionClock } from './SessionClock';

interface Props {
  page: Page;
  session: CallSession;
  /** The host's clock; visitors have none. */
  end: PlannedEnd | null;
}

export function TopBar({ page, session, end }: Props) {
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
      {end && <SessionClock startedAt={session.snapshot.value.startedAt} end={end} />}
      <CompanyButton session={session} />
      {page.exit && !end && <QuickExit />}
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

function closeOnEscape(e: KeyboardEvent & { currentTarget: HTMLDetailsElement }): void {
  if (e.key !== 'Escape' || !e.currentTarget.open) return;
  e.currentTarget.open = false;
  e.currentTarget.querySelector('summary')?.focus();
}

function closeOnLeave(e: FocusEvent & { currentTarget: HTMLDetailsElement }): void {
  if (!e.currentTarget.contains(e.relatedTarget as Node | null)) e.currentTarget.open = false;
}
