// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The host's appointments, arranged for the eye.

import type { HostAppointment, HostRoom, MailState } from '../api/types';

export interface Day {
  /** Calendar day in the practice's zone, "2026-11-24". */
  date: string;
  appointments: readonly HostAppointment[];
}

/** Calendar day of a moment in a zone. */
export function dateIn(at: string | number, zone: string): string {
  // Swedish writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat('sv', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(
    new Date(at),
  );
}

/** Wall-clock time of a moment in a zone, "14:30". */
export function timeIn(at: string | number, zone: string): string {
  return new Intl.DateTimeFormat('sv', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(new Date(at));
}

/** Today's and the coming days; what is over for long or called off is not among them. */
export function days(all: readonly HostAppointment[], zone: string, now: number): readonly Day[] {
  const shown = all
    .filter((a) => a.status === 'planned' && Date.parse(a.closes_at) > now)
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  const map = new Map<string, HostAppointment[]>([[dateIn(now, zone), []]]);
  for (const a of shown) {
    const date = dateIn(a.start, zone);
    map.set(date, [...(map.get(date) ?? []), a]);
  }
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([date, appointments]) => ({ date, appointments }));
}

export type MailSummary = 'none' | 'queued' | 'sent' | 'trouble';

/** Where the letters to an appointment's guests stand: trouble first, then the newest of each. */
export function mailSummary(a: HostAppointment): MailSummary {
  const all = a.guests.flatMap((g) => g.mail);
  if (all.some((m) => m.state === 'failed' || m.state === 'unclear')) return 'trouble';
  const now = all.filter((m) => m.what !== 'reminder');
  if (now.some((m) => m.state === 'queued')) return all.some((m) => m.reason === 'no_mail_server') ? 'none' : 'queued';
  return now.length ? 'sent' : 'none';
}

/** Letters that a person should look at. */
export function troubles(mail: readonly MailState[]): readonly MailState[] {
  return mail.filter((m) => m.state === 'failed' || m.state === 'unclear');
}

/** The next full half hour, as a proposal. */
export function proposal(now: number, zone: string): { date: string; time: string } {
  const half = 30 * 60_000;
  const at = Math.ceil((now + 1) / half) * half;
  return { date: dateIn(at, zone), time: timeIn(at, zone) };
}

export function roomOf(rooms: readonly HostRoom[], a: HostAppointment): HostRoom | undefined {
  return rooms.find((r) => r.id === a.room);
}

/** Planned end of the talk in a room, in epoch milliseconds. */
export function plannedEnd(all: readonly HostAppointment[], room: string): number | null {
  const a = all.find((x) => x.room === room && x.status === 'planned');
  return a ? Date.parse(a.start) + a.duration_minutes * 60_000 : null;
}
