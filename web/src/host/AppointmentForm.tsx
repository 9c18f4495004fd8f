// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useId, useRef, useState } from 'preact/hooks';
import { refused } from '../call/refused';
import { FieldsError, type NewAppointment } from '../core/api/appointments';
import type { HostAppointment, Office, OfficeKind } from '../core/api/types';
import type { Desk } from '../core/flow/desk';
import { proposal } from '../core/flow/plan';
import { day, maybe, t, time } from '../i18n';
import { Dialog } from '../ui/Dialog';
import { announce } from '../ui/live';
import { LinkField } from './LinkField';

interface Props {
  desk: Desk;
  onClose(): void;
}

/** A new appointment, or a series of them: the common case needs a name and one button. */
export function AppointmentForm({ desk, onClose }: Props) {
  const [made, setMade] = useState<readonly HostAppointment[] | null>(null);
  const { office } = desk.channel.state.value;
  if (!office) return null;
  return (
    <Dialog
      title={made ? t('form.made', { n: made.length }) : t('plan.new')}
      testid="appointment-dialog"
      onClose={onClose}
    >
      {made ? (
        <Made desk={desk} made={made} mail={office.mail} onClose={onClose} />
      ) : (
        <Fields desk={desk} office={office} made={setMade} onClose={onClose} />
      )}
    </Dialog>
  );
}

const repeats = ['none', 'week', '2weeks', 'day'] as const;
type Repeat = (typeof repeats)[number];

interface FieldsProps extends Props {
  office: Office;
  made(a: readonly HostAppointment[]): void;
}

function Fields({ desk, office, made, onClose }: FieldsProps) {
  const first = proposal(Date.now(), office.timezone);
  const [kind, setKind] = useState<OfficeKind | undefined>(office.kinds[1] ?? office.kinds[0]);
  const [repeat, setRepeat] = useState<Repeat>('none');
  const [guests, setGuests] = useState(1);
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});
  const [failed, setFailed] = useState('');
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const send = async (e: Event) => {
    e.preventDefault();
    if (!form.current || !kind || busy) return;
    setBusy(true);
    setFailed('');
    setWrong({});
    try {
      made(await desk.appointments.create(read(new FormData(form.current), kind, guests, office.mail)));
    } catch (error) {
      if (error instanceof FieldsError) setWrong(error.fields);
      setFailed(error instanceof FieldsError ? t('form.check') : refused(error));
    }
    setBusy(false);
  };
  if (!kind) return null;
  return (
    <form ref={form} class="form" onSubmit={(e) => void send(e)} noValidate data-testid="appointment-form">
      <Row>
        <Field name="date" label={t('form.date')} type="date" value={first.date} wrong={wrong['start']} />
        <Field name="time" label={t('form.time')} type="time" value={first.time} />
        <Field
          key={kind.id}
          name="minutes"
          label={t('form.minutes')}
          type="number"
          value={String(kind.duration_minutes)}
          wrong={wrong['duration_minutes']}
        />
      </Row>
      <Row>
        <Choice
          name="kind"
          label={t('form.kind')}
          value={kind.id}
          options={office.kinds.map((k) => [k.id, k.name])}
          change={(id) => setKind(office.kinds.find((k) => k.id === id))}
        />
        <Choice
          name="repeat"
          label={t('form.repeat')}
          value={repeat}
          options={repeats.map((r) => [r, t(`form.repeat.${r}`)])}
          change={(r) => setRepeat(r as Repeat)}
        />
        {repeat !== 'none' && (
          <Field name="count" label={t('form.count')} type="number" value="5" wrong={wrong['repeat.count']} />
        )}
      </Row>
      {Array.from({ length: guests }, (_, i) => (
        <Row key={i}>
          <Field
            name={`name${i}`}
            label={t('form.name', { n: guests > 1 ? ` ${i + 1}` : '' })}
            wrong={wrong[`guests.${i}.name`]}
          />
          <Field
            name={`email${i}`}
            label={t('form.email', { n: guests > 1 ? ` ${i + 1}` : '' })}
            type="email"
            hint={office.mail ? undefined : t('form.nomail')}
            wrong={wrong[`guests.${i}.email`]}
          />
        </Row>
      ))}
      {guests < kind.max_participants - 1 && (
        <button type="button" class="link start" data-testid="add-guest" onClick={() => setGuests(guests + 1)}>
          {t('form.guest')}
        </button>
      )}
      <Field name="label" label={t('form.label')} hint={t('form.label.t')} wrong={wrong['label']} />
      {kind.in_person && (
        <div>
          <label class="tick">
            <input type="checkbox" name="inPerson" data-testid="form-in-person" aria-invalid={'in_person' in wrong} />
            {t('form.inPerson')}
          </label>
          {wrong['in_person'] && <p class="field-error">{t('form.inPerson.missing')}</p>}
        </div>
      )}
      {office.mail && (
        <label class="tick">
          <input type="checkbox" name="notify" defaultChecked data-testid="form-notify" />
          {t('form.notify')}
        </label>
      )}
      {failed && (
        <p class="field-error" role="alert" data-testid="form-failed">
          {failed}
        </p>
      )}
      <div class="pair">
        <button type="submit" class="button primary" data-testid="form-send">
          {t(busy ? 'form.sending' : 'form.send')}
        </button>
        <button type="button" class="button" data-testid="cancel" onClick={onClose}>
          {t('host.cancel')}
        </button>
      </div>
    </form>
  );
}

