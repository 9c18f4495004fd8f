// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import './ui/style.css';
import { render } from 'preact';
import { readFragment, readPage } from './core/page';
import { setLanguage } from './i18n';
import { Door } from './room/Door';

const page = readPage(document.documentElement.dataset, location.pathname);
const fragment = readFragment(location.hash);
// Whoever put a secret into the link wants nothing without it, whatever the server says.
if (fragment.link !== null) page.e2ee = true;

const entries = {
  landing: () => import('./room/entry'),
  host: () => import('./host/entry'),
  test: () => import('./test/entry'),
  open: () => import('./open/entry'),
};

// By script, not by an attribute: the page allows no styles within it.
if (page.color) document.documentElement.style.setProperty('--brand', page.color);

async function start(): Promise<void> {
  await setLanguage(fragment.language || page.language, page.address).catch(() => {});
  const module = page.kind === 'room' ? null : await entries[page.kind]();
  const app = document.getElementById('app');
  if (!app) return;
  app.textContent = '';
  if (module) module.open(app, page, fragment.key);
  else render(<Door page={page} cap={fragment.cap} link={fragment.link} />, app);
}

// Another link pasted into the same window is another visit.
window.addEventListener('hashchange', () => {
  const next = readFragment(location.hash);
  if (next.cap !== fragment.cap || next.key !== fragment.key || next.link !== fragment.link) location.reload();
});

void start();
