// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { VisitedAppointment } from '../api/types';

export interface Left {
  days: number;
  hours: number;
  minutes: number;
}

/** How long until a moment, in whole minutes and never less than one; null when it has come. */
export function left(until: number, now: number): Left | null {
  if (until <= now) return null;
  const minutes = Math.ceil((until - now) / 60_000);
  return { days: Math.floor(minutes / 1440), hours: Math.floor(minutes / 60) % 24, minutes: minutes % 60 };
}

/** Whether a clock in the zone shows something else at that moment than the device's own. */
export function otherClock(
  at: string,
  zone: string,
  own: string = Intl.DateTimeFormat().resolvedOptions().timeZone,
): boolean {
  const show = (timeZone: string) =>
    new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(new Date(at));
  try {
    return show(zone) !== show(own);
  } catch {
    return false;
  }
}

/** A calendar entry that says nothing but that there is an appointment (RFC 5545). */
export function calendar(
  a: Pick<VisitedAppointment, 'start' | 'duration_minutes'>,
  summary: string,
  uid: string,
  now: number,
): string {
  const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const start = Date.parse(a.start);
  const text = summary.replace(/[\\;,]/g, '\\$&').replace(/\n/g, '\\n');
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//videoroom//DE',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    `DTSTAMP:${stamp(now)}`,
    `DTSTART:${stamp(start)}`,
    `DTEND:${stamp(start + a.duration_minutes * 60_000)}`,
    `SUMMARY:${text}`,
    'CLASS:PRIVATE',
    'END:VEVENT',
    'END:VCALENDAR',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
