// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { CallSession } from '../core/call/types';
import { type Page, telHref } from '../core/page';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { phoneIcon } from '../ui/icons';
import { QuickExit } from '../ui/QuickExit';
import { Lock } from './Lock';
import { CompanyButton } from './Manners';
import { type PlannedEnd, SessionClock } from './SessionClock';

interface Props {
  page: Page;
  session: CallSession;
  /** The host's clock; visitors have none. */
  end: PlannedEnd | null;
  /** Opens the words of the encryption. */
  compare(): void;
}

export function TopBar({ page, session, end, compare }: Props) {
  return (
    <header class="call-top">
      <Lock session={session} host={end !== null} compare={compare} />
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
