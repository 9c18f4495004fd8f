// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { t } from '../i18n';

// What the practice says in its own words. Read here and not with the page, whose first file has no room for it.
const said = document.documentElement.dataset;

const usual = ['term.prepare.1', 'term.prepare.2', 'term.prepare.3', 'term.prepare.4'] as const;

/** How to prepare: the practice's list, else the usual one. */
export function Prepare() {
  const lines = said['checklist']?.split('\n') ?? usual.map((key) => t(key));
  return (
    <details class="prepare" data-testid="prepare">
      <summary>{t('term.prepare')}</summary>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </details>
  );
}

/** Where one may come instead; nothing where the practice does not offer it. */
export function InPerson() {
  const href = said['inperson'];
  if (!href) return null;
  return (
    <p class="quiet" data-testid="in-person">
      {t('term.inPerson')}{' '}
      <a class="inline" href={href} target="_blank" rel="noopener">
        {t('term.inPerson.go')}
      </a>
    </p>
  );
}
