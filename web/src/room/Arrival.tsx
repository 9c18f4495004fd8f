// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Page } from '../core/page';
import { t } from '../i18n';
import { Heading } from '../ui/Shell';
import { Onward } from './Onward';

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
      <Onward next={next} />
    </section>
  );
}
