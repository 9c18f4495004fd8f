// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { hostDe } from './host-de';
import type { Like } from './index';

export const hostEn: Like<typeof hostDe> = {
  'desk.title': 'Your video consultations',
  'desk.hello': (p) => `Signed in as ${p.name}`,
  'desk.open': 'Open a room',
  'desk.opening': 'Opening the room …',
  'desk.none': 'No room is open yet',
  'desk.none.t': 'Open a room. You get a link to pass on.',
  'desk.room': (p) => `Room, opened at ${p.time}`,
  'desk.link': 'Link for your visitor',
  'desk.copy': 'Copy link',
  'desk.copied': 'Link copied',
  'desk.nobody': 'Nobody is waiting. Whoever opens the link appears here.',
  'desk.inCall': (p) => `In the call: ${p.names}`,
  'desk.enter': 'Start the call',
  'desk.ready': (p) => `${p.name} is in the room and waiting for you.`,
  'desk.end': 'Close room',
  'desk.end.q': 'Close the room?',
  'desk.end.t': 'The call ends for everybody in it.',
  'desk.tab': (p) => `(${p.n}) waiting – ${p.title}`,
  'desk.connecting': 'Connecting to the server …',
  'desk.down': 'The connection to the server is interrupted. We are restoring it …',
  'desk.refused': 'This sign-in is not valid',
  'desk.refused.t': 'Open your private practice link, or sign in to this website.',
  'desk.sound': 'Sound on arrival',
  'desk.check': 'Before the call',
  'desk.start': 'Start now',
  'desk.back': 'Back to the overview',
  'desk.ended': 'The call has ended.',
};
