// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { render } from 'preact';
import type { Page } from '../core/page';
import { addMessages } from '../i18n';
import { callDe } from '../i18n/call-de';
import { callDu } from '../i18n/call-du';
import { callEn } from '../i18n/call-en';
import { checkDe } from '../i18n/check-de';
import { testDe } from '../i18n/test-de';
import { testDu } from '../i18n/test-du';
import { testEn } from '../i18n/test-en';
import { TestPage } from './TestPage';

for (const part of [checkDe, callDe, testDe]) addMessages('de', part);
for (const part of [callDu, testDu]) addMessages('du', part);
for (const part of [callEn, testEn]) addMessages('en', part);

export function open(app: HTMLElement, page: Page): void {
  render(<TestPage page={page} />, app);
}
