// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { defineConfig } from 'vite';

// The call screen with made-up people; never part of dist/. Served by dev/mock.mjs at /video/_dev/gallery.html.
export default defineConfig({
  root: 'dev',
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    outDir: 'out',
    emptyOutDir: true,
    modulePreload: false,
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: 'dev/gallery.html' },
  },
});
