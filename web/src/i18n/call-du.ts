// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Part } from './index';

export const callDu: Part = {
  'call.you': 'Du',
  'call.alone': 'Du bist allein im Raum',
  'call.alone.t': 'Sobald jemand dazukommt, siehst und hörst du die Person hier.',
  'call.paused.t': 'Deine Verbindung ist gerade schwach. Der Ton läuft weiter.',
  'line.good': 'Deine Verbindung ist gut.',
  'line.fair': 'Deine Verbindung schwankt. Für ein Gespräch reicht sie.',
  'line.weak': 'Deine Verbindung ist schwach.',
  'call.yourScreen': 'Du teilst deinen Bildschirm',
  'call.mutedByHost': 'Die Praxis hat dein Mikrofon ausgeschaltet. Du kannst es selbst wieder einschalten.',
  'call.switched.microphone': 'Dein Mikrofon wurde getrennt. Wir nutzen jetzt ein anderes.',
  'call.switched.camera': 'Deine Kamera wurde getrennt. Wir nutzen jetzt eine andere.',
  'call.switched.speaker': 'Dein Lautsprecher wurde getrennt. Wir nutzen jetzt einen anderen.',
  'call.talkMuted': 'Dein Mikrofon ist aus.',
  'call.shareNow.on': 'Du teilst jetzt deinen Bildschirm',
  'call.shareNow.off': 'Dein Bildschirm wird nicht mehr geteilt',
  e62: 'Deine Verbindung ist schwach.',
  e73: 'Erlaube die Bildschirmaufnahme in den Systemeinstellungen.',
  'host.leave.t': 'Die anderen können weiter sprechen, oder du beendest das Gespräch für alle.',
  'host.failed': 'Das hat nicht geklappt. Bitte versuche es noch einmal.',
  'host.failed.too_many': 'Es sind schon zu viele Räume offen. Schließe zuerst einen Raum.',
  'host.failed.unavailable': 'Der Server ist gerade voll ausgelastet. Versuche es in einer Minute noch einmal.',
  'host.failed.network': 'Der Server antwortet gerade nicht. Bitte versuche es gleich noch einmal.',
  'host.failed.not_host': 'Deine Anmeldung gilt nicht mehr. Lade die Seite neu.',

  'door.message.field': 'Deine Nachricht',
  'door.quick.1': 'Ich bin gleich bei dir.',
  'door.quick.3': 'Bitte ruf uns an.',
  'door.lock.t': 'Wer jetzt kommt, wartet, bis du hereinlässt.',

  'e2ee.asking': (p: { name: string }) =>
    `${p.name} ist schon im Raum. Die Verschlüsselung beginnt, wenn du zustimmst.`,
  'e2ee.asking.host': (p: { name: string }) =>
    `${p.name} ist im Raum und kann, wenn du zustimmst, auch andere dazuholen. Die Verschlüsselung beginnt damit.`,
  'manners.alone.q': 'Bist du allein im Raum?',
  'manners.alone.t': 'Die anderen sehen deine Antwort.',
  'manners.company.own': 'Dein Mikrofon und deine Kamera sind aus. Die anderen sehen, dass jemand hereingekommen ist.',
  'manners.company.other': (p: { name: string }) => `Bei ${p.name} kommt jemand herein. Bitte warte kurz.`,
};
