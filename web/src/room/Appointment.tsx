// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks';
import type { RoomInfo, VisitedAppointment } from '../core/api/types';
import { calendar, left, otherClock } from '../core/flow/appointment';
import { type Page, telHref } from '../core/page';
import { day, t, time } from '../i18n';
import { CallPractice } from '../ui/ErrorScreen';
import { Icon } from '../ui/Icon';
import { alertIcon, phoneIcon } from '../ui/icons';
import { calendarIcon } from '../ui/icons-media';
import { InPerson, Prepare } from '../ui/Prepare';
import { Heading, Shell } from '../ui/Shell';

interface Props {
  page: Page;
  info: RoomInfo & { appointment: VisitedAppointment };
  /** Asks the server again. */
  again(): void;
}

const titles = { early: 'term.early', over: 'term.over', cancelled: 'term.cancelled', open: 'term.early' } as const;

/** The page of an appointment outside its time. */
export function Appointment({ page, info, again }: Props) {
  const { appointment: a, host } = info;
  const zone = { timeZone: a.timezone };
  return (
    <Shell page={page}>
      <section class="card term" data-testid="appointment" data-state={a.state}>
        <div class={a.state === 'cancelled' ? 'badge' : 'badge calm'}>
          <Icon of={a.state === 'cancelled' ? alertIcon : calendarIcon} size={28} />
        </div>
        <Heading practice={page.practice}>{t(titles[a.state])}</Heading>
        <p class={a.state === 'early' ? 'when' : 'when past'}>
          <span>{day(a.start, zone)}</span>
          <strong>{t('term.at', { time: time(a.start, zone) })}</strong>
          <span>
            {host.name && t('arrival.with', { name: host.name })} · {t('term.minutes', { n: a.duration_minutes })}
          </span>
        </p>
        {otherClock(a.start, a.timezone) && a.state !== 'cancelled' && (
          <p class="quiet" data-testid="own-clock">
            {t('term.own', { day: day(a.start), time: time(a.start) })}
          </p>
        )}
        {a.state === 'early' ? (
          <Early page={page} appointment={a} again={again} />
        ) : (
          <Past page={page} state={a.state} />
        )}
      </section>
    </Shell>
  );
}

function Early({ page, appointment: a, again }: { page: Page; appointment: VisitedAppointment; again(): void }) {
  const opens = Date.parse(a.opens_at);
  const now = useNow(opens, again);
  const rest = left(opens, now);
  const save = () => {
    const text = calendar(a, t('term.summary'), crypto.randomUUID(), Date.now());
    const url = URL.createObjectURL(new Blob([text], { type: 'text/calendar' }));
    const link = Object.assign(document.createElement('a'), { href: url, download: 'termin.ics' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <>
      <p class="state" role="timer" data-testid="countdown">
        <span>
          {t('term.opens', { time: time(a.opens_at, { timeZone: a.timezone }) })} {rest && t('term.left', rest)}
        </span>
      </p>
      <p>{t('term.stay')}</p>
      <div class="actions">
        <a class="button primary" href={`${page.base}/test`} target="_blank" rel="noopener" data-testid="term-test">
          {t('term.test')}
        </a>
        <button type="button" class="button" data-testid="term-calendar" onClick={save}>
          {t('term.calendar')}
        </button>
      </div>
      <Prepare />
      <InPerson />
      <PlanB page={page} />
    </>
  );
}

function Past({ page, state }: { page: Page; state: VisitedAppointment['state'] }) {
  return (
    <>
      <p class="lead">{t(state === 'cancelled' ? 'term.cancelled.t' : 'term.over.t')}</p>
      <div class="actions">
        <CallPractice page={page} />
      </div>
    </>
  );
}

/** What to do when the video does not come about. */
function PlanB({ page }: { page: Page }) {
  if (!page.phone) return null;
  return (
    <p class="note" data-testid="plan-b">
      {t('term.planb')}{' '}
      <a class="inline" href={telHref(page.phone)}>
        <Icon of={phoneIcon} size={16} /> {page.phone}
      </a>
    </p>
  );
}

/** The longest that a timer may run. */
const longest = 60 * 60_000;

/** Ticks with the minutes, and asks the server once the door should be open. */
function useNow(opens: number, again: () => void): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const rest = opens - now;
    if (rest <= 0) {
      // Clocks differ a little; asked again until the server's says so as well.
      const timer = setTimeout(() => {
        again();
        setNow(Date.now());
      }, 2000);
      return () => clearTimeout(timer);
    }
    const timer = setTimeout(() => setNow(Date.now()), Math.min(rest, longest, 1000 + (rest % 60_000)));
    return () => clearTimeout(timer);
  }, [opens, now, again]);
  return now;
}
