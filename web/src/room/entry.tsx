// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { render } from 'preact';
import type { Page } from '../core/page';
import { addMessages } from '../i18n';
import { checkDe } from '../i18n/check-de';
import { landingDe } from '../i18n/landing-de';
import { Landing } from './Landing';

addMessages('de', checkDe);
addMessages('de', landingDe);

export { Appointment } from './Appointment';
export { Room } from './Room';

/** The bare address. */
export function open(app: HTMLElement, page: Page): void {
  render(<Landing page={page} />, app);
}
