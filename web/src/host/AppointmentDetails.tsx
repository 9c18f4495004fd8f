// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useRef, useState } from 'preact/hooks';
import { refused } from '../call/refused';
import { type AppointmentChange, FieldsError, type SeriesPart } from '../core/api/appointments';
import type { HostAppointment, Invited, MailState } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { dateIn, timeIn } from '../core/flow/plan';
import { day, maybe, t, time } from '../i18n';
import { Dialog } from '../ui/Dialog';
import { Field, kept } from './AppointmentForm';
import { LinkField } from './LinkField';

interface Props {
  desk: Desk;
  appointment: HostAppointment;
  onClose(): void;
}

/** One appointment: its guests, their links and letters; to move and to call off. */
export function AppointmentDetails({ desk, appointment: a, onClose }: Props) {
  const [failed, setFailed] = useState('');
  const [view, setView] = useState<'guests' | 'move' | 'cancel'>('guests');
  const attempt = async (p: Promise<unknown>) => {
    setFailed('');
    try {
      await p;
      kept();
      return true;
    } catch (e) {
      setFailed(refused(e));
      return false;
    }
  };
  const zone = { timeZone: a.timezone };
  return (
    <Dialog title={a.label || t('plan.details')} testid="details-dialog" onClose={onClose}>
      <p class="lead">
        {day(a.start, zone)}, {t('term.at', { time: time(a.start, zone) })}
        {'\u00a0· '}
        {t('plan.minutes', { n: a.duration_minutes })}
      </p>
      {failed && (
        <p class="field-error" role="alert" data-testid="details-failed">
          {failed}
        </p>
      )}
      {view === 'guests' && (
        <>
          <div class="guests">
            {a.guests.map((g) => (
              <Guest key={g.id} desk={desk} appointment={a} guest={g} attempt={attempt} fail={setFailed} />
            ))}
          </div>
          <div class="actions">
            <button type="button" class="button" data-testid="move" onClick={() => setView('move')}>
              {t('plan.move')}
            </button>
            <button type="button" class="button" data-testid="call-off" onClick={() => setView('cancel')}>
              {t('plan.cancel')}
            </button>
            <button type="button" class="button primary" data-testid="details-close" onClick={onClose}>
              {t('call.close')}
            </button>
          </div>
        </>
      )}
      {view === 'move' && <Move desk={desk} appointment={a} onClose={() => setView('guests')} />}
      {view === 'cancel' && (
        <CallOff
          appointment={a}
          back={() => setView('guests')}
          run={(part) => void attempt(desk.appointments.cancel(a.id, part)).then((ok) => ok && onClose())}
        />
      )}
    </Dialog>
  );
}

interface GuestProps {
  desk: Desk;
  appointment: HostAppointment;
  guest: Invited;
  attempt(p: Promise<unknown>): Promise<boolean>;
  fail(text: string): void;
}

function Guest({ desk, appointment: a, guest: g, attempt, fail }: GuestProps) {
  const [link, setLink] = useState('');
  const renew = async () => {
    fail('');
    try {
      setLink(await desk.appointments.link(a.id, g.id));
    } catch (e) {
      fail(refused(e));
    }
  };
  const mails = desk.channel.state.value.office?.mail && g.email;
  return (
    <section class="guest" data-testid="guest" data-revoked={g.revoked}>
      <p class="person-name">
        {g.name || t('plan.guest')}
        <small>{[g.email, g.revoked ? t('plan.revoked') : ''].filter(Boolean).join(' · ')}</small>
      </p>
      {g.mail.length > 0 && (
        <ul class="letters" data-testid="letters">
          {g.mail.map((m) => (
            <Letter key={`${m.what} ${m.at}`} mail={m} zone={a.timezone} />
          ))}
        </ul>
      )}
      {link ? (
        <LinkField link={desk.link(link)} label={t('form.link', { name: g.name })} />
      ) : (
        <div class="pair">
          <button type="button" class="button small" data-testid="new-link" onClick={() => void renew()}>
            {t('plan.link')}
          </button>
          {mails && (
            <button
              type="button"
              class="button small"
              data-testid="remind"
              onClick={() => void attempt(desk.appointments.remind(a.id, g.id))}
            >
              {t('plan.remind')}
            </button>
          )}
          {!g.revoked && (
            <button
              type="button"
              class="button small"
              data-testid="revoke"
              onClick={() => void attempt(desk.appointments.revoke(a.id, g.id))}
            >
              {t('plan.revoke')}
            </button>
          )}
        </div>
      )}
      {!link && <p class="hint">{t('plan.link.t')}</p>}
    </section>
  );
}