function read(data: FormData, kind: OfficeKind, guests: number, mail: boolean): NewAppointment {
  const text = (name: string) => String(data.get(name) ?? '').trim();
  const every = text('repeat') as Repeat;
  return {
    kind: kind.id,
    start: `${text('date')}T${text('time')}`,
    duration_minutes: Number(text('minutes')) || 0,
    label: text('label'),
    guests: Array.from({ length: guests }, (_, i) => ({ name: text(`name${i}`), email: text(`email${i}`) })),
    ...(kind.in_person && { in_person: data.has('inPerson') }),
    ...(every !== 'none' && { repeat: { every, count: Number(text('count')) || 0 } }),
    ...(mail && { notify: data.has('notify') }),
  };
}

/** What was made, with every guest's link to pass on. */
function Made({ desk, made, mail, onClose }: Props & { made: readonly HostAppointment[]; mail: boolean }) {
  const mailed = mail && made.some((a) => a.guests.some((g) => g.mail.length > 0));
  const n = made.flatMap((a) => a.guests).length;
  return (
    <div class="form" data-testid="appointment-made" data-count={made.length}>
      <p class="state good">{t(mailed ? 'form.mailed' : 'form.pass', { n })}</p>
      <div class="made">
        {made.map((a) => (
          <section key={a.id}>
            <h3>
              {day(a.start, { timeZone: a.timezone })},{' '}
              {t('term.at', { time: time(a.start, { timeZone: a.timezone }) })}
            </h3>
            {a.guests.map(
              (g) =>
                g.link && <LinkField key={g.id} link={desk.link(g.link)} label={t('form.link', { name: g.name })} />,
            )}
          </section>
        ))}
      </div>
      <button type="button" class="button primary" data-testid="made-close" onClick={onClose}>
        {t('call.close')}
      </button>
    </div>
  );
}

function Row({ children }: { children: preact.ComponentChildren }) {
  return <div class="form-row">{children}</div>;
}

interface FieldProps {
  name: string;
  label: string;
  type?: 'text' | 'date' | 'time' | 'number' | 'email';
  value?: string;
  hint?: string | undefined;
  wrong?: string | undefined;
}

export function Field({ name, label, type = 'text', value = '', hint, wrong }: FieldProps) {
  const id = useId();
  const text = wrong ? (maybe(`wrong.${wrong}`) ?? t('wrong.malformed')) : hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        {...({ type } as { type: 'text' })}
        defaultValue={value}
        autocomplete="off"
        data-testid={`form-${name}`}
        aria-invalid={!!wrong}
        aria-describedby={text ? `${id}-text` : undefined}
        {...(type === 'number' && { min: 1, max: 480, inputMode: 'numeric' as const })}
      />
      {text && (
        <p class={wrong ? 'field-error' : 'hint'} id={`${id}-text`}>
          {text}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  name: string;
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  change(value: string): void;
}

function Choice({ name, label, value, options, change }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        name={name}
        data-testid={`form-${name}`}
        value={value}
        onChange={(e) => change(e.currentTarget.value)}
      >
        {options.map(([v, text]) => (
          <option key={v} value={v}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** For screen readers: a change has been kept. */
export const kept = () => announce(t('form.kept'));
