// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { render } from 'preact';
import type { Page } from '../core/page';
import { addMessages } from '../i18n';
import { checkDe } from '../i18n/check-de';
import { openDe } from '../i18n/open-de';
import { openDu } from '../i18n/open-du';
import { openEn } from '../i18n/open-en';
import { OpenDoor } from './OpenDoor';

addMessages('de', checkDe);
addMessages('de', openDe);
addMessages('du', openDu);
addMessages('en', openEn);

export function open(app: HTMLElement, page: Page): void {
  render(<OpenDoor page={page} />, app);
}
