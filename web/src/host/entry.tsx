// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals';
import { type ComponentType, render } from 'preact';
import type { CallProps } from '../call/Call';
import { Desk } from '../core/flow/desk';
import type { CallModule } from '../core/flow/visit';
import type { Page } from '../core/page';
import { addMessages } from '../i18n';
import { callDe } from '../i18n/call-de';
import { callDu } from '../i18n/call-du';
import { callEn } from '../i18n/call-en';
import { checkDe } from '../i18n/check-de';
import { hostDe } from '../i18n/host-de';
import { hostDu } from '../i18n/host-du';
import { hostEn } from '../i18n/host-en';
import { HostPage } from './HostPage';

for (const part of [checkDe, callDe, hostDe]) addMessages('de', part);
for (const part of [callDu, hostDu]) addMessages('du', part);
for (const part of [callEn, hostEn]) addMessages('en', part);

const view = signal<ComponentType<CallProps> | null>(null);
const prefetchAfter = 2000;

async function load(): Promise<CallModule> {
  const module = await import('../call/entry');
  view.value = module.Call;
  if (document.documentElement.dataset['e2ee']) await module.prepare();
  return module;
}

export function open(app: HTMLElement, page: Page, key: string): void {
  render(<HostPage desk={new Desk(page, key, load)} call={view} />, app);
  setTimeout(() => void load().catch(() => {}), prefetchAfter);
}
