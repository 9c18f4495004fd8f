// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks';
import { named } from '../call/named';
import { WaitingList } from '../call/WaitingList';
import type { HostAppointment, HostRoom } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { dateIn, days, mailSummary, roomOf } from '../core/flow/plan';
import { day, t, time } from '../i18n';
import { AppointmentDetails } from './AppointmentDetails';

interface Props {
  desk: Desk;
  attempt(p: Promise<unknown>): Promise<void>;
}

/** Today and the coming days. */
export function Plan({ desk, attempt }: Props) {
  const { appointments, office, link } = desk.channel.state.value;
  const now = useMinute();
  const [open, setOpen] = useState('');
  if (!office) return null;
  const zone = office.timezone;
  const today = dateIn(now, zone);
  const plan = days(appointments, zone, now);
  const shown = appointments.find((a) => a.id === open);
  return (
    <section class="plan" data-testid="plan" aria-label={t('plan.title')}>
      {plan.map((d) => (
        <section class="day" key={d.date} data-testid="day" data-date={d.date}>
          <h2>{d.date === today ? t('plan.today') : day(`${d.date}T12:00:00Z`, { timeZone: 'UTC' })}</h2>
          {d.appointments.length === 0 && link !== 'connecting' && (
            <p class="quiet" data-testid="no-appointments">
              {t('plan.free')}
            </p>
          )}
          <ul class="appointments">
            {d.appointments.map((a) => (
              <Row key={a.id} desk={desk} appointment={a} attempt={attempt} more={() => setOpen(a.id)} />
            ))}
          </ul>
        </section>
      ))}
      <p class="quiet">{t('plan.zone', { zone: zone.replace('_', ' ') })}</p>
      {shown && <AppointmentDetails key={shown.id} desk={desk} appointment={shown} onClose={() => setOpen('')} />}
    </section>
  );
}

interface RowProps extends Props {
  appointment: HostAppointment;
  more(): void;
}

function Row({ desk, appointment: a, attempt, more }: RowProps) {
  const { rooms, office } = desk.channel.state.value;
  const room = roomOf(rooms, a);
  const zone = { timeZone: a.timezone };
  const names = a.guests
    .map((g) => g.name)
    .filter(Boolean)
    .join(', ');
  const kind = office?.kinds.find((k) => k.id === a.kind)?.name ?? a.kind;
  const mail = mailSummary(a);
  return (
    <li class="card appointment" data-testid="appointment-row" data-id={a.id} data-mail={mail}>
      <div class="appointment-main">
        <p class="appointment-time">
          <strong>{time(a.start, zone)}</strong>
          <small>{t('plan.minutes', { n: a.duration_minutes })}</small>
        </p>
        <p class="person-name">
          {a.label || names || kind}
          <small>{[kind, a.label ? names : '', a.series ? t('plan.series') : ''].filter(Boolean).join(' · ')}</small>
          <small class={mail === 'trouble' ? 'trouble' : ''}>{t(`mail.sum.${mail}`)}</small>
        </p>
        <div class="pair">
          <button
            type="button"
            class={room && room.participants.length > 0 ? 'button primary small' : 'button small'}
            data-testid="begin"
            onClick={() => void attempt(desk.begin(a))}
          >
            {t('desk.enter')}
          </button>
          <button
            type="button"
            class="button small"
            data-testid="details"
            aria-label={t('plan.details.who', { name: a.label || names || kind })}
            onClick={more}
          >
            {t('plan.details')}
          </button>
        </div>
      </div>
      {room && <Door desk={desk} room={room} attempt={attempt} />}
    </li>
  );
}

/** Who waits at an appointment's room, and who is in it. */
function Door({ desk, room, attempt }: Props & { room: HostRoom }) {
  const inside = room.participants.map((p) => named(p.name));
  return (
    <>
      {room.waiting.length > 0 && (
        <WaitingList waiting={room.waiting} door={desk.door(room.id)} attempt={(p) => void attempt(p)} />
      )}
      {inside.length > 0 && (
        <p class="state good" data-testid="room-inside">
          {t('desk.inCall', { names: inside.join(', ') })}
        </p>
      )}
    </>
  );
}

function useMinute(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
