// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Hours } from '../core/api/types';
import { otherClock } from '../core/flow/appointment';
import { nearness, week } from '../core/flow/hours';
import { type Page, telHref } from '../core/page';
import { day, language, t, time } from '../i18n';
import { Onward } from '../room/Onward';
import { Icon } from '../ui/Icon';
import { phoneIcon } from '../ui/icons';
import { calendarIcon } from '../ui/icons-media';
import { InPerson } from '../ui/Prepare';
import { Heading } from '../ui/Shell';

interface Props {
  page: Page;
  host: string;
  hours: Hours;
}

export function Opened({ page, host, hours, next }: Props & { next(): void }) {
  const { changes, timezone } = hours;
  const today = changes && nearness(changes, timezone, Date.now()) === 'today';
  return (
    <section class="card" data-testid="open-door" data-open="true">
      <Heading practice={page.practice}>{t('open.title')}</Heading>
      <p class="lead" data-testid="host-name">
        {host}
      </p>
      <p class="state good" data-testid="open-state">
        {today ? t('open.until', { time: time(changes, { timeZone: timezone }) }) : t('open.now')}
      </p>
      <p>{t('open.lead')}</p>
      <Onward next={next} />
    </section>
  );
}

/** When it opens next, the week, and what can be done until then. */
export function Closed({ page, host, hours }: Props) {
  const { changes, timezone } = hours;
  const zone = { timeZone: timezone };
  return (
    <section class="card" data-testid="open-door" data-open="false">
      <div class="badge calm">
        <Icon of={calendarIcon} size={28} />
      </div>
      <Heading practice={page.practice}>{t('open.closed')}</Heading>
      <p class="lead" data-testid="host-name">
        {host}
      </p>
      {changes && (
        <p class="when" data-testid="open-next">
          <Next at={changes} zone={timezone} />
          <strong>{t('open.next.time', { time: time(changes, zone) })}</strong>
        </p>
      )}
      {changes && otherClock(changes, timezone) && (
        <p class="quiet" data-testid="own-clock">
          {t('open.own', { day: day(changes), time: time(changes) })}
        </p>
      )}
      <Week hours={hours} />
      {changes && <p>{t('open.stay')}</p>}
      <div class="actions">
        <a class="button" href={`${page.base}/test`} target="_blank" rel="noopener" data-testid="open-test">
          {t('open.test')}
        </a>
      </div>
      {page.phone && (
        <p class="note" data-testid="plan-b">
          {t('open.planb')}{' '}
          <a class="inline" href={telHref(page.phone)}>
            <Icon of={phoneIcon} size={16} /> {page.phone}
          </a>
        </p>
      )}
      <InPerson />
    </section>
  );
}

function Next({ at, zone }: { at: string; zone: string }) {
  const near = nearness(at, zone, Date.now());
  return (
    <span>
      {t(`open.next.${near}`)} {near === 'later' && day(at, { timeZone: zone })}
    </span>
  );
}

function Week({ hours }: { hours: Hours }) {
  const lines = week(hours);
  if (lines.length === 0) return null;
  return (
    <section class="hours" aria-label={t('open.hours')}>
      <h2>{t('open.hours')}</h2>
      <dl data-testid="open-hours">
        {lines.map((l) => (
          <div key={l.first}>
            <dt>
              {l.first === l.last ? weekday(l.first) : t('open.days', { from: weekday(l.first), to: weekday(l.last) })}
            </dt>
            {l.times.map(([from, to]) => (
              <dd key={from}>{t('open.times', { from, to })}</dd>
            ))}
          </div>
        ))}
      </dl>
    </section>
  );
}

/** The name of a day of the week, 0 is Monday. */
function weekday(n: number): string {
  // The first day of 2024 was a Monday.
  return new Intl.DateTimeFormat(language.value, { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + n));
}