function Letter({ mail: m, zone }: { mail: MailState; zone: string }) {
  const bad = m.state === 'failed' || m.state === 'unclear';
  const reason = m.reason ? (maybe(`mail.reason.${m.reason}`) ?? '') : '';
  return (
    <li class={bad ? 'trouble' : ''} data-testid="letter" data-what={m.what} data-state={m.state}>
      {t(`mail.what.${m.what}`)}: {t(`mail.state.${m.state}`, { time: time(m.at, { timeZone: zone }) })}
      {reason && ` – ${reason}`}
    </li>
  );
}

/** The same appointment at another time; guests keep their links. */
function Move({ desk, appointment: a, onClose }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});
  const [failed, setFailed] = useState('');
  const send = async (e: Event) => {
    e.preventDefault();
    if (!form.current) return;
    const data = new FormData(form.current);
    const change: AppointmentChange = {
      start: `${data.get('date')}T${data.get('time')}`,
      duration_minutes: Number(data.get('minutes')) || 0,
      label: String(data.get('label') ?? ''),
    };
    try {
      await desk.appointments.change(a.id, change);
      kept();
      onClose();
    } catch (error) {
      setWrong(error instanceof FieldsError ? error.fields : {});
      setFailed(error instanceof FieldsError ? t('form.check') : refused(error));
    }
  };
  return (
    <form ref={form} class="form" onSubmit={(e) => void send(e)} noValidate data-testid="move-form">
      <div class="form-row">
        <Field
          name="date"
          label={t('form.date')}
          type="date"
          value={dateIn(a.start, a.timezone)}
          wrong={wrong['start']}
        />
        <Field name="time" label={t('form.time')} type="time" value={timeIn(a.start, a.timezone)} />
        <Field
          name="minutes"
          label={t('form.minutes')}
          type="number"
          value={String(a.duration_minutes)}
          wrong={wrong['duration_minutes']}
        />
      </div>
      <Field name="label" label={t('form.label')} hint={t('form.label.t')} value={a.label} wrong={wrong['label']} />
      <p class="hint">{t('plan.move.t')}</p>
      {failed && (
        <p class="field-error" role="alert">
          {failed}
        </p>
      )}
      <div class="pair">
        <button type="submit" class="button primary" data-testid="move-send">
          {t('plan.move.do')}
        </button>
        <button type="button" class="button" data-testid="move-back" onClick={onClose}>
          {t('host.cancel')}
        </button>
      </div>
    </form>
  );
}

/** The focus starts on the harmless button. */
function CallOff({
  appointment: a,
  back,
  run,
}: {
  appointment: HostAppointment;
  back(): void;
  run(p: SeriesPart): void;
}) {
  const parts: SeriesPart[] = a.series ? ['one', 'following', 'all'] : ['one'];
  return (
    <div class="actions" data-testid="call-off-form">
      <p>{t('plan.cancel.q')}</p>
      <button type="button" class="button" data-testid="call-off-back" onClick={back}>
        {t('plan.keep')}
      </button>
      {parts.map((p) => (
        <button type="button" class="button danger" key={p} data-testid={`call-off-${p}`} onClick={() => run(p)}>
          {t(a.series ? `plan.cancel.${p}` : 'plan.cancel')}
        </button>
      ))}
    </div>
  );
}
