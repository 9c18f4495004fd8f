// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks';
import type { CallSession } from '../core/call/types';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { aloneIcon, closeIcon, companyIcon } from '../ui/icons-media';
import { announce } from '../ui/live';

/** In larger rounds the question would be one of many; there it stands among the people only. */
const fewOthers = 3;

/** Asks once whether one is alone. The answer is shown to the others. */
export function AloneQuestion({ session }: { session: CallSession }) {
  const [closed, setClosed] = useState(false);
  const { local, remotes } = session.snapshot.value;
  if (closed || local.alone !== null || local.company || remotes.length === 0 || remotes.length > fewOthers)
    return null;
  return (
    <section class="banner question" aria-label={t('manners.alone.q')} data-testid="alone-question">
      <p>
        <strong>{t('manners.alone.q')}</strong> {t('manners.alone.t')}
      </p>
      <div class="pair">
        <button
          type="button"
          class="button primary small"
          data-testid="alone-yes"
          onClick={() => session.declareAlone(true)}
        >
          {t('manners.alone.yes')}
        </button>
        <button type="button" class="button small" data-testid="alone-no" onClick={() => session.declareAlone(false)}>
          {t('manners.alone.no')}
        </button>
      </div>
      <button type="button" class="quiet-button" aria-label={t('call.dismiss')} onClick={() => setClosed(true)}>
        <Icon of={closeIcon} size={18} />
      </button>
    </section>
  );
}

/** The choice once more, for whose place has changed. */
export function AloneTick({ session }: { session: CallSession }) {
  const { local } = session.snapshot.value;
  return (
    <label class="tick">
      <input
        type="checkbox"
        data-testid="alone-tick"
        checked={local.alone === true}
        onChange={(e) => session.declareAlone(e.currentTarget.checked)}
      />
      {t('manners.alone.tick')}
    </label>
  );
}

/** One tap: silence, no picture, and a sign to the others. */
export function CompanyButton({ session }: { session: CallSession }) {
  const on = session.snapshot.value.local.company;
  const start = () => {
    void session.setCompany(true);
    announce(t('manners.company.own'), true);
  };
  if (on) return null;
  return (
    <button type="button" class="company-button" data-testid="company" onClick={start}>
      <Icon of={companyIcon} size={18} />
      <span>{t('manners.company')}</span>
    </button>
  );
}

/** Stands as long as somebody is there, with the way back. */
export function OwnCompany({ session }: { session: CallSession }) {
  const on = session.snapshot.value.local.company;
  if (!on) return null;
  return (
    <div class="banner warn own-company" data-testid="own-company">
      <span>{t('manners.company.own')}</span>
      <button
        type="button"
        class="button small"
        data-testid="company-over"
        onClick={() => void session.setCompany(false)}
      >
        {t('manners.company.over')}
      </button>
    </div>
  );
}

/** The others' sign, as long as it lasts. */
export function OthersCompany({ session }: { session: CallSession }) {
  const names = session.snapshot.value.remotes.filter((m) => m.company).map((m) => m.name);
  const text = names.length ? t('manners.company.other', { name: names.join(', ') }) : '';
  useEffect(() => {
    if (text) announce(text, true);
  }, [text]);
  if (!text) return null;
  return (
    <p class="banner warn" data-testid="others-company">
      {text}
    </p>
  );
}

/** What somebody said of their place, on their picture. */
export function AloneSign({ alone }: { alone: boolean | null }) {
  if (alone === null) return null;
  return (
    <span class={alone ? 'alone-sign' : 'alone-sign not'} data-testid="alone-sign" data-alone={alone}>
      <Icon of={aloneIcon} size={15} />
      <span>{t(alone ? 'manners.alone' : 'manners.notAlone')}</span>
    </span>
  );
}
