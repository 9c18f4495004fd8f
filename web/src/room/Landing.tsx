// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { type Page, telHref } from '../core/page';
import { t } from '../i18n';
import { Heading, Shell } from '../ui/Shell';

/** The bare address: what this is and where one's own link comes from. */
export function Landing({ page }: { page: Page }) {
  return (
    <Shell page={page}>
      <section class="card" data-testid="landing">
        <Heading practice={page.practice}>{t('landing.title')}</Heading>
        <p class="lead">{t('landing.lead')}</p>
        <h2>{t('landing.how')}</h2>
        <ol class="steps">
          <li>{t('landing.1')}</li>
          <li>{t('landing.2')}</li>
          <li>{t('landing.3')}</li>
        </ol>
        <p class="note">
          <strong>{t('landing.nolink')}</strong> {t('landing.ask')}
          {page.phone && (
            <>
              {' '}
              <a class="inline" href={telHref(page.phone)}>
                {page.phone}
              </a>
            </>
          )}
        </p>
      </section>
      <p class="aside">
        <a class="inline" href={`${page.base}/test`} data-testid="test-link">
          {t('landing.test')}
        </a>{' '}
        <a class="inline" href={`${page.base}/host/`} data-testid="host-link">
          {t('landing.host')}
        </a>
      </p>
    </Shell>
  );
}
