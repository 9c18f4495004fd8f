// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { addMessages } from '../i18n';
import { callDe } from '../i18n/call-de';
import { callDu } from '../i18n/call-du';
import { callEn } from '../i18n/call-en';
import { lockDe } from '../i18n/lock-de';
import { lockDu } from '../i18n/lock-du';
import { lockEn } from '../i18n/lock-en';

for (const part of [callDe, lockDe]) addMessages('de', part);
for (const part of [callDu, lockDu]) addMessages('du', part);
for (const part of [callEn, lockEn]) addMessages('en', part);

export { connect } from '../core/call/session';
export { probeNetwork } from '../core/check/network';
export { Call } from './Call';

/** Fetches what calls need that are encrypted from end to end, so that nothing is missing when one begins. */
export async function prepare(): Promise<void> {
  await import('../core/call/secured');
}
