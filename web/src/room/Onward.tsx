// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { t } from '../i18n';

/** The way on from a greeting, and what visitors want to know before they take it. */
export function Onward({ next }: { next(): void }) {
  return (
    <>
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
    </>
  );
}
