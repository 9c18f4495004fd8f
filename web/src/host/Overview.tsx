// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks';
import { refused } from '../call/refused';
import type { Desk } from '../core/flow/desk';
import { NotKept } from '../core/flow/linkkeys';
import { dateIn } from '../core/flow/plan';
import { unlockTones } from '../core/media/tone';
import { day, t, time } from '../i18n';
import { Icon } from '../ui/Icon';
import { videoIcon } from '../ui/icons';
import { calendarIcon, lockIcon } from '../ui/icons-media';
import { Heading } from '../ui/Shell';
import { AppointmentForm } from './AppointmentForm';
import { Plan } from './Plan';
import { RoomCard } from './RoomCard';
import { StandingRooms } from './StandingRooms';
import { WalkInCard } from './WalkInCard';

export function Overview({ desk }: { desk: Desk }) {
  const { link, host, rooms, appointments, mailTrouble, calendarTrouble, office, walkIn } = desk.channel.state.value;
  const [making, setMaking] = useState(false);
  const planned = new Set(appointments.map((a) => a.room));
  const loose = rooms.filter((r) => !planned.has(r.id) && !r.lobby && !r.standing);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState('');
  if (link === 'refused') return <Refused desk={desk} />;

  const attempt = async (p: Promise<unknown>) => {
    setFailed('');
    try {
      await p;
    } catch (e) {
      setFailed(e instanceof NotKept ? t('key.notKept') : refused(e));
    }
  };
  const open = async () => {
    unlockTones();
    setBusy(true);
    await attempt(desk.channel.do({ do: 'open_room' }));
    setBusy(false);
  };
  return (
    <section class="desk" data-testid="desk" data-link={link}>
      <div class="desk-top">
        <div>
          <Heading practice={desk.page.practice}>{t('desk.title')}</Heading>
          <p class="quiet" data-testid="host-name">
            {host ? t('desk.hello', { name: host.name }) : t('desk.connecting')}
          </p>
        </div>
        <div class="pair desk-acts">
          <button type="button" class="button" data-testid="open-room" aria-disabled={busy} onClick={() => void open()}>
            <Icon of={videoIcon} size={22} />
            {t(busy ? 'desk.opening' : 'desk.open')}
          </button>
          {office && (
            <button type="button" class="button primary" data-testid="new-appointment" onClick={() => setMaking(true)}>
              <Icon of={calendarIcon} size={22} />
              {t('plan.new')}
            </button>
          )}
        </div>
      </div>
      {link === 'down' && (
        <p class="note" role="status" data-testid="desk-down">
          {t('desk.down')}
        </p>
      )}
      {failed && (
        <p class="note bad" role="alert" data-testid="host-failed">
          {failed}
        </p>
      )}
      {mailTrouble > 0 && (
        <p class="note bad" data-testid="mail-trouble">
          {t('mail.trouble', { n: mailTrouble })}
        </p>
      )}
      {calendarTrouble && office && (
        <p class="note" data-testid="calendar-trouble">
          {t('calendar.trouble', { since: since(calendarTrouble, office.timezone) })}
        </p>
      )}
      {walkIn && <WalkInCard desk={desk} walkIn={walkIn} attempt={attempt} />}
      {loose.map((r) => (
        <RoomCard key={r.id} desk={desk} room={r} attempt={attempt} />
      ))}
      <StandingRooms desk={desk} attempt={attempt} />
      <Plan desk={desk} attempt={attempt} />
      {making && <AppointmentForm desk={desk} onClose={() => setMaking(false)} />}
    </section>
  );
}

/** "14:05", and with the day where that was not today. */
function since(at: string, zone: string): string {
  const clock = time(at, { timeZone: zone });
  return dateIn(at, zone) === dateIn(Date.now(), zone) ? clock : `${day(at, { timeZone: zone })}, ${clock}`;
}

function Refused({ desk }: { desk: Desk }) {
  return (
    <section class="card error" data-testid="desk-refused">
      <div class="badge">
        <Icon of={lockIcon} size={28} />
      </div>
      <Heading practice={desk.page.practice}>{t('desk.refused')}</Heading>
      <p class="lead">{t('desk.refused.t')}</p>
    </section>
  );
}
