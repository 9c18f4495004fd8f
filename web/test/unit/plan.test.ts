// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { HostAppointment, MailState } from '../../src/core/api/types';
import { days, mailSummary, plannedEnd, proposal } from '../../src/core/flow/plan';

const zone = 'Europe/Berlin';

function at(start: string, over: Partial<HostAppointment> = {}): HostAppointment {
  return {
    id: start,
    room: `room ${start}`,
    host: 'muster',
    kind: 'beratung',
    start,
    duration_minutes: 50,
    timezone: zone,
    label: '',
    in_person: false,
    status: 'planned',
    guests: [],
    opens_at: start,
    closes_at: new Date(Date.parse(start) + 3 * 3_600_000).toISOString(),
    ...over,
  };
}

const mail = (state: MailState['state'], what: MailState['what'] = 'invitation', reason?: string): MailState => ({
  what,
  state,
  at: '',
  ...(reason && { reason }),
});
const withMail = (...m: MailState[]) =>
  at('2026-11-24T14:30:00+01:00', { guests: [{ id: 'g', name: 'A', email: '', revoked: false, mail: m }] });

describe('the plan', () => {
  it('has today first, even when it is free, and days in the practice’s zone', () => {
    const now = Date.parse('2026-11-24T12:00:00+01:00');
    const plan = days(
      [
        at('2026-11-25T00:10:00+01:00'),
        at('2026-11-24T23:50:00+01:00'),
        at('2026-11-24T15:00:00+01:00', { status: 'cancelled' }),
        at('2026-11-24T08:00:00+01:00'),
      ],
      zone,
      now,
    );
    expect(plan.map((d) => [d.date, d.appointments.map((a) => a.start)])).toEqual([
      ['2026-11-24', ['2026-11-24T23:50:00+01:00']],
      ['2026-11-25', ['2026-11-25T00:10:00+01:00']],
    ]);
    expect(days([], zone, now)).toEqual([{ date: '2026-11-24', appointments: [] }]);
  });

  it('tells of trouble with mail before anything else', () => {
    expect(mailSummary(withMail())).toBe('none');
    expect(mailSummary(withMail(mail('sent')))).toBe('sent');
    expect(mailSummary(withMail(mail('sent'), mail('queued', 'reminder')))).toBe('sent');
    expect(mailSummary(withMail(mail('queued')))).toBe('queued');
    expect(mailSummary(withMail(mail('queued', 'invitation', 'no_mail_server')))).toBe('none');
    expect(mailSummary(withMail(mail('sent'), mail('unclear', 'reminder')))).toBe('trouble');
    expect(mailSummary(withMail(mail('queued'), mail('failed')))).toBe('trouble');
  });

  it('proposes the next half hour of the practice’s clock', () => {
    expect(proposal(Date.parse('2026-11-24T14:05:00+01:00'), zone)).toEqual({ date: '2026-11-24', time: '14:30' });
    expect(proposal(Date.parse('2026-11-24T23:30:00+01:00'), zone)).toEqual({ date: '2026-11-25', time: '00:00' });
  });

  it('knows when the talk in a room is planned to end', () => {
    const a = at('2026-11-24T14:30:00+01:00');
    expect(plannedEnd([a], a.room)).toBe(Date.parse('2026-11-24T15:20:00+01:00'));
    expect(plannedEnd([a], 'other')).toBeNull();
  });
});
