// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks';
import type { DoorNews } from '../core/flow/machine';
import type { Visit } from '../core/flow/visit';
import type { Page } from '../core/page';
import { t, time } from '../i18n';
import { announce } from '../ui/live';
import { Preview } from '../ui/media';
import { InPerson, Prepare } from '../ui/Prepare';
import { SecureLine } from '../ui/SecureLine';
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
  const news = s.at === 'waiting' ? s.news : undefined;
  const text = t(s.at !== 'waiting' ? 'waiting.knocking' : stateKey(present, news));
  useEffect(() => {
    if (said.current && said.current !== text) announce(text);
    said.current = text;
  }, [text]);
  return (
    <section class="card waiting" data-testid="waiting" data-host-present={present} data-state={s.at}>
      <Heading practice={page.practice}>{t('waiting.title')}</Heading>
      {interrupted ? (
        <p class="state" role="status" data-testid="waiting-interrupted">
          {t('waiting.interrupted')}
        </p>
      ) : (
        <p class={present ? 'state good' : 'state'} data-testid="waiting-state">
          {text}
        </p>
      )}
      <News visit={visit} news={news} />
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
      <p>{t('waiting.keep')}</p>
      {page.e2ee && <SecureLine />}
      {long && <p class="note">{t('waiting.long')}</p>}
      <Prepare />
      <InPerson />
      <div class="actions">
        <button type="button" class="button" data-testid="stop-waiting" onClick={() => visit.withdraw()}>
          {t('waiting.leave')}
        </button>
      </div>
    </section>
  );
}

function stateKey(present: boolean, news: DoorNews | undefined) {
  if (news?.locked) return 'waiting.locked';
  return present ? 'waiting.present' : 'waiting.absent';
}

/** What the practice says to this one person: a line, a question, or where they wait now. */
function News({ visit, news }: { visit: Visit; news: DoorNews | undefined }) {
  const said = news?.messages?.join('\n') ?? '';
  const { offer, moved } = news ?? {};
  useEffect(() => {
    if (said) announce(`${t('waiting.says')} ${said}`);
  }, [said]);
  useEffect(() => {
    if (offer) announce(t('waiting.offer', { name: offer.name }));
  }, [offer?.id]);
  useEffect(() => {
    if (moved) announce(t('waiting.moved', { name: moved.host.name }));
  }, [moved?.host.id]);
  return (
    <>
      {news?.back && (
        <p class="note" data-testid="waiting-back">
          {t('waiting.back')}
        </p>
      )}
      {moved && (
        <p class="note" data-testid="waiting-moved">
          {t('waiting.moved', { name: moved.host.name })}
        </p>
      )}
      {said && (
        <div class="note said-by" data-testid="waiting-message">
          <strong>{t('waiting.says')}</strong>
          {news?.messages?.map((m, i) => (
            <p key={`${i} ${m}`}>{m}</p>
          ))}
        </div>
      )}
      {offer && (
        <section class="note offer" aria-label={t('waiting.offer', { name: offer.name })} data-testid="waiting-offer">
          <h2>{t('waiting.offer', { name: offer.name })}</h2>
          <p>{t('waiting.offer.t')}</p>
          <div class="actions">
            <button
              type="button"
              class="button primary"
              data-testid="offer-yes"
              onClick={() => visit.answer(offer.id, true)}
            >
              {t('waiting.offer.yes', { name: offer.name })}
            </button>
            <button type="button" class="button" data-testid="offer-no" onClick={() => visit.answer(offer.id, false)}>
              {t('waiting.offer.no')}
            </button>
          </div>
        </section>
      )}
    </>
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
