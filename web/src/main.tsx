// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import './ui/style.css';
import { render } from 'preact';
import { readFragment, readPage } from './core/page';
import { setLanguage } from './i18n';
import { Door } from './room/Door';
import { Landing } from './room/Landing';

const page = readPage(document.documentElement.dataset, location.pathname);
const fragment = readFragment(location.hash);

async function start(): Promise<void> {
  await setLanguage(fragment.language || page.language, page.address).catch(() => {});
  const host = page.kind === 'host' ? await import('./host/entry') : null;
  const app = document.getElementById('app');
  if (!app) return;
  app.textContent = '';
  if (host) host.open(app, page, fragment.key);
  else render(page.kind === 'room' ? <Door page={page} cap={fragment.cap} /> : <Landing page={page} />, app);
}

// Another link pasted into the same window is another visit.
window.addEventListener('hashchange', () => {
  const next = readFragment(location.hash);
  if (next.cap !== fragment.cap || next.key !== fragment.key) location.reload();
});

void start();
