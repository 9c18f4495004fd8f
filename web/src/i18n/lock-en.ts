// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Like } from './index';
import type { lockDe } from './lock-de';

export const lockEn: Like<typeof lockDe> = {
  'lock.waiting': 'Encryption begins as soon as the practice is here',
  'lock.waiting.host': 'Encryption begins as soon as somebody is here',
  'lock.waiting.short': 'waiting',
  'lock.waiting.t':
    'Sound, picture and messages are encrypted for the people in the call alone. Until then nothing is sent.',
  'lock.securing': 'Securing the connection …',
  'lock.securing.short': 'being secured\u00a0…',
  'lock.securing.t': 'The devices are agreeing on their keys.',
  'lock.slow': 'Securing the call takes unusually long.',
  'lock.until': (p) => `Until then nothing is sent${p.names ? ` to ${p.names}` : ''}.`,
  'lock.alone': 'End-to-end encrypted',
  'lock.alone.short': 'end-to-end',
  'lock.alone.t':
    'Only the people in the call can listen and watch. The server of the practice passes on what it cannot decrypt itself.',
  'lock.open': 'End-to-end encrypted · not compared yet',
  'lock.open.short': 'not compared',
  'lock.open.t':
    'Only the people in the call can listen and watch; the server of the practice cannot. Compare four words: if they are the same, nobody is in between.',
  'lock.again': 'End-to-end encrypted · please compare once more',
  'lock.again.short': 'compare anew',
  'lock.again.t':
    'Somebody has come since the last comparison, and the words are new. Compare once more: if they are the same, nobody is in between.',
  'lock.verified': 'End-to-end encrypted · compared',
  'lock.verified.short': 'compared',
  'lock.verified.t':
    'Only the people in the call can listen and watch; the server of the practice cannot. You have compared the words: nobody is in between.',
  'lock.linked': 'End-to-end encrypted · confirmed by the link',
  'lock.linked.short': 'confirmed by link',
  'lock.linked.t':
    'Everybody in the call has the same key from the link. It never goes to the server of the practice, and without it nobody can be in between: only people who have this link can listen and watch. Comparing words is possible, but not necessary.',
  'lock.doors': (p) =>
    `Names at the door were encrypted for ${p.n === 1 ? 'one more page' : `${p.n} more pages`} beside this one. If you have no second window or device open, somebody reads them there.`,
  'lock.compare': 'Compare words',
  'lock.words': 'Show the words',
  'lock.fresh': (p) => `New here: ${p.names}. Please compare once more.`,

  'words.two': 'Read the four words aloud to each other. If both sides have the same, nobody is listening in.',
  'words.many': 'Read the four words aloud. If everybody has the same words, nobody is listening in.',
  'words.language': 'Everybody needs the same language:',
  'words.digits': 'Compare 60 digits instead',
  'words.digits.t': 'For those who want to be quite sure. They are the same in every language.',
  'words.done': 'These words have been compared already.',
  'words.equal': 'They are the same',
  'words.different': 'They are not the same',
  'words.later': 'Later',
  'words.sure': 'Are the words really different?',
  'words.sure.t':
    'Has everybody chosen the same language? If the words still are different, somebody may be listening in. The call then ends at once.',
  'words.sure.no': 'Compare once more',
  'words.sure.yes': 'Yes, end the call',
  'words.wait': 'The words are being made anew. This takes only a moment.',
  'words.changed': 'Somebody has come or gone. That is why there are new words. Please start from the beginning.',
  'words.changed.do': 'Show the new words',
};
