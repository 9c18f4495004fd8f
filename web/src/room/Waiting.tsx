// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Visit } from '../core/flow/visit';
import type { Page } from '../core/page';
import { t, time } from '../i18n';
import { announce } from '../ui/live';
import { Preview } from '../ui/media';
import { Heading } from '../ui/Shell';

const longWait = 10 * 60_000;

export function Waiting({ visit, page }: { visit: Visit; page: Page }) {
  const s = visit.state.value;
  const { camera } = visit.capture.state.value;
  const since = s.at === 'waiting' ? s.since : 0;
  const present = s.at === 'waiting' && s.hostPresent;
  const interrupted = (s.at === 'waiting' || s.at === 'knocking') && s.interrupted;
  const long = useLater(since, longWait);
  const said = useRef('');
  const text = t(s.at !== 'waiting' ? 'waiting.knocking' : present ? 'waiting.present' : 'waiting.absent');
  useEffect(() => {
    if (said.current && said.current !== text) announce(text);
    said.current = text;
  }, [text]);
  return (
    <section class="card waiting" data-testid="waiting" data-host-present={present} data-state={s.at}>
      <Heading practice={page.practice}>{t('waiting.title')}</Heading>
      <p class={present ? 'state good' : 'state'} data-testid="waiting-state">
        {text}
      </p>
      {camera && (
        <figure class="self">
          <div class="preview small">
            <Preview track={camera} label={t('check.preview')} testid="preview" />
          </div>
          <figcaption>{t('waiting.self')}</figcaption>
        </figure>
      )}
      {since > 0 && (
        <p class="quiet">
          {t('waiting.since', { time: time(since) })} {visit.name && t('waiting.as', { name: visit.name })}
        </p>
      )}
      {interrupted && (
        <p class="note" role="status" data-testid="waiting-interrupted">
          {t('waiting.interrupted')}
        </p>
      )}
      <p>{t('waiting.keep')}</p>
      {long && <p class="note">{t('waiting.long')}</p>}
      <div class="actions">
        <button type="button" class="button" data-testid="stop-waiting" onClick={() => visit.withdraw()}>
          {t('waiting.leave')}
        </button>
      </div>
    </section>
  );
}

/** True once `after` milliseconds have passed since the moment. */
function useLater(moment: number, after: number): boolean {
  const [passed, setPassed] = useState(false);
  useEffect(() => {
    setPassed(false);
    if (!moment) return;
    const timer = setTimeout(() => setPassed(true), Math.max(0, moment + after - Date.now()));
    return () => clearTimeout(timer);
  }, [moment, after]);
  return passed;
}
