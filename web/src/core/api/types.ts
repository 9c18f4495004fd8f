// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The admission API on the wire. Every field is what the server sends; nothing is derived here.

export const apiCodes = [
  'bad_request',
  'not_host',
  'bad_link',
  'link_expired',
  'room_full',
  'room_closed',
  'too_many',
  'too_large',
  'foreign_origin',
  'not_allowed',
  'not_found',
  'method',
  'unsupported',
  'unavailable',
  'internal',
  'too_early',
  'cancelled',
  'conflict',
  'invalid',
  'no_encryption',
] as const;

/** `network`: no usable answer; `websocket`: plain requests work, sockets do not. Both are found out here, never sent. */
export type ApiCode = (typeof apiCodes)[number] | 'network' | 'websocket';

export interface HostName {
  id: string;
  name: string;
}

export interface RoomInfo {
  host: HostName;
  open: boolean;
  /** Where the link belongs to one. */
  appointment?: VisitedAppointment;
  /** Where one comes without a link. */
  hours?: Hours;
}

/** When a host takes visitors without a link. */
export interface Hours {
  open: boolean;
  /** When that is otherwise (RFC 3339 with the zone's offset); missing: never. */
  changes?: string;
  timezone: string;
  /** The times of each day from Monday on, as [from, to]; missing: open at any time. */
  week?: readonly (readonly (readonly [string, string])[])[];
}

/** What the holder of a link learns of the appointment. Times are RFC 3339 with the offset of its zone. */
export interface VisitedAppointment {
  start: string;
  duration_minutes: number;
  timezone: string;
  opens_at: string;
  closes_at: string;
  kind: string;
  state: 'early' | 'open' | 'over' | 'cancelled';
  name?: string;
}

export interface Admission {
  token: string;
  url: string;
  identity: string;
}

/** A page of a host's for which names are sealed: its page key, its KEM key, and the one's signature over the other. */
export interface DoorPage {
  key: string;
  kem: string;
  sig: string;
}

/** What a host's page wrote to one waiting person, so that no server can read it; `n` counts within that page. */
export interface Letter {
  key: string;
  n: number;
  data: string;
}

/** All that somebody who waits may know. */
export interface WaitingFrame {
  type: 'waiting';
  resume: string;
  host_present: boolean;
  /** Nobody is let in at present. */
  locked?: boolean;
  /** Was put back from the room. */
  back?: boolean;
  messages?: readonly string[];
  /** Messages where the server cannot read them. */
  letters?: readonly Letter[];
  /** A colleague to whom one may go. */
  offer?: HostName;
  /** Where one waits since a hand-over. */
  moved?: { room: string; cap: string; host: HostName };
}

export type KnockFrame =
  | WaitingFrame
  | { type: 'doors'; knock: string; pages: readonly DoorPage[] | null }
  | ({ type: 'admitted'; moved?: WaitingFrame['moved'] } & Admission)
  | { type: 'declined' }
  | { type: 'closed'; reason: 'ended' | 'expired' }
  | { type: 'error'; code: string; message?: string; retry_after?: number }
  | { type: 'pong' };

export type DeviceState = 'on' | 'muted' | 'none';

export interface RoomPerson {
  identity: string;
  name: string;
  host: boolean;
  audio: DeviceState;
  video: DeviceState;
  screen: boolean;
  /** Public key of the page that was let in. */
  key?: string;
  /** The name, sealed for this page; once on each connection. */
  sealed?: string;
}

export interface WaitingPerson {
  id: string;
  /** Empty where the server does not know it, until it has been opened. */
  name: string;
  since: string;
  /** Public key of the page that knocks. */
  key?: string;
  back?: boolean;
  /** Name of the colleague whose guest this was. */
  from?: string;
  /** The colleague whom the guest was offered. */
  hand?: HostName & { refused: boolean };
  messages?: readonly string[];
  /** The name, sealed for this page; once on each connection. */
  sealed?: string;
  letters?: readonly Letter[];
  /** Nothing can be written to this person: there is no key for it. Found out here, never sent. */
  unreachable?: boolean;
  /** Came without a link. */
  unlinked?: boolean;
}

export interface Colleague extends HostName {
  present: boolean;
}

export interface HostRoom {
  id: string;
  grant: string;
  link: string;
  /** Missing while a standing room is closed. */
  opened_at?: string;
  locked?: boolean;
  /** Id of the appointment that it belongs to. */
  appointment?: string;
  /** No room: where people without a link wait. */
  lobby?: boolean;
  /** A room that the host keeps: its link stays the same. */
  standing?: { id: string; name: string; kind?: string };
  participants: RoomPerson[];
  waiting: WaitingPerson[];
}

/** The open consultation; `address` is below the base path. */
export interface WalkIn extends Hours {
  address: string;
}

export interface HostSession {
  token: string;
  expires_in: number;
  host: HostName;
}

export interface MailState {
  what: 'invitation' | 'change' | 'cancellation' | 'reminder';
  state: 'queued' | 'sent' | 'failed' | 'unclear';
  at: string;
  reason?: string;
}

export interface Invited {
  id: string;
  name: string;
  email: string;
  language?: string;
  address?: string;
  revoked: boolean;
  /** Only where it was just made. */
  link?: string;
  mail: MailState[];
}

/** An appointment as its host sees it. Times are RFC 3339 with the offset of its zone. */
export interface HostAppointment {
  id: string;
  room: string;
  host: string;
  kind: string;
  start: string;
  duration_minutes: number;
  timezone: string;
  label: string;
  series?: string;
  in_person: boolean;
  status: 'planned' | 'cancelled';
  guests: Invited[];
  opens_at: string;
  closes_at: string;
}

export interface OfficeKind {
  id: string;
  name: string;
  in_person: boolean;
  named_list: boolean;
  duration_minutes: number;
  max_participants: number;
}

export interface Office {
  timezone: string;
  mail: boolean;
  kinds: OfficeKind[];
}

export type HostCommand =
  | { do: 'open_room'; appointment?: string; standing?: string }
  | { do: 'admit' | 'decline'; room: string; knock: string }
  | { do: 'enter'; room: string; name?: string; key?: string }
  | { do: 'mute'; room: string; identity: string; kind: 'audio' | 'video' }
  | { do: 'remove' | 'back'; room: string; identity: string }
  | { do: 'message'; room: string; knock: string; text: string }
  | ({ do: 'message'; room: string; knock: string } & Letter)
  | { do: 'hand'; room: string; knock: string; host: string }
  | { do: 'lock' | 'unlock'; room: string }
  | { do: 'end'; room: string };

export interface HostResult extends Partial<Admission> {
  room?: string;
}

export type HostFrame =
  | {
      type: 'state';
      host: HostName;
      rooms: HostRoom[];
      colleagues?: Colleague[];
      appointments?: HostAppointment[];
      mail_trouble?: number;
      calendar_trouble?: string;
      office?: Office;
      walk_in?: WalkIn;
    }
  | { type: 'session'; token: string; expires_in: number }
  | ({ type: 'result'; id: number; ok: boolean; error?: { code: string; message?: string } } & HostResult)
  | { type: 'error'; code: string; message?: string; retry_after?: number }
  | { type: 'pong' };

export function apiCode(value: unknown): ApiCode {
  return (apiCodes as readonly unknown[]).includes(value) ? (value as ApiCode) : 'internal';
}
