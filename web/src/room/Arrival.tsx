// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Page } from '../core/page';
import { t } from '../i18n';
import { Heading } from '../ui/Shell';

interface Props {
  page: Page;
  host: string;
  open: boolean;
  next(): void;
}

export function Arrival({ page, host, open, next }: Props) {
  return (
    <section class="card" data-testid="arrival" data-open={open}>
      <Heading practice={page.practice}>{t('arrival.title')}</Heading>
      {host && (
        <p class="lead" data-testid="host-name">
          {t('arrival.with', { name: host })}
        </p>
      )}
      <p class={open ? 'state good' : 'state'}>{t(open ? 'arrival.open' : 'arrival.closed')}</p>
      <div class="actions">
        <button type="button" class="button primary" data-testid="continue" onClick={next}>
          {t('arrival.go')}
        </button>
      </div>
      <p class="quiet">{t('arrival.free')}</p>
      <details data-testid="privacy">
        <summary>{t('privacy.q')}</summary>
        <p>{t('privacy.1')}</p>
        <p>{t('privacy.2')}</p>
        <p>{t('privacy.3')}</p>
      </details>
    </section>
  );
}
